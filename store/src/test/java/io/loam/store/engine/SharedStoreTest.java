package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.RawMemory;
import io.loam.memory.region.Access;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.store.FullPolicy;
import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats.Opening;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several processes, or several store objects of one, share a store. */
@Timeout(240)
final class SharedStoreTest {

    private static final int CAPACITY = 16 << 20;

    private final SharedDirectory directory = new SharedDirectory();

    @AfterEach
    void delete() {
        directory.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Store create() {
        return Store.builder()
                .capacityBytes(CAPACITY)
                .writeTimeoutMillis(20_000)
                .hugePages(false)
                .create(directory.registry, "s");
    }

    private Store attach() {
        return Store.attach(directory.registry, "s");
    }

    private static void assertSound(Store store) {
        assertThat(StoreChecker.check(store)).isEmpty();
    }

    @Test
    void whatOneWritesAnotherReads() {
        try (Store creator = create();
                Store other = attach()) {
            assertThat(creator.stats().opening()).isEqualTo(Opening.CREATED);
            assertThat(other.stats().opening()).isEqualTo(Opening.ATTACHED);
            creator.put(bytes("a"), bytes("1"));
            other.put(bytes("b"), bytes("2"));
            assertThat(other.get(bytes("a"))).isEqualTo(bytes("1"));
            assertThat(creator.get(bytes("b"))).isEqualTo(bytes("2"));
            assertThat(other.put(bytes("a"), bytes("3"))).isEqualTo(2);
            assertThat(creator.getAndDelete(bytes("a"))).isEqualTo(bytes("3"));
            assertThat(other.contains(bytes("a"))).isFalse();
            assertThat(other.stats().participants()).hasSize(2);
            assertThat(other.stats().participants().stream().filter(info -> info.leader()))
                    .hasSize(1);
        }
    }

    @Test
    void namespacesAreMadeClearedAndDroppedForAll() {
        try (Store creator = create();
                Store other = attach()) {
            Namespace mine = creator.namespace("n");
            Namespace others = other.namespace("n");
            others.put(bytes("k"), bytes("v"));
            assertThat(mine.get(bytes("k"))).isEqualTo(bytes("v"));
            assertThat(other.get(bytes("k"))).isNull();
            others.clear();
            assertThat(mine.get(bytes("k"))).isNull();
            assertThat(others.size()).isZero();
            mine.put(bytes("k"), bytes("w"));
            assertThat(others.get(bytes("k"))).isEqualTo(bytes("w"));
            assertThat(creator.namespaces()).isEqualTo(Set.of("n"));
            assertThat(other.dropNamespace("n")).isTrue();
            assertThatThrownBy(() -> mine.get(bytes("k"))).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> others.put(bytes("k"), bytes("x"))).isInstanceOf(IllegalStateException.class);
            assertThat(creator.namespaces()).isEmpty();
            assertThat(creator.namespace("n").get(bytes("k"))).isNull();
            assertThat(other.namespace("n").size()).isZero();
        }
    }

    @Test
    void whatIsKeptFromEvictionIsKeptByWhoeverEvicts() {
        Store creator = Store.builder()
                .capacityBytes(CAPACITY)
                .fullPolicy(FullPolicy.EVICT)
                .writeTimeoutMillis(60_000)
                .hugePages(false)
                .create(directory.registry, "s");
        try (Store other = attach()) {
            Namespace kept = other.namespace("kept");
            other.setEvictable("kept", false);
            for (int i = 0; i < 500; i++) {
                kept.put(bytes("key" + i), new byte[1000]);
            }
            fillTwice(creator, 0);
            creator.close();
            fillTwice(other, 1);
            assertThat(kept.size()).isEqualTo(500);
            assertThat(other.stats().evictedEntries()).isPositive();
            other.dropNamespace("kept");
            other.namespace("another").put(bytes("k"), bytes("v"));
            fillTwice(other, 2);
            fillTwice(other, 3);
            assertThat(other.namespace("another").size()).isZero();
        }
    }

    /** Adds entries of twice the capacity. */
    private static void fillTwice(Store store, int round) {
        for (int i = 0; i < 2 * CAPACITY / 1000; i++) {
            store.put(bytes("round" + round + "-" + i), new byte[1000]);
        }
    }

    @Test
    void isThereAgainWhenAllHaveLeft() {
        try (Store creator = create()) {
            Namespace named = creator.namespace("n");
            for (int i = 0; i < 20_000; i++) {
                creator.put(bytes("key" + i), bytes("value" + i));
                named.put(bytes("key" + i % 100), bytes("named" + i));
            }
        }
        try (Store again = attach()) {
            assertThat(again.stats().opening()).isEqualTo(Opening.CLEAN);
            assertThat(again.size()).isEqualTo(20_000);
            assertThat(again.get(bytes("key19999"))).isEqualTo(bytes("value19999"));
            Namespace named = Objects.requireNonNull(again.findNamespace("n"));
            assertThat(named.get(bytes("key99"))).isEqualTo(bytes("named19999"));
            assertSound(again);
        }
    }

    @Test
    void whoIsLeftTakesTheLead() {
        Store creator = create();
        try (Store other = attach()) {
            for (int i = 0; i < 3_000; i++) {
                creator.put(bytes("key" + i), bytes("value" + i));
            }
            Namespace cleared = creator.namespace("cleared");
            cleared.put(bytes("k"), bytes("v"));
            try (Guard ignored = other.guard()) {
                cleared.clear(); // what was cleared can't be forgotten while the guard lasts
                cleared.put(bytes("after"), bytes("w"));
                creator.close();
            }
            overwrite(other, 5L * CAPACITY);
            for (int i = 0; i < 60_000; i++) {
                other.put(bytes("more" + i), bytes("more" + i));
            }
            assertThat(other.size()).isEqualTo(3_000 + 60_000 + 100);
            assertThat(other.get(bytes("key2999"))).isEqualTo(bytes("value2999"));
            Namespace found = Objects.requireNonNull(other.findNamespace("cleared"));
            assertThat(found.size()).isEqualTo(1);
            assertThat(found.get(bytes("after"))).isEqualTo(bytes("w"));
            assertThat(other.stats().participants()).hasSize(1);
            assertThat(other.stats().participants().getFirst().leader()).isTrue();
            assertSound(other);
        }
    }

    private static void overwrite(Store store, long bytes) {
        byte[] value = new byte[1000];
        for (long done = 0; done < bytes; done += value.length) {
            store.put(bytes("over" + done / 1000 % 100), value);
        }
    }

    @Test
    void followerThatFillsTheStoreIsCleanedForAndGrownFor() {
        try (Store creator = create();
                Store other = attach()) {
            overwrite(other, 5L * CAPACITY);
            for (int i = 0; i < 60_000; i++) {
                other.put(bytes("k" + i), bytes("v" + i));
            }
            for (int i = 0; i < 59_000; i++) {
                assertThat(other.delete(bytes("k" + i))).isTrue();
            }
            for (int i = 59_000; i < 60_000; i++) {
                assertThat(creator.get(bytes("k" + i))).isEqualTo(bytes("v" + i));
            }
            assertThat(creator.size()).isEqualTo(1_100);
            byte[] large = new byte[2 << 20];
            for (int i = 0; i < 40; i++) {
                other.put(bytes("large"), large); // each has a segment of its own, which the leader must find dead
            }
            assertThat(other.stats().opening()).isEqualTo(Opening.ATTACHED);
            other.close();
            assertSound(creator);
        }
    }

    @Test
    void readerReadsAndWritesNothing() {
        try (Store creator = create();
                Store reader = Store.attachReadOnly(directory.registry, "s")) {
            creator.put(bytes("a"), bytes("1"));
            assertThat(reader.get(bytes("a"))).isEqualTo(bytes("1"));
            assertThat(reader.size()).isEqualTo(1);
            assertThat(reader.stats().keys()).isEqualTo(1);
            try (Guard guard = reader.guard()) {
                assertThat(Objects.requireNonNull(guard.get(bytes("a"))).toByteArray())
                        .isEqualTo(bytes("1"));
            }
            assertThatThrownBy(() -> reader.put(bytes("a"), bytes("2"))).hasMessageContaining("for reading");
            assertThatThrownBy(() -> reader.put(bytes("a"), bytes("2"), Long.MAX_VALUE))
                    .hasMessageContaining("for reading");
            assertThatThrownBy(() -> reader.delete(bytes("a"))).hasMessageContaining("for reading");
            assertThatThrownBy(reader::clear).hasMessageContaining("for reading");
            assertThatThrownBy(() -> reader.namespace("n")).hasMessageContaining("for reading");
            assertThatThrownBy(reader::clean).hasMessageContaining("for reading");
            assertThatThrownBy(() -> reader.setCapacityBytes(CAPACITY)).hasMessageContaining("for reading");
            assertThat(creator.get(bytes("a"))).isEqualTo(bytes("1"));
        }
    }

    @Test
    void isCreatedOnceAndThenAttachedByWhoeverOpensThePath() throws Exception {
        Path path = directory.path().resolve("opened");
        List<java.util.concurrent.Callable<Store>> openings = Collections.nCopies(
                4,
                () -> Store.builder()
                        .capacityBytes(CAPACITY)
                        .hugePages(false)
                        .region(path)
                        .open());
        try (var threads = Executors.newFixedThreadPool(4)) {
            List<Store> stores = new ArrayList<>();
            for (var opened : threads.invokeAll(openings)) {
                stores.add(opened.get());
            }
            assertThat(stores.stream().map(store -> store.stats().opening()))
                    .containsExactlyInAnyOrder(Opening.CREATED, Opening.ATTACHED, Opening.ATTACHED, Opening.ATTACHED);
            stores.getFirst().put(bytes("k"), bytes("v"));
            stores.forEach(Store::close);
        }
        try (Store again = Store.builder().region(path).open()) {
            assertThat(again.stats().opening()).isEqualTo(Opening.CLEAN);
            assertThat(again.capacityBytes()).isEqualTo(CAPACITY);
            assertThat(again.get(bytes("k"))).isEqualTo(bytes("v"));
        }
    }

    @Test
    void whoKeepsMemoryFromBeingReusedIsNamed() {
        try (Store creator = Store.builder()
                        .capacityBytes(CAPACITY)
                        .writeTimeoutMillis(50)
                        .hugePages(false)
                        .create(directory.registry, "s");
                Store other = Store.attachReadOnly(directory.registry, "s");
                Guard ignored = other.guard()) {
            assertThatThrownBy(() -> overwrite(creator, 5L * CAPACITY))
                    .isInstanceOf(StoreFullException.class)
                    .hasMessageContaining(
                            "blocked by pid " + ProcessHandle.current().pid() + ", thread "
                                    + Thread.currentThread().threadId());
        }
    }

    @Test
    void anotherLayoutIsRefusedByBothVersions() {
        create().close();
        poke(8, 77);
        assertThatThrownBy(this::attach)
                .isInstanceOfSatisfying(
                        RegionException.class, e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.VERSION))
                .hasMessageContaining("77")
                .hasMessageContaining("version " + StoreHeader.VERSION);
    }

    @Test
    void damagedHeaderIsRefused() {
        create().close();
        poke(512, 1);
        assertThatThrownBy(this::attach)
                .isInstanceOfSatisfying(
                        RegionException.class, e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.CORRUPT));
        poke(0, 0);
        assertThatThrownBy(this::attach).hasMessageContaining("LOAMSTOR");
    }

    private void poke(long offset, int value) {
        poke("s.data", offset, value);
    }

    private void poke(String region, long offset, int value) {
        try (MappedRegion mapped =
                directory.registry.regions().map(directory.registry.regions().get(region), Access.WRITE, true)) {
            RawMemory.ofProcess().putInt(mapped.address() + offset, value);
        }
    }

    @Test
    void controlRegionOfAnotherStoreIsRefused() {
        create().close();
        poke("s.control", SharedLayout.ID, 1234);
        assertThatThrownBy(this::attach)
                .isInstanceOfSatisfying(
                        RegionException.class, e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.CORRUPT))
                .hasMessageContaining("of two stores");
    }

    @Test
    void shortControlRegionIsRefused() {
        create().close();
        directory.registry.regions().delete("s.control");
        directory.registry.regions().create("s.control", RegionOptions.of(8192));
        poke("s.control", SharedLayout.READY, 1);
        assertThatThrownBy(this::attach)
                .isInstanceOfSatisfying(
                        RegionException.class, e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.CORRUPT))
                .hasMessageContaining("8192 bytes");
    }

    @Test
    void nameThatIsTakenOrMissingIsRefused() {
        try (Store creator = create()) {
            assertThatThrownBy(this::create)
                    .isInstanceOfSatisfying(
                            RegionException.class,
                            e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.EXISTS));
            assertThat(creator.size()).isZero();
        }
        Store.delete(directory.registry, "s");
        assertThatThrownBy(this::attach)
                .isInstanceOfSatisfying(
                        RegionException.class, e -> assertThat(e.reason()).isEqualTo(RegionException.Reason.NOT_FOUND));
    }

    // ---- several processes

    private static byte[] key(int number) {
        return ByteBuffer.allocate(8).putLong(number).array();
    }

    /** A value that says itself whether it is whole. */
    private static byte[] value(int key, int number, int length) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) (key * 31 + number));
        ByteBuffer.wrap(value).putInt(key).putInt(number);
        return value;
    }

    private static boolean isWhole(int key, byte[] value) {
        int number = ByteBuffer.wrap(value).getInt(4);
        return Arrays.equals(value, value(key, number, value.length));
    }

    /** Works on the store as the test's own process does. */
    public static void main(String[] arguments) throws Exception {
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE);
                Store store = Store.attach(registry, "s")) {
            System.out.println("attached");
            String line = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
            if (line.startsWith("capacity ")) {
                store.setCapacityBytes(Long.parseLong(line.substring("capacity ".length())));
            } else {
                System.out.println(work(store, Integer.parseInt(line)));
            }
        }
    }

    /** Overwrites, deletes and reads the same keys as others do; how many values were not whole. */
    private static int work(Store store, int seed) {
        Random random = new Random(seed);
        int torn = 0;
        for (int i = 0; i < 100_000; i++) {
            int key = random.nextInt(5_000);
            switch (random.nextInt(8)) {
                case 0 -> {
                    boolean ignored = store.delete(key(key));
                }
                case 1, 2, 3 -> store.put(key(key), value(key, random.nextInt(), 8 + random.nextInt(1200)));
                default -> {
                    byte[] found = store.get(key(key));
                    torn += found == null || isWhole(key, found) ? 0 : 1;
                }
            }
            if (i % 10 == 0) {
                store.add(bytes("sum"), 1);
            }
        }
        return torn;
    }

    @Test
    void processesReadAndWriteTheSameKeys() throws Exception {
        try (Store creator = create();
                ChildJvm first = child();
                ChildJvm second = child()) {
            assertThat(first.line()).isEqualTo("attached");
            assertThat(second.line()).isEqualTo("attached");
            first.say("1");
            second.say("2");
            assertThat(work(creator, 3)).isZero();
            assertThat(first.line()).isEqualTo("0");
            assertThat(second.line()).isEqualTo("0");
            assertThat(first.exit()).isZero();
            assertThat(second.exit()).isZero();
            assertThat(creator.add(bytes("sum"), 0)).isEqualTo(30_000);
            assertSound(creator);
        }
    }

    /** Forbidden: a key that was put, and acknowledged, after a clear had been seen is gone when the clear returns. */
    @Test
    void whatTheLeaderClearedBeforeItDiedIsNotClearedAgain() throws Exception {
        create().close();
        try (ChildJvm leader = child("-Dloam.crash=cleared:1")) {
            assertThat(leader.line()).isEqualTo("attached");
            try (Store other = attach()) {
                other.put(bytes("before"), bytes("1"));
                Thread clearing = Thread.ofPlatform().start(other::clear);
                while (other.contains(bytes("before"))) {
                    Thread.onSpinWait();
                }
                other.put(bytes("after"), bytes("2"));
                clearing.join();
                assertThat(leader.exit()).isEqualTo(137);
                assertThat(other.get(bytes("after"))).isEqualTo(bytes("2"));
                assertThat(other.size()).isEqualTo(1);
                assertSound(other);
            }
        }
    }

    /** Forbidden: a drop that was done is reported as none, because the leader died before it answered. */
    @Test
    void whatTheLeaderDroppedBeforeItDiedWasDropped() throws Exception {
        create().close();
        try (ChildJvm leader = child("-Dloam.crash=dropped:1")) {
            assertThat(leader.line()).isEqualTo("attached");
            try (Store other = attach()) {
                other.namespace("n").put(bytes("k"), bytes("v"));
                assertThat(other.dropNamespace("n")).isTrue();
                assertThat(leader.exit()).isEqualTo(137);
                assertThat(other.findNamespace("n")).isNull();
                assertThat(other.dropNamespace("n")).isFalse();
                assertSound(other);
            }
        }
    }

    /** Forbidden: who failed when it took the lead has it, and leads not. */
    @Test
    void whoFailsToTakeTheLeadTriesAgain() throws Exception {
        Store creator = create();
        try (ChildJvm next = child("-Dloam.fail=adopting:1")) {
            assertThat(next.line()).isEqualTo("attached");
            Namespace dropped = creator.namespace("n");
            dropped.put(bytes("k"), bytes("v"));
            try (Store reader = Store.attachReadOnly(directory.registry, "s")) {
                creator.close();
                for (int looks = 0; looks < 20_000 && !leads(reader, next.process.pid()); looks++) {
                    LockSupport.parkNanos(1_000_000);
                }
                assertThat(leads(reader, next.process.pid())).isTrue();
            }
            try (Store other = attach()) {
                assertThat(other.dropNamespace("n")).isTrue();
                overwrite(other, 5L * CAPACITY);
                next.kill(); // who leads goes on cleaning beside a check by another process
                Sharing sharing = Objects.requireNonNull(((LogStore) other).engine.sharing);
                while (!leads(other, ProcessHandle.current().pid()) || sharing.hasDead() || sharing.isPaused()) {
                    LockSupport.parkNanos(1_000_000);
                }
                assertSound(other);
            }
        }
    }

    private static boolean leads(Store store, long pid) {
        return store.stats().participants().stream().anyMatch(info -> info.leader() && info.pid() == pid);
    }

    /** Either capacity is right, but the budget of blocks must be that of the one which the store says. */
    @ParameterizedTest
    @ValueSource(ints = {CAPACITY / 2, 2 * CAPACITY})
    void capacityAndBudgetAgreeWhenWhoeverChangedThemDied(int capacity) throws Exception {
        try (Store creator = Store.builder()
                        .capacityBytes(CAPACITY)
                        .maximumCapacityBytes(4 * CAPACITY)
                        .hugePages(false)
                        .create(directory.registry, "s");
                ChildJvm child = child("-Dloam.crash=budget-set:1")) {
            assertThat(child.line()).isEqualTo("attached");
            child.say("capacity " + capacity);
            assertThat(child.exit()).isEqualTo(137);
            Engine engine = ((LogStore) creator).engine;
            Sharing sharing = Objects.requireNonNull(engine.sharing);
            while (sharing.hasDead() || sharing.isPaused()) {
                LockSupport.parkNanos(1_000_000);
            }
            assertThat(engine.pool.budgetBlocks()).isEqualTo(engine.budgetBlocks(creator.capacityBytes()));
            creator.setCapacityBytes(3 * CAPACITY);
            assertThat(engine.pool.budgetBlocks()).isEqualTo(engine.budgetBlocks(3 * CAPACITY));
            assertSound(creator);
        }
    }

    private ChildJvm child(String... options) {
        return ChildJvm.start(
                List.of(options), SharedStoreTest.class, directory.path().toString());
    }
}
