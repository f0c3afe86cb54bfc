package io.loam.memory.persistence;

import io.loam.memory.MemoryException;
import io.loam.memory.region.MappedLock;
import io.loam.memory.region.Participants;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionLock;
import io.loam.memory.region.RegionLock.Grant;
import io.loam.memory.region.Registry;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A region that one object uses: until it is closed it counts as attached, and if it is lockable its lock is held, exclusively for writing, else shared. The kernel, or who wants the lock next, ends
 * both when this process dies.
 */
final class HeldRegion implements AutoCloseable {

    private final Registry registry;
    private final Region region;
    private final boolean exclusive;
    private final @Nullable MappedLock lock;
    private final Grant grant;

    private HeldRegion(Registry registry, Region region, boolean exclusive) {
        this.registry = registry;
        this.region = region;
        this.exclusive = exclusive;
        lock = region.lockable() ? registry.regions().mapLock(region) : null;
        grant = lock == null ? Grant.HELD : lock.lock().acquire(exclusive, 0);
        if (grant == Grant.NONE && lock != null) {
            RegionException busy = busy(lock.lock());
            lock.close();
            throw busy;
        }
        try {
            registry.markAttached(region.number());
        } catch (RuntimeException e) {
            release();
            throw e;
        }
    }

    /** @throws RegionException NOT_FOUND, DENIED, or BUSY if somebody has locked it */
    static HeldRegion take(Registry registry, String name, boolean exclusive) {
        return new HeldRegion(registry, registry.regions().get(name), exclusive);
    }

    Region region() {
        return region;
    }

    boolean isExclusive() {
        return exclusive;
    }

    private RegionException busy(RegionLock held) {
        long writer = held.writer();
        return new RegionException(
                RegionException.Reason.BUSY,
                region + " is locked by "
                        + (writer == 0
                                ? held.readers() + " readers"
                                : "process " + registry.participants().pid(writer))
                        + attached() + "; let them leave it first");
    }

    /** Its file can't be opened: somebody has that locked, or the system refuses. */
    RegionException refused(MemoryException refusal) {
        if (refusal.errno() != 0) {
            return RegionException.of("opening " + region, refusal);
        }
        return new RegionException(
                RegionException.Reason.BUSY,
                region + " is in use" + attached() + "; close it there first (" + refusal.getMessage() + ")",
                refusal);
    }

    private String attached() {
        String processes = registry.regions().attachedTo(region).stream()
                .map(Participants.Participant::toString)
                .distinct()
                .collect(Collectors.joining(", "));
        return processes.isEmpty() ? "" : ", attached to " + processes;
    }

    /**
     * Makes it so long, if it is not.
     *
     * @throws MemoryException if there is no space, no room, or the region was deleted
     */
    void grow(long bytes) {
        try {
            registry.regions().resize(region, bytes);
        } catch (RegionException e) {
            throw new MemoryException(e);
        }
    }

    @Override
    public void close() {
        registry.unmarkAttached(region.number());
        release();
    }

    private void release() {
        if (lock != null) {
            // a reader who was told that a writer died repairs nothing: the next one is to be told too
            lock.lock().release(exclusive, exclusive ? grant : Grant.HELD);
            lock.close();
        }
    }
}
