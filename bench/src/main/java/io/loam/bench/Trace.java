package io.loam.bench;

import io.loam.bench.system.Mix;

/** Sequences of keys that a cache is asked for; the same for the same seed. */
final class Trace {

    static final String[] NAMES = {"zipf", "zipf-scan", "shifting"};

    private static final int SCAN_EVERY = 200_000;
    private static final int SCAN_LENGTH = 40_000;

    private final String name;
    private final long keys;
    private final KeyChooser chooser;
    private long step;
    private long scanned;
    private long offset;

    Trace(String name, long keys, double[] table, long seed) {
        this.name = name;
        this.keys = keys;
        chooser = KeyChooser.zipfian(keys, table, seed);
    }

    /**
     * The next key. {@code zipf}: exponent 0.99. {@code zipf-scan}: after every 200,000 of those, 40,000 keys one after the other that are never
     * asked for again. {@code shifting}: each 1,000 requests the most popular key becomes the least popular one and all others move up.
     */
    long next() {
        long place = step++;
        switch (name) {
            case "zipf-scan" -> {
                if (place % (SCAN_EVERY + SCAN_LENGTH) >= SCAN_EVERY) {
                    return Mix.keyOf(keys + scanned++);
                }
                return Mix.keyOf(scrambled(chooser.nextRank()));
            }
            case "shifting" -> {
                if (place % 1000 == 999) {
                    offset++;
                }
                return Mix.keyOf(scrambled((chooser.nextRank() + offset) % keys));
            }
            default -> {
                return Mix.keyOf(scrambled(chooser.nextRank()));
            }
        }
    }

    private static long scrambled(long rank) {
        return Mix.mix(rank + 0x5DEECE66DL) >>> 1;
    }

    /** The length of a key's value: from {@code low} to {@code high}, by the key. */
    static int valueBytes(long key, int low, int high) {
        return low + (int) Math.unsignedMultiplyHigh(Mix.mix(key ^ 0x55), high - low + 1L);
    }
}
