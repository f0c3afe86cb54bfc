package io.loam.store;

/**
 * What a key holds at one instant.
 *
 * @param value the value's bytes
 * @param version grows with every write of the key
 * @param expiresAtMillis {@link Namespace#NEVER} or milliseconds since 1970
 * @param type the type bits, 0 to 15
 */
public record Entry(byte[] value, long version, long expiresAtMillis, int type) {}
