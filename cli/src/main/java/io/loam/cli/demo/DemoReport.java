package io.loam.cli.demo;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.cli.picture.MemoryPicture;
import io.loam.store.StoreStats;
import java.io.PrintWriter;
import java.util.Locale;

/** What the demo found. */
final class DemoReport {
    private final Screen screen;
    private final PrintWriter out;

    DemoReport(Screen screen, PrintWriter out) {
        this.screen = screen;
        this.out = out;
    }

    void print(
            StoreStats before,
            StoreStats after,
            Churn churn,
            Verification verification,
            MapFootprint map,
            long loadedUserBytes) {
        out.println();
        out.println(new MemoryPicture(screen).summary(after));
        out.print(new MemoryPicture(screen).segmentMap(after));
        out.println();
        churn(before, after, churn);
        comparison(after, map, loadedUserBytes);
        verdict(verification);
        out.flush();
    }

    private void churn(StoreStats before, StoreStats after, Churn churn) {
        long copied = after.cleanerCopiedBytes() - before.cleanerCopiedBytes();
        double perByte = churn.writtenBytes() == 0 ? 0 : (double) copied / churn.writtenBytes();
        double seconds = churn.nanos() / 1e9;
        line("Churn");
        line(
                "  %,d operations in %.1f s: %,.0f per second, %s/s written",
                churn.operations(), seconds, churn.operations() / seconds, ByteSize.format((long)
                        (churn.writtenBytes() / seconds)));
        line(
                "  %,d overwritten, %,d deleted, %,d re-inserted, %,d read and compared",
                churn.overwrites(), churn.deletions(), churn.insertions(), churn.reads());
        line(
                "  %s written, %.1f times the capacity; the cleaner copied %s, %.2f per user byte written",
                ByteSize.format(churn.writtenBytes()),
                (double) churn.writtenBytes() / after.capacityBytes(),
                ByteSize.format(copied),
                perByte);
        line("  longest write %.1f ms; %,d writes refused", churn.longestWriteNanos() / 1e6, churn.refusals());
        line("");
    }

    private void comparison(StoreStats after, MapFootprint map, long loadedUserBytes) {
        double scale = map.userBytes() == 0 ? 0 : (double) loadedUserBytes / map.userBytes();
        line("The same data in a ConcurrentHashMap<String, byte[]>");
        line(
                "  Loam  %10s of memory, everything included; %.1f bytes of overhead per object",
                ByteSize.format(after.capacityBytes()), after.metadataBytesPerKey());
        line(
                "  map   %10s of Java heap at rest; %.1f bytes of overhead per object",
                ByteSize.format((long) (map.heapBytes() * scale)), map.overheadBytesPerObject());
        line(
                "  The map: heap used after System.gc() with it less without it, by MemoryMXBean, before the store was opened;");
        line(
                "  the collector needs room on top. Loam's overhead: headers, padding, index. Its memory has room for the cleaner.");
        if (Math.abs(scale - 1) > 0.001) {
            line(
                    "  Measured with %,d objects, scaled by %.2f to those in the store.",
                    map.map().size(), scale);
        }
        line("");
    }

    private void verdict(Verification verification) {
        verification.wrong().forEach(out::println);
        if (verification.wrongCount() > 0) {
            line(
                    "FAILED: %,d of %,d objects are not as they must be",
                    verification.wrongCount(), verification.present() + verification.absent());
        } else {
            line(
                    "Verified: %,d objects equal their source byte for byte, %,d deleted ones are absent",
                    verification.present(), verification.absent());
        }
    }

    private void line(String form, Object... values) {
        out.println(String.format(Locale.ROOT, form, values));
    }
}
