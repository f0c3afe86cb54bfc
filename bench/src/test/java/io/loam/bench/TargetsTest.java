package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Goals find their figures in saved results. */
class TargetsTest {

    private static Targets.Target target(String figure) {
        return Targets.all().stream()
                .filter(target -> target.figure().equals(figure))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void ratiosAreFoundUnderTheirLabel() {
        Results results = new Results();
        results.add(Map.of(
                "label",
                "get-100",
                "systems",
                Map.of("loam", Map.of("opsPerCpuSecond", 700.0), "bare", Map.of("opsPerCpuSecond", 1000.0))));
        Targets.Target target = target("GET 100 B vs bare");
        assertThat(target.value().applyAsDouble(results)).isCloseTo(0.7, within(1e-9));
        assertThat(target.met(0.7)).isTrue();
        assertThat(target.met(0.69)).isFalse();
    }

    @Test
    void whatWasNotMeasuredIsNeitherMetNorANumber() {
        for (Targets.Target target : Targets.all()) {
            double value = target.value().applyAsDouble(new Results());
            assertThat(value).as(target.figure()).isNaN();
            assertThat(target.met(value)).isFalse();
        }
    }

    @Test
    void runsAreFoundByWorkloadAndTrace() {
        Results results = new Results();
        results.add(Map.of(
                "label",
                "fragmentation",
                "runs",
                List.of(
                        Map.of("workload", "W1", "system", "loam", "fillRatio", 0.76),
                        Map.of("workload", "P2", "system", "loam", "fillRatio", 0.93))));
        assertThat(target("user bytes / capacity at first refusal, W1").value().applyAsDouble(results))
                .isEqualTo(0.76);
        assertThat(target("fill ratio, values of 1000 B and more (lowest of W7, P2-P6)")
                        .value()
                        .applyAsDouble(results))
                .isEqualTo(0.93);
    }

    @Test
    void chartsAreWellFormed() throws Exception {
        String lines = SvgChart.lines(
                "t & <t>",
                "x",
                "y",
                true,
                Map.of("a", List.of(new SvgChart.Point(0.3, 10), new SvgChart.Point(0.9, 2e6))));
        String bars = SvgChart.bars("t", "y", Map.of("W1", Map.of("loam", 1.2, "chm", 2.5), "W2", Map.of("loam", 1.1)));
        for (String svg : List.of(lines, bars)) {
            assertThat(svg)
                    .startsWith("<svg")
                    .endsWith("</svg>\n")
                    .doesNotContain("NaN")
                    .doesNotContain("<t>");
        }
    }
}
