package io.loam.cli.demo;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.cli.StoreOpener;
import io.loam.store.LoamException;
import io.loam.store.Store;
import io.loam.store.StoreStats;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** Load, churn, verify, report. */
final class Demo {
    private static final long SEED = 20_200;
    /** Of a map over the bytes of its keys and values, with room for the collector. */
    private static final double HEAP_PER_USER_BYTE = 1.5;

    private final DemoOptions options;
    private final ObjectSource source;
    private final StoreOpener opener;
    private final Screen screen;
    private final PrintWriter out;

    Demo(DemoOptions options, ObjectSource source, StoreOpener opener, Screen screen, PrintWriter out) {
        this.options = options;
        this.source = source;
        this.opener = opener;
        this.screen = screen;
        this.out = out;
    }

    /** Whether everything was as it must be. */
    boolean run() throws IOException, InterruptedException {
        List<ObjectSource.Listing> listing = chosen();
        say("Reading %s: %,d objects", source.description(), listing.size());
        var footprint = MapFootprint.of(source, listing);
        say("Loading %s into the store", ByteSize.format(footprint.userBytes()));
        var filling = new Filling(opener, options.update(), footprint.map(), listing);
        Filling.Loaded loaded = options.capacityBytes() == null
                ? filling.fittingCapacity()
                : filling.fittingObjects(options.capacityBytes());
        try (Store store = loaded.store()) {
            if (loaded.objects().isEmpty()) {
                throw new LoamException("the store holds none of the objects; give a larger --capacity");
            }
            return exercise(store, loaded, footprint);
        }
    }

    private boolean exercise(Store store, Filling.Loaded loaded, MapFootprint footprint)
            throws IOException, InterruptedException {
        StoreStats before = store.stats();
        long user = loaded.objects().stream().mapToLong(DemoObject::userBytes).sum();
        say(
                "Loaded %,d objects, %s, in %.1f s: %.1f %% utilised of %s",
                loaded.objects().size(),
                ByteSize.format(user),
                loaded.nanos() / 1e9,
                100 * before.utilisation(),
                ByteSize.format(store.capacityBytes()));
        Churn.Goal goal = options.goal(store.capacityBytes());
        say(
                "Overwriting, deleting and re-inserting: %s by %d threads",
                ByteSize.format(goal.writtenBytes()), options.threads());
        var churn = new Churn(store, loaded.objects(), options.threads(), goal, SEED);
        churn.run(new Progress(out, screen));
        String failure = churn.failure();
        if (failure != null) {
            out.println("FAILED " + failure);
        }
        say("Verifying every object against its source, read anew");
        Verification verification = Verification.of(store, loaded.objects(), source);
        new DemoReport(screen, out).print(before, store.stats(), churn, verification, footprint, user);
        return failure == null && verification.wrongCount() == 0;
    }

    /** The objects to use, in an order that mixes sizes and kinds; for a small capacity only as many as could fit. */
    private List<ObjectSource.Listing> chosen() throws IOException {
        var listing = new ArrayList<>(source.list());
        Collections.shuffle(listing, new Random(SEED));
        Long capacity = options.capacityBytes();
        long bytes = 0;
        int count = 0;
        while (count < listing.size() && (capacity == null || bytes < capacity)) {
            bytes += listing.get(count).name().length() + listing.get(count).bytes();
            count++;
        }
        requireHeap(bytes);
        return listing.subList(0, count);
    }

    private static void requireHeap(long bytes) {
        long maximum = Runtime.getRuntime().maxMemory();
        if (bytes * HEAP_PER_USER_BYTE > maximum) {
            throw new LoamException("the objects have " + ByteSize.format(bytes)
                    + " and the demo keeps a copy in the Java heap, which may have at most " + ByteSize.format(maximum)
                    + "; raise it with -Xmx, or give a smaller --capacity to use fewer objects");
        }
    }

    private void say(String form, Object... values) {
        out.println(String.format(Locale.ROOT, form, values));
        out.flush();
    }
}
