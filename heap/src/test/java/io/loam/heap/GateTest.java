package io.loam.heap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class GateTest {

    /** Whoever has the heap alone; threads that are inside of an operation look at it. */
    private volatile boolean exclusive;

    private volatile boolean stop;

    private static Gate gate() {
        return new Gate(shared -> new Lane(null, null, shared));
    }

    /** Forbidden: a thread is inside of an operation while another has the heap alone, since neither saw the other's mark. */
    @Test
    void nobodyIsInsideWhileOneIsAlone() throws Exception {
        Gate gate = gate();
        var violations = new AtomicLong();
        var entries = new AtomicLong();
        List<Thread> team = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            Runnable work = () -> {
                long count = 0;
                while (!stop) {
                    Lane lane = gate.enter();
                    if (exclusive) {
                        violations.incrementAndGet();
                    }
                    gate.exit(lane);
                    count++;
                    if (Thread.currentThread().isVirtual()) {
                        Thread.yield();
                    }
                }
                entries.addAndGet(count);
            };
            team.add(
                    t < 3 ? Thread.ofPlatform().start(work) : Thread.ofVirtual().start(work));
        }
        for (int i = 0; i < 20_000; i++) {
            gate.alone(() -> {
                exclusive = true;
                for (int spin = 0; spin < 50; spin++) {
                    Thread.onSpinWait();
                }
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
