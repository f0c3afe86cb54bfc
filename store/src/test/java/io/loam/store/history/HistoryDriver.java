package io.loam.store.history;

import io.loam.store.Entry;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.history.Call.Kind;
import io.loam.store.sequence.ManualClock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * Lets several threads call every operation on few keys and records what they get, while other traffic fills the store, so that the
 * cleaner moves the keys' entries and the index grows and shrinks under them.
 *
 * <p>Keys 0, 1 count (add), keys 2, 3 are appended to, the others hold values of all sizes.
 */
final class HistoryDriver {
    static final int KEYS = 8;

    private final Store store;
    private final ManualClock clock;
    private final int calls;
    private final int maxValueBytes;
    private final AtomicBoolean done = new AtomicBoolean();
    /** The last version anyone saw of a key: what conditional calls guess. */
    private final AtomicLongArray versions = new AtomicLongArray(KEYS);

    HistoryDriver(Store store, ManualClock clock, int callsPerThread, int maxValueBytes) {
        this.store = store;
        this.clock = clock;
        this.calls = callsPerThread;
        this.maxValueBytes = maxValueBytes;
    }

    /** The calls on each key. */
    List<List<Call>> run(int threads, long seed) throws Exception {
        List<List<Call>> histories = new ArrayList<>();
        for (int key = 0; key < KEYS; key++) {
            histories.add(new ArrayList<>());
        }
        try (var executor =
                Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory())) {
            CountDownLatch start = new CountDownLatch(threads);
            List<Future<List<List<Call>>>> recording = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int thread = i;
                recording.add(executor.submit(() -> {
                    start.countDown();
                    start.await();
                    return new Recorder(thread, new SplittableRandom(seed + 31L * thread)).record();
                }));
            }
            Future<?> filler = executor.submit(() -> fill(new SplittableRandom(seed - 1)));
            try {
                for (Future<List<List<Call>>> each : recording) {
                    List<List<Call>> recorded = each.get(120, TimeUnit.SECONDS);
                    for (int key = 0; key < KEYS; key++) {
                        histories.get(key).addAll(recorded.get(key));
                    }
                }
            } catch (TimeoutException e) {
                executor.shutdownNow();
                throw new AssertionError("a thread hangs", e);
            } finally {
                done.set(true);
            }
            filler.get(60, TimeUnit.SECONDS);
        }
        return histories;
    }

    /** Grows and shrinks the key count, overwrites and deletes, so that cleaning and index steps never stop. */
    private void fill(SplittableRandom random) {
        int most = (int) (store.capacityBytes() / 200);
        while (!done.get()) {
            try {
                for (int i = 0; i < most && !done.get(); i++) {
                    store.put(fillerKey(i), new byte[random.nextInt(100)]);
                    if (random.nextInt(16) == 0) {
                        store.put(fillerKey(random.nextInt(most)), new byte[random.nextInt(maxValueBytes)]);
                    }
                    if (random.nextInt(64) == 0) {
                        clock.advanceMillis(1);
                    }
                }
            } catch (StoreFullException e) {
                // As meant: the recording threads see refusals too, until the deletes below.
            }
            for (int i = 0; i < most && !done.get(); i++) {
                store.delete(fillerKey(i));
                if (random.nextInt(256) == 0) {
                    store.clean();
                }
            }
        }
    }

    private static byte[] fillerKey(int number) {
        return new byte[] {'f', (byte) number, (byte) (number >> 8), (byte) (number >> 16)};
    }

    private static byte[] key(int index) {
        return new byte[] {'k', (byte) index};
    }

    /** One thread's part. */
    private final class Recorder {
        private final int thread;
        private final SplittableRandom random;
        private final List<List<Call>> recorded = new ArrayList<>();
        private final byte[][] batchDestinations = new byte[KEYS][maxValueBytes + 16];
        private int sequence;

        // Of the call that is under way.
        private long invokedNanos;
        private long clockBefore;
        private @Nullable Value argument;
        private byte @Nullable [] suffix;
        private long number;
        private long expiresAt;

        Recorder(int thread, SplittableRandom random) {
            this.thread = thread;
            this.random = random;
            for (int key = 0; key < KEYS; key++) {
                recorded.add(new ArrayList<>());
            }
        }

        List<List<Call>> record() {
            for (int i = 0; i < calls; i++) {
                int index = random.nextInt(KEYS);
                try {
                    if (random.nextInt(12) == 0) {
                        batch();
                    } else if (index < 2 && random.nextInt(3) > 0) {
                        count(index);
                    } else if (index == 2 || index == 3) {
                        list(index);
                    } else {
                        register(index);
                    }
                } catch (StoreFullException e) {
                    // A refused write has no effect; if it had one, the other calls could not be explained.
                }
            }
            return recorded;
        }

        private void begin() {
            argument = null;
            suffix = null;
            number = 0;
            expiresAt = Namespace.NEVER;
            clockBefore = clock.millis();
            invokedNanos = System.nanoTime();
        }

        private void end(int index, Kind kind, @Nullable Value result, long answer) {
            long returnedNanos = System.nanoTime();
            recorded.get(index)
                    .add(new Call(
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
                            clockBefore,
                            clock.millis()));
        }

        private static @Nullable Value value(byte @Nullable [] bytes) {
            return bytes == null ? null : Value.of(bytes);
        }

        /** Never 8 bytes long, and different from every other. */
        private byte[] fresh() {
            int length = switch (random.nextInt(4)) {
                case 0 -> 9;
                case 1 -> random.nextInt(9, 100);
                case 2 -> random.nextInt(9, 2100);
                default -> random.nextInt(9, maxValueBytes);
            };
            byte[] bytes = new byte[length];
            Arrays.fill(bytes, (byte) sequence);
            bytes[0] = (byte) thread;
            bytes[1] = (byte) sequence;
            bytes[2] = (byte) (sequence >> 8);
            bytes[3] = (byte) (sequence++ >> 16);
            return bytes;
        }

        private void learn(int index, long version) {
            if (version > 0) {
                versions.setOpaque(index, version);
            }
        }

        private void count(int index) {
            long delta = random.nextInt(1, 1000);
            begin();
            number = delta;
            end(index, Kind.ADD, null, store.add(key(index), delta));
        }

        private void list(int index) {
            if (random.nextInt(40) == 0) {
                begin();
                end(index, Kind.GET_AND_DELETE, value(store.getAndDelete(key(index))), Call.UNKNOWN);
            } else if (random.nextInt(3) == 0) {
                begin();
                end(index, Kind.GET, value(store.get(key(index))), Call.UNKNOWN);
            } else {
                byte[] more = Arrays.copyOf(fresh(), 9 + random.nextInt(60));
                begin();
                suffix = more;
                end(index, Kind.APPEND, null, store.append(key(index), more));
            }
        }

        private void register(int index) {
            byte[] key = key(index);
            boolean counts = index < 2;
            byte[] bytes = counts ? Value.bytesOfLong(random.nextInt(1 << 20)) : fresh();
            Value written = Value.of(bytes);
            switch (random.nextInt(16)) {
                case 0, 1 -> {
                    begin();
                    end(index, Kind.GET, value(store.get(key)), Call.UNKNOWN);
                }
                case 2 -> {
                    begin();
                    Entry entry = store.getEntry(key);
                    end(
                            index,
                            Kind.GET,
                            entry == null ? null : Value.of(entry.value()),
                            entry == null ? Call.UNKNOWN : entry.version());
                    learn(index, entry == null ? 0 : entry.version());
                }
                case 3 -> {
                    begin();
                    Call seen = store.read(
                            key, view -> Call.of(Kind.GET, null, Value.of(view.toByteArray()), view.version(), 0, 0));
                    end(
                            index,
                            Kind.GET,
                            seen == null ? null : seen.result(),
                            seen == null ? Call.UNKNOWN : seen.answer());
                }
                case 4 -> {
                    begin();
                    end(index, Kind.CONTAINS, null, store.contains(key) ? 1 : 0);
                }
                case 5 -> {
                    begin();
                    long version = store.version(key);
                    end(index, Kind.VERSION, null, version);
                    learn(index, version);
                }
                case 6, 7 -> {
                    begin();
                    argument = written;
                    long version = store.put(key, bytes);
                    end(index, Kind.PUT, null, version);
                    learn(index, version);
                }
                case 8 -> {
                    long at = clock.millis() + random.nextInt(10);
                    begin();
                    argument = written;
                    expiresAt = at;
                    end(index, Kind.PUT, null, store.put(key, bytes, PutOptions.DEFAULT.expiringAt(at)));
                }
                case 9 -> {
                    begin();
                    argument = written;
                    end(index, Kind.PUT_IF_ABSENT, null, store.putIfAbsent(key, bytes));
                }
                case 10 -> {
                    begin();
                    argument = written;
                    end(index, Kind.REPLACE, null, store.replace(key, bytes));
                }
                case 11 -> {
                    begin();
                    argument = written;
                    number = Math.max(1, versions.getOpaque(index));
                    long version = store.replace(key, number, bytes);
                    end(index, Kind.REPLACE_VERSION, null, version);
                    learn(index, version);
                }
                case 12 -> {
                    begin();
                    end(index, Kind.DELETE, null, store.delete(key) ? 1 : 0);
                }
                case 13 -> {
                    begin();
                    number = Math.max(1, versions.getOpaque(index));
                    end(index, Kind.DELETE_VERSION, null, store.delete(key, number) ? 1 : 0);
                }
                case 14 -> {
                    begin();
                    end(index, Kind.GET_AND_DELETE, value(store.getAndDelete(key)), Call.UNKNOWN);
                }
                default -> {
                    boolean deletes = random.nextInt(4) == 0;
                    @Nullable Value[] saw = new @Nullable Value[1];
                    begin();
                    argument = deletes ? null : written;
                    store.compute(key, old -> {
                        saw[0] = value(old);
                        return deletes ? null : bytes;
                    });
                    end(index, Kind.COMPUTE, saw[0], Call.UNKNOWN);
                }
            }
        }

        /** Each key of a batch is a call of its own that lasts as long as the batch. */
        private void batch() {
            byte[][] keys = new byte[KEYS][];
            for (int i = 0; i < KEYS; i++) {
                keys[i] = key(i);
            }
            begin();
            if (random.nextBoolean()) {
                List<byte @Nullable []> values = store.getAll(List.of(keys));
                for (int i = 0; i < KEYS; i++) {
                    end(i, Kind.GET, value(values.get(i)), Call.UNKNOWN);
                }
            } else {
                int[] lengths = new int[KEYS];
                store.getAll(keys, batchDestinations, lengths, KEYS);
                for (int i = 0; i < KEYS; i++) {
                    if (lengths[i] <= batchDestinations[i].length) {
                        Value read = lengths[i] < 0 ? null : Value.of(Arrays.copyOf(batchDestinations[i], lengths[i]));
                        end(i, Kind.GET, read, Call.UNKNOWN);
                    }
                }
            }
        }
    }
}
