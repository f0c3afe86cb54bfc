package io.loam.memory.persistence;

import io.loam.memory.MappedFile;
import io.loam.memory.MemoryException;
import io.loam.memory.Reservation;
import io.loam.memory.region.Region;
import io.loam.memory.region.Registry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import jdk.nio.mapmode.ExtendedMapMode;
import org.jspecify.annotations.Nullable;

/** A file, or the memory of a region, mapped. All methods are safe from any thread but {@link #close}, after which nobody may use it. */
public final class FileMemory extends PersistentMemory {

    private final MappedFile file;
    /** Null: a file of its own. */
    private final @Nullable HeldRegion region;

    private final Durability durability;
    private final ThreadLocal<Pages> flushed = ThreadLocal.withInitial(Pages::new);
    private final @Nullable LineWriter lines;
    /** Null: everything may be stored to. Set before other threads know of it. */
    private @Nullable StoreWindows windows;

    private FileMemory(MappedFile file, @Nullable HeldRegion region, Durability durability) {
        // a store to pages that are mapped to be read would end the JVM
        super(file.isWritable() ? file.memory() : file.memory().asReadOnly());
        this.file = file;
        this.region = region;
        this.durability = durability;
        this.lines = durability == Durability.SYNC ? new LineWriter(file) : null;
    }

    /**
     * A new file of zeros.
     *
     * @param bytes its first length; takes no space before {@link #allocate}
     * @param reservedBytes what it may grow to
     * @throws MemoryException if it exists, can't be made, or can't have this durability
     */
    public static FileMemory create(Path path, long bytes, long reservedBytes, Durability durability) {
        refuseSimulated(durability);
        return of(MappedFile.create(path, bytes, reservedBytes), null, durability);
    }

    /**
     * An existing file, for this object alone.
     *
     * @throws MemoryException if it is missing or in use, or can't have this durability
     */
    public static FileMemory open(Path path, long reservedBytes, Durability durability) {
        refuseSimulated(durability);
        return of(MappedFile.open(path, reservedBytes, true), null, durability);
    }

    /** An existing file, which others may read too; a store throws {@link IllegalArgumentException}. */
    public static FileMemory openReadOnly(Path path) {
        return of(MappedFile.open(path, 0, false), null, Durability.NONE);
    }

    /**
     * The memory of a region, for this object alone: the region counts as attached, and its lock, if it has one, as held exclusively. It can grow to the region's room. The registry stays open as long as
     * this.
     *
     * @throws io.loam.memory.region.RegionException NOT_FOUND, DENIED, BUSY if somebody uses it or has it locked
     * @throws MemoryException if it can't have this durability
     */
    public static FileMemory open(Registry registry, String region, Durability durability) {
        refuseSimulated(durability);
        return of(HeldRegion.take(registry, region, true), durability);
    }

    /** As {@link #openReadOnly(Path)}, the memory of a region; its lock is held shared. */
    public static FileMemory openReadOnly(Registry registry, String region) {
        return of(HeldRegion.take(registry, region, false), Durability.NONE);
    }

    private static FileMemory of(HeldRegion held, Durability durability) {
        boolean opened = false;
        try {
            Region region = held.region();
            MappedFile file;
            try {
                file = MappedFile.open(region.file(), region.roomBytes(), held.isExclusive());
            } catch (MemoryException e) {
                throw held.refused(e);
            }
            FileMemory memory = of(file, held, durability);
            opened = true;
            return memory;
        } finally {
            if (!opened) {
                held.close();
            }
        }
    }

    private static FileMemory of(MappedFile file, @Nullable HeldRegion region, Durability durability) {
        try {
            return new FileMemory(file, region, durability);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static void refuseSimulated(Durability durability) {
        if (durability == Durability.SIMULATED) {
            throw new IllegalArgumentException("a file can't be SIMULATED; use a SimulatedMemory");
        }
    }

    @Override
    void storing(long offset, long length) {
        StoreWindows guarding = windows;
        if (guarding != null && length > 0) {
            guarding.open(offset, length);
        }
    }

    @Override
    void stored(long offset, long length) {}

    @Override
    void exposed(long offset, long length) {}

    @Override
    public Durability durability() {
        return durability;
    }

    @Override
    public String name() {
        return region == null
                ? file.path().toString()
                : "region " + region.region().name();
    }

    @Override
    public long bytes() {
        return file.bytes();
    }

    @Override
    public void allocate(long offset, long length) {
        long before = file.bytes();
        if (region != null && offset + length > before) {
            region.grow(offset + length);
        }
        file.allocate(offset, length);
        if (durability != Durability.NONE && file.bytes() > before) {
            file.syncLength();
        }
        if (lines != null) {
            lines.cover(file.bytes());
        }
    }

    /** False of a region: it keeps all its space. */
    @Override
    public boolean release(long offset, long length) {
        return region == null && file.release(offset, length);
    }

    @Override
    public void flush(long offset, long length) {
        if (durability == Durability.MSYNC) {
            flushed.get().add(offset, length);
        } else if (lines != null) {
            lines.writeBack(offset, length);
        }
    }

    @Override
    public void fence() {
        if (durability == Durability.MSYNC) {
            flushed.get().sync(file);
        }
        // SYNC: force() has fenced
    }

    /**
     * From now on the memory is write-protected but for windows that stores through this object open, by 64 KiB. A store past it, through an old view or a stray pointer, ends the JVM.
     * Nobody stores meanwhile.
     */
    public void guardStores() {
        if (windows == null) {
            windows = new StoreWindows(file);
        }
    }

    /** Ends all windows, while nobody stores: writable views may be stored to only between being got and this. How many pieces there were. */
    public int closeWindows() {
        StoreWindows guarding = windows;
        return guarding == null ? 0 : guarding.closeAll();
    }

    @Override
    public void close() {
        if (lines != null) {
            lines.close();
        }
        file.close();
        if (region != null) {
            region.close();
        }
    }

    /** The pages that one thread has flushed since its last fence, by number. */
    private static final class Pages {

        private static final int SHIFT = Long.numberOfTrailingZeros(Reservation.pageBytes());

        private long[] pages = new long[16];
        private int count;

        void add(long offset, long length) {
            for (long page = offset >>> SHIFT; page <= (offset + length - 1) >>> SHIFT; page++) {
                if (count > 0 && pages[count - 1] == page) {
                    continue;
                }
                if (count == pages.length) {
                    pages = Arrays.copyOf(pages, count * 2);
                }
                pages[count++] = page;
            }
        }

        void sync(MappedFile file) {
            Arrays.sort(pages, 0, count);
            for (int i = 0; i < count; ) {
                int end = i + 1;
                while (end < count && pages[end] <= pages[end - 1] + 1) {
                    end++;
                }
                file.sync(pages[i] << SHIFT, pages[end - 1] - pages[i] + 1 << SHIFT);
                i = end;
            }
            count = 0;
        }
    }

    /** Writes cache lines back through mappings that the JDK made for it: the lines are the same ones, whichever mapping stored. */
    private static final class LineWriter implements AutoCloseable {

        private static final String NO_DAX =
                "it must lie on persistent memory in a file system mounted with -o dax; use MSYNC elsewhere";

        private record Part(long offset, MemorySegment memory) {}

        private final MappedFile file;
        private final Arena arena = Arena.ofShared();
        private final List<Part> parts = new CopyOnWriteArrayList<>();
        private long covered;

        LineWriter(MappedFile file) {
            this.file = file;
            cover(file.bytes());
        }

        synchronized void cover(long bytes) {
            if (bytes <= covered) {
                return;
            }
            try (FileChannel channel =
                    FileChannel.open(file.path(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                parts.add(new Part(
                        covered, channel.map(ExtendedMapMode.READ_WRITE_SYNC, covered, bytes - covered, arena)));
                covered = bytes;
            } catch (UnsupportedOperationException e) {
                throw refused(NO_DAX, new IOException(e));
            } catch (IOException e) {
                // ENOTSUP and, before Linux 4.15, EINVAL
                String why = String.valueOf(e.getMessage());
                boolean noDax = why.contains("not supported") || why.contains("unsupported") || why.contains("Invalid");
                throw refused(noDax ? NO_DAX : why + "; see the file's permissions and the limits of this process", e);
            }
        }

        private UncheckedIOException refused(String why, IOException cause) {
            close();
            return new UncheckedIOException(file.path() + " can't be mapped for SYNC: " + why, cause);
        }

        void writeBack(long offset, long length) {
            for (Part part : parts) {
                long from = Math.max(offset, part.offset);
                long to = Math.min(offset + length, part.offset + part.memory.byteSize());
                if (from < to) {
                    part.memory.asSlice(from - part.offset, to - from).force();
                }
            }
        }

        @Override
        public void close() {
            if (arena.scope().isAlive()) {
                arena.close();
            }
        }
    }
}
