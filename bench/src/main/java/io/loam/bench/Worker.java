package io.loam.bench;

import io.loam.bench.system.Setup;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The JVM in which one system is measured. Reads a command a line, answers each with one line.
 *
 * <pre>
 *   {"command":"prepare","experiment":"ycsb","setup":{…},"plan":{…}}    {"command":"measure","round":0}    {"command":"finish"}
 * </pre>
 */
public final class Worker {

    /** Begins every answer, so that what a system prints is told from it. */
    static final String MARK = "@loam-bench ";

    private @Nullable Experiment experiment;

    private Worker() {}

    public static void main(String[] arguments) throws IOException {
        PrintStream out = System.out;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Worker worker = new Worker();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer = MARK + Json.write(worker.answer(line));
            out.println();
            out.println(answer);
            out.flush();
        }
        System.exit(0); // threads of a system under test must not keep the worker
    }

    private Map<String, Object> answer(String line) {
        try {
            Map<String, Object> request = Json.parseObject(line);
            return switch (String.valueOf(request.get("command"))) {
                case "prepare" -> {
                    experiment = Experiments.of(request);
                    yield experiment.prepare();
                }
                case "measure" -> started().measure((int) Figures.number(request, "round"));
                case "finish" -> started().finish();
                default -> Map.of("error", "unknown command: " + line);
            };
        } catch (BadInput e) {
            return Map.of("badInput", String.valueOf(e.getMessage()));
        } catch (VerificationException e) {
            return Map.of("error", "wrong data: " + e.getMessage());
        } catch (Throwable e) { // whatever it is, the command must hear of it
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            return Map.of("error", trace.toString());
        }
    }

    private Experiment started() {
        if (experiment == null) {
            throw new IllegalStateException("not prepared");
        }
        return experiment;
    }

    /** The setup in a request. */
    static Setup setup(Map<String, Object> request) {
        return Json.toRecord(Figures.object(request, "setup"), Setup.class);
    }

    static <R extends Record> R plan(Map<String, Object> request, Class<R> type) {
        return Json.toRecord(Figures.object(request, "plan"), type);
    }
}
