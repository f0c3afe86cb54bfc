package io.loam.memory.space;

import io.loam.memory.region.Access;
import io.loam.memory.region.Region;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Which addresses a space has: for each GiB from the lowest base of its regions on, how many bytes of it may be read, and how many
 * written. A region begins with a GiB, so a check is one load and one comparison.
 *
 * <p>The set of regions of a table never changes; another set is another table. Limits do change, by plain stores of ints: they rise when
 * a region grows or is mapped, and fall to 0 when it is taken out or is to be unmapped. A thread that still sees an old limit does no
 * harm: memory is unmapped only when no announced context is inside a table that has it (see the package's introduction).
 */
final class Table {

    private static final int GRANULE_SHIFT = 30;
    private static final long OFFSET_MASK = Region.GRANULE_BYTES - 1;
    private static final int[] NO_LIMITS = {};
    private static final AtomicLong IDS = new AtomicLong();

    /** The table of a context that is in no space. */
    static final Table NONE = new Table(null, List.of());

    /** The attachment's serial number in the upper half, for those who ask about all of its tables; never used again in this process. */
    private final long id;

    private final @Nullable Attachment attachment;
    private final long first;
    private final int[] readLimits;
    private final int[] writeLimits;
    /** What is to be added to a pointer, for each GiB; null if all regions are at their bases. */
    private final long @Nullable [] deltas;

    private final List<AttachedRegion> regions;
    /** Of the lockable regions, in the order in which they are to be taken. */
    private final AttachedRegion[] locks;

    Table(@Nullable Attachment attachment, List<AttachedRegion> regions) {
        this.attachment = attachment;
        this.id = (attachment == null ? 0 : attachment.serial() << 32) | IDS.incrementAndGet() & 0xffff_ffffL;
        this.regions = regions;
        long low = regions.stream().mapToLong(r -> r.region().base()).min().orElse(0);
        long high = regions.stream()
                .mapToLong(r -> r.region().base() + r.region().roomBytes())
                .max()
                .orElse(0);
        int granules = (int) (high - low >>> GRANULE_SHIFT);
        this.first = low >>> GRANULE_SHIFT;
        this.readLimits = granules == 0 ? NO_LIMITS : new int[granules];
        this.writeLimits = granules == 0 ? NO_LIMITS : new int[granules];
        this.deltas = regions.stream().anyMatch(r -> r.member().elsewhere()) ? new long[granules] : null;
        this.locks = regions.stream()
                .filter(r -> r.region().lockable())
                .sorted((a, b) -> Long.compare(a.region().number(), b.region().number()))
                .toArray(AttachedRegion[]::new);
        for (AttachedRegion region : regions) {
            region.addTable(this);
            arm(region);
        }
    }

    /** Whether threads may still enter it. */
    boolean isCurrent() {
        return attachment != null && attachment.table() == this;
    }

    long id() {
        return id;
    }

    @Nullable
    Attachment attachment() {
        return attachment;
    }

    List<AttachedRegion> regions() {
        return regions;
    }

    AttachedRegion[] locks() {
        return locks;
    }

    /** Lets through what a region has mapped now. */
    void arm(AttachedRegion region) {
        long bytes = region.mappedBytes();
        long delta = region.delta();
        int granule = (int) ((region.region().base() >>> GRANULE_SHIFT) - first);
        for (long done = 0; done < region.region().roomBytes(); done += Region.GRANULE_BYTES, granule++) {
            int limit = (int) Math.clamp(bytes - done, 0, Region.GRANULE_BYTES);
            if (deltas != null) {
                deltas[granule] = delta;
            }
            readLimits[granule] = limit;
            writeLimits[granule] = region.member().access() == Access.WRITE ? limit : 0;
        }
    }

    /** Lets nothing through to a region. */
    void disarm(AttachedRegion region) {
        int granule = (int) ((region.region().base() >>> GRANULE_SHIFT) - first);
        for (long done = 0; done < region.region().roomBytes(); done += Region.GRANULE_BYTES, granule++) {
            readLimits[granule] = 0;
            writeLimits[granule] = 0;
        }
    }

    /** Where {@code bytes} bytes at a pointer can be read. */
    long readable(Context context, long pointer, int bytes) {
        int[] limits = readLimits;
        long granule = (pointer >>> GRANULE_SHIFT) - first;
        // a negative granule is a huge one when compared without sign
        if (Long.compareUnsigned(granule, limits.length) < 0
                && (pointer & OFFSET_MASK) <= limits[(int) granule] - bytes) {
            return deltas == null ? pointer : pointer + deltas[(int) granule];
        }
        return context.resolve(pointer, bytes, Access.READ);
    }

    /** Where {@code bytes} bytes at a pointer can be written. */
    long writable(Context context, long pointer, int bytes) {
        int[] limits = writeLimits;
        long granule = (pointer >>> GRANULE_SHIFT) - first;
        if (Long.compareUnsigned(granule, limits.length) < 0
                && (pointer & OFFSET_MASK) <= limits[(int) granule] - bytes) {
            return deltas == null ? pointer : pointer + deltas[(int) granule];
        }
        return context.resolve(pointer, bytes, Access.WRITE);
    }

    /** The region whose room a pointer is in. */
    @Nullable
    AttachedRegion find(long pointer) {
        for (AttachedRegion region : regions) {
            if (Long.compareUnsigned(
                            pointer - region.region().base(), region.region().roomBytes())
                    < 0) {
                return region;
            }
        }
        return null;
    }
}
