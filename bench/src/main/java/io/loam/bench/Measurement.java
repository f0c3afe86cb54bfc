package io.loam.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A subcommand that measures and prints: what all of them share. */
abstract class Measurement implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--format",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "How to print (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String format;

    @Option(
            names = "--save",
            paramLabel = "FILE",
            description = "Also append the JSON object to this file, one a line.")
    private @Nullable Path save;

    @Option(
            names = "--label",
            paramLabel = "TEXT",
            description = "A label kept in the JSON, for finding the result again.")
    private @Nullable String label;

    /** Measures; what there is to report. */
    abstract Map<String, Object> measure();

    @Override
    public final Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try {
            oneOf("--format", format, "text", "json");
            Map<String, Object> result = measure();
            if (label != null) {
                result.put("label", label);
            }
            String command =
                    String.join(" ", spec.commandLine().getParseResult().originalArgs());
            result.put("command", command.startsWith("bench ") ? command.substring("bench ".length()) : command);
            String json = Json.write(result);
            if (save != null) {
                if (save.toAbsolutePath().getParent() instanceof Path parent) {
                    Files.createDirectories(parent);
                }
                Files.writeString(
                        save,
                        json + "\n",
                        StandardCharsets.UTF_8,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            }
            if (format.equals("text")) {
                new TextReport(out).print(result);
            } else {
                out.println(json);
            }
            out.flush();
            return 0;
        } catch (BadInput e) {
            err.println("loam bench " + spec.name() + ": " + e.getMessage());
            err.flush();
            return 2;
        } catch (WorkerFailure e) {
            err.println("loam bench " + spec.name() + ": " + e.getMessage());
            err.flush();
            return 1;
        }
    }

    /** Where to tell how it goes: not where the result goes. */
    final PrintWriter progress() {
        return spec.commandLine().getErr();
    }

    /** @throws BadInput unless {@code value} is one of {@code allowed} */
    static String oneOf(String option, String value, String... allowed) {
        for (String one : allowed) {
            if (one.equals(value)) {
                return value;
            }
        }
        throw new BadInput(option + " '" + value + "'; allowed: " + String.join(", ", allowed));
    }

    static double between(String option, double value, double low, double high) {
        if (!(value >= low && value <= high)) {
            throw new BadInput(option + " " + value + "; allowed: " + low + " to " + high);
        }
        return value;
    }

    static int between(String option, int value, int low, int high) {
        if (value < low || value > high) {
            throw new BadInput(option + " " + value + "; allowed: " + low + " to " + high);
        }
        return value;
    }

    static List<SystemName> systems(List<String> names) {
        return names.stream()
                .flatMap(name -> List.of(name.split(",")).stream())
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .map(SystemName::of)
                .distinct()
                .collect(Collectors.toList());
    }
}
