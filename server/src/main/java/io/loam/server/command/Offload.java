package io.loam.server.command;

/** Says that a command can't go on without waiting, on a thread that must not; it is done again on another. */
public final class Offload extends RuntimeException {
    private static final long serialVersionUID = 1;

    static final Offload INSTANCE = new Offload();

    private Offload() {
        super("the command must wait", null, false, false);
    }
}
