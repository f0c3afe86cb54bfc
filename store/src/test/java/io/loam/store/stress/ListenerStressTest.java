package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.UpdatePolicy;
import io.loam.store.sequence.ManualClock;
import io.loam.store.sequence.Setup;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every value that enters leaves once, and the listener hears of it. */
class ListenerStressTest {

    static Stream<Setup> setups() {
        return Stream.of(UpdatePolicy.values())
                .flatMap(update -> Stream.of(FullPolicy.values())
                        .map(full -> Setup.TINY.with(update).with(full)))
                .flatMap(setup ->
                        Stream.of(1, 2).map(nodes -> setup.withNodes(nodes).withBlocks(192, 192)));
    }

    @ParameterizedTest
    @MethodSource("setups")
    void valuesInAreValuesOut(Setup setup) {
        ManualClock clock = new ManualClock();
        try (Store store = setup.withWriteTimeoutMillis(2_000).open(clock, 1)) {
            Map<Stamp, Cause> left = new ConcurrentHashMap<>();
            AtomicLong doubles = new AtomicLong();
            StringBuffer first = new StringBuffer();
            store.addListener((space, key, value, cause) -> {
                Stamp stamp = Stamp.check(value, Stamp.keyNumber(key));
                Cause before = left.put(stamp, cause);
                if (before != null && doubles.getAndIncrement() == 0) {
                    first.append(stamp)
                            .append(' ')
                            .append(before)
                            .append(" then ")
                            .append(cause);
                }
            });
            AtomicLong entered = new AtomicLong();
            Crew crew = new Crew();
            for (int i = 0; i < 3; i++) {
                SplittableRandom random = new SplittableRandom(i);
                int writer = i;
                crew.work("writer " + i, () -> {
                    for (int n = 1; n <= Scale.of(4_000) && (n == 1 || crew.goesOn()); n++) {
                        long key = random.nextInt(200);
                        byte[] value = new Stamp(key, n, writer, Reader.size(random, 5000), 0).toBytes();
                        try {
                            switch (random.nextInt(8)) {
                                case 0 -> store.delete(Stamp.key(key));
                                case 1 -> store.getAndDelete(Stamp.key(key));
                                case 2 -> {
                                    store.put(Stamp.key(key), value, clock.millis() + random.nextInt(1, 5));
                                    entered.incrementAndGet();
                                    clock.advanceMillis(1);
                                }
                                case 3 -> entered.addAndGet(store.putIfAbsent(Stamp.key(key), value) > 0 ? 1 : 0);
                                default -> {
                                    store.put(Stamp.key(key), value);
                                    entered.incrementAndGet();
                                }
                            }
                        } catch (StoreFullException e) {
                            store.delete(Stamp.key(random.nextInt(200)));
                        }
                    }
                });
            }
            crew.run();
            clock.advanceMillis(1000);
            // What is left goes now; whatever had expired unnoticed must be noticed on the way.
            for (long key = 0; key < 200; key++) {
                store.delete(Stamp.key(key));
            }
            long deadline = System.nanoTime() + 30_000_000_000L;
            while (left.size() < entered.get() && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            assertThat(doubles.get())
                    .as("values reported twice, first %s", first)
                    .isZero();
            assertThat(left.size())
                    .as("values that left, of those that entered")
                    .isEqualTo((int) entered.get());
            assertThat(store.size()).isZero();
        }
    }

    @Test
    void listenerThatThrowsHarmsNobody() {
        try (Store store = Setup.TINY.open()) {
            AtomicInteger told = new AtomicInteger();
            store.addListener((space, key, value, cause) -> {
                throw new IllegalStateException("on purpose");
            });
            store.addListener((space, key, value, cause) -> told.incrementAndGet());
            store.put(Stamp.key(1), new byte[] {1});
            store.put(Stamp.key(1), new byte[] {2});
            assertThat(store.delete(Stamp.key(1))).isTrue();
            assertThat(told.get()).isEqualTo(2);
        }
    }

    @Test
    void listenerMayUseTheStore() {
        try (Store store = Setup.TINY.open()) {
            Crew crew = new Crew();
            crew.work("writer", () -> {
                store.addListener((space, key, value, cause) -> {
                    if (Stamp.keyNumber(key) == 1) {
                        store.put(Stamp.key(2), value);
                        store.get(Stamp.key(1));
                    }
                });
                store.put(Stamp.key(1), new byte[] {1});
                store.put(Stamp.key(1), new byte[] {2});
            });
            crew.run();
            assertThat(store.get(Stamp.key(2))).containsExactly(1);
        }
    }
}
