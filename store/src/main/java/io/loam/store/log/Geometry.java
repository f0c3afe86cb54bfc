package io.loam.store.log;

import io.loam.store.epoch.Epochs;

/**
 * Where everything lies in a store's memory: fixed tables first, then blocks. All offsets and sizes in bytes unless named otherwise.
 *
 * <pre>
 * header | namespaces | epoch slots | heads | pool | segment table | block table | marks | (to 2 MiB) blocks …
 * </pre>
 *
 * <p>Only a store that processes share has a table of namespaces; its epoch slots lie in a region of their own, and each process has its own heads.
 */
public final class Geometry {

    public static final int GROUP_BYTES = 2 << 20;
    public static final int HEADER_BYTES = 4096;

    /** Entries of at most this many bytes, or 1/32 of a block if that is less, never cross blocks. */
    private static final int SMALL_ENTRY_BYTES = 2048;

    public final int blockBytes;
    public final int blockShift;
    /** Size of a block in units of 8 bytes. */
    public final int blockUnits;

    public final int groupBlocks;
    public final int segmentBlocks;
    /** Blocks there is address space for. */
    public final int maximumBlocks;

    public final int segmentSlots;
    public final int epochSlots;
    public final int nodes;
    /** Writers' heads on each node that one process has. */
    public final int headsPerNode;
    /** Processes that may share the store; 1 for a private one. */
    public final int participants;
    /** Survivor heads on each node: one per cleaner and one for helping writers. */
    public final int survivorsPerNode;

    public final int smallEntryBytes;
    public final boolean marks;

    public final long namespaceOffset;
    public final long epochOffset;
    public final long headOffset;
    public final long poolOffset;
    public final long segmentOffset;
    public final long blockTableOffset;
    public final long markOffset;
    public final int markShift;
    public final long tableBytes;
    public final long dataOffset;
    public final long reservedBytes;

    public Geometry(
            long maximumCapacity,
            int blockBytes,
            int segmentBytes,
            int epochSlots,
            int nodes,
            int headsPerNode,
            int cleanersPerNode,
            boolean marks) {
        this(maximumCapacity, blockBytes, segmentBytes, epochSlots, nodes, headsPerNode, cleanersPerNode, marks, 1, 0);
    }

    /**
     * @param epochSlots of one process
     * @param participants processes that may share the store, 1 for a private one
     * @param namespaceBytes size of the table of namespaces
     */
    public Geometry(
            long maximumCapacity,
            int blockBytes,
            int segmentBytes,
            int epochSlots,
            int nodes,
            int headsPerNode,
            int cleanersPerNode,
            boolean marks,
            int participants,
            int namespaceBytes) {
        this.blockBytes = blockBytes;
        this.blockShift = Integer.numberOfTrailingZeros(blockBytes);
        this.blockUnits = blockBytes >>> 3;
        this.groupBlocks = Math.max(1, GROUP_BYTES / blockBytes);
        this.segmentBlocks = Math.max(1, segmentBytes / blockBytes);
        this.epochSlots = epochSlots;
        this.nodes = nodes;
        this.headsPerNode = headsPerNode;
        this.participants = participants;
        this.survivorsPerNode = cleanersPerNode + 1;
        this.smallEntryBytes = Math.min(SMALL_ENTRY_BYTES, blockBytes / 32);
        this.marks = marks;
        this.markShift = Math.min(7, blockShift);
        maximumBlocks = Math.toIntExact(maximumCapacity >>> blockShift);
        int openSegments = nodes * headsOfNode();
        segmentSlots = Math.min(maximumBlocks, 4 * (maximumBlocks / segmentBlocks) + 64) + openSegments + 1;
        namespaceOffset = HEADER_BYTES;
        epochOffset = namespaceOffset + align(namespaceBytes, 64);
        headOffset = epochOffset + (participants > 1 ? 0 : (long) epochSlots * Epochs.SLOT_BYTES);
        poolOffset = align(headOffset + (long) openSegments * Head.BYTES, 64);
        int groups = (maximumBlocks + groupBlocks - 1) / groupBlocks;
        segmentOffset = align(poolOffset + BlockPool.bytes(groups, groupBlocks, nodes, participants), 64);
        blockTableOffset = align(segmentOffset + (long) segmentSlots * SegmentTable.BYTES, 64);
        markOffset = align(blockTableOffset + (long) maximumBlocks * BlockTable.BYTES, 64);
        tableBytes = align(markOffset + (marks ? ((long) maximumBlocks << blockShift) >>> markShift : 0), 4096);
        dataOffset = align(tableBytes, GROUP_BYTES);
        // one group more, so that a read a little past the last entry meets mapped memory
        reservedBytes = dataOffset + align((long) maximumBlocks << blockShift, GROUP_BYTES) + GROUP_BYTES;
    }

    private static long align(long bytes, long alignment) {
        return (bytes + alignment - 1) / alignment * alignment;
    }

    /** Heads of a node: the writers' of each participant, then the survivors. */
    public int headsOfNode() {
        return participants * headsPerNode + survivorsPerNode;
    }

    /** Offset of a block's first byte. */
    public long blockOffset(int block) {
        return dataOffset + ((long) block << blockShift);
    }

    /** The block that an offset lies in. */
    public int blockAt(long offset) {
        return (int) (offset - dataOffset >>> blockShift);
    }
}
