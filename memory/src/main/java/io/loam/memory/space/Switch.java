package io.loam.memory.space;

import io.loam.memory.region.RegionLock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stay of a context in an address space, with the locks it took on the way in. Closing it, in the thread of the context and innermost
 * first, restores the stay before.
 */
public final class Switch implements AutoCloseable {

    private static final RegionLock.Grant[] NO_LOCKS = {};

    private final Context context;
    private final Table table;
    private final @Nullable Switch outer;
    /** How each of the table's locks was acquired; NONE where an outer stay holds it. */
    final RegionLock.Grant[] grants;

    Switch(Context context, Table table, @Nullable Switch outer) {
        this.context = context;
        this.table = table;
        this.outer = outer;
        int locks = table.locks().length;
        this.grants = locks == 0 ? NO_LOCKS : new RegionLock.Grant[locks];
    }

    Table table() {
        return table;
    }

    @Nullable
    Switch outer() {
        return outer;
    }

    /**
     * Names of the regions whose lock was last held by a process that died holding it for writing: what they hold may be half-changed,
     * and nobody else is told unless this process dies before it leaves. Normally empty.
     */
    public List<String> ownersDied() {
        List<String> died = new ArrayList<>();
        for (int i = 0; i < grants.length; i++) {
            if (grants[i] == RegionLock.Grant.OWNER_DIED) {
                died.add(table.locks()[i].region().name());
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
    }
}
