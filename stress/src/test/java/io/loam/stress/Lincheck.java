package io.loam.stress;

/** How much the model checker tries. */
public final class Lincheck {

    public static final int SCENARIOS = Integer.getInteger("loam.model.scenarios", 10);
    public static final int INTERLEAVINGS = Integer.getInteger("loam.model.interleavings", 100);

    private Lincheck() {}
}
