package io.loam.bench.system;

/**
 * What a system is opened with. Each uses what it knows and leaves the rest.
 *
 * @param system name, as the command line gives it
 * @param records how many records it should be ready for
 * @param keyBytes length of a key, at least 8
 * @param minValueBytes shortest value
 * @param maxValueBytes longest value
 * @param capacityBytes the memory budget: Loam's capacity, the cache's size of those that evict
 * @param maximumCapacityBytes what the budget may be raised to while open
 * @param threads how many threads will use it
 * @param update {@code append} or {@code in-place}
 * @param cleaners Loam: cleaner threads of a node, 0 for the default
 * @param segmentBytes Loam: segment, 0 for the default
 * @param blockBytes Loam: block, 0 for the default
 * @param hash Loam: {@code flood-resistant} or {@code fast}
 * @param evict drop cold entries when full, instead of refusing
 * @param writeTimeoutMillis Loam: the longest a write waits for memory, 0 for the default
 */
public record Setup(
        String system,
        long records,
        int keyBytes,
        int minValueBytes,
        int maxValueBytes,
        long capacityBytes,
        long maximumCapacityBytes,
        int threads,
        String update,
        int cleaners,
        int segmentBytes,
        int blockBytes,
        String hash,
        boolean evict,
        long writeTimeoutMillis) {

    public Setup {
        if (keyBytes < Long.BYTES || keyBytes > 0xFFFF) {
            throw new IllegalArgumentException("key of " + keyBytes + " bytes; allowed: 8 to 65535");
        }
    }

    public boolean inPlace() {
        return update.equals("in-place");
    }

    public boolean fixedValueBytes() {
        return minValueBytes == maxValueBytes;
    }

    public double meanValueBytes() {
        return (minValueBytes + (double) maxValueBytes) / 2;
    }

    public Setup withCapacity(long bytes, long maximumBytes) {
        return new Setup(
                system,
                records,
                keyBytes,
                minValueBytes,
                maxValueBytes,
                bytes,
                maximumBytes,
                threads,
                update,
                cleaners,
                segmentBytes,
                blockBytes,
                hash,
                evict,
                writeTimeoutMillis);
    }

    public Setup withRecords(long count) {
        return new Setup(
                system,
                count,
                keyBytes,
                minValueBytes,
                maxValueBytes,
                capacityBytes,
                maximumCapacityBytes,
                threads,
                update,
                cleaners,
                segmentBytes,
                blockBytes,
                hash,
                evict,
                writeTimeoutMillis);
    }

    public Setup evicting() {
        return new Setup(
                system,
                records,
                keyBytes,
                minValueBytes,
                maxValueBytes,
                capacityBytes,
                maximumCapacityBytes,
                threads,
                update,
                cleaners,
                segmentBytes,
                blockBytes,
                hash,
                true,
                writeTimeoutMillis);
    }

    public Setup withThreads(int count) {
        return new Setup(
                system,
                records,
                keyBytes,
                minValueBytes,
                maxValueBytes,
                capacityBytes,
                maximumCapacityBytes,
                count,
                update,
                cleaners,
                segmentBytes,
                blockBytes,
                hash,
                evict,
                writeTimeoutMillis);
    }

    public Setup withUpdate(String policy) {
        return new Setup(
                system,
                records,
                keyBytes,
                minValueBytes,
                maxValueBytes,
                capacityBytes,
                maximumCapacityBytes,
                threads,
                policy,
                cleaners,
                segmentBytes,
                blockBytes,
                hash,
                evict,
                writeTimeoutMillis);
    }

    public Setup withCleaning(int cleanerThreads, int segment, int block) {
        return new Setup(
                system,
                records,
                keyBytes,
                minValueBytes,
                maxValueBytes,
                capacityBytes,
                maximumCapacityBytes,
                threads,
                update,
                cleanerThreads,
                segment,
                block,
                hash,
                evict,
                writeTimeoutMillis);
    }
}
