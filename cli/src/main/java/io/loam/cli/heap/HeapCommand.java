package io.loam.cli.heap;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.cli.heap.HeapPlace.Opened;
import io.loam.heap.CheckReport;
import io.loam.heap.CollectionReport;
import io.loam.heap.CompactionReport;
import io.loam.heap.HeapOptions;
import io.loam.heap.PersistentHeap;
import io.loam.heap.RecoveryReport;
import io.loam.heap.Root;
import io.loam.memory.persistence.Durability;
import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code loam heap}. */
@Command(
        name = "heap",
        mixinStandardHelpOptions = true,
        description = "Persistent heaps: memory in a file or a region that survives a crash.")
public final class HeapCommand implements Runnable {

    private static final int PREVIEW_BYTES = 32;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "what to do with a heap? one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private void print(String format, Object... arguments) {
        out().printf(Locale.ROOT, format + "%n", arguments);
        out().flush();
    }

    @Command(
            name = "create",
            mixinStandardHelpOptions = true,
            description = "Makes a new heap, in a new file or in a region of zeros.")
    int create(
            @Mixin HeapPlace place,
            @Option(
                            names = "--size",
                            paramLabel = "SIZE",
                            defaultValue = "64m",
                            description = "Of a file at first; a region has its size (default: ${DEFAULT-VALUE}).")
                    ByteSize size,
            @Option(
                            names = "--maximum",
                            paramLabel = "SIZE",
                            defaultValue = "64g",
                            description = "It may grow to this, or to the region's room (default: ${DEFAULT-VALUE}).")
                    ByteSize maximum,
            @Option(
                            names = "--superblock",
                            paramLabel = "SIZE",
                            defaultValue = "64k",
                            description = "(default: ${DEFAULT-VALUE})")
                    ByteSize superblock,
            @Option(
                            names = "--roots",
                            defaultValue = "4096",
                            description = "Names it can hold (default: ${DEFAULT-VALUE}).")
                    int roots) {
        HeapOptions options;
        try {
            HeapOptions defaults = HeapOptions.defaults();
            options = defaults.withDurability(Durability.MSYNC)
                    .withSize(size.bytes(), maximum.bytes())
                    .withSuperblockBytes(Math.toIntExact(superblock.bytes()))
                    .withTables(roots, defaults.types(), defaults.logs(), defaults.logBytes());
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        try (Opened opened = place.create(options)) {
            PersistentHeap heap = opened.heap();
            print(
                    "made %s: objects up to %s",
                    place, ByteSize.format(heap.stats().largestBytes()));
        }
        return 0;
    }

    @Command(name = "stat", mixinStandardHelpOptions = true, description = "Shows how the file is used.")
    int stat(@Mixin HeapPlace place, @Option(names = "--no-color", description = "No colours.") boolean noColour) {
        try (Opened opened = place.openReadOnly()) {
            PersistentHeap heap = opened.heap();
            tellIfDirty(heap);
            out().print(new HeapPicture(Screen.of(System.out, !noColour)).draw(heap.stats(), heap.occupancy()));
            out().flush();
        }
        return 0;
    }

    private void tellIfDirty(PersistentHeap heap) {
        RecoveryReport recovery = heap.recovery();
        if (recovery.wasDirty()) {
            print("not closed: what is in use is what can be reached; the next opening for writing recovers it");
        }
    }

    @Command(name = "roots", mixinStandardHelpOptions = true, description = "Lists the roots.")
    int roots(@Mixin HeapPlace place) {
        try (Opened opened = place.openReadOnly()) {
            PersistentHeap heap = opened.heap();
            List<Root> roots = heap.allRoots().stream()
                    .sorted(Comparator.comparing(Root::name))
                    .toList();
            for (Root root : roots) {
                print("%-32s %-24s %s", root.name(), root.type(), place(root.get()));
            }
            print("%d roots, %d types", roots.size(), heap.types().size());
        }
        return 0;
    }

    private static String place(long offset) {
        return offset == 0 ? "none" : "0x" + Long.toHexString(offset);
    }

    @Command(
            name = "check",
            mixinStandardHelpOptions = true,
            description = "Audits lines, free space, roots and every reference; exit code 1 if something is wrong.")
    int check(@Mixin HeapPlace place) {
        try (Opened opened = place.openReadOnly()) {
            PersistentHeap heap = opened.heap();
            tellIfDirty(heap);
            CheckReport report = heap.check();
            report.problems().forEach(problem -> print("%s", problem));
            print(
                    "%s: %,d objects can be reached, %,d can not%s",
                    report.isSound() ? "sound" : "DAMAGED",
                    report.reachable(),
                    report.garbage(),
                    report.garbage() > 0 ? " (loam heap collect frees them)" : "");
            return report.isSound() ? 0 : 1;
        }
    }

    @Command(
            name = "collect",
            mixinStandardHelpOptions = true,
            description = "Recovers the heap if it was not closed, and frees what no root leads to.")
    int collect(
            @Mixin HeapPlace place,
            @Option(
                            names = "--recover",
                            description = "Find out by marking what is in use, as after a crash: for a damaged bitmap.")
                    boolean recover,
            @Option(
                            names = "--compact",
                            description =
                                    "Also move objects together, and give what gets free back to the file system.")
                    boolean compact) {
        try (Opened opened = place.open(
                HeapOptions.defaults().withDurability(Durability.MSYNC).withRecovery(recover))) {
            PersistentHeap heap = opened.heap();
            RecoveryReport recovery = heap.recovery();
            if (recovery.wasDirty()) {
                print(
                        "recovered: %,d objects can be reached, %,d superblocks freed, %,d records undone, %.1f ms",
                        recovery.objects(), recovery.superblocksFreed(), recovery.undone(), recovery.nanos() / 1e6);
            }
            CollectionReport report = heap.collect();
            print(
                    "collected: %,d objects freed, %,d superblocks freed, %,d stay, %.1f ms",
                    report.freed(), report.superblocksFreed(), report.marked(), report.nanos() / 1e6);
            if (compact) {
                CompactionReport moved = heap.compact();
                print(
                        "compacted: %,d objects moved, %,d superblocks freed, %,d runs had to stay, %.1f ms",
                        moved.moved(), moved.superblocksFreed(), moved.pinnedRuns(), moved.nanos() / 1e6);
                print("given back to the file system: %s", ByteSize.format(heap.trim()));
            }
        }
        return 0;
    }

    @Command(
            name = "dump",
            mixinStandardHelpOptions = true,
            description = "Prints objects, nearest to the roots first: offset, type, size, references, first bytes.")
    int dump(
            @Mixin HeapPlace place,
            @Option(names = "--root", paramLabel = "NAME", description = "Only what this one leads to.") @Nullable
                    String name,
            @Option(
                            names = "--limit",
                            paramLabel = "N",
                            defaultValue = "100",
                            description = "Objects at most (default: ${DEFAULT-VALUE}).")
                    int limit) {
        try (Opened opened = place.openReadOnly()) {
            PersistentHeap heap = opened.heap();
            tellIfDirty(heap);
            var pending = new ArrayDeque<Long>();
            for (Root root : name == null ? heap.allRoots() : List.of(named(heap, name))) {
                if (root.get() != 0) {
                    pending.add(root.get());
                }
            }
            Set<Long> seen = new HashSet<>(pending);
            int printed = 0;
            while (!pending.isEmpty() && printed < limit) {
                long object = pending.removeFirst();
                printed++;
                long[] references = heap.references(object);
                print("0x%x  %s, %,d bytes%s", object, heap.typeOf(object), heap.sizeOf(object), preview(heap, object));
                for (long reference : references) {
                    print("    → 0x%x", reference);
                    if (seen.add(reference)) {
                        pending.add(reference);
                    }
                }
            }
            print("%,d objects%s", printed, pending.isEmpty() ? "" : ", and there are more (--limit)");
        }
        return 0;
    }

    private Root named(PersistentHeap heap, String name) {
        Root root = heap.findRoot(name);
        if (root == null) {
            throw new ParameterException(
                    spec.commandLine(), "no root '" + name + "' in " + heap.name() + "; loam heap roots lists them");
        }
        return root;
    }

    private static String preview(PersistentHeap heap, long object) {
        var text = new StringBuilder("  ");
        for (int i = 0; i < Math.min(PREVIEW_BYTES, heap.sizeOf(object)); i++) {
            text.append(i % 8 == 0 ? " " : "").append(String.format("%02x", heap.getByte(object + i)));
        }
        return text.toString();
    }
}
