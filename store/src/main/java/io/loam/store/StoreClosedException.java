package io.loam.store;

/** The store is closed. */
public final class StoreClosedException extends LoamException {
    private static final long serialVersionUID = 1;

    public StoreClosedException() {
        super("the store is closed; open a new one");
    }
}
