package io.loam.memory.region;

import io.loam.memory.RawMemory;
import io.loam.memory.SharedFile;
import io.loam.memory.SharedMapping;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A region in this process's memory. Its bytes are accessed by {@link RawMemory}, at addresses from {@link #address} on; who uses addresses
 * beyond {@link #bytes}, or writes what was mapped for reading, or goes on after {@link #close}, may end the JVM. The address spaces
 * of {@code io.loam.memory.space} check all that.
 */
public final class MappedRegion implements AutoCloseable {

    private final Registry registry;
    private final Region region;
    private final Access access;
    private final SharedFile file;
    private final SharedMapping mapping;
    private boolean closed;

    MappedRegion(Registry registry, Region region, Access access, SharedFile file, SharedMapping mapping) {
        this.registry = registry;
        this.region = region;
        this.access = access;
        this.file = file;
        this.mapping = mapping;
    }

    /** As its descriptor was when it was mapped; it may have grown since. */
    public Region region() {
        return region;
    }

    public Access access() {
        return access;
    }

    /** Where its first byte is in this process. */
    public long address() {
        return mapping.address();
    }

    /** Its size when it was mapped; when it grows, the new bytes follow at the same addresses, up to its room. */
    public long bytes() {
        return region.bytes();
    }

    /** What is to be added to an address in the region as others know it: 0 if it is mapped at its base. */
    public long delta() {
        return mapping.address() - region.base();
    }

    /** The mapping as a read-only segment of the arena's life. The region must stay mapped as long as the segment is used. */
    public MemorySegment view(Arena arena) {
        return mapping.view(arena);
    }

    /** The open file beneath, whose byte locks end with this object or its process. Not to be closed by the caller. */
    public SharedFile file() {
        return file;
    }

    /**
     * Makes 2 MiB pages of it, as far as the kernel can: about 5 s/GiB if they are small yet, content kept, for all processes.
     *
     * @return whether all of it has them now
     */
    public boolean makeHuge() {
        return mapping.makeHuge(region.bytes());
    }

    /** How many of its bytes lie in huge pages as this process maps it. Slow. */
    public long hugePageBytes() {
        return mapping.hugePageBytes();
    }

    /** Unmaps it unless somebody else in this process has it mapped too. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            ProcessMappings.release(region);
            file.close();
            registry.unmarkAttached(region.number());
        }
    }

    @Override
    public String toString() {
        return region + (delta() == 0 ? "" : " mapped at 0x" + Long.toHexString(address()));
    }
}
