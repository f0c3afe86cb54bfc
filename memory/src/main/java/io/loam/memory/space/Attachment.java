package io.loam.memory.space;

import io.loam.memory.region.Access;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.Registry;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * This process's view of an address space: what its definition lists, and what was attached here alone.
 *
 * <p>Changes of the definition by others are seen when a thread next enters. Taking a region out, here or in the definition, lets no
 * further pointer into it through at once; its memory is unmapped when no thread is left inside that was there before.
 *
 * <p>Safe from any thread.
 */
public final class Attachment implements AutoCloseable {

    private static final AtomicLong SERIALS = new AtomicLong();
    /** Indices of open attachments; guarded by itself. */
    private static final BitSet INDICES = new BitSet();

    private final long serial = SERIALS.incrementAndGet();
    private final int index;
    private final AddressSpaces spaces;
    private final Registry registry;
    private final @Nullable Windows windows;
    /** The definition as last read; guarded by this. */
    private AddressSpace space;
    /** What only this attachment has; guarded by this. */
    private final List<Member> own = new ArrayList<>();
    /** Members of the definition that {@link #detach} took out here alone; guarded by this. */
    private final Set<UUID> hidden = new HashSet<>();
    /** What was taken out and may be in use by threads inside; guarded by this. */
    private final List<AttachedRegion> retired = new ArrayList<>();

    private volatile Table table;
    private volatile long changesSeen;
    private volatile boolean closed;

    Attachment(AddressSpaces spaces, AddressSpace space) {
        this.spaces = spaces;
        this.registry = spaces.registry();
        this.windows = spaces.windows();
        this.space = space;
        synchronized (INDICES) {
            this.index = INDICES.nextClearBit(0);
            INDICES.set(index);
        }
        this.table = new Table(this, List.of());
        this.changesSeen = registry.changes();
        registry.markAttached(space.number());
        try {
            rebuild();
        } catch (Throwable t) {
            close();
            throw t;
        }
    }

    public String name() {
        return space.name();
    }

    /** The definition as it was last read. */
    public synchronized AddressSpace space() {
        return space;
    }

    /** What can be reached here now, by address. */
    public List<Region> regions() {
        return table.regions().stream()
                .map(AttachedRegion::region)
                .sorted((a, b) -> Long.compareUnsigned(a.base(), b.base()))
                .toList();
    }

    /** What a thread that enters now would use. Acquire: pairs with the volatile store of {@link #rebuild}. */
    Table table() {
        return table;
    }

    /** Whether a definition, of whatever region or space, may have changed since this one was read. */
    boolean isStale() {
        return changesSeen != registry.changes();
    }

    /** Never used again in this process. */
    long serial() {
        return serial;
    }

    /** Small, and that of no other open attachment. */
    int index() {
        return index;
    }

    /** Reads the definition again if anything has changed: entering does so, too. */
    public synchronized void refresh() {
        checkOpen();
        long changes = registry.changes();
        if (changes != changesSeen) {
            // a deleted or damaged definition leaves what is attached
            try {
                spaces.find(space.name())
                        .filter(found -> found.uuid().equals(space.uuid()))
                        .ifPresent(found -> space = found);
            } catch (RegionException e) {
                if (e.reason() == RegionException.Reason.DENIED) {
                    throw e;
                }
            }
            rebuild();
            // last: a failed attempt is made again
            changesSeen = changes;
        }
        unmapRetired();
    }

    /**
     * Adds a region to this attachment alone, or changes how it has it.
     *
     * @param elsewhere see {@link Member}
     * @throws RegionException NOT_FOUND, DENIED, OVERLAP, BASE_TAKEN; nothing has changed then
     */
    public synchronized void attach(String region, Access access, boolean elsewhere) {
        checkOpen();
        Region added = registry.regions().get(region);
        List<Member> before = List.copyOf(own);
        own.removeIf(member -> member.uuid().equals(added.uuid()));
        own.add(new Member(region, added.uuid(), access, elsewhere));
        boolean wasHidden = hidden.remove(added.uuid());
        try {
            rebuild();
        } catch (Throwable t) {
            own.clear();
            own.addAll(before);
            if (wasHidden) {
                hidden.add(added.uuid());
            }
            throw t;
        }
    }

    /**
     * Takes a region out of this attachment alone, wherever it came from.
     *
     * @throws RegionException NOT_ATTACHED if it does not have it
     */
    public synchronized void detach(String region) {
        checkOpen();
        AttachedRegion found = table.regions().stream()
                .filter(attached -> attached.member().region().equals(region))
                .findFirst()
                .orElseThrow(() -> new RegionException(
                        RegionException.Reason.NOT_ATTACHED,
                        "region " + region + " is not attached to address space " + name() + " here"));
        UUID uuid = found.member().uuid();
        own.removeIf(member -> member.uuid().equals(uuid));
        hidden.add(uuid);
        rebuild();
        unmapRetired();
    }

    /** Makes and publishes the table of what belongs to this attachment now; keeps what stays as it is. */
    private void rebuild() {
        // tables that nobody is inside are forgotten on the way
        Contexts.fence();
        List<AttachedRegion> next = new ArrayList<>();
        List<AttachedRegion> fresh = new ArrayList<>();
        try {
            for (Member member : members()) {
                AttachedRegion attached = attached(member);
                if (attached == null) {
                    Region region = registry.regions()
                            .find(member.region())
                            .filter(found -> found.uuid().equals(member.uuid()))
                            .orElse(null);
                    if (region == null) {
                        // deleted: the definition still lists it
                        continue;
                    }
                    attached = new AttachedRegion(registry, member, region);
                    fresh.add(attached);
                    attached.openLock();
                    if (windows == null) {
                        attached.map();
                    } else {
                        windows.checkFits(region);
                    }
                } else {
                    boolean ignored = attached.grow();
                }
                for (AttachedRegion other : next) {
                    AddressSpaces.checkApart(name(), other.region(), attached.region());
                }
                next.add(attached);
            }
        } catch (Throwable t) {
            fresh.forEach(AttachedRegion::close);
            throw t;
        }
        Table before = table;
        // volatile: pairs with Context.enter, which reads it again after it has announced itself
        synchronized (windows == null ? this : windows) {
            // under the monitor of the windows, which would else unmap what the new table has just let through
            table = new Table(this, List.copyOf(next));
        }
        for (AttachedRegion attached : before.regions()) {
            if (!next.contains(attached)) {
                attached.detach();
                retired.add(attached);
            }
        }
    }

    private List<Member> members() {
        List<Member> members = new ArrayList<>(own);
        for (Member member : space.members()) {
            if (!hidden.contains(member.uuid())
                    && own.stream().noneMatch(mine -> mine.uuid().equals(member.uuid()))) {
                members.add(member);
            }
        }
        return members;
    }

    private @Nullable AttachedRegion attached(Member member) {
        for (AttachedRegion attached : table.regions()) {
            if (attached.member().equals(member)) {
                return attached;
            }
        }
        return null;
    }

    /** Unmaps what no thread can reach any more. */
    private void unmapRetired() {
        if (!retired.isEmpty()) {
            Contexts.fence();
            retired.removeIf(attached -> {
                if (Contexts.isInside(attached::isIn)) {
                    return false;
                }
                close(attached);
                return true;
            });
        }
    }

    private void close(AttachedRegion attached) {
        if (windows == null) {
            attached.close();
        } else {
            windows.close(attached);
        }
    }

    /**
     * Makes a region usable as far as that can be done, for a pointer that the table has not let through: maps it, looks whether it has
     * grown.
     *
     * @param end behind the last byte that is wanted, from the region's base
     */
    void revive(Context context, Table inside, AttachedRegion attached, long end, @Nullable AttachedRegion keep) {
        if (windows != null) {
            windows.map(context, inside, attached, keep);
        }
        if (end > attached.region().bytes()) {
            synchronized (this) {
                if (attached.grow()) {
                    inside.arm(attached);
                }
            }
        }
    }

    /** For messages: which region of the registry has an address, in words. */
    String whoseIs(long pointer) {
        try {
            for (AddressSpace other : spaces.list()) {
                for (Member member : other.members()) {
                    boolean there = registry.regions()
                            .find(member.region())
                            .filter(region -> region.uuid().equals(member.uuid()))
                            .filter(region -> Long.compareUnsigned(pointer - region.base(), region.bytes()) < 0)
                            .isPresent();
                    if (there) {
                        return "; it lies in region " + member.region() + " of address space " + other.name();
                    }
                }
            }
        } catch (RegionException | IllegalStateException e) {
            // the message does without
        }
        return "";
    }

    /**
     * Ends the view: its regions are unmapped.
     *
     * @throws RegionException BUSY if a thread is inside; nothing has changed then
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        Table last = table;
        // nobody enters any more: enter sees closed or another table after its announcement
        closed = true;
        table = new Table(this, List.of());
        Contexts.fence();
        Thread inside = Contexts.threadInside(id -> id >>> 32 == serial);
        if (inside != null) {
            table = last;
            closed = false;
            throw new RegionException(
                    RegionException.Reason.BUSY,
                    "address space " + name() + " can't be detached: thread " + inside.getName() + " ("
                            + inside.threadId() + ") is inside; let it leave first");
        }
        last.regions().forEach(AttachedRegion::detach);
        last.regions().forEach(this::close);
        retired.forEach(this::close);
        retired.clear();
        registry.unmarkAttached(space.number());
        synchronized (INDICES) {
            INDICES.clear(index);
        }
    }

    /** Waits for a close in progress, which may fail. */
    synchronized void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the attachment of address space " + name() + " is closed");
        }
    }

    @Override
    public String toString() {
        return "attachment of address space " + name();
    }
}
