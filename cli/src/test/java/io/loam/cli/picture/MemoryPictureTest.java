package io.loam.cli.picture;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.cli.FakeStore;
import io.loam.cli.Screen;
import io.loam.store.StoreStats;
import io.loam.store.StoreStats.SegmentInfo;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryPictureTest {
    private static final StoreStats STATS = FakeStore.Samples.stats(
            64L << 20,
            1000,
            48L << 20,
            List.of(
                    new SegmentInfo("HEAD", 16, 500_000, 600_000, 1),
                    new SegmentInfo("SEALED", 16, 1 << 20, 1 << 20, 50),
                    new SegmentInfo("SEALED", 16, 1 << 19, 1 << 20, 40),
                    new SegmentInfo("CLEANING", 16, 1 << 18, 1 << 20, 30),
                    new SegmentInfo("RETIRED", 16, 0, 1 << 20, 20)));

    @Test
    void drawsTheCapacity() {
        assertThat(new MemoryPicture(new Screen(60, false, false, false)).capacity(STATS))
                .isEqualTo(CAPACITY);
    }

    private static final String CAPACITY = """
            Memory: 64.0 MiB, 79.3 % utilised, 1,000 keys
            [##########################################xxxit.........rr]
              # live       48.0 MiB   75.0 %
              x dead        3.0 MiB    4.7 %
              i index       1.0 MiB    1.6 %
              t tables    512.0 KiB    0.8 %
              . free        9.5 MiB   14.8 %
              r reserve     2.0 MiB    3.1 %  for the cleaner
              43.2 MiB of keys and values; overhead 6081.7 bytes per key (headers, padding, index)
            """;

    @Test
    void drawsSegmentsFromOldToYoung() {
        assertThat(new MemoryPicture(Screen.PLAIN).segmentMap(STATS)).isEqualTo("""
                Segments, oldest first: 5
                  95CRH
                  0 to 9 live share of a sealed segment, H head, C being cleaned, R retired
                """);
        assertThat(new MemoryPicture(new Screen(80, false, true, false)).segmentMap(STATS))
                .contains("  █▄CRH\n");
    }

    @Test
    void neighboursShareACellWhenThereAreTooManySegments() {
        List<SegmentInfo> segments = new ArrayList<>();
        for (int age = 1; age <= 100; age++) {
            segments.add(new SegmentInfo(age == 50 ? "CLEANING" : "SEALED", 16, age > 60 ? 1 << 20 : 0, 1 << 20, age));
        }
        StoreStats stats = FakeStore.Samples.stats(1L << 26, 1000, 48L << 20, segments);
        assertThat(new MemoryPicture(new Screen(42, false, false, false)).segmentMap(stats, 1))
                .startsWith("""
                        Segments, oldest first: 100, 3 in a cell
                          9999999999999300C00000000000000000
                        """);
    }

    @Test
    void coloursOnlyWhenAsked() {
        assertThat(new MemoryPicture(new Screen(80, true, true, true)).summary(STATS))
                .contains("\033[32m█");
        assertThat(new MemoryPicture(Screen.PLAIN).summary(STATS))
                .doesNotContain("\033")
                .isASCII();
    }

    @Test
    void barIsAlwaysFull() {
        assertThat(CapacityBar.apportion(new long[] {1, 0, 1_000_000}, 50)).containsExactly(1, 0, 49);
        assertThat(CapacityBar.apportion(new long[] {0, 0}, 50)).containsExactly(0, 0);
    }
}
