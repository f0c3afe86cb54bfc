package io.loam.heap;

import java.util.List;

/**
 * What a heap holds, in bytes unless said otherwise. Approximate while others allocate and free, exact when the heap is at rest; then fileBytes = tableBytes +
 * freeBytes + runBytes, and runBytes = liveBytes + idleBytes.
 *
 * @param maximumBytes what the file may grow to
 * @param fileBytes its size
 * @param tableBytes before the first superblock; sparse
 * @param freeBytes in superblocks of no run
 * @param runBytes in superblocks of runs
 * @param liveBytes in slots in use, whole slots and superblocks
 * @param idleBytes in runs and not in use: free slots, those that lanes hold, those that rest, and what is left over behind the last slot
 * @param restingBytes freed and resting, a part of idleBytes
 * @param liveObjects in use
 * @param largestBytes the largest object that could be allocated now, growing included
 * @param classes one for each type and size in use
 */
public record HeapStats(
        long maximumBytes,
        long fileBytes,
        long tableBytes,
        long freeBytes,
        long runBytes,
        long liveBytes,
        long idleBytes,
        long restingBytes,
        long liveObjects,
        long largestBytes,
        List<ClassStats> classes) {

    /**
     * The runs of one type and slot size.
     *
     * @param slotBytes 0 for large objects, which are runs of their own
     */
    public record ClassStats(String type, long slotBytes, long runs, long superblocks, long slots, long used) {}

    /** What runs take for each byte in use: 1 without fragmentation; 0 if nothing is in use. */
    public double bytesPerLiveByte() {
        return liveBytes == 0 ? 0 : (double) runBytes / liveBytes;
    }
}
