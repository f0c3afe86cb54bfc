package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Medians over rounds and ratios between systems. */
class StatisticsTest {

    @Test
    void medianIsTheMiddleOrTheMeanOfTheTwoMiddles() {
        assertThat(Statistics.median(List.of(5, 1, 3))).isEqualTo(3);
        assertThat(Statistics.median(List.of(4, 1, 3, 2))).isEqualTo(2.5);
        assertThat(Statistics.median(List.of())).isNaN();
    }

    @Test
    void mediansAreTakenFigureByFigure() {
        Map<String, Object> medians = Statistics.medians(List.of(
                Map.of("a", 1, "b", 10.0, "text", "first"), Map.of("a", 3, "b", 30.0), Map.of("a", 2, "text", "last")));
        assertThat(medians).containsEntry("a", 2.0).containsEntry("b", 20.0).containsEntry("text", "last");
    }

    @Test
    void ratiosAreOursByTheirsWhereBothHaveTheFigure() {
        Map<String, Object> ratios = Statistics.ratios(
                Map.of("ops", 300L, "only", 1, "name", "x", "zero", 5), Map.of("ops", 100.0, "name", "y", "zero", 0));
        assertThat(ratios).containsOnly(Map.entry("ops", 3.0));
    }
}
