package io.loam.memory.region;

import java.nio.file.Path;
import java.util.UUID;

/**
 * What a region's descriptor said when it was read.
 *
 * @param name unique in its registry
 * @param uuid unique for ever: another region of the same name has another one
 * @param number unique in its registry, never used again; the order in which locks of several regions are taken
 * @param base address of its first byte, a multiple of {@link #GRANULE_BYTES}
 * @param bytes its size, a multiple of the page size
 * @param roomBytes addresses kept for it from the base on, a multiple of {@link #GRANULE_BYTES}: it can grow this far
 * @param mode permission bits of its memory as chmod(2) takes them
 * @param lockable whether entering an address space locks it
 * @param hugePages whether huge pages were asked for
 * @param file holds its memory
 * @param createdMillis when it was created, in milliseconds since 1970
 */
public record Region(
        String name,
        UUID uuid,
        long number,
        long base,
        long bytes,
        long roomBytes,
        int mode,
        boolean lockable,
        boolean hugePages,
        Path file,
        long createdMillis) {

    /** Unit of bases and rooms: 1 GiB. */
    public static final long GRANULE_BYTES = 1L << 30;

    /** First address after the region. */
    public long end() {
        return base + bytes;
    }

    Region withBytes(long more) {
        return new Region(name, uuid, number, base, more, roomBytes, mode, lockable, hugePages, file, createdMillis);
    }

    /** For messages. */
    @Override
    public String toString() {
        return "region " + name + " (" + bytes + " bytes at 0x" + Long.toHexString(base) + ")";
    }
}
