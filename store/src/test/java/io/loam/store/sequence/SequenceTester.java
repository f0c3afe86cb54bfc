package io.loam.store.sequence;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Runs random sequences and reports the first failure in its shortest form. */
public final class SequenceTester {
    private final Setup setup;
    private final Setup.Opener opener;
    /** A failure that depends on a thread's timing may need several runs to show again. */
    private final int runsPerTry;

    private final int shrinkTries;
    /** How long to wait for the word that an absent key was evicted. */
    private final long patienceMillis;

    public SequenceTester(Setup setup, Setup.Opener opener, int runsPerTry, int shrinkTries, long patienceMillis) {
        this.setup = setup;
        this.opener = opener;
        this.runsPerTry = runsPerTry;
        this.shrinkTries = shrinkTries;
        this.patienceMillis = patienceMillis;
    }

    /** A failing sequence: the shortest found, what it did and how to get it again. */
    public record Failure(long seed, Setup setup, List<Step> steps, Throwable cause) {

        public String report() {
            StringBuilder text = new StringBuilder();
            text.append("sequence of ")
                    .append(steps.size())
                    .append(" steps fails: ")
                    .append(cause.getMessage())
                    .append('\n');
            text.append("replay: -Dtest=SequenceTest -Dloam.sequence.setup=").append(setup.name());
            text.append(" -Dloam.sequence.seed=").append(seed).append('\n');
            text.append(setup.toJava(seed));
            steps.forEach(step -> text.append("  ").append(step.toJava()).append(",\n"));
            if (cause instanceof SequenceRun.Mismatch mismatch) {
                text.append("which did:\n");
                mismatch.listing()
                        .forEach(line -> text.append("  ").append(line).append('\n'));
            }
            return text.toString();
        }
    }

    public static List<Step> generate(long seed, int length) {
        SplittableRandom random = new SplittableRandom(seed);
        int scale = random.nextInt(3);
        List<Step> steps = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
            steps.add(Step.random(random, scale));
        }
        return steps;
    }

    /** Null if the sequence of this seed passes. */
    public @Nullable Failure test(long seed, int length) {
        List<Step> steps = generate(seed, length);
        Throwable cause = failure(steps, seed, 1);
        if (cause == null) {
            return null;
        }
        List<Step> least =
                new Shrinker(candidate -> failure(candidate, seed, runsPerTry) != null, shrinkTries).shrink(steps);
        Throwable leastCause = failure(least, seed, 2 * runsPerTry);
        return leastCause == null
                ? new Failure(seed, setup, steps, cause)
                : new Failure(seed, setup, least, leastCause);
    }

    /** Runs given steps; null if they pass. */
    public @Nullable Throwable failure(List<Step> steps, long seed, int runs) {
        for (int i = 0; i < runs; i++) {
            try {
                SequenceRun.run(setup, opener, steps, seed, patienceMillis);
            } catch (SequenceRun.Mismatch e) {
                return e;
            } catch (VirtualMachineError e) {
                throw e;
            }
        }
        return null;
    }
}
