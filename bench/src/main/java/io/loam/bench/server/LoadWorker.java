package io.loam.bench.server;

import io.loam.bench.Json;
import io.loam.bench.WorkerFailure;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The JVM that generates load: reads a {@link LoadPlan} a line, answers each with a line of figures, or with {@code error}. */
public final class LoadWorker {

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private LoadWorker() {}

    public static void main(String[] arguments) throws IOException {
        LoadGenerator generator = new LoadGenerator(System::nanoTime, PATIENCE_NANOS);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println(Json.write(answer(generator, line)));
            System.out.flush();
        }
    }

    private static Map<String, Object> answer(LoadGenerator generator, String line) {
        try {
            return generator.run(Json.toRecord(Json.parseObject(line), LoadPlan.class));
        } catch (WorkerFailure e) {
            return Map.of("error", String.valueOf(e.getMessage()));
        } catch (Throwable e) { // whatever it is, the command must hear of it
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            return Map.of("error", trace.toString());
        }
    }
}
