package io.loam.store.cleaner;

import io.loam.store.RemovalListener.Cause;
import io.loam.store.index.Index;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** What the cleaner asks of the engine about entries. */
public interface Owners {

    /** The index that a namespace's entries are in, or null if it was dropped. */
    @Nullable
    Index index(int namespaceId);

    /** Indexes of the namespace that were cleared or dropped and are still being accounted for; usually none. */
    Index[] condemned(int namespaceId);

    /** Wall-clock milliseconds. */
    long nowMillis();

    /** How ready an entry is to be evicted: 0 (never) to 255 (first). */
    int coldness(long location, long header);

    /** An entry moved; its reference mark moves along. */
    void moved(long from, long to);

    /**
     * The cleaner removed an entry from the index. Called under no lock, pinned.
     *
     * @return tells listeners, for {@link #tell}; null: none wants to know
     */
    @Nullable
    Runnable removed(int namespaceId, long location, long header, Cause cause);

    /** Tells listeners what {@link #removed} returned. Called when the caller's writes are over and it holds nothing that others wait for. */
    void tell(List<Runnable> removals);

    /** Whether entries of cleared or dropped namespaces are still to be counted dead. */
    boolean isSweeping();

    /** Copies up to {@code most} subtables of indexes that have a block which {@code leave} names, to other blocks; how many. The caller is not pinned. */
    int moveIndexes(IntPredicate leave, int most);

    /** Blocks have been freed, or it is clear that none will be. */
    void spaceChanged();
}
