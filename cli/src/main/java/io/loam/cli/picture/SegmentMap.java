package io.loam.cli.picture;

import io.loam.cli.Screen;
import io.loam.store.StoreStats;
import io.loam.store.StoreStats.SegmentInfo;
import java.util.Comparator;
import java.util.List;

/** A cell for each segment, oldest first: how full of live bytes it is, or what happens to it. If there are too many, neighbours share a cell. */
final class SegmentMap {
    /** From the most usual to the rarest. */
    private static final List<String> STATES = List.of("SEALED", "RETIRED", "HEAD", "CLEANING");

    private static final String FILLS = " ▁▂▃▄▅▆▇█";

    private final Screen screen;
    private final Paint paint;

    SegmentMap(Screen screen) {
        this.screen = screen;
        this.paint = new Paint(screen.colour());
    }

    String draw(StoreStats stats, int mostRows) {
        List<SegmentInfo> segments = stats.segments().stream()
                .sorted(Comparator.comparingLong(SegmentInfo::ageMillis).reversed())
                .toList();
        int columns = screen.width() - 2;
        int perCell = Math.max(1, Math.ceilDiv(segments.size(), columns * mostRows));
        int cells = Math.ceilDiv(segments.size(), perCell);
        var text = new StringBuilder("Segments, oldest first: " + segments.size());
        text.append(perCell == 1 ? "\n" : ", " + perCell + " in a cell\n");
        for (int i = 0; i < cells; i++) {
            SegmentInfo shown = together(segments.subList(i * perCell, Math.min(segments.size(), (i + 1) * perCell)));
            text.append(i % columns == 0 ? "  " : "").append(cell(shown, stats.blockBytes()));
            text.append(i % columns == columns - 1 || i == cells - 1 ? "\n" : "");
        }
        String scale = screen.unicode() ? "▁ to █" : "0 to 9";
        return text.append("  ")
                .append(scale)
                .append(" live share of a sealed segment, H head, C being cleaned, R retired\n")
                .toString();
    }

    /** Several segments as one: the state that is rarest of theirs, the bytes of all. */
    private static SegmentInfo together(List<SegmentInfo> some) {
        String state = some.getFirst().state();
        int blocks = 0;
        long live = 0;
        long used = 0;
        for (SegmentInfo each : some) {
            state = STATES.indexOf(each.state()) > STATES.indexOf(state) ? each.state() : state;
            blocks += each.blocks();
            live += each.liveBytes();
            used += each.usedBytes();
        }
        return new SegmentInfo(state, blocks, live, used, some.getFirst().ageMillis());
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
