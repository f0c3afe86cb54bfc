package io.loam.cli.picture;

import io.loam.cli.Screen;
import io.loam.store.StoreStats;
import io.loam.store.StoreStats.SegmentInfo;
import java.util.Comparator;
import java.util.List;

/** A cell for each segment, oldest first: how full of live bytes it is, or what happens to it. */
final class SegmentMap {
    private static final int MOST_ROWS = 40;
    private static final String FILLS = " ▁▂▃▄▅▆▇█";

    private final Screen screen;
    private final Paint paint;

    SegmentMap(Screen screen) {
        this.screen = screen;
        this.paint = new Paint(screen.colour());
    }

    String draw(StoreStats stats) {
        List<SegmentInfo> segments = stats.segments().stream()
                .sorted(Comparator.comparingLong(SegmentInfo::ageMillis).reversed())
                .toList();
        int columns = screen.width() - 2;
        int shown = Math.min(segments.size(), columns * MOST_ROWS);
        var text = new StringBuilder("Segments, oldest first: " + segments.size() + "\n");
        for (int i = 0; i < shown; i++) {
            text.append(i % columns == 0 ? "  " : "").append(cell(segments.get(i), stats.blockBytes()));
            text.append(i % columns == columns - 1 || i == shown - 1 ? "\n" : "");
        }
        if (shown < segments.size()) {
            text.append("  and ").append(segments.size() - shown).append(" younger ones\n");
        }
        String scale = screen.unicode() ? "▁ to █" : "0 to 9";
        return text.append("  ")
                .append(scale)
                .append(" live share of a sealed segment, H head, C being cleaned, R retired\n")
                .toString();
    }

    private String cell(SegmentInfo segment, int blockBytes) {
        return switch (segment.state()) {
            case "HEAD" -> paint.in(Paint.CYAN, "H");
            case "CLEANING" -> paint.in(Paint.MAGENTA, "C");
            case "RETIRED" -> paint.in(Paint.GREY, "R");
            default -> sealed(liveShare(segment, blockBytes));
        };
    }

    private String sealed(double share) {
        int colour = share >= 0.75 ? Paint.GREEN : share >= 0.25 ? Paint.YELLOW : Paint.GREY;
        return paint.in(colour, screen.unicode() ? fill(share) : String.valueOf(Math.min(9, (int) (share * 10))));
    }

    /** Empty ones show the lowest bar, so that every sealed segment is seen. */
    private static String fill(double share) {
        return String.valueOf(FILLS.charAt(Math.clamp(Math.round(share * 8), 1, 8)));
    }

    private static double liveShare(SegmentInfo segment, int blockBytes) {
        long room = (long) segment.blocks() * blockBytes;
        return room == 0 ? 0 : Math.clamp((double) segment.liveBytes() / room, 0, 1);
    }
}
