package io.loam.bench;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Medians over rounds, and ratios between systems. */
public final class Statistics {

    private Statistics() {}

    /** The middle value, the mean of the two in the middle of an even number; NaN of none. */
    static double median(Collection<? extends Number> numbers) {
        double[] sorted =
                numbers.stream().mapToDouble(Number::doubleValue).sorted().toArray();
        if (sorted.length == 0) {
            return Double.NaN;
        }
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** For each figure that is a number in a round, its median over the rounds that have it; other figures as the last round has them. */
    public static Map<String, Object> medians(List<Map<String, Object>> rounds) {
        Map<String, List<Number>> numbers = new LinkedHashMap<>();
        Map<String, Object> result = new LinkedHashMap<>();
        for (Map<String, Object> round : rounds) {
            round.forEach((figure, value) -> {
                if (value instanceof Number number) {
                    numbers.computeIfAbsent(figure, any -> new java.util.ArrayList<>())
                            .add(number);
                }
                result.put(figure, value);
            });
        }
        numbers.forEach((figure, values) -> result.put(figure, median(values)));
        return result;
    }

    /** Ours divided by theirs, for every figure that both have as a number and theirs not as zero. */
    static Map<String, Object> ratios(Map<String, Object> ours, Map<String, Object> theirs) {
        Map<String, Object> ratios = new LinkedHashMap<>();
        ours.forEach((figure, value) -> {
            if (value instanceof Number mine
                    && theirs.get(figure) instanceof Number other
                    && other.doubleValue() != 0) {
                ratios.put(figure, mine.doubleValue() / other.doubleValue());
            }
        });
        return ratios;
    }

    /** The share of {@code values} from the lowest to the highest, as "low..high". */
    static double[] range(Collection<? extends Number> values) {
        double[] sorted = values.stream().mapToDouble(Number::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted.length == 0
                ? new double[] {Double.NaN, Double.NaN}
                : new double[] {sorted[0], sorted[sorted.length - 1]};
    }
}
