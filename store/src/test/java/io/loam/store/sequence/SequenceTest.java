package io.loam.store.sequence;

import static org.assertj.core.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random sequences on the store. {@code loam.sequence.count} sequences of {@code loam.sequence.length} steps per setup, from
 * {@code loam.sequence.seed} on; {@code loam.sequence.setup} picks one setup by its name.
 */
class SequenceTest {

    static Stream<Setup> setups() {
        String only = System.getProperty("loam.sequence.setup", "");
        return Setup.all().stream()
                .filter(setup -> only.isEmpty() || setup.name().equals(only));
    }

    @ParameterizedTest
    @MethodSource("setups")
    void storeAgreesWithItsModel(Setup setup) {
        long firstSeed = Long.getLong("loam.sequence.seed", 1);
        boolean replay = System.getProperty("loam.sequence.seed") != null;
        int count = Integer.getInteger("loam.sequence.count", replay ? 1 : 3);
        int length = Integer.getInteger("loam.sequence.length", 300);
        int report = Integer.getInteger("loam.sequence.report", 1);
        SequenceTester tester =
                new SequenceTester(setup, Setup::open, 2, Integer.getInteger("loam.sequence.shrink", 400), 60_000);
        List<String> failures = new ArrayList<>();
        for (long seed = firstSeed; seed < firstSeed + count && failures.size() < report; seed++) {
            SequenceTester.Failure failure = tester.test(seed, length);
            if (failure != null) {
                failures.add(failure.report());
            }
        }
        if (!failures.isEmpty()) {
            fail(String.join("\n\n", failures));
        }
    }
}
