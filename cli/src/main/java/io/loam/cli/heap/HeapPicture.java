package io.loam.cli.heap;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.heap.HeapStats;
import io.loam.heap.HeapStats.ClassStats;
import java.util.Locale;

/** What a heap's file holds, as text for a screen. Pure: the same figures give the same text. */
final class HeapPicture {

    private static final int MOST_ROWS = 24;
    private static final String FILLS = "▁▂▃▄▅▆▇█";
    private static final String ASCII_FILLS = "12345678";

    private final Screen screen;

    HeapPicture(Screen screen) {
        this.screen = screen;
    }

    /** @param occupancy a byte for each superblock, as {@link io.loam.heap.PersistentHeap#occupancy} gives them */
    String draw(HeapStats stats, byte[] occupancy) {
        var text = new StringBuilder();
        line(
                text,
                "%,d objects, %s of %s",
                stats.liveObjects(),
                ByteSize.format(stats.liveBytes()),
                ByteSize.format(stats.fileBytes()));
        part(text, "tables", stats.tableBytes(), stats);
        part(text, "in use", stats.liveBytes(), stats);
        part(text, "idle", stats.idleBytes(), stats);
        part(text, "free", stats.freeBytes(), stats);
        line(
                text,
                "may grow to %s; the largest object it has room for: %s; %.2f bytes in runs for each in use",
                ByteSize.format(stats.maximumBytes()),
                ByteSize.format(stats.largestBytes()),
                stats.bytesPerLiveByte());
        text.append('\n').append(map(occupancy)).append('\n');
        if (!stats.classes().isEmpty()) {
            line(text, "%-28s %10s %9s %12s %12s %6s", "type", "slot", "runs", "slots", "in use", "full");
        }
        for (ClassStats one : stats.classes()) {
            line(
                    text,
                    "%-28s %10s %,9d %,12d %,12d %5.0f %%",
                    one.type(),
                    one.slotBytes() == 0 ? "large" : ByteSize.format(one.slotBytes()),
                    one.runs(),
                    one.slots(),
                    one.used(),
                    one.slots() == 0 ? 0 : 100.0 * one.used() / one.slots());
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String format, Object... arguments) {
        text.append(String.format(Locale.ROOT, format, arguments).stripTrailing())
                .append('\n');
    }

    private static void part(StringBuilder text, String name, long bytes, HeapStats stats) {
        line(
                text,
                "  %-8s %12s  %5.1f %%",
                name,
                ByteSize.format(bytes),
                100.0 * bytes / Math.max(1, stats.fileBytes()));
    }

    /** A cell for each superblock, or for each so many that the map is not too high: how full it is, '.' for free, '=' for tables. */
    private String map(byte[] occupancy) {
        int columns = screen.width() - 2;
        int perCell = Math.max(1, (occupancy.length + columns * MOST_ROWS - 1) / (columns * MOST_ROWS));
        var text = new StringBuilder();
        int cells = 0;
        for (int i = 0; i < occupancy.length; i += perCell) {
            text.append(cell(occupancy, i, Math.min(occupancy.length, i + perCell)));
            if (++cells % columns == 0) {
                text.append('\n');
            }
        }
        if (cells % columns != 0) {
            text.append('\n');
        }
        line(
                text,
                "a cell: %d superblock%s; = tables, . free, %s full",
                perCell,
                perCell == 1 ? "" : "s",
                fills().charAt(7));
        return text.toString();
    }

    private String fills() {
        return screen.unicode() ? FILLS : ASCII_FILLS;
    }

    private char cell(byte[] occupancy, int from, int to) {
        int sum = 0;
        int runs = 0;
        int tables = 0;
        for (int i = from; i < to; i++) {
            if (occupancy[i] >= 0) {
                sum += occupancy[i];
                runs++;
            } else if (occupancy[i] == -2) {
                tables++;
            }
        }
        if (runs == 0) {
            return tables > 0 ? '=' : '.';
        }
        // what is free counts as empty
        int percent = sum / (to - from);
        return fills().charAt(Math.min(7, percent * 8 / 100));
    }
}
