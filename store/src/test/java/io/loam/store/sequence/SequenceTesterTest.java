package io.loam.store.sequence;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The tester itself, on a store of plain maps: silent when it is right, and every planted bug found and made small. */
class SequenceTesterTest {

    /** What only concurrent readers can see. */
    private static final Set<Bug> CONCURRENT =
            EnumSet.of(Bug.ADD_NOT_ATOMIC, Bug.COMPUTE_NOT_ATOMIC, Bug.TRANSACTION_NOT_ISOLATED);

    /** What shows at certain calls only, so that a sequence that loses steps may lose the bug. */
    private static final Set<Bug> BY_COUNT =
            EnumSet.of(Bug.LOST_PUT, Bug.RESURRECTION, Bug.STALE_READ, Bug.ABSENT_WHILE_REPLACED, Bug.TORN_VALUE);

    @Test
    void passesAStoreWithoutBugs() {
        for (Setup setup : Setup.all()) {
            SequenceTester tester = new SequenceTester(setup, HeapStore.opener(), 1, 300, 1_000);
            for (long seed = 1; seed <= 4; seed++) {
                SequenceTester.Failure failure = tester.test(seed, 400);
                assertThat(failure == null ? "" : failure.report()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void findsAndShrinksAPlantedBug(Bug bug) {
        if (CONCURRENT.contains(bug)) {
            return;
        }
        Setup setup = Setup.TINY
                .with(bug == Bug.SILENT_EVICTION ? FullPolicy.EVICT : FullPolicy.REJECT)
                .withBlocks(64, 128);
        SequenceTester tester = new SequenceTester(setup, HeapStore.opener(bug), 1, 600, 1);
        SequenceTester.Failure failure = null;
        for (long seed = 1; seed <= 200 && failure == null; seed++) {
            failure = tester.test(seed, 300);
        }
        assertThat(failure).as(bug.name()).isNotNull();
        assertThat(failure.steps().size()).as(failure.report()).isLessThanOrEqualTo(BY_COUNT.contains(bug) ? 100 : 25);
        if (Boolean.getBoolean("loam.sequence.show")) {
            System.out.println(bug + ": " + failure.report());
        }
    }
}
