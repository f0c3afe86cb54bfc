package io.loam.store.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats;
import io.loam.store.TryPut;
import io.loam.store.UpdatePolicy;
import io.loam.store.ValueView;
import io.loam.store.sequence.Setup;
import io.loam.store.stress.Crew;
import io.loam.store.stress.Reader;
import io.loam.store.stress.ResidentMemory;
import io.loam.store.stress.Stamp;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All operations on one store for {@code loam.soak.seconds} (shared out among the policies), every result checked as in the stress tests.
 *
 * <pre>
 *   keys          who writes           what must hold
 *   permanent     updaters             never absent (REJECT), whole, never older than before, in every scan
 *   hot           writers              whole, never older than before
 *   accounts      transferrers         the sum stays
 *   mass          the tide             comes and goes, so that the index and the log grow and shrink
 *   space-N       namespacers          never another namespace's value
 *   expiring      writers              never read after its time
 * </pre>
 *
 * <p>All the while: resident memory stays within the capacity, 64 MiB and what the JVM had before; stats agree; no refusal where most
 * of the memory is free.
 */
@Tag("soak")
class SoakTest {
    private static final int PERMANENT = 2_000;
    private static final int HOT = 500;
    private static final int ACCOUNTS = 20;
    private static final long START = 10_000;
    private static final int MAX_BYTES = 200_000;
    private static final long EXPIRING = 100_000;
    private static final long MASS = 1_000_000;
    private static final int MAXIMUM_BLOCKS = 2048;

    static List<Setup> setups() {
        List<Setup> setups = new ArrayList<>();
        for (UpdatePolicy update : UpdatePolicy.values()) {
            for (FullPolicy full : FullPolicy.values()) {
                setups.add(Setup.TINY
                        .with(update)
                        .with(full)
                        .withNodes(setups.size() % 2 + 1)
                        .withBlockBytes(32 << 10)
                        .withBlocks(1536, MAXIMUM_BLOCKS)
                        .withWriteTimeoutMillis(100));
            }
        }
        return setups;
    }

    @ParameterizedTest
    @MethodSource("setups")
    void everythingAtOnce(Setup setup) {
        long nanos = Long.getLong("loam.soak.seconds", 60) * 1_000_000_000L / setups().size();
        // Twice, so that the JVM's own part (code, collector, stacks) has been reached before it is measured.
        new Soak(setup, Math.min(nanos / 4, 5_000_000_000L), Long.MAX_VALUE).run();
        System.gc();
        long base = ResidentMemory.bytes();
        Soak soak = new Soak(setup, nanos * 3 / 4, base);
        soak.run();
        System.out.println(setup.name() + ": " + soak.summary);
    }

    /** One run. */
    private static final class Soak {
        private final Setup setup;
        private final long deadline;
        private final long base;
        private final Store store;
        private final AtomicLong operations = new AtomicLong();
        private final AtomicLong refusals = new AtomicLong();
        private final AtomicLong waits = new AtomicLong();
        private final AtomicLong hooks = new AtomicLong();
        private final AtomicLong scans = new AtomicLong();
        private final AtomicLong mostResident = new AtomicLong();
        private final AtomicLong sequence = new AtomicLong();
        private final AtomicLongArray left = new AtomicLongArray(Cause.values().length);
        private final boolean evicts;
        private String summary = "";

        Soak(Setup setup, long nanos, long base) {
            this.setup = setup;
            this.base = base;
            evicts = setup.full() == FullPolicy.EVICT;
            store = setup.open(InstantSource.system(), System.nanoTime());
            deadline = System.nanoTime() + nanos;
        }

        private boolean goesOn(Crew crew) {
            return System.nanoTime() < deadline && crew.goesOn();
        }

        private interface Operation {
            void run(SplittableRandom random) throws Exception;
        }

        private void worker(Crew crew, String name, int seed, Operation operation) {
            SplittableRandom random = new SplittableRandom(seed);
            crew.work(name, () -> {
                while (goesOn(crew)) {
                    try {
                        operation.run(random);
                        operations.incrementAndGet();
                    } catch (StoreFullException e) {
                        refusals.incrementAndGet();
                        if (evicts) {
                            // Guards and the shrinking of the capacity may lead to a refusal now and then, but it must
                            // not last.
                            store.delete(Stamp.key(MASS + random.nextInt(100_000)));
                        }
                    }
                }
            });
        }

        void run() {
            try (store) {
                store.addListener((space, key, value, cause) -> left.incrementAndGet(cause.ordinal()));
                List<byte[]> accounts = new ArrayList<>();
                for (int i = 0; i < ACCOUNTS; i++) {
                    accounts.add(new byte[] {'a', (byte) i});
                }
                if (!evicts) {
                    accounts.forEach(key -> store.put(key, amount(START, 0)));
                }
                for (long key = 0; key < PERMANENT; key++) {
                    store.put(Stamp.key(key), new Stamp(key, 0, 0, 100, 0).toBytes());
                }
                Crew crew = new Crew();
                worker(crew, "tide", 1, this::tide);
                worker(crew, "updater", 2, this::update);
                worker(crew, "writer 1", 3, this::write);
                worker(crew, "writer 2", 4, this::write);
                worker(crew, "namespacer", 5, this::useNamespaces);
                worker(crew, "controller", 6, this::control);
                for (int i = 0; i < 2; i++) {
                    Reader reader = new Reader(store, new SplittableRandom(20 + i), MAX_BYTES);
                    worker(crew, "reader " + i, 30 + i, random -> read(reader, random));
                }
                worker(crew, "scanner", 7, this::scan);
                if (!evicts) {
                    worker(crew, "transferrer", 8, random -> transfer(random, accounts));
                    worker(crew, "auditor", 9, random -> audit(accounts));
                }
                crew.run();
                finish(accounts);
            }
        }

        private void finish(List<byte[]> accounts) {
            if (!evicts) {
                audit(accounts);
                for (long key = 0; key < PERMANENT; key++) {
                    Stamp.check(Objects.requireNonNull(store.get(Stamp.key(key)), "a permanent key is gone"), key);
                }
            }
            for (String name : store.namespaces()) {
                store.dropNamespace(name);
            }
            long hookDeadline = System.nanoTime() + 30_000_000_000L;
            while (hooks.get() < waits.get() && System.nanoTime() < hookDeadline) {
                Thread.onSpinWait();
            }
            assertThat(hooks.get()).as("hooks of tryPut run once each").isEqualTo(waits.get());
            StoreStats stats = store.stats();
            statsAgree(stats);
            assertThat(stats.oldestGuard()).isNull();
            summary = operations + " operations, " + refusals + " refused, " + scans + " scans, "
                    + stats.cleanedSegments()
                    + " segments cleaned, " + stats.indexResizes() + " index steps, " + stats.evictedEntries()
                    + " evicted, "
                    + left + " left, RSS at most " + (mostResident.get() >> 20) + " MiB with " + (base >> 20)
                    + " before";
        }

        private static byte[] amount(long amount, int padding) {
            return ByteBuffer.allocate(8 + padding).putLong(amount).array();
        }

        private Stamp stamp(long key, int writer, int length) {
            return new Stamp(key, sequence.incrementAndGet(), writer, length, 0);
        }

        /** Half of the memory in small entries, then none. */
        private void tide(SplittableRandom random) {
            int most = random.nextInt(1, 1 + (int) (store.capacityBytes() / 300));
            int stored = 0;
            try {
                for (; stored < most && System.nanoTime() < deadline; stored++) {
                    store.put(Stamp.key(MASS + stored), new Stamp(MASS + stored, 0, 0, 40 + stored % 100, 0).toBytes());
                }
            } finally {
                for (int i = 0; i < stored; i++) {
                    store.delete(Stamp.key(MASS + i));
                }
            }
        }

        private void update(SplittableRandom random) {
            long key = random.nextInt(PERMANENT);
            store.put(Stamp.key(key), stamp(key, 0, Reader.size(random, 4000)).toBytes());
        }

        private void write(SplittableRandom random) {
            long key = PERMANENT + random.nextInt(HOT);
            byte[] bytes = Stamp.key(key);
            int length = random.nextInt(200) == 0 ? random.nextInt(40, MAX_BYTES) : Reader.size(random, 20_000);
            switch (random.nextInt(12)) {
                case 0 -> store.delete(bytes);
                case 1 ->
                    store.compute(
                            bytes,
                            old -> old == null || random.nextBoolean()
                                    ? stamp(key, 1, 300).toBytes()
                                    : null);
                case 2 -> store.putIfAbsent(bytes, new Stamp(key, Long.MAX_VALUE >> 1, 7, 64, 0).toBytes());
                case 3 -> {
                    long version = store.version(bytes);
                    if (version > 0) {
                        store.replace(bytes, version, new Stamp(key, Long.MAX_VALUE >> 1, 7, 64, 0).toBytes());
                    }
                }
                case 4 -> {
                    long expiring = EXPIRING + random.nextInt(1000);
                    long at = System.currentTimeMillis() + random.nextInt(1, 2000);
                    store.put(
                            Stamp.key(expiring),
                            new Stamp(expiring, 1, 1, Reader.size(random, 3000), at).toBytes(),
                            at);
                }
                case 5 -> {
                    long expiring = EXPIRING + random.nextInt(1000);
                    long now = System.currentTimeMillis();
                    byte[] value = store.get(Stamp.key(expiring));
                    if (value != null && Stamp.check(value, expiring).extra() <= now) {
                        throw new AssertionError("read at " + now + ": " + Stamp.check(value, expiring));
                    }
                }
                case 6 -> {
                    waits.incrementAndGet();
                    long version = TryPut.WOULD_WAIT + 1;
                    try {
                        version = store.tryPut(
                                MemorySegment.ofArray(Stamp.key(MASS - 1)),
                                MemorySegment.ofArray(new byte[length]),
                                PutOptions.DEFAULT,
                                hooks::incrementAndGet);
                    } finally {
                        if (version != TryPut.WOULD_WAIT) {
                            waits.decrementAndGet();
                        }
                    }
                }
                case 7 -> {
                    byte[] counter = {'c', (byte) random.nextInt(8)};
                    store.add(counter, 1);
                }
                case 8 -> {
                    byte[] list = {'l', (byte) random.nextInt(8)};
                    if (store.append(list, new byte[random.nextInt(200)]) > 50_000) {
                        store.delete(list);
                    }
                }
                default -> {
                    // Versions order the writers' values; sequences of one writer only hold within its thread.
                    store.put(bytes, new Stamp(key, Long.MAX_VALUE >> 1, 7, length, 0).toBytes());
                }
            }
        }

        private void read(Reader reader, SplittableRandom random) {
            if (random.nextBoolean()) {
                long key = random.nextInt(PERMANENT);
                if (!reader.read(key, PERMANENT) && !evicts) {
                    throw new AssertionError("permanent key " + key + " was absent");
                }
            } else {
                reader.read(PERMANENT + random.nextInt(HOT), PERMANENT + HOT);
            }
        }

        private void scan(SplittableRandom random) {
            BitSet seen = new BitSet(PERMANENT);
            store.forEach((key, view) -> {
                if (key.length >= 8) {
                    long number = Stamp.keyNumber(key);
                    if (number < PERMANENT + HOT || number >= MASS) {
                        Stamp.check(Reader.bytesOf(view), number);
                    }
                    if (number < PERMANENT) {
                        seen.set((int) number);
                    }
                }
            });
            scans.incrementAndGet();
            if (!evicts && seen.cardinality() < PERMANENT) {
                throw new AssertionError("a scan has missed permanent key " + seen.nextClearBit(0));
            }
        }

        private void useNamespaces(SplittableRandom random) {
            int number = random.nextInt(3);
            try {
                Namespace space = store.namespace("space " + number);
                for (int i = 0; i < 100; i++) {
                    long key = random.nextInt(500);
                    byte[] value = space.get(Stamp.key(key));
                    if (value != null && Stamp.check(value, key).writer() != 100 + number) {
                        throw new AssertionError("space " + number + " shows " + Stamp.check(value, key));
                    }
                    space.put(
                            Stamp.key(key),
                            stamp(key, 100 + number, Reader.size(random, 3000)).toBytes());
                }
                switch (random.nextInt(10)) {
                    case 0 -> store.dropNamespace("space " + number);
                    case 1 -> space.clear();
                    default -> {}
                }
            } catch (IllegalStateException e) {
                throw new AssertionError("only this thread drops namespaces", e);
            }
        }

        private void transfer(SplittableRandom random, List<byte[]> accounts) {
            int from = random.nextInt(ACCOUNTS);
            int to = random.nextInt(ACCOUNTS);
            if (from != to) {
                int padding = random.nextInt(3000);
                store.transact(List.of(accounts.get(from), accounts.get(to)), transaction -> {
                    long one = ByteBuffer.wrap(Objects.requireNonNull(transaction.get(accounts.get(from))))
                            .getLong();
                    long other = ByteBuffer.wrap(Objects.requireNonNull(transaction.get(accounts.get(to))))
                            .getLong();
                    transaction.put(accounts.get(from), amount(one - 1, padding));
                    transaction.put(accounts.get(to), amount(other + 1, padding / 3));
                    return true;
                });
            }
        }

        private void audit(List<byte[]> accounts) {
            long sum = store.transact(
                    accounts,
                    transaction -> accounts.stream()
                            .mapToLong(key -> ByteBuffer.wrap(
                                            Objects.requireNonNull(transaction.get(key), "an account is gone"))
                                    .getLong())
                            .sum());
            if (sum != ACCOUNTS * START) {
                throw new AssertionError("the accounts hold " + sum);
            }
        }

        /** Changes the capacity, holds guards, cleans, and watches the memory. */
        private void control(SplittableRandom random) {
            switch (random.nextInt(6)) {
                case 0 -> {
                    long bytes = random.nextInt(1024, MAXIMUM_BLOCKS + 1) * (long) setup.blockBytes();
                    try {
                        store.setCapacityBytes(bytes);
                    } catch (StoreFullException e) {
                        refusals.incrementAndGet();
                    }
                }
                case 1 -> store.clean();
                case 2 -> {
                    try (Guard guard = store.guard()) {
                        Map<Long, ValueView> views = new java.util.HashMap<>();
                        for (int i = 0; i < 20; i++) {
                            long key = random.nextInt(PERMANENT + HOT);
                            ValueView view = guard.get(Stamp.key(key));
                            if (view != null) {
                                views.put(key, view);
                            }
                        }
                        for (int i = 0; i < 100; i++) {
                            views.forEach((key, view) -> Stamp.check(Reader.bytesOf(view), key));
                        }
                    }
                }
                default -> {
                    statsAgree(store.stats());
                    long resident = ResidentMemory.bytes();
                    mostResident.accumulateAndGet(resident, Math::max);
                    long allowed = base == Long.MAX_VALUE ? base : base + setup.maximumCapacityBytes() + (64L << 20);
                    if (resident > allowed) {
                        throw new AssertionError("resident " + resident + " bytes; the JVM had " + base
                                + " before, the capacity is at most " + setup.maximumCapacityBytes());
                    }
                }
            }
        }

        private static void statsAgree(StoreStats stats) {
            assertThat(stats.utilisation()).isBetween(0.0, 1.1);
            for (long bytes : new long[] {
                stats.liveLogBytes(),
                stats.freeBytes(),
                stats.logBytes(),
                stats.indexBytes(),
                stats.tableBytes(),
                stats.releasedBytes(),
                stats.retiredBytes()
            }) {
                assertThat(bytes).as(stats.toString()).isBetween(0L, stats.capacityBytes() + (64L << 20));
            }
        }
    }
}
