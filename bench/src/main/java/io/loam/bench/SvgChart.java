package io.loam.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Line and bar charts as SVG: text in, text out, no dependencies; readable on a white and on a dark page. */
final class SvgChart {

    /** A point of a line. */
    record Point(double x, double y) {}

    private static final int WIDTH = 720;
    private static final int HEIGHT = 400;
    private static final int LEFT = 80;
    private static final int RIGHT = 170;
    private static final int TOP = 46;
    private static final int BOTTOM = 56;
    private static final String[] COLOURS = {
        "#1f77b4", "#d95f02", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"
    };

    private final StringBuilder out = new StringBuilder();

    private SvgChart(String title) {
        out.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">%n",
                WIDTH,
                HEIGHT,
                WIDTH,
                HEIGHT));
        out.append("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
        text(WIDTH / 2.0, 22, "middle", title, 15);
    }

    /** Lines by name; {@code logarithmic}: the y axis. */
    static String lines(
            String title, String xLabel, String yLabel, boolean logarithmic, Map<String, List<Point>> series) {
        SvgChart chart = new SvgChart(title);
        List<Point> all = series.values().stream().flatMap(List::stream).toList();
        double xLow = all.stream().mapToDouble(Point::x).min().orElse(0);
        double xHigh = all.stream().mapToDouble(Point::x).max().orElse(1);
        Axis y = Axis.of(all.stream().mapToDouble(Point::y).toArray(), logarithmic);
        chart.yAxis(y, yLabel);
        double span = xHigh > xLow ? xHigh - xLow : 1;
        List<Double> marks = all.stream().map(Point::x).distinct().sorted().toList();
        for (double mark : marks.size() <= 12 ? marks : List.of(xLow, (xLow + xHigh) / 2, xHigh)) {
            double at = LEFT + (mark - xLow) / span * (WIDTH - LEFT - RIGHT);
            chart.text(at, HEIGHT - BOTTOM + 18, "middle", number(mark), 11);
        }
        chart.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14, "middle", xLabel, 12);
        int colour = 0;
        for (Map.Entry<String, List<Point>> line : series.entrySet()) {
            StringBuilder path = new StringBuilder();
            for (Point point : line.getValue()) {
                double x = LEFT + (point.x() - xLow) / span * (WIDTH - LEFT - RIGHT);
                path.append(
                        String.format(Locale.ROOT, "%s%.1f %.1f", path.isEmpty() ? "M" : " L", x, y.place(point.y())));
                chart.out.append(String.format(
                        Locale.ROOT,
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>%n",
                        x,
                        y.place(point.y()),
                        colour(colour)));
            }
            chart.out
                    .append("<path d=\"")
                    .append(path)
                    .append("\" fill=\"none\" stroke-width=\"2\" stroke=\"")
                    .append(colour(colour))
                    .append("\"/>\n");
            chart.legend(colour++, line.getKey());
        }
        return chart.end();
    }

    /** Bars in groups: by group, the value of each series. */
    static String bars(String title, String yLabel, Map<String, Map<String, Double>> groups) {
        SvgChart chart = new SvgChart(title);
        List<String> names = new ArrayList<>();
        List<Double> values = new ArrayList<>(List.of(0.0));
        groups.values()
                .forEach(group -> group.forEach((name, value) -> {
                    if (!names.contains(name)) {
                        names.add(name);
                    }
                    values.add(value);
                }));
        Axis y = Axis.of(values.stream().mapToDouble(Double::doubleValue).toArray(), false);
        chart.yAxis(y, yLabel);
        double width = (double) (WIDTH - LEFT - RIGHT) / Math.max(1, groups.size());
        double bar = width * 0.8 / Math.max(1, names.size());
        int place = 0;
        for (Map.Entry<String, Map<String, Double>> group : groups.entrySet()) {
            double from = LEFT + place++ * width + width * 0.1;
            for (int i = 0; i < names.size(); i++) {
                Double value = group.getValue().get(names.get(i));
                if (value != null) {
                    double top = y.place(value);
                    chart.out.append(String.format(
                            Locale.ROOT,
                            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"><title>%s %s: %s</title></rect>%n",
                            from + i * bar,
                            top,
                            bar * 0.92,
                            Math.max(0, HEIGHT - BOTTOM - top),
                            colour(i),
                            escaped(group.getKey()),
                            escaped(names.get(i)),
                            number(value)));
                }
            }
            chart.text(from + width * 0.4, HEIGHT - BOTTOM + 18, "middle", group.getKey(), 11);
        }
        for (int i = 0; i < names.size(); i++) {
            chart.legend(i, names.get(i));
        }
        return chart.end();
    }

    private record Axis(double low, double high, boolean logarithmic) {
        static Axis of(double[] values, boolean logarithmic) {
            double high = java.util.Arrays.stream(values)
                    .filter(Double::isFinite)
                    .max()
                    .orElse(1);
            if (logarithmic) {
                double low = java.util.Arrays.stream(values)
                        .filter(value -> value > 0)
                        .min()
                        .orElse(1);
                return new Axis(
                        Math.pow(10, Math.floor(Math.log10(low))),
                        Math.pow(10, Math.ceil(Math.log10(Math.max(high, low * 1.01)))),
                        true);
            }
            double step = Math.pow(10, Math.floor(Math.log10(Math.max(high, 1e-9))));
            return new Axis(0, Math.ceil(high / step * 2) / 2 * step, false);
        }

        double place(double value) {
            double share = logarithmic
                    ? (Math.log10(Math.max(value, low)) - Math.log10(low)) / (Math.log10(high) - Math.log10(low))
                    : (value - low) / (high - low);
            return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
        }

        List<Double> marks() {
            List<Double> marks = new ArrayList<>();
            if (logarithmic) {
                for (double mark = low; mark <= high * 1.001; mark *= 10) {
                    marks.add(mark);
                }
            } else {
                for (int i = 0; i <= 5; i++) {
                    marks.add(low + (high - low) * i / 5);
                }
            }
            return marks;
        }
    }

    private void yAxis(Axis axis, String label) {
        for (double mark : axis.marks()) {
            double at = axis.place(mark);
            out.append(String.format(
                    Locale.ROOT,
                    "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#dddddd\"/>%n",
                    LEFT,
                    WIDTH - RIGHT,
                    at,
                    at));
            text(LEFT - 6, at + 4, "end", number(mark), 11);
        }
        out.append(String.format(
                Locale.ROOT,
                "<text transform=\"translate(18 %d) rotate(-90)\" text-anchor=\"middle\" fill=\"#222222\">%s</text>%n",
                (HEIGHT - BOTTOM + TOP) / 2,
                escaped(label)));
    }

    private void legend(int place, String name) {
        double y = TOP + 8 + place * 18;
        out.append(String.format(
                Locale.ROOT,
                "<rect x=\"%d\" y=\"%.1f\" width=\"10\" height=\"10\" fill=\"%s\"/>%n",
                WIDTH - RIGHT + 14,
                y - 9,
                colour(place)));
        text(WIDTH - RIGHT + 30, y, "start", name, 12);
    }

    private void text(double x, double y, String anchor, String text, int size) {
        out.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\" fill=\"#222222\">%s</text>%n",
                x,
                y,
                anchor,
                size,
                escaped(text)));
    }

    private String end() {
        return out.append("</svg>\n").toString();
    }

    private static String colour(int index) {
        return COLOURS[index % COLOURS.length];
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    static String number(double value) {
        double size = Math.abs(value);
        if (size >= 1e6) {
            return String.format(Locale.ROOT, "%.3gM", value / 1e6);
        }
        if (size >= 1e4) {
            return String.format(Locale.ROOT, "%.3gk", value / 1e3);
        }
        String text = String.format(Locale.ROOT, "%.3f", value);
        return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
    }

    /** An ordered map for series and groups. */
    static <V> Map<String, V> ordered() {
        return new LinkedHashMap<>();
    }
}
