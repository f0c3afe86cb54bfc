package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.Store;
import io.loam.store.sequence.Bug;
import io.loam.store.sequence.HeapStore;
import io.loam.store.sequence.Setup;
import java.time.InstantSource;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The stress tests' own tools. */
class StampTest {

    @Test
    void anyFlippedByteIsNoticed() {
        byte[] value = new Stamp(7, 8, 9, 203, 10).toBytes();
        assertThat(Stamp.check(value, 7)).isEqualTo(new Stamp(7, 8, 9, 203, 10));
        for (int i = 0; i < value.length; i++) {
            byte[] damaged = value.clone();
            damaged[i] ^= 0x10;
            assertThatThrownBy(() -> Stamp.check(damaged, 7)).as("byte %d", i).isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void anothersValueAndATruncatedOneAreNoticed() {
        byte[] value = new Stamp(7, 8, 9, 200, 10).toBytes();
        assertThatThrownBy(() -> Stamp.check(value, 6)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> Stamp.check(value, 0, 199, 7)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> Stamp.check(new byte[0], 7)).isInstanceOf(AssertionError.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"STALE_READ", "TORN_VALUE", "STALE_TAIL", "GUARD_OVERWRITTEN", "THIRD_BLOCK"})
    void readersNoticeAPlantedBug(Bug bug) {
        // Whether a reader is there at the wrong moment is up to the scheduler: several chances.
        assertThatThrownBy(() -> {
                    for (int attempt = 0; attempt < 20; attempt++) {
                        readWhileWriting(new HeapStore(Setup.TINY.withBlocks(512, 512), InstantSource.system(), bug));
                    }
                })
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("key ");
    }

    private static void readWhileWriting(Store store) {
        Crew crew = new Crew();
        crew.work("writer", () -> WholeValuesStressTest.write(store, 1, 20_000, crew, 13_000));
        Reader reader = new Reader(store, new SplittableRandom(1), 13_000);
        SplittableRandom random = new SplittableRandom(2);
        crew.meanwhile("reader", () -> reader.read(random.nextInt(96), 96));
        crew.run();
    }
}
