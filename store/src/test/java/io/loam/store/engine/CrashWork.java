package io.loam.store.engine;

import io.loam.memory.region.Registry;
import io.loam.store.Namespace;
import io.loam.store.Store;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Work on keys that only one worker writes, with a record, in a file that outlives the process, of what was begun and what was acknowledged; and on keys that all write.
 *
 * <p>Per key two words: the number of the last write that was begun, and of the last that was acknowledged; negative: a removal. The store must have one of the two.
 */
final class CrashWork {

    static final int KEYS = 600;
    private static final int PAIRS = 20;
    private static final int HOT_KEYS = 8;
    private static final int PASSING_KEYS = 25_000;
    static final long RECORD_BYTES = 16L * (KEYS + PAIRS);

    private final Store store;
    private final Namespace cleared;
    private final int worker;
    private final MappedByteBuffer record;
    private final Random random;
    private int number;
    private int passing;
    private boolean shrinking;

    CrashWork(Store store, int worker, Path file, long seed) throws IOException {
        this.store = store;
        this.cleared = store.namespace("cleared");
        this.worker = worker;
        this.random = new Random(seed);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            record = channel.map(FileChannel.MapMode.READ_WRITE, 0, RECORD_BYTES);
        }
    }

    /** Works until it is killed. */
    public static void main(String[] arguments) throws Exception {
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE);
                Store store = Store.attach(registry, "s")) {
            System.out.println("attached");
            int worker = Integer.parseInt(arguments[2]);
            CrashWork work = new CrashWork(store, worker, Path.of(arguments[1]), Long.parseLong(arguments[3]));
            long end = System.nanoTime() + 1_200_000_000_000L;
            Thread other = Thread.ofPlatform().daemon().start(() -> {
                Random hot = new Random(worker);
                while (true) {
                    int key = hot.nextInt(HOT_KEYS);
                    store.put(hotKey(key), value(-1, key, 8 + hot.nextInt(600)));
                }
            });
            while (System.nanoTime() < end && other.isAlive()) {
                work.step();
            }
        }
        System.exit(3);
    }

    static byte[] hotKey(int key) {
        return ("hot" + key).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    private byte[] key(int index) {
        return ("k" + worker + "-" + index).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    /** A value that says itself whether it is whole. */
    static byte[] value(int worker, int number, int length) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) (worker * 31 + number));
        ByteBuffer.wrap(value).putInt(worker).putInt(number);
        return value;
    }

    static boolean isWhole(byte[] value) {
        ByteBuffer words = ByteBuffer.wrap(value);
        return Arrays.equals(value, value(words.getInt(), words.getInt(), value.length));
    }

    private void begin(int index, int what) {
        record.putLong(16 * index, what);
    }

    private void acknowledge(int index, int what) {
        record.putLong(16 * index + 8, what);
    }

    private int length() {
        int kind = random.nextInt(200);
        return kind == 0 ? 300_000 : kind < 4 ? 20_000 : kind < 10 ? 3_000 : 8 + random.nextInt(400);
    }

    /** One write of the worker's own keys, and some others. */
    void step() {
        int what = ++number;
        int index = random.nextInt(KEYS);
        if (random.nextInt(6) == 0) {
            begin(index, -what);
            boolean ignored = store.delete(key(index));
            acknowledge(index, -what);
        } else {
            begin(index, what);
            store.put(key(index), value(worker, what, length()));
            acknowledge(index, what);
        }
        if (random.nextInt(4) == 0) {
            transact(++number);
        }
        pass();
        if (random.nextInt(400) == 0) {
            cleared.put(key(0), value(worker, what, 100));
            cleared.clear();
        }
    }

    /** Two keys change together. */
    private void transact(int what) {
        int index = KEYS + random.nextInt(PAIRS / 2) * 2;
        begin(index, what);
        begin(index + 1, what);
        store.transact(List.of(key(index), key(index + 1)), transaction -> {
            transaction.put(key(index), value(worker, what, 50));
            transaction.put(key(index + 1), value(worker, what, 60));
            return 0;
        });
        acknowledge(index, what);
        acknowledge(index + 1, what);
    }

    /** Keys come and go, so that the index grows and shrinks. */
    private void pass() {
        for (int i = 0; i < 20; i++) {
            byte[] key = ("p" + worker + "-" + passing).getBytes(java.nio.charset.StandardCharsets.UTF_8);
            if (shrinking) {
                boolean ignored = store.delete(key);
            } else {
                store.put(key, value(worker, passing, 12));
            }
            passing += shrinking ? -1 : 1;
            if (passing == PASSING_KEYS || passing == 0) {
                shrinking = !shrinking;
            }
        }
    }

    /** What the store has that it should not have, or lacks, after the worker is dead or at rest. What it has counts as acknowledged from now on. */
    List<String> complaints() {
        List<String> complaints = new ArrayList<>();
        for (int index = 0; index < KEYS + PAIRS; index++) {
            long begun = record.getLong(16 * index);
            long acknowledged = record.getLong(16 * index + 8);
            byte[] found = store.get(key(index));
            if (found != null && !isWhole(found)) {
                complaints.add("torn: key " + index);
                continue;
            }
            long has = found == null ? 0 : ByteBuffer.wrap(found).getInt(4);
            if (has != Math.max(0, begun) && has != Math.max(0, acknowledged)) {
                complaints.add("worker " + worker + " key " + index + " has write " + has + "; acknowledged was "
                        + acknowledged + ", begun " + begun);
            } else if (has == Math.max(0, begun)) {
                record.putLong(16 * index + 8, begun);
            }
        }
        for (int index = KEYS; index < KEYS + PAIRS; index += 2) {
            byte[] first = store.get(key(index));
            byte[] second = store.get(key(index + 1));
            int firstNumber = first == null ? 0 : ByteBuffer.wrap(first).getInt(4);
            int secondNumber = second == null ? 0 : ByteBuffer.wrap(second).getInt(4);
            if (firstNumber != secondNumber) {
                complaints.add("half a transaction: keys " + index + " and " + (index + 1) + " have writes "
                        + firstNumber + " and " + secondNumber);
            }
        }
        for (int key = 0; key < HOT_KEYS; key++) {
            byte[] hot = store.get(hotKey(key));
            if (hot != null && !isWhole(hot)) {
                complaints.add("torn: hot key " + key);
            }
        }
        return complaints;
    }
}
