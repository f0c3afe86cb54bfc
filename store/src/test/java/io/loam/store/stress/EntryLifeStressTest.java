package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.UpdatePolicy;
import io.loam.store.sequence.ManualClock;
import io.loam.store.sequence.Setup;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Expiry, namespaces, loading and files, each under traffic. */
class EntryLifeStressTest {

    /** The stamp's extra field says when the value expires. */
    @ParameterizedTest
    @EnumSource
    void expiredValueIsNeverRead(UpdatePolicy policy) {
        ManualClock clock = new ManualClock();
        try (Store store = Setup.TINY
                .with(policy)
                .withBlocks(256, 256)
                .withWriteTimeoutMillis(60_000)
                .open(clock, 1)) {
            Crew crew = new Crew();
            for (int i = 0; i < 2; i++) {
                SplittableRandom random = new SplittableRandom(i);
                int writer = i;
                crew.work("writer " + i, () -> {
                    for (int n = 1; n <= Scale.of(10_000) && (n == 1 || crew.goesOn()); n++) {
                        long key = random.nextInt(100);
                        long at = clock.millis() + random.nextInt(1, 6);
                        try {
                            store.put(
                                    Stamp.key(key),
                                    new Stamp(key, n, writer, Reader.size(random, 3000), at).toBytes(),
                                    at);
                        } catch (StoreFullException e) {
                            // Live and unexpired values may be many.
                        }
                        if (n % 20 == 0) {
                            clock.advanceMillis(1);
                        }
                    }
                });
            }
            for (int i = 0; i < 2; i++) {
                SplittableRandom random = new SplittableRandom(10 + i);
                crew.meanwhile("reader " + i, () -> {
                    long key = random.nextInt(100);
                    long now = clock.millis();
                    byte[] value = store.get(Stamp.key(key));
                    if (value != null && Stamp.check(value, key).extra() <= now) {
                        throw new AssertionError("read at " + now + ": " + Stamp.check(value, key));
                    }
                });
            }
            crew.meanwhile("scanner", () -> {
                long now = clock.millis();
                store.forEach((key, view) -> {
                    Stamp stamp = Stamp.check(Reader.bytesOf(view), Stamp.keyNumber(key));
                    if (stamp.extra() <= now) {
                        throw new AssertionError("scanned at " + now + ": " + stamp);
                    }
                });
            });
            crew.run();
            clock.advanceMillis(100);
            for (long key = 0; key < 100; key++) {
                assertThat(store.contains(Stamp.key(key))).isFalse();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void droppingNamespacesUnderTrafficHarmsNoOther(UpdatePolicy policy) {
        try (Store store = Setup.TINY
                .with(policy)
                .withBlocks(768, 768)
                .withWriteTimeoutMillis(60_000)
                .open()) {
            for (long key = 0; key < 100; key++) {
                store.put(Stamp.key(key), new Stamp(key, 0, 0, 500, 0).toBytes());
            }
            Crew crew = new Crew();
            crew.work("dropper", () -> {
                for (int round = 0; round < Scale.of(150) && (round == 0 || crew.goesOn()); round++) {
                    try {
                        Namespace space = store.namespace("space " + round % 3);
                        for (long key = 0; key < 50; key++) {
                            space.put(Stamp.key(key), new Stamp(key, round, 9, 700, 0).toBytes());
                        }
                    } catch (StoreFullException | IllegalStateException e) {
                        // Another thread may have dropped it.
                    }
                    store.dropNamespace("space " + round % 3);
                }
            });
            for (int i = 0; i < 2; i++) {
                SplittableRandom random = new SplittableRandom(i);
                crew.meanwhile("user " + i, () -> {
                    try {
                        Namespace space = store.namespace("space " + random.nextInt(3));
                        for (int n = 0; n < 20; n++) {
                            long key = random.nextInt(100);
                            byte[] value = space.get(Stamp.key(key));
                            if (value != null && Stamp.check(value, key).writer() != 9) {
                                throw new AssertionError("a value of another namespace: " + Stamp.check(value, key));
                            }
                            space.put(Stamp.key(key), new Stamp(key, n, 9, Reader.size(random, 2000), 0).toBytes());
                        }
                    } catch (StoreFullException | IllegalStateException e) {
                        // Dropped while in use.
                    }
                });
            }
            SplittableRandom random = new SplittableRandom(20);
            crew.meanwhile("owner of the default namespace", () -> {
                long key = random.nextInt(100);
                byte[] value = store.get(Stamp.key(key));
                if (value == null || Stamp.check(value, key).writer() != 0) {
                    throw new AssertionError("key " + key + " of the default namespace is gone or another's");
                }
                try {
                    store.put(Stamp.key(key), new Stamp(key, 1, 0, Reader.size(random, 1000), 0).toBytes());
                } catch (StoreFullException e) {
                    // The old value stays.
                }
            });
            crew.run();
            for (int i = 0; i < 3; i++) {
                store.dropNamespace("space " + i);
            }
            assertThat(store.namespaces()).isEmpty();
            assertThat(store.size()).isEqualTo(100);
            awaitSweeping(store);
            WholeValuesStressTest.accountsAgree(store);
        }
    }

    /** What was dropped is reclaimed in the background. */
    private static void awaitSweeping(Store store) {
        long[] left = new long[1];
        store.forEach((key, view) -> left[0] += key.length + view.length());
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (store.stats().liveUserBytes() > left[0] && System.nanoTime() < deadline) {
            store.clean();
        }
    }

    @Test
    void namespacesMayBeCreatedAndDroppedForEver() {
        try (Store store =
                Setup.TINY.withBlocks(256, 256).withWriteTimeoutMillis(60_000).open()) {
            for (int i = 0; i < Scale.of(1_500); i++) {
                Namespace space = store.namespace("space " + i);
                space.put(Stamp.key(1), new byte[100]);
                assertThat(store.dropNamespace("space " + i)).isTrue();
                assertThatThrownBy(() -> space.get(Stamp.key(1))).isInstanceOf(IllegalStateException.class);
            }
        }
    }

    @Test
    void oneThreadLoadsAKeyAtATime() {
        Assumptions.assumeTrue(System.getProperty("loam.test.store", "engine").equals("engine"));
        try (Store store = Setup.TINY.open()) {
            for (int round = 0; round < Scale.of(200); round++) {
                byte[] key = Stamp.key(round);
                AtomicInteger loads = new AtomicInteger();
                AtomicInteger agreed = new AtomicInteger();
                Crew crew = new Crew();
                for (int i = 0; i < 4; i++) {
                    crew.work("loader " + i, () -> {
                        byte[] value = store.getOrLoad(key, k -> {
                            loads.incrementAndGet();
                            Thread.yield();
                            return new byte[] {42};
                        });
                        agreed.addAndGet(value != null && value[0] == 42 ? 1 : 0);
                    });
                }
                crew.run();
                assertThat(agreed.get()).isEqualTo(4);
                assertThat(loads.get()).isEqualTo(1);
            }
        }
    }

    @Test
    void exportUnderTrafficHoldsEveryKeyThatStays(@TempDir Path directory) {
        Assumptions.assumeTrue(System.getProperty("loam.test.store", "engine").equals("engine"));
        Path file = directory.resolve("export");
        try (Store store =
                Setup.TINY.withBlocks(1024, 1024).withWriteTimeoutMillis(60_000).open()) {
            for (long key = 0; key < 300; key++) {
                store.put(Stamp.key(key), new Stamp(key, 0, 0, 400, 0).toBytes());
            }
            Crew crew = new Crew();
            crew.work("exporter", () -> {
                for (int i = 0; i < Scale.of(10); i++) {
                    assertThat(store.exportTo(file)).isGreaterThanOrEqualTo(300);
                    importedHasAll(file);
                }
            });
            SplittableRandom random = new SplittableRandom(1);
            crew.meanwhile("writer", () -> {
                long key = random.nextInt(2000);
                try {
                    if (key >= 300 && random.nextBoolean()) {
                        store.delete(Stamp.key(key));
                    } else {
                        store.put(Stamp.key(key), new Stamp(key, 1, 0, Reader.size(random, 3000), 0).toBytes());
                    }
                } catch (StoreFullException e) {
                    store.delete(Stamp.key(300 + random.nextInt(1700)));
                }
            });
            crew.run();
        }
    }

    private static void importedHasAll(Path file) throws IOException {
        try (Store copy = Setup.TINY.withBlocks(2048, 2048).open()) {
            copy.importFrom(file);
            for (long key = 0; key < 300; key++) {
                byte[] value = copy.get(Stamp.key(key));
                if (value == null) {
                    throw new AssertionError("key " + key + " is not in the export");
                }
                Stamp.check(value, key);
            }
        }
    }
}
