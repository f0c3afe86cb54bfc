package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import io.loam.store.ValueView;
import io.loam.store.sequence.Setup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A reader finds an entry, sleeps while it is replaced and then expires, and looks at the clock: the key was present all the time, so it must not say that it
 * was absent. The clock is where the reader sleeps.
 */
class LateReaderOfExpiredEntryTest {
    private static final byte[] KEY = {1, 2, 3};
    private static final byte[] OLD = {10, 11, 12, 13};
    private static final byte[] NEW = {20, 21, 22, 23};

    private static final class SleepyClock implements InstantSource {
        private volatile long now = 1_000;
        private volatile Thread sleeper;
        private volatile Runnable meanwhile;

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(millis());
        }

        @Override
        public long millis() {
            if (Thread.currentThread() == sleeper) {
                sleeper = null;
                meanwhile.run();
            }
            return now;
        }
    }

    private static Stream<Arguments> reads() {
        List<Named<Function<Namespace, byte[]>>> reads = List.of(
                Named.of("get", store -> store.get(KEY)),
                Named.of("get into an array", store -> {
                    byte[] into = new byte[8];
                    int length = store.get(KEY, into, 0);
                    return length < 0 ? null : Arrays.copyOf(into, length);
                }),
                Named.of("get into a segment", store -> {
                    try (Arena arena = Arena.ofConfined()) {
                        MemorySegment into = arena.allocate(8);
                        long length = store.get(MemorySegment.ofArray(KEY), into);
                        return length < 0 ? null : into.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
                    }
                }),
                Named.of("read", store -> store.read(KEY, ValueView::toByteArray)),
                Named.of("contains", store -> store.contains(KEY) ? NEW : null),
                Named.of("version", store -> store.version(KEY) == Namespace.ABSENT ? null : NEW),
                Named.of("getAll", store -> store.getAll(List.of(KEY)).getFirst()),
                Named.of("getAll into arrays", store -> {
                    byte[][] into = {new byte[8]};
                    int[] lengths = new int[1];
                    store.getAll(new byte[][] {KEY}, into, lengths, 1);
                    return lengths[0] < 0 ? null : Arrays.copyOf(into[0], lengths[0]);
                }),
                Named.of("scan", store -> {
                    List<byte[]> found = new ArrayList<>();
                    store.forEach((key, view) -> found.add(view.toByteArray()));
                    return found.isEmpty() ? null : found.getFirst();
                }));
        return reads.stream()
                .flatMap(read -> Stream.of(UpdatePolicy.values()).map(policy -> Arguments.of(policy, read)));
    }

    @ParameterizedTest
    @MethodSource("reads")
    void seesThePresentEntry(UpdatePolicy policy, Function<Namespace, byte[]> read) {
        SleepyClock clock = new SleepyClock();
        try (Store store = Setup.TINY.with(policy).open(clock, 1)) {
            store.put(KEY, OLD, 1_100);
            clock.meanwhile = () -> {
                CompletableFuture.runAsync(() -> store.put(KEY, NEW, PutOptions.DEFAULT.expiringAt(9_000)))
                        .join();
                clock.now = 1_200;
            };
            clock.sleeper = Thread.currentThread();
            assertThat(read.apply(store)).isEqualTo(NEW);
            assertThat(clock.sleeper).as("the reader looked at the clock").isNull();
        }
    }
}
