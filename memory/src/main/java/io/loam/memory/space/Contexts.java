package io.loam.memory.space;

import io.loam.memory.Membarrier;
import java.lang.invoke.VarHandle;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** All contexts of this process, to find out who is inside a table. */
final class Contexts {

    /** Whether the looking side pays for the fence of the entering one. */
    static final boolean MEMBARRIER = Membarrier.register();

    private static final Set<WeakReference<Context>> ALL = ConcurrentHashMap.newKeySet();
    private static final ReferenceQueue<Context> GONE = new ReferenceQueue<>();

    private Contexts() {}

    static void add(Context context) {
        for (var gone = GONE.poll(); gone != null; gone = GONE.poll()) {
            ALL.remove(gone);
        }
        ALL.add(new WeakReference<>(context, GONE));
    }

    /** After this, whoever is not seen inside a table will see what was stored before. */
    static void fence() {
        if (MEMBARRIER) {
            Membarrier.barrier();
        } else {
            VarHandle.fullFence();
        }
    }

    static boolean isInside(LongPredicate ids) {
        return threadInside(ids) != null;
    }

    /** A thread inside a table whose id is one of those, in whatever depth of nesting; null if there is none. */
    static @Nullable Thread threadInside(LongPredicate ids) {
        return threadInside(null, ids);
    }

    /** As above, without looking at {@code except}. */
    static @Nullable Thread threadInside(@Nullable Context except, LongPredicate ids) {
        for (WeakReference<Context> reference : ALL) {
            Context context = reference.get();
            if (context != null && context != except && context.isInside(ids)) {
                return context.owner();
            }
        }
        return null;
    }
}
