package io.loam.memory.region;

import io.loam.memory.SharedRange;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a region is to be created.
 *
 * @param bytes its size; rounded up to whole pages
 * @param roomBytes how far it may grow; rounded up to whole GiB, at least {@code bytes}
 * @param base where its first byte is to be, a multiple of 1 GiB in {@link SharedRange}; 0 lets the registry choose where no other
 *     region of it is. Regions whose addresses overlap can't be in one address space.
 * @param mode permission bits as chmod(2) takes them, the umask does not count
 * @param acl who else may access it; null for nobody
 * @param lockable whether entering an address space locks it
 * @param hugePages whether to make 2 MiB pages of it, as far as the kernel can
 * @param directory where the file of its memory is to lie, such as on a DAX file system, an absolute path; null for the registry's
 *     own directory
 */
public record RegionOptions(
        long bytes,
        long roomBytes,
        long base,
        int mode,
        @Nullable AccessList acl,
        boolean lockable,
        boolean hugePages,
        @Nullable Path directory) {

    public RegionOptions {
        if (bytes <= 0 || bytes > SharedRange.END - SharedRange.START) {
            throw new IllegalArgumentException("a region needs 1 byte to 48 TiB, " + bytes + " given");
        }
        if (roomBytes < 0 || roomBytes > SharedRange.END - SharedRange.START) {
            throw new IllegalArgumentException("room is 0 to 48 TiB, " + roomBytes + " bytes given");
        }
        if (base != 0 && (base % Region.GRANULE_BYTES != 0 || !SharedRange.contains(base))) {
            throw new IllegalArgumentException("a base is a multiple of 1 GiB from 0x"
                    + Long.toHexString(SharedRange.START) + " to 0x" + Long.toHexString(SharedRange.BASES_END) + ", 0x"
                    + Long.toHexString(base) + " given");
        }
        if ((mode & ~0666) != 0 || (mode & 0400) == 0) {
            throw new IllegalArgumentException(
                    "a mode is octal 400 to 666, without execution, and lets the owner read; "
                            + Integer.toOctalString(mode) + " given");
        }
        if (directory != null && !directory.isAbsolute()) {
            throw new IllegalArgumentException(
                    "the directory of a region's memory must be an absolute path, " + directory + " given");
        }
    }

    /** {@code bytes} bytes at a base of the registry's choice, for this user only. */
    public static RegionOptions of(long bytes) {
        return new RegionOptions(bytes, 0, 0, 0600, null, false, false, null);
    }

    public RegionOptions withRoom(long roomBytes) {
        return new RegionOptions(bytes, roomBytes, base, mode, acl, lockable, hugePages, directory);
    }

    public RegionOptions at(long base) {
        return new RegionOptions(bytes, roomBytes, base, mode, acl, lockable, hugePages, directory);
    }

    public RegionOptions withMode(int mode) {
        return new RegionOptions(bytes, roomBytes, base, mode, acl, lockable, hugePages, directory);
    }

    public RegionOptions withAcl(@Nullable AccessList acl) {
        return new RegionOptions(bytes, roomBytes, base, mode, acl, lockable, hugePages, directory);
    }

    public RegionOptions withLock() {
        return new RegionOptions(bytes, roomBytes, base, mode, acl, true, hugePages, directory);
    }

    public RegionOptions withHugePages() {
        return new RegionOptions(bytes, roomBytes, base, mode, acl, lockable, true, directory);
    }

    public RegionOptions inDirectory(@Nullable Path directory) {
        return new RegionOptions(bytes, roomBytes, base, mode, acl, lockable, hugePages, directory);
    }
}
