package io.loam.store.stress;

import io.loam.store.Entry;
import io.loam.store.Guard;
import io.loam.store.Store;
import io.loam.store.ValueView;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One thread's reading of stamped values, by every way there is. Checks that each is whole and the key's own, and that neither a key's
 * version nor the sequence of one writer for it goes back.
 */
public final class Reader {
    private static final int BATCH = 8;

    private record Writing(long key, int writer) {}

    private final Store store;
    private final SplittableRandom random;
    private final int maxBytes;
    private final byte[] buffer;
    private final byte[][] buffers;
    private final Map<Long, Long> versions = new HashMap<>();
    private final Map<Writing, Long> sequences = new HashMap<>();
    private long present;

    public Reader(Store store, SplittableRandom random, int maxBytes) {
        this.store = store;
        this.random = random;
        this.maxBytes = maxBytes;
        buffer = new byte[maxBytes + 5];
        buffers = new byte[BATCH][maxBytes];
    }

    /** How many values it has seen. */
    public long present() {
        return present;
    }

    /** Reads {@code key}, and perhaps those after it up to {@code keys}; whether the key was present. */
    public boolean read(long key, int keys) {
        byte[] bytes = Stamp.key(key);
        return switch (random.nextInt(7)) {
            case 0 -> saw(key, store.get(bytes));
            case 1 -> {
                int length = store.get(bytes, buffer, 5);
                yield length >= 0 && saw(Stamp.check(buffer, 5, length, key));
            }
            case 2 -> {
                long length = store.get(MemorySegment.ofArray(bytes), MemorySegment.ofArray(buffer));
                yield length >= 0 && saw(Stamp.check(buffer, 0, (int) length, key));
            }
            case 3 -> {
                Entry entry = store.getEntry(bytes);
                yield entry != null && saw(key, entry.value()) && sawVersion(key, entry.version());
            }
            case 4 -> store.read(bytes, view -> view(key, view)) != null;
            case 5 -> guard(key, keys);
            default -> batch(key, keys);
        };
    }

    public boolean saw(long key, byte @Nullable [] value) {
        return value != null && saw(Stamp.check(value, key));
    }

    private boolean saw(Stamp stamp) {
        present++;
        Long last = sequences.put(new Writing(stamp.key(), stamp.writer()), stamp.sequence());
        if (last != null && last > stamp.sequence()) {
            throw new AssertionError("key " + stamp.key() + " went back from sequence " + last + " to " + stamp);
        }
        return true;
    }

    private boolean sawVersion(long key, long version) {
        Long last = versions.put(key, version);
        if (last != null && last > version) {
            throw new AssertionError("key " + key + " went back from version " + last + " to " + version);
        }
        return true;
    }

    /** The bytes must be the same when read again. */
    private boolean view(long key, ValueView view) {
        byte[] first = bytesOf(view);
        saw(key, first);
        sawVersion(key, view.version());
        Thread.yield();
        byte[] second = bytesOf(view);
        if (!Arrays.equals(first, second)) {
            throw new AssertionError("key " + key + ": bytes changed inside a read, now " + Stamp.check(second, key));
        }
        return true;
    }

    public static byte[] bytesOf(ValueView view) {
        byte[] bytes = new byte[(int) view.length()];
        int at = 0;
        for (int i = 0; i < view.segmentCount(); i++) {
            MemorySegment piece = view.segment(i);
            MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, bytes, at, (int) piece.byteSize());
            at += (int) piece.byteSize();
        }
        if (at != bytes.length) {
            throw new AssertionError("a view of " + bytes.length + " bytes has pieces of " + at);
        }
        return bytes;
    }

    private boolean guard(long key, int keys) {
        List<ValueView> views = new ArrayList<>();
        List<byte[]> first = new ArrayList<>();
        boolean found;
        try (Guard guard = store.guard()) {
            found = false;
            for (int i = 0; i < 4; i++) {
                long each = (key + i) % keys;
                ValueView view = guard.get(Stamp.key(each));
                if (view != null) {
                    found |= i == 0;
                    views.add(view);
                    first.add(bytesOf(view));
                    saw(each, first.getLast());
                    sawVersion(each, view.version());
                }
            }
            Thread.yield();
            for (int i = 0; i < views.size(); i++) {
                if (!Arrays.equals(first.get(i), bytesOf(views.get(i)))) {
                    throw new AssertionError("bytes changed under a guard, key "
                            + Stamp.check(
                                    first.get(i),
                                    0,
                                    first.get(i).length,
                                    java.nio.ByteBuffer.wrap(first.get(i))
                                            .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                                            .getLong()));
                }
            }
        }
        return found;
    }

    private boolean batch(long key, int keys) {
        byte[][] asked = new byte[BATCH][];
        for (int i = 0; i < BATCH; i++) {
            asked[i] = Stamp.key((key + i) % keys);
        }
        if (random.nextBoolean()) {
            List<byte @Nullable []> values = store.getAll(Arrays.asList(asked));
            for (int i = 0; i < BATCH; i++) {
                saw((key + i) % keys, values.get(i));
            }
            return values.getFirst() != null;
        }
        int[] lengths = new int[BATCH];
        int found = store.getAll(asked, buffers, lengths, BATCH);
        int counted = 0;
        for (int i = 0; i < BATCH; i++) {
            if (lengths[i] >= 0) {
                counted++;
                saw(Stamp.check(buffers[i], 0, lengths[i], (key + i) % keys));
            }
        }
        if (found != counted) {
            throw new AssertionError("a batch says " + found + " present, and shows " + counted);
        }
        return lengths[0] >= 0;
    }

    /** Sizes for values: mostly small, some of several blocks. */
    public static int size(SplittableRandom random, int maxBytes) {
        int most = switch (random.nextInt(8)) {
            case 0 -> maxBytes;
            case 1, 2 -> Math.min(maxBytes, 3000);
            default -> Math.min(maxBytes, 400);
        };
        return random.nextInt(Stamp.MIN_BYTES, most);
    }
}
