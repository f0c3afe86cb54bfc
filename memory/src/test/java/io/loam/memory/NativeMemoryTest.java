package io.loam.memory;

import org.junit.jupiter.api.AfterEach;

final class NativeMemoryTest extends RawMemoryContract {

    private final Reservation reservation = Reservation.reserve(BYTES, 4096);

    @AfterEach
    void close() {
        reservation.close();
    }

    @Override
    RawMemory memory() {
        return RawMemory.ofProcess();
    }

    @Override
    long base() {
        return reservation.address();
    }
}
