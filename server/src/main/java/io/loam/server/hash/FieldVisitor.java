package io.loam.server.hash;

/** Takes the fields of a hash. */
@FunctionalInterface
public interface FieldVisitor {

    /** @param value empty if values were not asked for */
    void field(byte[] name, byte[] value);
}
