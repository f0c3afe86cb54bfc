package io.loam.bench;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A worker JVM seen from the command: one line of JSON goes in, one line beginning with {@link Worker#MARK} comes back. Whatever else
 * the system under test prints is kept for the error message should the worker die.
 */
final class WorkerProcess implements AutoCloseable {

    private static final int KEPT_LINES = 40;

    private final SystemName system;
    private final Process process;
    private final BufferedReader output;
    private final BufferedWriter input;
    private final List<String> command;
    private final Deque<String> noise = new ArrayDeque<>();

    private WorkerProcess(SystemName system, List<String> command, Process process) {
        this.system = system;
        this.command = command;
        this.process = process;
        output = process.inputReader(StandardCharsets.UTF_8);
        input = process.outputWriter(StandardCharsets.UTF_8);
    }

    static WorkerProcess start(Comparison.Part part) {
        SystemName system = part.system();
        List<String> command = command(part);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        if (part.hugePages()) {
            builder.environment().putAll(system.environment());
        }
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        try {
            return new WorkerProcess(system, command, builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException("can't start a JVM for " + system, e);
        }
    }

    static List<String> flags(Comparison.Part part) {
        List<String> flags = new ArrayList<>(part.system().flags(part.heapBytes()));
        flags.addAll(part.flags());
        return flags;
    }

    private static List<String> command(Comparison.Part part) {
        SystemName system = part.system();
        boolean modular = Worker.class.getModule().isNamed();
        String modulePath = System.getProperty("jdk.module.path", "");
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        if (system.isExtra()
                && modular
                && ModuleLayer.boot().findModule("jdk.unsupported").isEmpty()
                && !isWholeJdk(java)) {
            // We run in a small runtime image: the peers need a whole JDK, and with it our modules as jars.
            java = Path.of(System.getProperty("loam.jdk.home", "no JDK was found"), "bin", "java");
            modulePath = Path.of(System.getProperty("loam.home", "."), "dist", "target", "modules")
                    .toString();
            if (!isWholeJdk(java) || !Files.isDirectory(Path.of(modulePath))) {
                throw new BadInput("'" + system
                        + "' needs a whole JDK 25 and Loam's jars, and this is a runtime image; build the jars"
                        + " with mvn package -DskipTests, and set JAVA_HOME to a JDK 25");
            }
        }
        List<String> command = new ArrayList<>();
        command.add(java.toString());
        command.addAll(flags(part));
        String peers = system.isExtra() ? Peers.libraries("peers") + File.separator + "*" : "";
        if (modular) {
            if (!modulePath.isEmpty()) {
                command.addAll(List.of("-p", modulePath));
            }
            if (system.isExtra()) {
                command.addAll(List.of("--add-modules", "ALL-DEFAULT", "-cp", peers));
            }
            command.addAll(List.of("-m", "io.loam.bench/" + Worker.class.getName()));
        } else {
            command.replaceAll(flag ->
                    flag.equals("--enable-native-access=io.loam.memory") ? "--enable-native-access=ALL-UNNAMED" : flag);
            String classPath = System.getProperty("java.class.path", "");
            command.addAll(List.of(
                    "-cp",
                    peers.isEmpty() ? classPath : classPath + File.pathSeparator + peers,
                    Worker.class.getName()));
        }
        return command;
    }

    private static boolean isWholeJdk(Path java) {
        return Files.exists(java) && Files.exists(java.resolveSibling("javac"));
    }

    /**
     * Sends a command and waits for its answer.
     *
     * @throws BadInput if the worker says that the input is at fault
     * @throws WorkerFailure if it fails or dies
     */
    Map<String, Object> ask(Map<String, Object> request) {
        try {
            input.write(Json.write(request));
            input.newLine();
            input.flush();
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                int mark = line.indexOf(Worker.MARK);
                if (mark >= 0) {
                    return answer(Json.parseObject(line.substring(mark + Worker.MARK.length())));
                }
                keep(line);
            }
        } catch (IOException e) {
            keep(String.valueOf(e.getMessage()));
        }
        throw new WorkerFailure(system + "'s JVM ended" + exitCode() + ".\n" + String.join(" ", command) + "\n"
                + String.join("\n", noise));
    }

    private Map<String, Object> answer(Map<String, Object> answer) {
        if (answer.get("badInput") instanceof String message) {
            throw new BadInput(message);
        }
        if (answer.get("error") instanceof String message) {
            throw new WorkerFailure(system + ": " + message);
        }
        return answer;
    }

    private void keep(String line) {
        noise.add(line);
        if (noise.size() > KEPT_LINES) {
            noise.removeFirst();
        }
    }

    private String exitCode() {
        try {
            return process.waitFor(5, TimeUnit.SECONDS) ? " with exit code " + process.exitValue() : "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
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
