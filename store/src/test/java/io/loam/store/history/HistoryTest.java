package io.loam.store.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import io.loam.store.Store;
import io.loam.store.sequence.Bug;
import io.loam.store.sequence.HeapStore;
import io.loam.store.sequence.ManualClock;
import io.loam.store.sequence.Setup;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Recorded histories of concurrent calls must be linearizable for each key. */
class HistoryTest {

    static Stream<Setup> setups() {
        String only = System.getProperty("loam.sequence.setup", "");
        return Setup.all().stream()
                .map(setup -> setup.withBlocks(256, 256).withWriteTimeoutMillis(2_000))
                .filter(setup -> only.isEmpty() || setup.name().equals(only));
    }

    private static List<String> violations(Setup setup, Setup.Opener opener, int rounds, int calls, int threads)
            throws Exception {
        List<String> violations = new ArrayList<>();
        long firstSeed = Long.getLong("loam.history.seed", 1);
        for (long seed = firstSeed; seed < firstSeed + rounds && violations.isEmpty(); seed++) {
            ManualClock clock = new ManualClock();
            try (Store store = opener.open(setup, clock, seed)) {
                List<List<Call>> histories = new HistoryDriver(store, clock, calls, 9000).run(threads, seed);
                for (int key = 0; key < HistoryDriver.KEYS; key++) {
                    String why = new LinearizabilityChecker(new KeyModel(setup.full() == FullPolicy.EVICT), 20_000_000)
                            .explain(histories.get(key));
                    if (why != null) {
                        violations.add(setup.name() + " seed " + seed + " key " + key + ": " + why);
                    }
                }
            }
        }
        return violations;
    }

    @ParameterizedTest
    @MethodSource("setups")
    void historiesOfEachKeyAreLinearizable(Setup setup) throws Exception {
        double scale = Double.parseDouble(System.getProperty("loam.test.scale", "1"));
        int rounds = Math.max(1, (int) scale);
        assertThat(violations(setup, Setup::open, rounds, 2000, 4)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            names = {
                "STALE_READ",
                "ADD_NOT_ATOMIC",
                "COMPUTE_NOT_ATOMIC",
                "LOST_PUT",
                "VERSION_RESTARTS",
                "VERSION_IGNORED",
                "ABSENT_WHILE_REPLACED",
                "TORN_VALUE",
                "RESURRECTION",
                "REFUSAL_DROPS_OLD"
            })
    void plantedBugIsFound(Bug bug) throws Exception {
        assertThat(violations(Setup.TINY.withBlocks(256, 256), HeapStore.opener(bug), 20, 2000, 4))
                .as(bug.name())
                .isNotEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void storeWithoutBugsPasses(FullPolicy policy) throws Exception {
        assertThat(violations(Setup.TINY.withBlocks(256, 256).with(policy), HeapStore.opener(), 2, 2000, 4))
                .isEmpty();
    }
}
