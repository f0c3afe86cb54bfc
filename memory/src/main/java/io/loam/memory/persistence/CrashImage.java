package io.loam.memory.persistence;

/**
 * What the medium may hold after the power was lost at one moment.
 *
 * @param words the content, 8 bytes each
 * @param reservedBytes what the memory may grow to
 * @param choice how it was chosen, for messages
 */
public record CrashImage(long[] words, long reservedBytes, String choice) {}
