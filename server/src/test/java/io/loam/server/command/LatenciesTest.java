package io.loam.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LatenciesTest {

    @Test
    void bucketsFollowEachOtherWithoutGaps() {
        for (int bucket = 0; bucket < 1000; bucket++) {
            long highest = Latencies.highestNanos(bucket);
            assertThat(Latencies.bucket(highest)).isEqualTo(bucket);
            assertThat(Latencies.bucket(highest + 1)).isEqualTo(bucket + 1);
        }
    }

    @Test
    void percentilesAreAtMostOneBucketTooHigh() {
        Random random = new Random(7);
        Latencies latencies = new Latencies();
        long[] durations = new long[10_000];
        for (int i = 0; i < durations.length; i++) {
            durations[i] = (long) Math.exp(random.nextDouble() * 20);
            latencies.record(durations[i]);
        }
        Arrays.sort(durations);
        for (double percent : new double[] {0, 1, 50, 90, 99, 99.9, 100}) {
            long exact = durations[Math.max(0, (int) Math.ceil(percent / 100 * durations.length) - 1)];
            assertThat(latencies.percentileNanos(percent)).isBetween(exact, exact + exact / 32 + 1);
        }
        assertThat(latencies.count()).isEqualTo(durations.length);
        assertThat(latencies.countBelow(1 << 20))
                .isEqualTo(Arrays.stream(durations)
                        .filter(nanos -> nanos < 1 << 20)
                        .count());
    }

    @Test
    void aDurationOfAnyLengthIsCounted() {
        Latencies latencies = new Latencies();
        latencies.record(-1);
        latencies.record(0);
        latencies.record(Long.MAX_VALUE);
        assertThat(latencies.count()).isEqualTo(3);
        Latencies sum = new Latencies();
        latencies.addTo(sum);
        latencies.addTo(sum);
        assertThat(sum.count()).isEqualTo(6);
        latencies.reset();
        assertThat(latencies.count()).isZero();
        assertThat(latencies.percentileNanos(50)).isZero();
    }
}
