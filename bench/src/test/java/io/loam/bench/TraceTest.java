package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Traces and the exact LRU that they are played to. */
class TraceTest {

    private static Trace trace(String name, int keys) {
        return new Trace(name, keys, KeyChooser.zipfTable(keys, 0.99), 1);
    }

    @Test
    void aTraceIsTheSameForTheSameSeed() {
        for (String name : Trace.NAMES) {
            Trace one = trace(name, 1000);
            Trace two = trace(name, 1000);
            for (int i = 0; i < 10_000; i++) {
                assertThat(one.next()).isEqualTo(two.next());
            }
        }
    }

    @Test
    void scansAskForKeysNeverAskedForAgain() {
        Trace scanning = trace("zipf-scan", 1000);
        Set<Long> distinct = new HashSet<>();
        for (int i = 0; i < 240_000; i++) {
            distinct.add(scanning.next());
        }
        assertThat(distinct).hasSizeBetween(40_900, 41_000);
    }

    @Test
    void lruEvictsWhatWasAskedForLongestAgo() {
        LeastRecentlyUsed cache = new LeastRecentlyUsed(30);
        assertThat(cache.ask(1, 10)).isFalse();
        assertThat(cache.ask(2, 10)).isFalse();
        assertThat(cache.ask(3, 10)).isFalse();
        assertThat(cache.ask(1, 10)).isTrue();
        assertThat(cache.ask(4, 10)).isFalse();
        assertThat(cache.ask(2, 10)).isFalse();
        assertThat(cache.ask(1, 10)).isTrue();
    }

    @Test
    void valueLengthsAreWithinTheirBoundsAndFixedByKey() {
        for (long key = 0; key < 10_000; key++) {
            assertThat(Trace.valueBytes(key, 200, 800)).isBetween(200, 800).isEqualTo(Trace.valueBytes(key, 200, 800));
        }
    }
}
