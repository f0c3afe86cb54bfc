package io.loam.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

final class MembarrierTest {

    @Test
    void registrationIsIdempotentAndAllowsBarriers() {
        assertThat(Membarrier.register()).isEqualTo(Membarrier.isSupported());
        assumeTrue(Membarrier.isSupported());
        assertThat(Membarrier.register()).isTrue();
        for (int i = 0; i < 100; i++) {
            Membarrier.barrier();
        }
    }

    /** Dekker's handshake: with the barrier on one side, both sides missing the other's store is the forbidden outcome. */
    @Test
    void asymmetricHandshakeNeverMissesBothStores() throws InterruptedException {
        assumeTrue(Membarrier.register());
        RawMemory memory = RawMemory.ofProcess();
        try (Reservation reservation = Reservation.reserve(4096, 4096)) {
            long pin = reservation.address();
            long request = pin + 128;
            long round = pin + 256;
            int rounds = 20_000;
            long[] readerSaw = new long[rounds];
            Thread reader = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < rounds; i++) {
                    while (memory.getLongAcquire(round) < i + 1) {
                        Thread.onSpinWait();
                    }
                    memory.putLongOpaque(pin, i + 1);
                    java.lang.invoke.VarHandle.acquireFence();
                    readerSaw[i] = memory.getLongOpaque(request);
                    memory.putLongRelease(round, -i - 1L);
                }
            });
            for (int i = 0; i < rounds; i++) {
                memory.putLongRelease(round, i + 1L);
                memory.putLongOpaque(request, i + 1);
                Membarrier.barrier();
                long saw = memory.getLongOpaque(pin);
                while (memory.getLongAcquire(round) != -i - 1L) {
                    Thread.onSpinWait();
                }
                assertThat(saw == i + 1 || readerSaw[i] == i + 1)
                        .as("round %d", i)
                        .isTrue();
            }
            reader.join();
        }
    }
}
