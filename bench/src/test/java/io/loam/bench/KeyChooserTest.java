package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Keys are chosen as often as their distribution says. */
class KeyChooserTest {

    private static final int DRAWS = 2_000_000;

    @Test
    void uniformChoosesEveryRecordEquallyOften() {
        KeyChooser chooser = KeyChooser.uniform(10, 3);
        int[] counts = new int[10];
        for (int i = 0; i < DRAWS; i++) {
            counts[(int) chooser.next()]++;
        }
        for (int count : counts) {
            assertThat((double) count / DRAWS).isCloseTo(0.1, within(0.002));
        }
    }

    @Test
    void zipfRanksHaveTheWeightsOfTheirDistribution() {
        int records = 1_000_000;
        KeyChooser chooser = KeyChooser.zipfian(records, KeyChooser.zipfTable(records, 0.99), 5);
        int[] counts = new int[records];
        for (int i = 0; i < DRAWS; i++) {
            counts[(int) chooser.nextRank()]++;
        }
        double total = IntStream.rangeClosed(1, records)
                .mapToDouble(rank -> Math.pow(rank, -0.99))
                .sum();
        for (int rank : new int[] {0, 1, 2, 5, 10}) {
            double expected = Math.pow(rank + 1, -0.99) / total;
            assertThat((double) counts[rank] / DRAWS)
                    .as("rank %d", rank)
                    .isCloseTo(expected, within(expected * 0.05 + 1e-4));
        }
        // In the tail, sums over ranges: the second half of all ranks.
        double expected = IntStream.rangeClosed(records / 2 + 1, records)
                        .mapToDouble(rank -> Math.pow(rank, -0.99))
                        .sum()
                / total;
        double actual = (double) IntStream.range(records / 2, records)
                        .map(rank -> counts[rank])
                        .sum()
                / DRAWS;
        assertThat(actual).isCloseTo(expected, within(expected * 0.03));
    }

    @Test
    void zipfStaysInRangeForFewAndForVeryManyRecords() {
        for (long records : new long[] {1, 2, 7, 100_000, 3_000_000_000L}) {
            KeyChooser chooser = KeyChooser.zipfian(records, KeyChooser.zipfTable(records, 0.99), 1);
            for (int i = 0; i < 50_000; i++) {
                assertThat(chooser.nextRank()).isBetween(0L, records - 1);
                assertThat(chooser.next()).isBetween(0L, records - 1);
            }
        }
    }

    @Test
    void scrambledZipfPutsTheMostFrequentRecordsApart() {
        long records = 1000;
        KeyChooser chooser = KeyChooser.of("zipfian", records, 1);
        int[] counts = new int[(int) records];
        for (int i = 0; i < 200_000; i++) {
            counts[(int) chooser.next()]++;
        }
        int[] hottest = IntStream.range(0, 1000)
                .boxed()
                .sorted((a, b) -> counts[b] - counts[a])
                .limit(3)
                .mapToInt(Integer::intValue)
                .toArray();
        assertThat(Math.abs(hottest[0] - hottest[1])).isGreaterThan(1);
        assertThat(Math.abs(hottest[1] - hottest[2])).isGreaterThan(1);
    }
}
