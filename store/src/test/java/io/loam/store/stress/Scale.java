package io.loam.store.stress;

/** How long the tests run, by {@code loam.test.scale}, default 1. */
public final class Scale {
    private static final double SCALE = Double.parseDouble(System.getProperty("loam.test.scale", "1"));

    private Scale() {}

    public static int of(int count) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, count * SCALE));
    }
}
