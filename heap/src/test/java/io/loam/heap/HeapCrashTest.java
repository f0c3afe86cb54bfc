package io.loam.heap;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.persistence.SimulatedMemory.Finding;
import io.loam.memory.persistence.SimulatedMemory.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Loses the power of heaps. How often: {@code -Dloam.crash.images}; from where: {@code -Dloam.crash.seed}. With {@code -Dloam.crash.mutations=true} also takes each flush and fence away. */
class HeapCrashTest {

    private static final int STEPS = 25;
    private static final int IMAGES_PER_FENCE = 12;

    private static List<CrashScenario> scenarios() {
        return List.of(new ObjectsScenario(), new StructuresScenario());
    }

    @Test
    void everyImageOfEveryCrashIsSound() {
        long images = Long.getLong("loam.crash.images", 20_000);
        long seed = Long.getLong("loam.crash.seed", 1);
        assertThat(CrashTester.run(scenarios(), seed, STEPS, IMAGES_PER_FENCE, images))
                .isGreaterThanOrEqualTo(images);
    }

    @Test
    void noFlushOrFenceIsUseless() {
        for (CrashScenario scenario : scenarios()) {
            var tester = new CrashTester(scenario, 3, STEPS * 2, 1, null);
            tester.run();
            assertThat(tester.findings())
                    .as(scenario.name())
                    .extracting(Finding::toString)
                    .isEmpty();
        }
    }

    /** Whatever flush or fence of the heap is taken away, one of the scenarios finds an image that is not sound. */
    @Test
    @EnabledIfSystemProperty(
            named = "loam.crash.mutations",
            matches = "true",
            disabledReason = "minutes; .ci/run does it")
    void everyMissingFlushOrFenceIsNoticed() {
        Map<Step, List<CrashScenario>> seen = new TreeMap<>();
        for (CrashScenario scenario : scenarios()) {
            var steps = new TreeSet<Step>();
            for (long seed = 1; seed <= 4; seed++) {
                var tester = new CrashTester(scenario, seed, STEPS * 2, 4, null);
                tester.run();
                steps.addAll(tester.stepsSeen());
            }
            assertThat(steps.size()).as(scenario.name()).isGreaterThan(20);
            // the scenarios' own are not what is tested
            steps.stream()
                    .filter(step -> !step.place().text().contains("Scenario"))
                    .forEach(step -> seen.computeIfAbsent(step, ignored -> new ArrayList<>())
                            .add(scenario));
        }
        long seeds = Long.getLong("loam.crash.mutation.seeds", 8);
        assertThat(seen.entrySet().parallelStream()
                        .filter(entry -> entry.getValue().stream()
                                .noneMatch(scenario ->
                                        CrashTester.notices(scenario, entry.getKey(), (int) seeds, STEPS * 2, 6)))
                        .map(entry -> entry.getKey().toString())
                        .toList())
                .isEmpty();
    }
}
