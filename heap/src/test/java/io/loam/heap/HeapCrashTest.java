package io.loam.heap;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Loses the power of heaps. How often: {@code -Dloam.crash.images}; from where: {@code -Dloam.crash.seed}. */
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
}
