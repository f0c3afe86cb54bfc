package io.loam.server.access;

/**
 * Whether a request is allowed, and if not, why.
 *
 * @param argument the number of the argument that is in the way, 0 if it is the command
 */
record Decision(Reason reason, int argument) {

    static final Decision ALLOWED = new Decision(Reason.NONE, 0);
    static final Decision COMMAND = new Decision(Reason.COMMAND, 0);

    /** In ascending order of how near the request is to being allowed: of several selectors' reasons the last one counts. */
    enum Reason {
        NONE,
        COMMAND,
        KEY,
        CHANNEL
    }

    boolean isAllowed() {
        return reason == Reason.NONE;
    }

    /** The one to tell, of two refusals. */
    Decision or(Decision other) {
        int order = reason.compareTo(other.reason);
        return order > 0 || (order == 0 && argument >= other.argument) ? this : other;
    }
}
