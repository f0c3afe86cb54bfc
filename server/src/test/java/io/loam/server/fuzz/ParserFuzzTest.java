package io.loam.server.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Hostile bytes to the parser, of any length: {@link RequestFuzzing} finds the strange ones, but sends at most some thousand bytes, and large arguments and long lines begin beyond that. Seeded: a failure names its
 * seed, {@code -Dloam.fuzz.seed=N} runs that one first. {@code -Dloam.fuzz.factor=N} runs N times as many.
 */
final class ParserFuzzTest {

    static final int FACTOR = Integer.getInteger("loam.fuzz.factor", 1);
    static final long FIRST_SEED = Long.getLong("loam.fuzz.seed", 1);
    private static final int INPUTS = 6_000 * FACTOR;

    @Test
    void theSameRequestsHoweverTheBytesAreCut() {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + INPUTS; seed++) {
            long named = seed;
            HostileInput input = new HostileInput(seed);
            byte[] stream = input.stream();
            ParserRun run = new ParserRun(input.of(1 << 20, 512 << 20, 64 << 10), input.below(5) == 0);
            try {
                List<String> whole = run.parse(stream, stream.length);
                for (int i = 0; i < 3; i++) {
                    assertThat(run.parse(stream, input.cuts(stream.length)))
                            .as(() -> "seed " + named + ", of " + HostileInput.shown(stream))
                            .isEqualTo(whole);
                }
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", of " + HostileInput.shown(stream), e);
            }
        }
    }
}
