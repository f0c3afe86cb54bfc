package io.loam.server.access;

/** Says why a rule of a user is not taken, in Redis's words. */
final class RuleException extends Exception {
    private static final long serialVersionUID = 1;

    private final boolean unknownName;

    RuleException(String reason) {
        this(reason, false);
    }

    private RuleException(String reason, boolean unknownName) {
        super(reason, null, false, false);
        this.unknownName = unknownName;
    }

    /** There is no such command or category. */
    static RuleException unknownName() {
        return new RuleException("Unknown command or category name in ACL", true);
    }

    String reason() {
        return String.valueOf(getMessage());
    }

    /** Whether the rule is about commands, so that it may be shown; another may be a password that somebody has mistyped. */
    boolean isUnknownName() {
        return unknownName;
    }
}
