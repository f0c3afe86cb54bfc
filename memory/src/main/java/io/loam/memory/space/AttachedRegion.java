package io.loam.memory.space;

import io.loam.memory.region.MappedLock;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionLock;
import io.loam.memory.region.Registry;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A member of an attached space: which region, whether and where it is mapped, and its lock. Changed under the monitors of its {@link
 * Attachment} and {@link Windows}.
 */
final class AttachedRegion {

    private final Registry registry;
    private final Member member;
    private volatile Region region;
    private @Nullable MappedRegion mapped;
    private @Nullable MappedLock lock;
    /** Taken out of the attachment: pointers into it dangle. */
    private volatile boolean detached;
    /** The tables that let pointers into it through, as far as a thread may be inside them. */
    private final List<Table> tables = new CopyOnWriteArrayList<>();

    AttachedRegion(Registry registry, Member member, Region region) {
        this.registry = registry;
        this.member = member;
        this.region = region;
    }

    Member member() {
        return member;
    }

    Region region() {
        return region;
    }

    void map() {
        if (mapped == null) {
            mapped = registry.regions().map(region, member.access(), member.elsewhere());
        }
    }

    void openLock() {
        if (region.lockable() && lock == null) {
            lock = registry.regions().mapLock(region);
        }
    }

    void unmap() {
        if (mapped != null) {
            mapped.close();
            mapped = null;
        }
    }

    void close() {
        unmap();
        if (lock != null) {
            // kept: who is about to find that the table is no longer current may still ask for it
            lock.close();
        }
    }

    boolean isMapped() {
        return mapped != null;
    }

    /** How much of it a table may let through. */
    long mappedBytes() {
        return mapped == null || detached ? 0 : region.bytes();
    }

    long delta() {
        return mapped == null ? 0 : mapped.delta();
    }

    RegionLock lock() {
        if (lock == null) {
            throw new IllegalStateException(region + " has no lock");
        }
        return lock.lock();
    }

    boolean isDetached() {
        return detached;
    }

    void detach() {
        detached = true;
        disarm();
    }

    /** A table that has it from now on. */
    void addTable(Table table) {
        tables.removeIf(old -> !old.isCurrent() && !Contexts.isInside(id -> id == old.id()));
        tables.add(table);
    }

    /** Whether it is in the table of an id, as far as a thread may be inside that. */
    boolean isIn(long id) {
        for (Table table : tables) {
            if (table.id() == id) {
                return true;
            }
        }
        return false;
    }

    /** Lets no pointer into it through, in any table. */
    void disarm() {
        tables.forEach(table -> table.disarm(this));
    }

    /** Looks whether the region has grown; true if it has. */
    boolean grow() {
        Region now = current();
        if (now == null || now.bytes() <= region.bytes()) {
            return false;
        }
        region = now;
        return true;
    }

    /** The region as its descriptor has it now; null if it was deleted. */
    @Nullable
    Region current() {
        try {
            return registry.regions()
                    .find(member.region())
                    .filter(found -> found.uuid().equals(member.uuid()))
                    .orElse(null);
        } catch (RegionException e) {
            // a damaged descriptor does no harm to who has the region mapped
            return region;
        }
    }

    @Override
    public String toString() {
        return region.toString();
    }
}
