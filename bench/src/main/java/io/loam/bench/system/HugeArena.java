package io.loam.bench.system;

import io.loam.memory.Reservation;
import java.util.ArrayList;
import java.util.List;

/** Memory for the limit: the same reservations with huge pages that the store has, never released in between. */
final class HugeArena implements AutoCloseable {

    private static final long HUGE_PAGE_BYTES = 2L << 20;

    private final List<Reservation> reservations = new ArrayList<>();

    /** Zeroed memory on a 2 MiB boundary; its address. */
    synchronized long allocate(long bytes) {
        long whole = (bytes + HUGE_PAGE_BYTES - 1) & -HUGE_PAGE_BYTES;
        Reservation reservation = Reservation.reserve(whole, HUGE_PAGE_BYTES);
        reservation.adviseHugePages(0, whole, true);
        reservations.add(reservation);
        return reservation.address();
    }

    @Override
    public synchronized void close() {
        reservations.forEach(Reservation::close);
        reservations.clear();
    }
}
