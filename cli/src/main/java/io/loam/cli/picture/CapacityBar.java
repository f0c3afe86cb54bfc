package io.loam.cli.picture;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.store.StoreStats;
import java.util.List;
import java.util.Locale;

/** The capacity split by use: one bar, and a line for each part. The parts add up to the capacity. */
final class CapacityBar {

    private record Part(String name, long bytes, String glyph, String ascii, int colour, String note) {}

    private final Screen screen;
    private final Paint paint;

    CapacityBar(Screen screen) {
        this.screen = screen;
        this.paint = new Paint(screen.colour());
    }

    String draw(StoreStats stats) {
        List<Part> parts = parts(stats);
        int[] cells = apportion(parts.stream().mapToLong(Part::bytes).toArray(), screen.width() - 2);
        var text = new StringBuilder("[");
        for (int i = 0; i < cells.length; i++) {
            text.append(paint.in(parts.get(i).colour, glyph(parts.get(i)).repeat(cells[i])));
        }
        text.append("]\n");
        for (Part part : parts) {
            text.append(line(part, stats.capacityBytes()));
        }
        return text.toString();
    }

    private static List<Part> parts(StoreStats stats) {
        long dead = Math.max(0, stats.logBytes() - stats.liveLogBytes());
        long free = Math.max(0, stats.freeBytes() - stats.reserveBytes());
        String waiting = stats.retiredBytes() == 0 ? "" : ByteSize.format(stats.retiredBytes()) + " wait for readers";
        String released =
                stats.releasedBytes() == 0 ? "" : ByteSize.format(stats.releasedBytes()) + " given back to the kernel";
        return List.of(
                new Part("live", stats.liveLogBytes(), "█", "#", Paint.GREEN, ""),
                new Part("dead", dead, "▒", "x", Paint.YELLOW, waiting),
                new Part("index", stats.indexBytes(), "▚", "i", Paint.BLUE, ""),
                new Part("tables", stats.tableBytes(), "▞", "t", Paint.MAGENTA, ""),
                new Part("free", free, "·", ".", Paint.GREY, released),
                new Part(
                        "reserve",
                        Math.min(stats.reserveBytes(), stats.freeBytes()),
                        "░",
                        "r",
                        Paint.CYAN,
                        "for the cleaner"));
    }

    private String line(Part part, long capacityBytes) {
        double share = capacityBytes == 0 ? 0 : 100.0 * part.bytes / capacityBytes;
        String figures = String.format(
                Locale.ROOT, "%-8s %10s  %5.1f %%  %s", part.name, ByteSize.format(part.bytes), share, part.note);
        return "  " + paint.in(part.colour, glyph(part)) + " " + figures.stripTrailing() + "\n";
    }

    private String glyph(Part part) {
        return screen.unicode() ? part.glyph : part.ascii;
    }

    /** Cells in proportion to the amounts; whatever is there gets at least one; they add up to {@code total} if there is anything. */
    static int[] apportion(long[] amounts, int total) {
        long sum = 0;
        for (long amount : amounts) {
            sum += amount;
        }
        int[] cells = new int[amounts.length];
        if (sum == 0) {
            return cells;
        }
        int given = 0;
        int largest = 0;
        for (int i = 0; i < amounts.length; i++) {
            cells[i] = amounts[i] == 0 ? 0 : Math.max(1, (int) Math.round((double) amounts[i] / sum * total));
            given += cells[i];
            largest = amounts[i] > amounts[largest] ? i : largest;
        }
        cells[largest] += total - given;
        return cells;
    }
}
