package io.loam.stress;

import io.loam.store.index.Index;
import java.util.HashMap;
import java.util.Map;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Interleavings of the index's operations on keys of one home that has one free slot, so that the others go to alternates. */
@Param(name = "key", gen = IntGen.class, conf = "0:1")
@Param(name = "mark", gen = IntGen.class, conf = "1:2")
public class IndexModelTest {

    private static final int KEYS = 2;
    private static final int FILLED = 6;
    private static final byte[][] SAME_HOME = new byte[KEYS + FILLED][];
    private static final long[] HASHES = new long[KEYS + FILLED];

    static {
        findSameHome();
    }

    private final Parts parts = smallParts();
    private final long block = parts.newBlock();

    public IndexModelTest() {
        for (int i = 0; i < KEYS; i++) {
            for (int mark = 1; mark <= 2; mark++) {
                parts.write(location(i, mark), SAME_HOME[i], 1, mark);
            }
        }
        for (int i = KEYS; i < KEYS + FILLED; i++) {
            parts.write(location(i, 1), SAME_HOME[i], 1, 1);
            parts.insert(SAME_HOME[i], HASHES[i], location(i, 1));
        }
    }

    private static Parts smallParts() {
        return Parts.onHeap(4096, 8, 4);
    }

    /** Hashes by way of an entry, since the model checker does not know the VarHandle by which an array is hashed. */
    private static void findSameHome() {
        Parts parts = smallParts();
        long location = parts.newBlock();
        int count = 0;
        for (int number = 0; count < SAME_HOME.length; number++) {
            parts.write(location, Parts.key(number), 1, 1);
            long hash = parts.index.hashAt(location, parts.entries.headerAcquire(location));
            if (count == 0 || parts.index.home(hash) == parts.index.home(HASHES[0])) {
                SAME_HOME[count] = Parts.key(number);
                HASHES[count++] = hash;
            }
        }
    }

    private long location(int key, int mark) {
        return block + 128L * key + 64L * (mark - 1);
    }

    @Operation
    public boolean insert(@Param(name = "key") int key, @Param(name = "mark") int mark) {
        return parts.insert(SAME_HOME[key], HASHES[key], location(key, mark));
    }

    @Operation
    public boolean remove(@Param(name = "key") int key) {
        return parts.remove(SAME_HOME[key], HASHES[key]);
    }

    @Operation
    public int get(@Param(name = "key") int key) {
        return parts.read(SAME_HOME[key], HASHES[key]);
    }

    /** Points the key to the entry of this mark if it is there. */
    @Operation
    public boolean replace(@Param(name = "key") int key, @Param(name = "mark") int mark) {
        Index index = parts.index;
        long hash = HASHES[key];
        long pin = parts.epochs.pin();
        long descriptor = index.descriptor(hash);
        long bucket = index.tryLock(descriptor, hash);
        long slot = index.findLocked(descriptor, bucket, hash, SAME_HOME[key], 0, 8);
        if (slot != 0) {
            index.setLocation(slot, location(key, mark));
        }
        index.unlock(bucket);
        parts.epochs.unpin(pin);
        return slot != 0;
    }

    /** What the index must look like: a map. */
    public static final class Model {

        private final Map<Integer, Integer> marks = new HashMap<>();

        public boolean insert(int key, int mark) {
            return marks.putIfAbsent(key, mark) == null;
        }

        public boolean remove(int key) {
            return marks.remove(key) != null;
        }

        public int get(int key) {
            return marks.getOrDefault(key, Parts.ABSENT);
        }

        public boolean replace(int key, int mark) {
            return marks.replace(key, mark) != null;
        }
    }

    @Test
    void isLinearizable() {
        new ModelCheckingOptions()
                .iterations(Lincheck.SCENARIOS)
                .invocationsPerIteration(Lincheck.INTERLEAVINGS)
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(1)
                .sequentialSpecification(Model.class)
                .check(IndexModelTest.class);
    }
}
