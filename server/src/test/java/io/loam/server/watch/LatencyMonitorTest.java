package io.loam.server.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.watch.LatencyMonitor.Event;
import io.loam.server.watch.LatencyMonitor.Sample;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LatencyMonitorTest {

    @Test
    void keepsTheLongestOfEachSecond() {
        LatencyMonitor monitor = new LatencyMonitor();
        monitor.add("command", 10, 5);
        monitor.add("command", 10, 9);
        monitor.add("command", 10, 7);
        monitor.add("command", 12, 3);
        assertThat(monitor.event("command"))
                .isEqualTo(new Event("command", List.of(new Sample(10, 9), new Sample(12, 3)), 9));
        assertThat(monitor.event("fast-command")).isNull();
    }

    @Test
    void forgetsTheOldestSamplesButNotTheLongestTime() {
        LatencyMonitor monitor = new LatencyMonitor();
        for (int second = 0; second < 500; second++) {
            monitor.add("command", second, 1000 - second);
        }
        Event event = monitor.events().getFirst();
        assertThat(event.samples()).hasSize(LatencyMonitor.SAMPLES);
        assertThat(event.latest()).isEqualTo(new Sample(499, 501));
        assertThat(event.longestMillis()).isEqualTo(1000);
        assertThat(monitor.reset("nothing")).isFalse();
        assertThat(monitor.reset()).isEqualTo(1);
        assertThat(monitor.events()).isEmpty();
    }
}
