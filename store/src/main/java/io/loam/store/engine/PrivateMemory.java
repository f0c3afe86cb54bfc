package io.loam.store.engine;

import io.loam.memory.Reservation;
import io.loam.store.log.Geometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The memory of a store that no other process sees. */
final class PrivateMemory implements StoreMemory {

    private final Reservation reservation;
    private final Geometry geometry;

    PrivateMemory(Geometry geometry) {
        this.geometry = geometry;
        this.reservation = Reservation.reserve(geometry.reservedBytes, Geometry.GROUP_BYTES);
    }

    @Override
    public long address() {
        return reservation.address();
    }

    @Override
    public long epochWord() {
        return address() + StoreHeader.EPOCH;
    }

    @Override
    public long epochSlots() {
        return address() + geometry.epochOffset;
    }

    @Override
    public MemorySegment view(Arena arena) {
        return reservation.view(arena);
    }

    @Override
    public void prepare(EngineOptions options, Geometry geometry) {
        if (options.hugePages()) {
            reservation.adviseHugePages(0, geometry.reservedBytes, true);
        }
        if (geometry.nodes > 1) {
            long share = (geometry.reservedBytes - geometry.dataOffset)
                    / geometry.nodes
                    / Geometry.GROUP_BYTES
                    * Geometry.GROUP_BYTES;
            for (int node = 0; node < geometry.nodes && share > 0; node++) {
                reservation.bindToNode(geometry.dataOffset + node * share, share, node);
            }
        }
        reservation.populate(0, geometry.tableBytes);
        if (options.prefault()) {
            reservation.populate(
                    geometry.dataOffset, options.capacityBytes() / Geometry.GROUP_BYTES * Geometry.GROUP_BYTES);
        }
    }

    @Override
    public boolean isReleasable() {
        return true;
    }

    @Override
    public void release(long offset, long bytes) {
        reservation.release(offset, bytes);
    }

    @Override
    public void discard() {
        reservation.discard();
    }

    @Override
    public void close() {
        reservation.close();
    }
}
