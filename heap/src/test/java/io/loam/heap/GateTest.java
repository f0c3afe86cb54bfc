package io.loam.heap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.loam.memory.Membarrier;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GateTest {

    /** Enough for the compiler to have done its work long before the end. */
    private static final int ALONE = 30_000;

    private static final int COLD_LINES = 24;
    private static final int INSIDE_SPINS = 100;

    /** Whoever has the heap alone; threads that are inside of an operation look at it. */
    private volatile boolean exclusive;

    private volatile boolean stop;
    /** More than the caches hold, so that a store to it takes long. */
    private final int[] cold = new int[24 << 20];

    private static Gate gate() {
        return new Gate(shared -> new Lane(null, shared));
    }

    /**
     * Forbidden: a thread is inside of an operation while another has the heap alone, since neither saw the other's mark: the mark of who enters waits in the store buffer while the gate is looked at. It waits long
     * here, behind stores to lines that the cache lacks, which become visible in order. So this fails without the barrier in {@code alone}, and without the fence in {@code enter} where the kernel has no membarrier.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nobodyIsInsideWhileOneIsAlone(boolean membarrier) throws Exception {
        assumeThat(!membarrier || Membarrier.register()).as("membarrier").isTrue();
        var gate = new Gate(shared -> new Lane(null, shared), membarrier);
        var violations = new AtomicLong();
        var entries = new AtomicLong();
        List<Thread> team = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            long seed = t;
            Runnable work = () -> entries.addAndGet(enterOften(gate, seed, violations));
            team.add(
                    t < 2 ? Thread.ofPlatform().start(work) : Thread.ofVirtual().start(work));
        }
        var random = new SplittableRandom(7);
        for (int i = 0; i < ALONE && violations.get() == 0; i++) {
            spin(random.nextInt(2000));
            gate.alone(() -> {
                exclusive = true;
                spin(INSIDE_SPINS);
                exclusive = false;
                return true;
            });
        }
        stop = true;
        for (Thread thread : team) {
            thread.join();
        }
        assertThat(violations.get()).isZero();
        assertThat(entries.get()).isPositive();
    }

    private static void spin(int times) {
        for (int i = 0; i < times; i++) {
            Thread.onSpinWait();
        }
    }

    private long enterOften(Gate gate, long seed, AtomicLong violations) {
        var random = new SplittableRandom(seed);
        long count = 0;
        while (!stop) {
            for (int i = 0; i < COLD_LINES; i++) {
                cold[random.nextInt(cold.length)] = i;
            }
            Lane lane = gate.enter();
            for (int i = 0; i < INSIDE_SPINS; i++) {
                if (exclusive) {
                    violations.incrementAndGet();
                    break;
                }
                Thread.onSpinWait();
            }
            gate.exit(lane);
            count++;
            if (Thread.currentThread().isVirtual()) {
                Thread.yield();
            }
        }
        return count;
    }

    @Test
    void lanesOfDeadThreadsServeLaterOnes() throws Exception {
        Gate gate = gate();
        int before = gate.lanes().size();
        for (int i = 0; i < 50; i++) {
            Thread thread = Thread.ofPlatform().start(() -> gate.exit(gate.enter()));
            thread.join();
        }
        assertThat(gate.lanes()).hasSize(before + 1);
    }

    @Test
    void whoeverWaitsAtAClosedGateIsToldOfTheEnd() throws Exception {
        Gate gate = gate();
        gate.alone(() -> {
            gate.end();
            return true;
        });
        assertThatThrownBy(gate::enter)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(gate.isEnded()).isTrue();
    }
}
