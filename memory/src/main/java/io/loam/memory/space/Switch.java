package io.loam.memory.space;

import io.loam.memory.region.RegionLock;
import java.util.ArrayList;
import java.util.List;

/**
 * One stay of a context in an address space, with the locks it took on the way in. Closing it, in the thread of the context and innermost
 * first, restores the stay before.
 */
public final class Switch implements AutoCloseable {

    private final Context context;
    private final Place place;
    private final int at;
    private final int outer;
    private final int depth;
    /** Only the first stay in a place has taken its locks. */
    private final boolean first;

    private boolean over;

    /**
     * @param at the place's number in the context
     * @param outer the number of the place that it is entered from
     */
    Switch(Context context, Place place, int at, int outer, int depth) {
        this.context = context;
        this.place = place;
        this.at = at;
        this.outer = outer;
        this.depth = depth;
        this.first = place.stays == 0;
    }

    Place place() {
        return place;
    }

    int at() {
        return at;
    }

    int outer() {
        return outer;
    }

    int depth() {
        return depth;
    }

    boolean isOver() {
        return over;
    }

    /**
     * Names of the regions whose lock was last held by a process that died holding it for writing: what they hold may be half-changed,
     * and nobody else is told unless this process dies before it leaves. Normally empty, as it is once the stay is over.
     */
    public List<String> ownersDied() {
        List<String> died = new ArrayList<>();
        for (int i = 0; first && !over && i < place.grants.length; i++) {
            if (Place.GRANTS[place.grants[i]] == RegionLock.Grant.OWNER_DIED) {
                died.add(place.table.locks()[i].region().name());
            }
        }
        return died;
    }

    /**
     * Leaves.
     *
     * @throws IllegalStateException if this is not the innermost stay of its context, or in another thread
     */
    @Override
    public void close() {
        context.leave(this);
        over = true;
    }
}
