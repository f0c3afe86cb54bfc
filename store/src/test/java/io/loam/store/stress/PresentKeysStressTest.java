package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import io.loam.store.KeyHashing;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.sequence.Setup;
import java.util.BitSet;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A key that is never deleted is never absent, for reads and for scans, while the index grows and shrinks and entries move. */
class PresentKeysStressTest {
    private static final int PERMANENT = 600;
    private static final int MAX_BYTES = 2000;

    static Stream<Setup> setups() {
        return Setup.all().stream()
                .filter(setup ->
                        setup.full() == FullPolicy.REJECT && (setup.nodes() == 1 || setup.hashing() == KeyHashing.FAST))
                .map(setup -> setup.withBlocks(2048, 2048));
    }

    @ParameterizedTest
    @MethodSource("setups")
    void permanentKeyIsNeverAbsent(Setup setup) {
        try (Store store = setup.open()) {
            for (long key = 0; key < PERMANENT; key++) {
                store.put(Stamp.key(key), new Stamp(key, 0, 0, 100, 0).toBytes());
            }
            long resizes = store.stats().indexResizes();
            Crew crew = new Crew();
            crew.work("grower", () -> growAndShrink(store, crew, Scale.of(2), 30_000));
            crew.meanwhile("updater", new Crew.Task() {
                private final SplittableRandom random = new SplittableRandom(5);
                private long sequence;

                @Override
                public void run() {
                    long key = random.nextInt(PERMANENT);
                    try {
                        store.put(
                                Stamp.key(key),
                                new Stamp(key, ++sequence, 0, Reader.size(random, MAX_BYTES), 0).toBytes());
                    } catch (StoreFullException e) {
                        // The old value stays.
                    }
                }
            });
            for (int i = 0; i < 2; i++) {
                Reader reader = new Reader(store, new SplittableRandom(i), MAX_BYTES);
                SplittableRandom random = new SplittableRandom(10 + i);
                crew.meanwhile("reader " + i, () -> {
                    long key = random.nextInt(PERMANENT);
                    if (!reader.read(key, PERMANENT)) {
                        throw new AssertionError(
                                "key " + key + " was absent; now it is " + store.contains(Stamp.key(key)));
                    }
                    if (!store.contains(Stamp.key(key)) || store.version(Stamp.key(key)) < 1) {
                        throw new AssertionError("key " + key + " was absent");
                    }
                });
            }
            crew.meanwhile("scanner", () -> scan(store));
            crew.run();
            scan(store);
            if (System.getProperty("loam.test.store", "engine").equals("engine")) {
                assertThat(store.stats().indexResizes()).isGreaterThan(resizes);
            }
            WholeValuesStressTest.accountsAgree(store);
        }
    }

    /** Inserts and deletes so many small keys that the index must follow. */
    private static void growAndShrink(Store store, Crew crew, int rounds, int keys) {
        for (int round = 0; round < rounds; round++) {
            int stored = 0;
            try {
                for (; stored < keys && crew.goesOn(); stored++) {
                    store.put(Stamp.key(1_000_000 + stored), new byte[stored % 90]);
                }
            } catch (StoreFullException e) {
                // Full enough.
            }
            for (int i = 0; i < stored && crew.goesOn(); i++) {
                if (!store.delete(Stamp.key(1_000_000 + i))) {
                    throw new AssertionError("inserted key " + i + " of " + stored + " was absent");
                }
            }
        }
    }

    private static void scan(Store store) {
        BitSet seen = new BitSet(PERMANENT);
        long position = 0;
        do {
            position = store.scan(position, 40, (key, view) -> {
                long number = Stamp.keyNumber(key);
                if (number < PERMANENT) {
                    Stamp.check(Reader.bytesOf(view), number);
                    seen.set((int) number);
                }
            });
        } while (position != 0);
        if (seen.cardinality() != PERMANENT) {
            throw new AssertionError("a scan has missed " + (PERMANENT - seen.cardinality()) + " keys, key "
                    + seen.nextClearBit(0) + " first");
        }
    }
}
