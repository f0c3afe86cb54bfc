package io.loam.server.keyspace;

/** The elements of large values: told of what becomes of their headers. */
public interface Elements {

    /** Where there are no large values. */
    Elements NONE = new Elements() {
        @Override
        public void abandoned(byte[] header) {}

        @Override
        public long storedBytes(byte[] header) {
            throw new IllegalStateException("a large value, and nothing that knows its elements");
        }

        @Override
        public void cleared() {}

        @Override
        public void moving(byte[] header, Database from, byte[] fromKey, Database to, byte[] toKey) {
            throw new IllegalStateException("a large value, and nothing that knows its elements");
        }

        @Override
        public byte[] copy(byte[] header, Database to, byte[] key) {
            throw new IllegalStateException("a large value, and nothing that knows its elements");
        }
    };

    /**
     * The header of a large value was removed or replaced; its elements can be reclaimed in the background. Called under the key's lock. Does not wait.
     *
     * @param header the entry's value
     */
    void abandoned(byte[] header);

    /** Bytes that the elements take in log and index. Takes long. */
    long storedBytes(byte[] header);

    /** Whole databases were cleared, headers of large values with them. Called under the locks of all keys. */
    void cleared();

    /**
     * A header is about to be put under another key and then removed from the first. Called under the locks of both. Waits for memory.
     *
     * @throws io.loam.store.StoreFullException if there is none: the header must stay
     */
    void moving(byte[] header, Database from, byte[] fromKey, Database to, byte[] toKey);

    /**
     * Copies the elements of a large value whose key is locked, and returns the header of the copy, to be put under {@code key}, which is locked too; or else to be abandoned. Takes long, and waits for memory.
     *
     * @throws io.loam.store.StoreFullException if there is none; nothing is left of the copy
     */
    byte[] copy(byte[] header, Database to, byte[] key);
}
