package io.loam.memory.persistence;

import io.loam.memory.MappedFile;
import io.loam.memory.Reservation;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.BitSet;

/**
 * Keeps a mapped file write-protected but for what is being stored to: the first store to a unit opens a window, at once; windows are closed in batches, neighbours by one call. A
 * permission costs some 5 µs to change, so that a window should be used for many stores.
 *
 * <p>Threads: {@link #open} from any; {@link #closeAll} while nobody stores. The forbidden outcome: a thread finds a window open and its store faults. The flag is set by release after the
 * permission was given, and looked at by acquire; it is cleared only while nobody is between its look and its store.
 */
final class StoreWindows {

    private static final int UNIT_SHIFT = 16;
    private static final VarHandle FLAGS = MethodHandles.arrayElementVarHandle(byte[].class);
    /** More pieces than this are not worth keeping apart: the kernel allows some 65,000 mappings in all. */
    private static final int MOST_OPEN = 8192;

    private final MappedFile file;
    private final int unitShift = Math.max(UNIT_SHIFT, Long.numberOfTrailingZeros(Reservation.pageBytes()));
    private final long length;
    private final byte[] isOpen;
    private final BitSet open = new BitSet();
    private int openCount;

    StoreWindows(MappedFile file) {
        this.file = file;
        length = file.memory().byteSize();
        isOpen = new byte[Math.toIntExact((length + (1L << unitShift) - 1) >>> unitShift)];
        file.protect(0, length, false);
    }

    void open(long offset, long bytes) {
        int last = (int) (offset + bytes - 1 >>> unitShift);
        for (int unit = (int) (offset >>> unitShift); unit <= last; unit++) {
            if ((byte) FLAGS.getAcquire(isOpen, unit) == 0) {
                open(unit);
            }
        }
    }

    private synchronized void open(int unit) {
        if (isOpen[unit] != 0) {
            return;
        }
        if (openCount >= MOST_OPEN) {
            file.protect(0, length, true);
            for (int i = 0; i < isOpen.length; i++) {
                FLAGS.setRelease(isOpen, i, (byte) 1);
            }
            open.set(0, isOpen.length);
        } else {
            protect(unit, unit + 1, true);
            open.set(unit);
            FLAGS.setRelease(isOpen, unit, (byte) 1);
        }
        openCount++;
    }

    private void protect(int from, int to, boolean writable) {
        long start = (long) from << unitShift;
        file.protect(start, Math.min(length, (long) to << unitShift) - start, writable);
    }

    /** How many pieces were closed. */
    synchronized int closeAll() {
        int pieces = 0;
        for (int from = open.nextSetBit(0); from >= 0; from = open.nextSetBit(from)) {
            int to = open.nextClearBit(from);
            protect(from, to, false);
            for (int unit = from; unit < to; unit++) {
                FLAGS.setRelease(isOpen, unit, (byte) 0);
            }
            from = to;
            pieces++;
        }
        open.clear();
        openCount = 0;
        return pieces;
    }
}
