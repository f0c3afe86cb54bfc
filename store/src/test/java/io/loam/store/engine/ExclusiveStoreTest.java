package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.RawMemory;
import io.loam.memory.region.Access;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.RegionException;
import io.loam.store.FullPolicy;
import io.loam.store.Store;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats.Opening;
import io.loam.store.UpdatePolicy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A store in a region that one process has for itself. */
@Timeout(240)
final class ExclusiveStoreTest {

    private static final int CAPACITY = 16 << 20;
    private static final int KEYS = 3_000;

    private final SharedDirectory directory = new SharedDirectory();

    @AfterEach
    void delete() {
        directory.close();
    }

    private static StoreBuilder builder(Path directory) {
        return Store.builder()
                .capacityBytes(CAPACITY)
                .hugePages(false)
                .region(directory.resolve("s"))
                .exclusive(true);
    }

    private StoreBuilder builder() {
        return builder(directory.path());
    }

    private static void expectBusy(Runnable opening, long pid) {
        assertThatThrownBy(opening::run)
                .isInstanceOfSatisfying(
                        RegionException.class, e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.BUSY))
                .hasMessageContaining("process " + pid + ",");
    }

    // ---- the child

    /** Opens the store and, unless it is to hold it only, sets many keys together again and again, telling of each time. */
    public static void main(String[] arguments) throws Exception {
        try (Store store = builder(Path.of(arguments[0])).open()) {
            System.out.println("open");
            for (int round = 1; arguments.length > 1; round++) {
                set(store, round);
                System.out.println(round);
            }
            int ignored = System.in.read();
        }
    }

    private static List<byte[]> keys() {
        List<byte[]> keys = new ArrayList<>();
        for (int i = 0; i < KEYS; i++) {
            keys.add(("key" + i).getBytes(StandardCharsets.US_ASCII));
        }
        return keys;
    }

    private static void set(Store store, int round) {
        List<byte[]> keys = keys();
        store.transact(keys, transaction -> {
            for (byte[] key : keys) {
                transaction.put(key, ByteBuffer.allocate(40).putInt(round).array());
            }
            return true;
        });
    }

    // ---- who is let in

    @Test
    void nobodyElseIsLetIn() {
        try (ChildJvm child = ChildJvm.start(
                List.of(), ExclusiveStoreTest.class, directory.path().toString())) {
            assertThat(child.line()).isEqualTo("open");
            long pid = child.process.pid();
            expectBusy(() -> builder().open(), pid);
            expectBusy(() -> Store.attach(directory.registry, "s"), pid);
            child.kill();
        }
        try (Store store = builder().open()) {
            assertThat(store.stats().opening()).isEqualTo(Opening.REPAIRED);
        }
        try (Store store = Store.attach(directory.registry, "s")) {
            expectBusy(() -> builder().open(), ProcessHandle.current().pid());
            try (Store other = Store.attach(directory.registry, "s")) {
                other.put(new byte[] {1}, new byte[] {2});
            }
            assertThat(store.get(new byte[] {1})).isEqualTo(new byte[] {2});
        }
    }

    // ---- what it has for it

    private static void fill(Store store, int count) {
        for (int i = 0; i < count; i++) {
            store.put(ByteBuffer.allocate(4).putInt(i).array(), new byte[1000]);
        }
    }

    @Test
    void policiesAreThoseOfWhoHasItOpen() {
        try (Store store = builder().updatePolicy(UpdatePolicy.IN_PLACE).open()) {
            fill(store, 1_000);
            fill(store, 1_000);
            assertThat(store.stats().overwrittenBytes()).isPositive();
        }
        try (Store store = builder()
                .fullPolicy(FullPolicy.EVICT)
                .writeTimeoutMillis(30_000)
                .open()) {
            fill(store, 2 * CAPACITY / 1000);
            assertThat(store.stats().evictedEntries()).isPositive();
            assertThat(store.stats().overwrittenBytes()).isZero();
            assertThat(StoreChecker.check(store)).isEmpty();
        }
        try (Store store = builder().writeTimeoutMillis(50).open()) {
            assertThatThrownBy(() -> {
                        for (int i = 0; i < CAPACITY / 1000; i++) {
                            store.put(("more" + i).getBytes(StandardCharsets.US_ASCII), new byte[1000]);
                        }
                    })
                    .isInstanceOf(StoreFullException.class);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
        Store.delete(directory.registry, "s");
        Store.builder()
                .capacityBytes(CAPACITY)
                .hugePages(false)
                .create(directory.registry, "s")
                .close();
        assertThatThrownBy(() -> builder().fullPolicy(FullPolicy.EVICT).open())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("without room for reference marks");
    }

    @Test
    void transactionsMayHaveManyKeys() {
        try (Store store = builder().open()) {
            set(store, 1);
            long index = store.stats().indexBytes();
            for (int round = 2; round < 6; round++) {
                set(store, round);
            }
            assertRound(store, 5);
            awaitIndexBytes(store, index);
            assertThat(StoreChecker.check(store)).isEmpty();
        }
        try (Store store = Store.attach(directory.registry, "s")) {
            assertThatThrownBy(() -> set(store, 6))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("at most 204");
            assertRound(store, 5);
        }
    }

    private static void assertRound(Store store, int... rounds) {
        Set<Integer> found = new HashSet<>();
        keys().forEach(key -> {
            byte[] value = store.get(key);
            found.add(value == null ? 0 : ByteBuffer.wrap(value).getInt());
        });
        assertThat(found).hasSize(1);
        assertThat(Arrays.stream(rounds).boxed().toList()).containsAll(found);
    }

    /** Waits until the index has as many blocks: those that transactions wrote their keys to are free. */
    private static void awaitIndexBytes(Store store, long bytes) {
        for (int tries = 0; store.stats().indexBytes() != bytes; tries++) {
            assertThat(tries)
                    .as("%d bytes of index, expected %d", store.stats().indexBytes(), bytes)
                    .isLessThan(10_000);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"committing:6001", "committing:7500", "committing:9000", "taken:7500"})
    void aLargeTransactionIsDoneWhollyOrNotAtAll(String point) {
        long index;
        try (Store store = builder().open()) {
            set(store, 0);
            index = store.stats().indexBytes();
        }
        int last = 0;
        try (ChildJvm child = ChildJvm.start(
                List.of("-Dloam.crash=" + point),
                ExclusiveStoreTest.class,
                directory.path().toString(),
                "set")) {
            assertThat(child.line()).isEqualTo("open");
            while (last < 2) {
                last = Integer.parseInt(child.line());
            }
            assertThat(child.exit()).as("the point was reached").isEqualTo(137);
        }
        try (Store store = builder().open()) {
            assertThat(store.stats().opening()).isEqualTo(Opening.REPAIRED);
            assertRound(store, point.startsWith("committing") ? last + 1 : last);
            awaitIndexBytes(store, index);
            assertThat(StoreChecker.check(store)).isEmpty();
            set(store, 100);
            assertRound(store, 100);
        }
    }

    // ---- when the machine has stopped

    private void pretendAnotherBoot() {
        try (MappedRegion control =
                directory.registry.regions().map(directory.registry.regions().get("s.control"), Access.WRITE, true)) {
            RawMemory.ofProcess().putLong(control.address() + SharedLayout.BOOT, 77);
        }
    }

    @Test
    void whatTheMachineMayHaveTornIsRefused() {
        try (Store store = builder().open()) {
            store.put(new byte[] {1}, new byte[] {2});
        }
        pretendAnotherBoot();
        try (Store store = Store.attach(directory.registry, "s")) {
            assertThat(store.get(new byte[] {1})).isEqualTo(new byte[] {2});
        }
        try (Store store = Store.attachReadOnly(directory.registry, "s")) {
            assertThat(store.get(new byte[] {1})).isEqualTo(new byte[] {2});
        }
        try (ChildJvm child = ChildJvm.start(
                List.of(), ExclusiveStoreTest.class, directory.path().toString())) {
            assertThat(child.line()).isEqualTo("open");
            child.kill();
        }
        pretendAnotherBoot();
        for (Runnable opening :
                List.<Runnable>of(() -> builder().open(), () -> Store.attach(directory.registry, "s"))) {
            assertThatThrownBy(opening::run)
                    .isInstanceOfSatisfying(
                            RegionException.class,
                            e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.CORRUPT))
                    .hasMessageContaining("when the machine stopped");
        }
    }

    @Test
    void whatACreatorLeftUnfinishedIsMadeAnew() {
        builder().open().close();
        try (MappedRegion control =
                directory.registry.regions().map(directory.registry.regions().get("s.control"), Access.WRITE, true)) {
            RawMemory.ofProcess().putLong(control.address() + SharedLayout.READY, 0);
        }
        try (Store store = builder().open()) {
            assertThat(store.stats().opening()).isEqualTo(Opening.CREATED);
        }
        directory.registry.regions().delete("s.control");
        try (Store store = builder().open()) {
            assertThat(store.stats().opening()).isEqualTo(Opening.CREATED);
        }
    }
}
