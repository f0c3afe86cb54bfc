package io.loam.store.history;

import static io.loam.store.history.Call.UNKNOWN;
import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.history.Call.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Known good and bad histories. */
class LinearizabilityCheckerTest {
    private static final Value A = Value.of(new byte[] {1});
    private static final Value B = Value.of(new byte[] {2});

    private static @Nullable String check(boolean evicts, Call... calls) {
        return new LinearizabilityChecker(new KeyModel(evicts), 1_000_000).explain(List.of(calls));
    }

    private static void good(Call... calls) {
        assertThat(check(false, calls)).isNull();
        assertThat(check(true, calls)).isNull();
    }

    private static void bad(Call... calls) {
        assertThat(check(false, calls)).isNotNull();
    }

    private static void badEvenWithEviction(Call... calls) {
        bad(calls);
        assertThat(check(true, calls)).isNotNull();
    }

    private static Call put(Value value, long version, long from, long to) {
        return Call.of(Kind.PUT, value, null, version, from, to);
    }

    private static Call get(@Nullable Value value, long from, long to) {
        return Call.of(Kind.GET, null, value, UNKNOWN, from, to);
    }

    private static Call delete(boolean was, long from, long to) {
        return Call.of(Kind.DELETE, null, null, was ? 1 : 0, from, to);
    }

    @Test
    void readsDuringAPutMaySeeEitherValue() {
        good(put(A, 1, 0, 1), put(B, 2, 2, 10), get(A, 3, 4), get(B, 5, 6), get(B, 11, 12));
        good(put(A, 1, 0, 1), put(B, 2, 2, 10), get(A, 3, 8), get(B, 4, 7));
    }

    @Test
    void readsNeverGoBack() {
        badEvenWithEviction(put(A, 1, 0, 1), put(B, 2, 2, 10), get(B, 3, 4), get(A, 5, 6));
    }

    @Test
    void finishedPutIsSeen() {
        badEvenWithEviction(put(A, 1, 0, 1), put(B, 2, 2, 3), get(A, 4, 5));
        bad(put(A, 1, 0, 1), get(null, 2, 3));
    }

    @Test
    void valueNeverPutIsNotRead() {
        badEvenWithEviction(put(A, 1, 0, 1), get(B, 2, 3));
    }

    @Test
    void evictedKeyStaysAway() {
        assertThat(check(true, put(A, 1, 0, 1), get(null, 2, 3))).isNull();
        badEvenWithEviction(put(A, 1, 0, 1), get(null, 2, 3), get(A, 4, 5));
    }

    @Test
    void onlyOneOfTwoInsertsSucceeds() {
        good(
                Call.of(Kind.PUT_IF_ABSENT, A, null, 1, 0, 5),
                Call.of(Kind.PUT_IF_ABSENT, B, null, -1, 0, 5),
                get(A, 6, 7));
        bad(Call.of(Kind.PUT_IF_ABSENT, A, null, 1, 0, 5), Call.of(Kind.PUT_IF_ABSENT, B, null, 2, 0, 5));
    }

    @Test
    void oneDeleteOfOneValueSucceeds() {
        bad(put(A, 1, 0, 1), delete(true, 2, 9), delete(true, 2, 9));
        good(put(A, 1, 0, 1), delete(true, 2, 9), delete(false, 2, 9), put(B, 2, 2, 9), get(B, 10, 11));
    }

    @Test
    void versionsGrowAcrossDeletion() {
        badEvenWithEviction(put(A, 5, 0, 1), delete(true, 2, 3), put(B, 5, 4, 5));
        badEvenWithEviction(put(A, 5, 0, 1), put(B, 4, 2, 3));
    }

    @Test
    void replaceNeedsTheVersionItNames() {
        good(put(A, 5, 0, 1), Call.of(Kind.REPLACE_VERSION, B, null, 6, 2, 3).withNumber(5), get(B, 4, 5));
        badEvenWithEviction(
                put(A, 5, 0, 1), Call.of(Kind.REPLACE_VERSION, B, null, 6, 2, 3).withNumber(4));
        bad(put(A, 5, 0, 1), Call.of(Kind.REPLACE_VERSION, B, null, -1, 2, 3).withNumber(5));
    }

    @Test
    void additionsAreNotLost() {
        good(add(1, 1, 0, 5), add(1, 2, 0, 5), get(Value.ofLong(2), 6, 7));
        badEvenWithEviction(add(1, 1, 0, 1), add(1, 2, 2, 3), get(Value.ofLong(1), 4, 5));
        bad(add(1, 1, 0, 5), add(1, 1, 0, 5));
    }

    private static Call add(long delta, long sum, long from, long to) {
        return Call.of(Kind.ADD, null, null, sum, from, to).withNumber(delta);
    }

    @Test
    void appendsAllCount() {
        Value both = Value.of(new byte[] {1, 2});
        good(append(1, 1, 0, 5), append(2, 2, 0, 5), get(both, 6, 7));
        bad(append(1, 1, 0, 5), append(2, 1, 0, 5));
        badEvenWithEviction(append(1, 2, 0, 5), append(2, 1, 0, 5), get(both, 6, 7));
    }

    private static Call append(int suffix, long length, long from, long to) {
        return Call.of(Kind.APPEND, null, null, length, from, to).withSuffix(new byte[] {(byte) suffix});
    }

    @Test
    void computeSeesWhatItReplaces() {
        good(put(A, 1, 0, 1), Call.of(Kind.COMPUTE, B, A, UNKNOWN, 2, 3), get(B, 4, 5));
        badEvenWithEviction(put(A, 1, 0, 1), put(B, 2, 2, 3), Call.of(Kind.COMPUTE, A, A, UNKNOWN, 4, 5));
    }

    @Test
    void expiredKeyIsAbsentFromItsTimeOn() {
        Call put = put(A, 1, 0, 1).withExpiry(100).withClock(50, 50);
        good(put, get(A, 2, 3).withClock(99, 99), get(null, 4, 5).withClock(100, 100));
        good(put, get(null, 2, 3).withClock(99, 100));
        bad(put, get(null, 2, 3).withClock(99, 99));
        badEvenWithEviction(put, get(A, 2, 3).withClock(100, 101));
    }

    @Test
    void decidesLongHistoriesOfManyThreads() {
        SplittableRandom random = new SplittableRandom(7);
        List<Call> calls = new ArrayList<>();
        Value current = null;
        for (int i = 0; i < 4000; i++) {
            // Takes effect at 10 i, seen as lasting up to 5 operations to either side.
            long from = 10L * i - random.nextInt(1, 50);
            long to = 10L * i + random.nextInt(1, 50);
            if (random.nextInt(3) == 0) {
                current = Value.of(new byte[] {(byte) i, (byte) (i >> 8)});
                calls.add(put(current, i + 1, from, to));
            } else if (random.nextInt(5) == 0) {
                calls.add(delete(current != null, from, to));
                current = null;
            } else {
                calls.add(get(current, from, to));
            }
        }
        assertThat(check(false, calls.toArray(Call[]::new))).isNull();
        calls.set(
                3000,
                get(
                        Value.of(new byte[] {99, 99, 99}),
                        calls.get(3000).invokedNanos(),
                        calls.get(3000).returnedNanos()));
        assertThat(check(false, calls.toArray(Call[]::new))).isNotNull();
    }
}
