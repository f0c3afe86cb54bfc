package io.loam.store;

/** What a scan does with an entry. */
@FunctionalInterface
public interface EntryVisitor {
    /** {@code value} is valid only inside the call. */
    void visit(byte[] key, ValueView value);
}
