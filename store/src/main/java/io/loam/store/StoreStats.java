package io.loam.store;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a store's memory holds. All sizes in bytes; {@code capacityBytes = freeBytes + logBytes + indexBytes + tableBytes}.
 *
 * @param capacityBytes the budget
 * @param keys keys of all namespaces
 * @param liveUserBytes keys and values that the index points to
 * @param liveLogBytes entries that the index points to: user bytes, headers and padding; what is being moved may count twice or not at all for a moment
 * @param deadLogBytes bytes in log blocks that are not live: overwritten, deleted, expired, fillers
 * @param logBytes blocks owned by segments
 * @param indexBytes blocks owned by the index
 * @param tableBytes fixed tables: segments, blocks, epochs, directory, reference marks
 * @param freeBytes blocks owned by nobody
 * @param reserveBytes of the free blocks, those that only the cleaner may take
 * @param retiredBytes of the log and index blocks, those that wait for readers before they are free
 * @param releasedBytes of the free blocks, those given back to the kernel
 * @param indexSlots slots the index has room for at its present size
 * @param utilisation live log bytes divided by log bytes available without the reserve
 * @param utilisationHistogram how many sealed segments have a live share in [i/10, (i+1)/10), i from 0 to 9
 * @param blockBytes size of a block
 * @param segmentBytes nominal size of a segment
 * @param appendedBytes log bytes appended by writers since opening
 * @param overwrittenBytes value bytes overwritten in place since opening
 * @param cleanerCopiedBytes log bytes copied by cleaning since opening
 * @param cleanedSegments segments cleaned since opening
 * @param cleaningPasses since opening
 * @param evictedEntries since opening
 * @param expiredEntries removed because expired, since opening
 * @param indexResizes steps by which the index grew or shrank, since opening
 * @param writerStalls writes that had to wait for memory, since opening
 * @param longestStallNanos the longest such wait
 * @param refusedWrites writes refused because full, since opening
 * @param segments live share and state of every segment, in no order
 * @param oldestGuard the longest pinned operation or guard, or null
 * @param opening how this store object came to its memory
 * @param participants who has a shared store attached now; empty for a private one
 */
public record StoreStats(
        long capacityBytes,
        long keys,
        long liveUserBytes,
        long liveLogBytes,
        long deadLogBytes,
        long logBytes,
        long indexBytes,
        long tableBytes,
        long freeBytes,
        long reserveBytes,
        long retiredBytes,
        long releasedBytes,
        long indexSlots,
        double utilisation,
        List<Integer> utilisationHistogram,
        int blockBytes,
        int segmentBytes,
        long appendedBytes,
        long overwrittenBytes,
        long cleanerCopiedBytes,
        long cleanedSegments,
        long cleaningPasses,
        long evictedEntries,
        long expiredEntries,
        long indexResizes,
        long writerStalls,
        long longestStallNanos,
        long refusedWrites,
        List<SegmentInfo> segments,
        @Nullable GuardInfo oldestGuard,
        Opening opening,
        List<ParticipantInfo> participants) {

    /** How a store object came to its memory. */
    public enum Opening {
        /** It is its own, and no other process sees it. */
        PRIVATE,
        /** It created a shared store. */
        CREATED,
        /** Others had the store attached. */
        ATTACHED,
        /** Nobody had it attached, and the last one had left it in order. */
        CLEAN,
        /** Nobody had it attached, and what the last ones left when they died was repaired. */
        REPAIRED
    }

    /**
     * A store object of some process that has a shared store attached.
     *
     * @param pid its process, as that sees itself
     * @param attachedMillis since when, in milliseconds since 1970
     * @param leader whether it cleans and resizes for all
     */
    public record ParticipantInfo(long pid, long attachedMillis, boolean leader) {}

    /**
     * One segment.
     *
     * @param state HEAD (open), SEALED (may be cleaned), CLEANING, RETIRED (waits for readers)
     * @param blocks how many blocks it owns
     * @param liveBytes bytes of its entries that the index points to and that have not expired
     * @param usedBytes bytes of its entries
     * @param ageMillis since it was opened, survivors by the age of their entries
     */
    public record SegmentInfo(String state, int blocks, long liveBytes, long usedBytes, long ageMillis) {}

    /**
     * A pinned thread.
     *
     * @param threadId {@link Thread#threadId} of the thread that pinned
     * @param ageMillis how long ago, within a tenth of a second
     */
    public record GuardInfo(long threadId, long ageMillis) {}

    /** Keys per slot of the index. */
    public double indexLoad() {
        return indexSlots == 0 ? 0 : (double) keys / indexSlots;
    }

    /** Bytes per key that are not user bytes: headers, padding and index. NaN without keys. */
    public double metadataBytesPerKey() {
        return (double) (liveLogBytes - liveUserBytes + indexBytes) / keys;
    }
}
