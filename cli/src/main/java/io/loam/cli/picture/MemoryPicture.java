package io.loam.cli.picture;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.store.StoreStats;
import io.loam.store.StoreStats.GuardInfo;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** What a store's memory holds, as text for a screen. Pure: the same figures give the same text. */
public final class MemoryPicture {
    private static final int MOST_ROWS = 40;

    private final Screen screen;
    private final Paint paint;

    public MemoryPicture(Screen screen) {
        this.screen = screen;
        this.paint = new Paint(screen.colour());
    }

    /** Everything but the segment map. */
    public String summary(StoreStats stats) {
        return capacity(stats) + "\n" + histogram(stats) + "\n" + work(stats);
    }

    /** The capacity and how it is used. */
    public String capacity(StoreStats stats) {
        String title = text(
                "Memory: %s, %.1f %% utilised, %,d keys",
                ByteSize.format(stats.capacityBytes()), 100 * stats.utilisation(), stats.keys());
        return paint.in(Paint.BOLD, title) + "\n" + new CapacityBar(screen).draw(stats) + overhead(stats);
    }

    /** A cell per segment, in at most 40 rows. */
    public String segmentMap(StoreStats stats) {
        return segmentMap(stats, MOST_ROWS);
    }

    /** A cell per segment, or per some neighbours so that the rows are enough. */
    public String segmentMap(StoreStats stats, int mostRows) {
        return new SegmentMap(screen).draw(stats, mostRows);
    }

    /** How many sealed segments are how full of live bytes. */
    public String histogram(StoreStats stats) {
        List<Integer> counts = stats.utilisationHistogram();
        int most = counts.isEmpty() ? 0 : Collections.max(counts);
        int room = screen.width() - 25;
        var text = new StringBuilder(paint.in(Paint.BOLD, "Sealed segments by live share")).append('\n');
        for (int i = 0; i < counts.size(); i++) {
            int count = counts.get(i);
            int length = count == 0 ? 0 : Math.max(1, (int) ((long) count * room / most));
            String bar = paint.in(Paint.GREEN, (screen.unicode() ? "█" : "#").repeat(length));
            text.append((text("  %3d-%3d %% %,9d  ", 10 * i, 10 * i + 10, count) + bar).stripTrailing())
                    .append('\n');
        }
        return text.toString();
    }

    /** What cleaner, index and writers did since opening. */
    public String work(StoreStats stats) {
        String ratio = stats.appendedBytes() == 0
                ? ""
                : text(", %.2f per byte appended", (double) stats.cleanerCopiedBytes() / stats.appendedBytes());
        var text = new StringBuilder(paint.in(Paint.BOLD, "Work since opening")).append('\n');
        text.append(text(
                "  cleaner  %,d passes, %,d segments, %s copied%s\n",
                stats.cleaningPasses(), stats.cleanedSegments(), ByteSize.format(stats.cleanerCopiedBytes()), ratio));
        text.append(text(
                "  writers  %s appended, %s overwritten in place\n",
                ByteSize.format(stats.appendedBytes()), ByteSize.format(stats.overwrittenBytes())));
        text.append(text(
                "  waiting  %,d stalls, longest %.1f ms; %,d writes refused\n",
                stats.writerStalls(), stats.longestStallNanos() / 1e6, stats.refusedWrites()));
        text.append(text("  index    %.0f %% full, %,d resizes\n", 100 * stats.indexLoad(), stats.indexResizes()));
        text.append(text("  removed  %,d expired, %,d evicted\n", stats.expiredEntries(), stats.evictedEntries()));
        GuardInfo guard = stats.oldestGuard();
        if (guard != null) {
            text.append(text("  guard    thread %d pins memory for %,d ms\n", guard.threadId(), guard.ageMillis()));
        }
        return text.toString();
    }

    private static String overhead(StoreStats stats) {
        return stats.keys() == 0
                ? ""
                : text(
                        "  %s of keys and values; overhead %.1f bytes per key (headers, padding, index)\n",
                        ByteSize.format(stats.liveUserBytes()), stats.metadataBytesPerKey());
    }

    private static String text(String form, Object... values) {
        return String.format(Locale.ROOT, form, values);
    }
}
