package io.loam.cli.demo;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.store.Store;
import io.loam.store.StoreStats;
import java.io.PrintWriter;
import java.util.Locale;

/** How far the churn is: a bar that is redrawn on a terminal, else a line every tenth of the way. */
final class Progress {
    private static final int TENTHS = 10;

    private final PrintWriter out;
    private final Screen screen;
    private int tenthsShown;

    Progress(PrintWriter out, Screen screen) {
        this.out = out;
        this.screen = screen;
    }

    long pauseMillis() {
        return screen.live() ? 100 : 20;
    }

    void show(Churn churn, Store store) {
        if (screen.live()) {
            redraw(churn, store);
        } else if ((int) (churn.share() * TENTHS) > tenthsShown) {
            tenthsShown = (int) (churn.share() * TENTHS);
            out.println("  " + figures(churn, store.stats()));
            out.flush();
        }
    }

    void done(Churn churn, Store store) {
        tenthsShown = -1;
        show(churn, store);
        if (screen.live()) {
            out.println();
        }
        out.flush();
    }

    private void redraw(Churn churn, Store store) {
        String figures = figures(churn, store.stats());
        int room = screen.width() - figures.length() - 6;
        String bar = room < 5 ? "" : "[" + bar(churn.share(), room) + "] ";
        String line = "  " + bar + figures;
        out.print("\r" + line.substring(0, Math.min(line.length(), screen.width() - 1)) + "\033[K");
        out.flush();
    }

    private String bar(double share, int cells) {
        int filled = (int) (share * cells);
        return (screen.unicode() ? "█" : "#").repeat(filled) + (screen.unicode() ? "·" : ".").repeat(cells - filled);
    }

    private static String figures(Churn churn, StoreStats stats) {
        return String.format(
                Locale.ROOT,
                "%3.0f %%  %s  %,.0f ops/s  %.1f %% utilised  cleaner copied %s",
                100 * churn.share(),
                ByteSize.format(churn.writtenBytes()),
                churn.operations() * 1e9 / churn.nanos(),
                100 * stats.utilisation(),
                ByteSize.format(stats.cleanerCopiedBytes()));
    }
}
