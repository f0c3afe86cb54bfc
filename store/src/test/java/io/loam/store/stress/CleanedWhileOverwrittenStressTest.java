package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import io.loam.store.engine.StoreChecker;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Entries are moved while others overwrite them in place with shorter and longer values. Forbidden: what a move reserves is of two values, so that the next reservation lies over its end, and the cleaner, when it comes
 * to the block later, takes what it finds there for something else and frees live entries.
 */
class CleanedWhileOverwrittenStressTest {

    private static final int HOT_KEYS = 8;
    private static final int PASSING_KEYS = 400;
    private static final int MOST_BYTES = 600;

    private static byte[] hotKey(int number) {
        return ("hot" + number).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    }

    @Test
    void nothingIsLost() {
        try (Store store = Store.builder()
                .capacityBytes(8 << 20)
                .hugePages(false)
                .updatePolicy(UpdatePolicy.IN_PLACE)
                .writeTimeoutMillis(30_000)
                .open()) {
            Crew crew = new Crew();
            for (int i = 0; i < 2; i++) {
                SplittableRandom random = new SplittableRandom(i);
                crew.meanwhile(
                        "overwriter " + i,
                        () -> store.put(
                                hotKey(random.nextInt(HOT_KEYS)), new byte[8 + random.nextInt(MOST_BYTES - 8)]));
            }
            crew.work("cleaner", () -> {
                for (int round = 0; round < Scale.of(1_500) && (round == 0 || crew.goesOn()); round++) {
                    for (int i = 0; i < PASSING_KEYS; i++) {
                        store.put(Stamp.key(i), new byte[20 + (round + i) % 60]);
                        if (i % 50 == 0) {
                            // appended anew, so that it lies among others again
                            boolean ignored = store.delete(hotKey(i / 50));
                            store.put(hotKey(i / 50), new byte[MOST_BYTES]);
                        }
                    }
                    store.clean();
                }
            });
            crew.run();
            assertThat(StoreChecker.check(store)).isEmpty();
            for (int i = 0; i < PASSING_KEYS; i++) {
                assertThat(store.get(Stamp.key(i))).as("key " + i).isNotNull();
            }
        }
    }
}
