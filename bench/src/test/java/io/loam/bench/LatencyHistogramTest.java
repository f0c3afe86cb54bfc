package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/** Our histogram against HdrHistogram. */
class LatencyHistogramTest {

    @Test
    void quantilesAgreeWithHdrHistogramToOnePercent() {
        SplittableRandom random = new SplittableRandom(11);
        LatencyHistogram ours = new LatencyHistogram();
        Histogram theirs = new Histogram(3_600_000_000_000L, 3);
        for (int i = 0; i < 200_000; i++) {
            long nanos = (long) Math.exp(random.nextDouble() * 22);
            ours.record(nanos);
            theirs.recordValue(nanos);
        }
        for (double quantile : new double[] {0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1}) {
            double expected = theirs.getValueAtPercentile(quantile * 100);
            assertThat((double) ours.quantile(quantile))
                    .as("quantile %s", quantile)
                    .isCloseTo(expected, within(expected * 0.01 + 1));
        }
        assertThat(ours.total()).isEqualTo(200_000);
    }

    @Test
    void smallValuesAreExactAndExtremesAreKept() {
        LatencyHistogram histogram = new LatencyHistogram();
        for (int i = 1; i <= 100; i++) {
            histogram.record(i);
        }
        assertThat(histogram.quantile(0.5)).isEqualTo(50);
        assertThat(histogram.quantile(1)).isEqualTo(100);
        histogram.record(Long.MAX_VALUE);
        assertThat(histogram.maximum()).isEqualTo(Long.MAX_VALUE);
        histogram.record(-5);
        assertThat(histogram.quantile(0)).isZero();
    }

    @Test
    void emptyAndAddedAndCleared() {
        LatencyHistogram one = new LatencyHistogram();
        assertThat(one.quantile(0.99)).isZero();
        LatencyHistogram two = new LatencyHistogram();
        two.record(7);
        one.add(two);
        assertThat(one.quantile(0.5)).isEqualTo(7);
        one.clear();
        assertThat(one.total()).isZero();
        assertThat(one.maximum()).isZero();
    }
}
