package io.loam.bench.server;

import io.loam.bench.Json;
import io.loam.bench.OwnJvm;
import io.loam.bench.WorkerFailure;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A {@link LoadWorker} seen from the command. One for a comparison, so that its code is compiled once for all systems. */
final class LoadProcess implements AutoCloseable {

    private final Process process;
    private final BufferedReader output;
    private final BufferedWriter input;

    private LoadProcess(Process process) {
        this.process = process;
        output = process.inputReader(StandardCharsets.UTF_8);
        input = process.outputWriter(StandardCharsets.UTF_8);
    }

    /** @param cpus where it may run, as taskset writes them */
    static LoadProcess start(String cpus) {
        List<String> command = new ArrayList<>(ServerProcess.pinned(cpus));
        command.addAll(OwnJvm.command(
                LoadWorker.class, "-Xms64m", "-Xmx64m", "-XX:MaxDirectMemorySize=1g", "-XX:+UseSerialGC"));
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.environment().remove("JAVA_TOOL_OPTIONS");
            return new LoadProcess(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException("can't start a JVM for the load generator", e);
        }
    }

    /**
     * Runs a plan.
     *
     * @throws WorkerFailure if it fails; says what the generator says
     */
    Map<String, Object> run(LoadPlan plan) {
        try {
            input.write(Json.write(plan));
            input.newLine();
            input.flush();
            String line = output.readLine();
            if (line == null) {
                throw new WorkerFailure("the load generator's JVM has ended");
            }
            Map<String, Object> figures = Json.parseObject(line);
            if (figures.get("error") instanceof String error) {
                throw new WorkerFailure(error);
            }
            return figures;
        } catch (IOException e) {
            throw new WorkerFailure("the load generator's JVM does not answer: " + e.getMessage());
        }
    }

    /** Runs a plan that no request of may be refused. */
    Map<String, Object> runWithoutErrors(LoadPlan plan) {
        Map<String, Object> figures = run(plan);
        if (figures.get("firstError") instanceof String error) {
            throw new WorkerFailure(plan.command() + ": " + figures.get("errors") + " of " + figures.get("operations")
                    + " requests were refused, the first with '" + error + "'");
        }
        return figures;
    }

    long cpuNanos() {
        return ProcessStat.cpuNanos(process.pid());
    }

    @Override
    public void close() {
        try {
            input.close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
