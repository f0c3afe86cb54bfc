package io.loam.memory.space;

import io.loam.memory.region.Access;
import io.loam.memory.region.RegionLock;

/** One context's place in one table: how often it is in there, and how it got the table's locks. Used by the context's thread alone. */
final class Place {

    static final RegionLock.Grant[] GRANTS = RegionLock.Grant.values();
    static final byte NONE = (byte) RegionLock.Grant.NONE.ordinal();

    final Table table;
    /** Those of the table's lockable regions, in the order in which they are to be taken, and how. */
    final RegionLock[] locks;

    final boolean[] exclusively;
    /** How each of the locks was acquired when the first of the stays began; {@link #NONE} where a stay elsewhere holds it. */
    final byte[] grants;
    /** Stays, one inside the other. */
    int stays;

    Place(Table table) {
        this.table = table;
        AttachedRegion[] lockable = table.locks();
        this.locks = new RegionLock[lockable.length];
        this.exclusively = new boolean[lockable.length];
        for (int i = 0; i < lockable.length; i++) {
            locks[i] = lockable[i].lock();
            exclusively[i] = lockable[i].member().access() == Access.WRITE;
        }
        this.grants = new byte[lockable.length];
    }
}
