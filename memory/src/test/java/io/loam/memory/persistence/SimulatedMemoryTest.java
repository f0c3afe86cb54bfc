package io.loam.memory.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.persistence.SimulatedMemory.Finding;
import io.loam.memory.persistence.SimulatedMemory.Step;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SimulatedMemoryTest {

    private final SimulatedMemory memory = new SimulatedMemory(4096, 8192);

    private List<CrashImage> crashes(int most) {
        return memory.crashes(new SplittableRandom(1), most);
    }

    private Set<List<Long>> outcomes(int... words) {
        return crashes(1000).stream()
                .map(image -> java.util.Arrays.stream(words)
                        .mapToObj(word -> image.words()[word])
                        .toList())
                .collect(Collectors.toSet());
    }

    @Test
    void storesToOneLineSurviveAsAPrefix() {
        memory.putLong(0, 1);
        memory.putLong(8, 2);
        assertThat(outcomes(0, 1)).containsExactlyInAnyOrder(List.of(0L, 0L), List.of(1L, 0L), List.of(1L, 2L));
    }

    @Test
    void storesToTwoLinesSurviveIndependently() {
        memory.putLong(0, 1);
        memory.putLong(64, 2);
        assertThat(outcomes(0, 8))
                .containsExactlyInAnyOrder(List.of(0L, 0L), List.of(1L, 0L), List.of(0L, 2L), List.of(1L, 2L));
    }

    @Test
    void aFenceWithoutTheFlushPromisesNothing() {
        memory.putLong(0, 1);
        memory.fence();
        assertThat(outcomes(0)).containsExactlyInAnyOrder(List.of(0L), List.of(1L));
    }

    @Test
    void aFlushWithoutTheFencePromisesNothing() {
        memory.putLong(0, 1);
        memory.flush(0, 8);
        assertThat(outcomes(0)).containsExactlyInAnyOrder(List.of(0L), List.of(1L));
    }

    @Test
    void flushedAndFencedSurvivesAndLaterStoresMay() {
        memory.putLong(0, 1);
        memory.flush(0, 8);
        memory.putLong(0, 2);
        memory.fence();
        assertThat(outcomes(0)).containsExactlyInAnyOrder(List.of(1L), List.of(2L));
    }

    @Test
    void aFenceCoversItsOwnThreadOnly() throws InterruptedException {
        memory.putLong(0, 1);
        memory.flush(0, 8);
        Thread other = new Thread(memory::fence);
        other.start();
        other.join();
        assertThat(outcomes(0)).containsExactlyInAnyOrder(List.of(0L), List.of(1L));
        memory.fence();
        assertThat(outcomes(0)).containsExactly(List.of(1L));
    }

    @Test
    void partOfAWordIsStoredAsTheWholeWord() {
        memory.putLong(0, 0x1111_1111_1111_1111L);
        memory.persist(0, 8);
        memory.putInt(4, 0x2222_2222);
        assertThat(outcomes(0))
                .containsExactlyInAnyOrder(List.of(0x1111_1111_1111_1111L), List.of(0x2222_2222_1111_1111L));
    }

    @Test
    void storesThroughAViewAreFoundAtTheCrash() {
        memory.writableView(128, 64).set(ValueLayout.JAVA_LONG, 8, 7);
        assertThat(outcomes(17)).containsExactlyInAnyOrder(List.of(0L), List.of(7L));
        memory.persist(128, 64);
        assertThat(outcomes(17)).containsExactly(List.of(7L));
    }

    @Test
    void samplingStaysWithinThePrefixesAndMeetsTheExtremes() {
        for (int line = 0; line < 40; line++) {
            memory.putLong(line * 64L, 1);
            memory.putLong(line * 64L + 8, 1);
        }
        List<CrashImage> images = crashes(300);
        assertThat(images).hasSize(300);
        Set<Integer> survivors = new HashSet<>();
        for (CrashImage image : images) {
            int count = 0;
            for (int line = 0; line < 40; line++) {
                assertThat(image.words()[line * 8 + 1]).isLessThanOrEqualTo(image.words()[line * 8]);
                count += (int) image.words()[line * 8 + 1];
            }
            survivors.add(count);
        }
        assertThat(survivors).contains(0, 1, 39, 40);
    }

    @Test
    void theSameSeedGivesTheSameImages() {
        for (int line = 0; line < 40; line++) {
            memory.putLong(line * 64L, line);
        }
        assertThat(crashes(100).stream().map(image -> List.of(image.words())).toList())
                .usingRecursiveComparison()
                .isEqualTo(crashes(100).stream()
                        .map(image -> List.of(image.words()))
                        .toList());
    }

    @Test
    void anImageCanBeOpenedAndCrashAgain() {
        memory.putLong(0, 1);
        memory.persist(0, 8);
        var again = new SimulatedMemory(crashes(10).getFirst());
        assertThat(again.getLong(0)).isEqualTo(1);
        again.putLong(0, 2);
        assertThat(again.crashes(new SplittableRandom(1), 10)).hasSize(2);
    }

    @Test
    void lintNamesWhatIsUselessAndWhatIsMissing() {
        memory.lint();
        memory.fence();
        memory.putLong(0, 1);
        memory.flush(0, 8);
        memory.putLong(0, 2);
        memory.fence();
        memory.flush(64, 8);
        assertThat(memory.findings())
                .extracting(Finding::kind)
                .containsExactly(
                        Finding.Kind.FENCE_WITHOUT_FLUSH,
                        Finding.Kind.STORE_BETWEEN_FLUSH_AND_FENCE,
                        Finding.Kind.REDUNDANT_FLUSH);
        assertThat(memory.undurableLines()).containsExactly(0L);
    }

    @Test
    void aStepLeftOutIsAsIfItWereMissing() {
        memory.recordSteps();
        step();
        assertThat(memory.steps()).hasSize(2);
        for (Step step : memory.steps()) {
            var mutant = new SimulatedMemory(4096, 4096);
            mutant.leaveOut(step);
            mutant.putLong(0, 1);
            mutant.flush(0, 8);
            mutant.fence();
            assertThat(mutant.crashes(new SplittableRandom(1), 10)).hasSize(1);
        }
        for (Step step : memory.steps()) {
            var mutant = new SimulatedMemoryTest();
            mutant.memory.leaveOut(step);
            mutant.step();
            assertThat(mutant.crashes(10)).as(step.toString()).hasSize(2);
        }
    }

    private void step() {
        memory.putLong(0, 1);
        memory.persist(0, 8);
    }
}
