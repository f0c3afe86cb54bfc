package io.loam.store;

/** What {@link Namespace#read} does with a value. */
@FunctionalInterface
public interface ValueReader<R> {
    R read(ValueView value);
}
