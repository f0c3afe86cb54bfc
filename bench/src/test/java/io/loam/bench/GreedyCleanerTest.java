package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** The simulation against the closed form: the live share u of victims solves (1 − u) / −ln u = utilisation. */
class GreedyCleanerTest {

    private static double closedForm(double utilisation) {
        double low = 1e-9;
        double high = 1 - 1e-9;
        for (int i = 0; i < 200; i++) {
            double u = (low + high) / 2;
            if ((1 - u) / -Math.log(u) < utilisation) {
                low = u;
            } else {
                high = u;
            }
        }
        return low / (1 - low);
    }

    @Test
    void agreesWithTheClosedForm() {
        for (double utilisation : new double[] {0.5, 0.7, 0.8, 0.9}) {
            double expected = closedForm(utilisation);
            assertThat(GreedyCleaner.copiesPerWrite(utilisation))
                    .as("at %s", utilisation)
                    .isCloseTo(expected, within(0.07 * expected));
        }
    }

    @Test
    void closedFormHasItsKnownValues() {
        assertThat(closedForm(0.8)).isCloseTo(1.69, within(0.02));
        assertThat(closedForm(0.9)).isCloseTo(4.18, within(0.05));
    }

    @Test
    void anEmptyOrFullLogIsRefused() {
        assertThatThrownBy(() -> GreedyCleaner.copiesPerWrite(1)).hasMessageContaining("between 0 and 1");
        assertThatThrownBy(() -> GreedyCleaner.copiesPerWrite(0)).hasMessageContaining("between 0 and 1");
    }
}
