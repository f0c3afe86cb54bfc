package io.loam.memory.space;

import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which regions are mapped when not all may be at once: within a budget of bytes, those used most recently.
 *
 * <p>A region is mapped when a pointer into it is first used; room is made by unmapping those whose last known use is longest ago, unless
 * another thread is inside a table that has them. Uses that the tables let through are not seen; so each time room is made, the older
 * half of what stays is taken out of the tables without being unmapped, and its next use, which comes here, counts as one.
 *
 * <p>Safe from any thread. The monitor comes after those of attachments and before those of the registry.
 */
final class Windows {

    private final long budgetBytes;
    private final Map<UUID, Window> mapped = new HashMap<>();
    private long mappedBytes;
    private long clock;

    /** One region that is mapped, by one or more attachments. */
    private static final class Window {
        final Region region;
        final List<AttachedRegion> users = new ArrayList<>();
        long lastUse;

        Window(Region region) {
            this.region = region;
        }
    }

    Windows(long budgetBytes) {
        this.budgetBytes = budgetBytes;
    }

    void checkFits(Region region) {
        if (region.bytes() > budgetBytes) {
            throw new RegionException(
                    RegionException.Reason.NO_SPACE,
                    region + " is larger than the windows' budget of " + budgetBytes + " bytes; raise it");
        }
    }

    /**
     * Makes a region usable for a thread that is inside a table that has it.
     *
     * @param keep another region that the thread is about to use together with this one
     * @throws RegionException NO_SPACE if what other threads are using leaves no room
     */
    synchronized void map(Context context, Table inside, AttachedRegion wanted, @Nullable AttachedRegion keep) {
        clock++;
        Window window = mapped.get(wanted.member().uuid());
        if (window == null) {
            checkFits(wanted.region());
            makeRoom(context, wanted, keep);
            wanted.map();
            window = new Window(wanted.region());
            mapped.put(wanted.member().uuid(), window);
            mappedBytes += window.region.bytes();
            window.users.add(wanted);
        } else if (!wanted.isMapped()) {
            wanted.map();
            window.users.add(wanted);
        }
        window.lastUse = clock;
        inside.arm(wanted);
    }

    private void makeRoom(Context context, AttachedRegion wanted, @Nullable AttachedRegion keep) {
        List<Window> oldest = new ArrayList<>(mapped.values());
        oldest.sort(Comparator.comparingLong(window -> window.lastUse));
        long needed = wanted.region().bytes();
        boolean made = false;
        for (Window window : oldest) {
            boolean inTheWay = overlap(window.region, wanted.region());
            if ((mappedBytes + needed > budgetBytes || inTheWay)
                    && (keep == null
                            || !window.region.uuid().equals(keep.member().uuid()))) {
                boolean unmapped = unmap(context, window);
                if (!unmapped && inTheWay) {
                    throw new RegionException(
                            RegionException.Reason.BASE_TAKEN,
                            wanted + " can't be mapped: " + window.region + " is there and in use by another thread");
                }
                made |= unmapped;
            }
        }
        if (mappedBytes + needed > budgetBytes) {
            throw new RegionException(
                    RegionException.Reason.NO_SPACE,
                    wanted + " can't be mapped: " + mappedBytes + " of the windows' " + budgetBytes
                            + " bytes are in use by threads that are inside; raise the budget");
        }
        if (made) {
            List<Window> rest = oldest.stream()
                    .filter(window -> mapped.containsKey(window.region.uuid()))
                    .toList();
            rest.subList(0, rest.size() / 2).forEach(Windows::disarm);
        }
    }

    private static boolean overlap(Region one, Region other) {
        return one.base() < other.base() + other.roomBytes() && other.base() < one.base() + one.roomBytes();
    }

    private static void disarm(Window window) {
        for (AttachedRegion user : window.users) {
            user.disarm();
        }
    }

    /** False if another thread may be using it; it then stays mapped, and its next use is seen. */
    private boolean unmap(Context context, Window window) {
        disarm(window);
        Contexts.fence();
        for (AttachedRegion user : window.users) {
            if (Contexts.threadInside(context, user::isIn) != null) {
                return false;
            }
        }
        window.users.forEach(AttachedRegion::unmap);
        mapped.remove(window.region.uuid());
        mappedBytes -= window.region.bytes();
        return true;
    }

    /** Ends one attachment's use of a region, which no thread can reach through it any more. */
    synchronized void close(AttachedRegion user) {
        Window window = mapped.get(user.member().uuid());
        if (window != null && window.users.remove(user) && window.users.isEmpty()) {
            mapped.remove(window.region.uuid());
            mappedBytes -= window.region.bytes();
        }
        user.close();
    }

    synchronized long mappedBytes() {
        return mappedBytes;
    }

    @Override
    public String toString() {
        return "windows of " + budgetBytes + " bytes";
    }
}
