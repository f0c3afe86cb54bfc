package io.loam.server.keyspace;

/** Gives back the elements of large values whose header has gone. */
@FunctionalInterface
public interface Elements {

    Elements NONE = header -> {};

    /**
     * The header of a large value was removed or replaced; its elements can be reclaimed in the background. Called under the key's lock.
     *
     * @param header the entry's value
     */
    void abandoned(byte[] header);
}
