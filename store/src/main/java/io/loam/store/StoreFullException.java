package io.loam.store;

/** A write found no memory; it changed nothing. The message says how much is live and what would help. */
public final class StoreFullException extends LoamException {
    private static final long serialVersionUID = 1;

    public StoreFullException(String message) {
        super(message);
    }
}
