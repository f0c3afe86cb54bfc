package io.loam.memory.region;

import io.loam.memory.RawMemory;
import io.loam.memory.SharedFile;
import io.loam.memory.SharedMapping;

/** The lock of a lockable region, in this process's memory. */
public final class MappedLock implements AutoCloseable {

    private final SharedMapping mapping;
    private final RegionLock lock;

    MappedLock(SharedFile file, Participants participants) {
        this.mapping = ProcessMappings.mapAnywhere(file, RegionLock.BYTES, true);
        this.lock = new RegionLock(RawMemory.ofProcess(), mapping.address(), participants);
    }

    public RegionLock lock() {
        return lock;
    }

    /** Unmaps it: nobody may use the lock any more. */
    @Override
    public void close() {
        mapping.close();
    }
}
