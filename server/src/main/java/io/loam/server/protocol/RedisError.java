package io.loam.server.protocol;

/** A command's refusal, in the words that go to the client, first the code. Has no stack trace: it is an outcome, not a fault. */
public final class RedisError extends RuntimeException {
    private static final long serialVersionUID = 1;

    public static final RedisError SYNTAX = new RedisError("ERR syntax error");
    public static final RedisError NOT_AN_INTEGER = new RedisError("ERR value is not an integer or out of range");
    public static final RedisError NOT_A_FLOAT = new RedisError("ERR value is not a valid float");
    public static final RedisError WRONG_TYPE =
            new RedisError("WRONGTYPE Operation against a key holding the wrong kind of value");
    public static final RedisError NO_SUCH_KEY = new RedisError("ERR no such key");
    public static final RedisError OUT_OF_MEMORY =
            new RedisError("OOM command not allowed when used memory > 'maxmemory'.");
    public static final RedisError DATABASE_OUT_OF_RANGE = new RedisError("ERR DB index is out of range");
    public static final RedisError OVERFLOW = new RedisError("ERR increment or decrement would overflow");
    public static final RedisError TOO_LONG =
            new RedisError("ERR string exceeds maximum allowed size (proto-max-bulk-len)");

    public RedisError(String message) {
        super(message, null, false, false);
    }

    /** What goes to the client; never null. */
    public String text() {
        return String.valueOf(getMessage());
    }
}
