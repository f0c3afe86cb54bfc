package io.loam.store.history;

import org.jspecify.annotations.Nullable;

/**
 * One completed operation on one key. Which of the fields say something depends on the kind.
 *
 * @param argument the value written
 * @param suffix what was appended
 * @param number the version expected, or the number added
 * @param expiresAt the expiry written
 * @param result the value read
 * @param answer the version, length or sum returned, or 1 and 0 for true and false; {@link #UNKNOWN} if the operation does not say
 * @param invokedNanos before the operation
 * @param returnedNanos after it
 * @param clockBefore the store's clock before the operation, milliseconds
 * @param clockAfter the store's clock after it
 */
record Call(
        int thread,
        Kind kind,
        @Nullable Value argument,
        byte @Nullable [] suffix,
        long number,
        long expiresAt,
        @Nullable Value result,
        long answer,
        long invokedNanos,
        long returnedNanos,
        long clockBefore,
        long clockAfter) {

    static final long UNKNOWN = Long.MIN_VALUE;

    /** What was called. */
    enum Kind {
        /** {@code result} the value or null, {@code answer} its version if known. */
        GET,
        CONTAINS,
        VERSION,
        PUT,
        PUT_IF_ABSENT,
        REPLACE,
        REPLACE_VERSION,
        DELETE,
        DELETE_VERSION,
        /** {@code result} the value removed, or null. */
        GET_AND_DELETE,
        /** {@code result} the value that the function saw last, {@code argument} what it made of it (null: deleted). */
        COMPUTE,
        ADD,
        APPEND
    }

    static Call of(
            Kind kind,
            @Nullable Value argument,
            @Nullable Value result,
            long answer,
            long invokedNanos,
            long returnedNanos) {
        return new Call(0, kind, argument, null, 0, 0, result, answer, invokedNanos, returnedNanos, 0, 0);
    }

    Call withNumber(long newNumber) {
        return new Call(
                thread,
                kind,
                argument,
                suffix,
                newNumber,
                expiresAt,
                result,
                answer,
                invokedNanos,
                returnedNanos,
                clockBefore,
                clockAfter);
    }

    Call withSuffix(byte[] newSuffix) {
        return new Call(
                thread,
                kind,
                argument,
                newSuffix,
                number,
                expiresAt,
                result,
                answer,
                invokedNanos,
                returnedNanos,
                clockBefore,
                clockAfter);
    }

    Call withExpiry(long newExpiresAt) {
        return new Call(
                thread,
                kind,
                argument,
                suffix,
                number,
                newExpiresAt,
                result,
                answer,
                invokedNanos,
                returnedNanos,
                clockBefore,
                clockAfter);
    }

    Call withClock(long before, long after) {
        return new Call(
                thread,
                kind,
                argument,
                suffix,
                number,
                expiresAt,
                result,
                answer,
                invokedNanos,
                returnedNanos,
                before,
                after);
    }

    Call byThread(int newThread) {
        return new Call(
                newThread,
                kind,
                argument,
                suffix,
                number,
                expiresAt,
                result,
                answer,
                invokedNanos,
                returnedNanos,
                clockBefore,
                clockAfter);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append('[')
                .append(invokedNanos)
                .append(", ")
                .append(returnedNanos)
                .append("] thread ")
                .append(thread)
                .append(' ')
                .append(kind);
        if (argument != null) {
            text.append(" value ").append(show(argument));
        }
        if (kind == Kind.ADD || kind == Kind.REPLACE_VERSION || kind == Kind.DELETE_VERSION) {
            text.append(" number ").append(number);
        }
        if (suffix != null) {
            text.append(" suffix of ").append(suffix.length);
        }
        if (expiresAt != 0) {
            text.append(" expires ").append(expiresAt);
        }
        text.append(" -> ").append(result == null ? "no value" : show(result));
        if (answer != UNKNOWN) {
            text.append(", ").append(answer);
        }
        if (clockBefore != 0) {
            text.append(" at ").append(clockBefore).append("..").append(clockAfter);
        }
        return text.toString();
    }

    private static String show(Value value) {
        return Long.toHexString(value.digest()) + "/" + value.length();
    }
}
