package io.loam.store.history;

import io.loam.store.Namespace;
import org.jspecify.annotations.Nullable;

/**
 * What one key may do: a register with versions.
 *
 * @param evicts whether the key may vanish at any time
 */
record KeyModel(boolean evicts) {

    /**
     * What the key holds.
     *
     * @param value null when absent
     * @param version the version of the value if {@code exact}, else no version so far is greater than this and the value's is no less
     */
    record State(@Nullable Value value, long version, boolean exact, long expiresAt) {
        static final State START = new State(null, 0, true, Namespace.NEVER);

        State absent() {
            return new State(null, version, true, Namespace.NEVER);
        }

        /** After a write whose version is {@code answer}, or unknown. */
        State written(Value newValue, long answer, long newExpiresAt) {
            return answer == Call.UNKNOWN
                    ? new State(newValue, version + 1, false, newExpiresAt)
                    : new State(newValue, answer, true, newExpiresAt);
        }

        State seenVersion(long seen) {
            return new State(value, seen, true, expiresAt);
        }

        boolean mayHaveVersion(long asked) {
            return exact ? version == asked : asked >= version;
        }
    }

    /**
     * The state after the call, or null if it can't have given this result in this state. That a key vanishes is decided as late as
     * possible: where a call's result fits both a present and an absent key, it leaves the same state.
     */
    @Nullable
    State after(State state, Call call) {
        boolean mustBeGone = state.expiresAt != Namespace.NEVER && call.clockBefore() >= state.expiresAt;
        boolean mayBeGone = state.expiresAt != Namespace.NEVER && call.clockAfter() >= state.expiresAt;
        if (state.value != null && !mustBeGone) {
            State next = step(state, call);
            if (next != null) {
                return next;
            }
        }
        boolean absentIsAllowed = state.value == null || mustBeGone || mayBeGone || evicts;
        return absentIsAllowed ? step(state.absent(), call) : null;
    }

    private static boolean grows(State state, long version) {
        return version == Call.UNKNOWN || version > state.version();
    }

    private static @Nullable State step(State state, Call call) {
        Value held = state.value();
        long answer = call.answer();
        return switch (call.kind()) {
            case GET -> {
                if (held == null || call.result() == null) {
                    yield held == null && call.result() == null ? state : null;
                }
                if (!held.equals(call.result())) {
                    yield null;
                }
                yield answer == Call.UNKNOWN ? state : state.mayHaveVersion(answer) ? state.seenVersion(answer) : null;
            }
            case CONTAINS -> (held != null) == (answer == 1) ? state : null;
            case VERSION ->
                held == null
                        ? (answer == Namespace.ABSENT ? state : null)
                        : answer != Namespace.ABSENT && state.mayHaveVersion(answer) ? state.seenVersion(answer) : null;
            case PUT -> grows(state, answer) ? state.written(argument(call), answer, call.expiresAt()) : null;
            case PUT_IF_ABSENT ->
                answer == Namespace.ABSENT
                        ? (held != null ? state : null)
                        : held == null && grows(state, answer)
                                ? state.written(argument(call), answer, call.expiresAt())
                                : null;
            case REPLACE ->
                answer == Namespace.ABSENT
                        ? (held == null ? state : null)
                        : held != null && grows(state, answer)
                                ? state.written(argument(call), answer, call.expiresAt())
                                : null;
            case REPLACE_VERSION -> {
                if (answer == Namespace.ABSENT) {
                    yield held == null || !(state.exact() && state.version() == call.number()) ? state : null;
                }
                yield held != null && state.mayHaveVersion(call.number()) && answer > call.number()
                        ? state.written(argument(call), answer, call.expiresAt())
                        : null;
            }
            case DELETE -> (held != null) == (answer == 1) ? state.absent() : null;
            case DELETE_VERSION -> {
                if (answer == 0) {
                    yield held == null || !(state.exact() && state.version() == call.number()) ? state : null;
                }
                yield held != null && state.mayHaveVersion(call.number())
                        ? state.seenVersion(call.number()).absent()
                        : null;
            }
            case GET_AND_DELETE ->
                held == null
                        ? (call.result() == null ? state : null)
                        : held.equals(call.result()) ? state.absent() : null;
            case COMPUTE -> {
                if (!java.util.Objects.equals(held, call.result())) {
                    yield null;
                }
                Value next = call.argument();
                yield next == null
                        ? state.absent()
                        : state.written(next, Call.UNKNOWN, held == null ? Namespace.NEVER : state.expiresAt());
            }
            case ADD -> {
                Value before = Value.ofLong(answer - call.number());
                boolean fits = held == null ? answer == call.number() : held.equals(before);
                yield fits
                        ? state.written(
                                Value.ofLong(answer), Call.UNKNOWN, held == null ? Namespace.NEVER : state.expiresAt())
                        : null;
            }
            case APPEND -> {
                byte[] suffix = java.util.Objects.requireNonNull(call.suffix());
                Value next = (held == null ? Value.EMPTY : held).append(suffix);
                yield next.length() == answer
                        ? state.written(next, Call.UNKNOWN, held == null ? Namespace.NEVER : state.expiresAt())
                        : null;
            }
        };
    }

    private static Value argument(Call call) {
        return java.util.Objects.requireNonNull(call.argument());
    }
}
