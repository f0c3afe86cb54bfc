package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A value tells whether it is whole and whose it is. */
class StampedValuesTest {

    @Test
    void aWholeValueOfItsKeyHasNoDefect() {
        for (int[] bounds : new int[][] {{16, 16}, {100, 100}, {75, 125}, {500, 4096}, {1000, 9000}}) {
            StampedValues values = new StampedValues(bounds[0], bounds[1], 1);
            for (long i = 0; i < 2000; i++) {
                byte[] value = values.stamp(i * 77, i * 0x9E3779B97F4A7C15L);
                assertThat(values.length()).isBetween(bounds[0], bounds[1]);
                assertThat(StampedValues.defect(i * 77, value, values.length())).isNull();
            }
        }
    }

    @Test
    void everyChangedByteIsFound() {
        StampedValues values = new StampedValues(100, 100, 1);
        byte[] value = values.stamp(42, 1).clone();
        for (int i = 0; i < value.length; i++) {
            byte[] damaged = value.clone();
            damaged[i] ^= 1;
            assertThat(StampedValues.defect(42, damaged, 100)).as("byte %d", i).isNotNull();
        }
    }

    @Test
    void anotherKeysValueIsFound() {
        StampedValues values = new StampedValues(100, 100, 1);
        byte[] value = values.stamp(42, 1);
        assertThat(StampedValues.defect(43, value, 100)).contains("belongs to key 2a");
    }

    @Test
    void aValueTornBetweenTwoWritesOfItsKeyIsFoundWhereverItIsTorn() {
        StampedValues values = new StampedValues(100, 100, 1);
        byte[] first = values.stamp(42, 1).clone();
        byte[] second = values.stamp(42, 2).clone();
        for (int cut = 9; cut < 100; cut++) {
            byte[] torn = first.clone();
            System.arraycopy(second, 0, torn, 0, cut);
            if (!Arrays.equals(torn, first) && !Arrays.equals(torn, second)) {
                assertThat(StampedValues.defect(42, torn, 100))
                        .as("cut at %d", cut)
                        .isNotNull();
            }
        }
    }

    @Test
    void aWrongLengthIsFound() {
        StampedValues values = new StampedValues(100, 200, 1);
        byte[] value = values.stampLength(42, 150).clone();
        assertThat(StampedValues.defect(42, value, 149)).isNotNull();
        assertThat(StampedValues.defect(42, value, 8)).contains("length 8");
        assertThatThrownBy(() -> StampedValues.verify(42, value, 149)).isInstanceOf(VerificationException.class);
    }

    @Test
    void valuesTooShortToBeStampedAreRefused() {
        assertThatThrownBy(() -> new StampedValues(15, 100, 1))
                .isInstanceOf(BadInput.class)
                .hasMessageContaining("at least 16");
    }
}
