package io.loam.memory.region;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another JVM with the tests' class path and options, which runs a main class and talks by lines. */
public final class ChildJvm implements AutoCloseable {

    private final Process process;
    private final BufferedReader output;
    private final PrintWriter input;

    private ChildJvm(Process process) {
        this.process = process;
        this.output = process.inputReader(StandardCharsets.UTF_8);
        this.input = new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true);
    }

    public static ChildJvm start(Class<?> main, String... arguments) {
        return start(List.of(), main, arguments);
    }

    /** With more JVM options. */
    public static ChildJvm start(List<String> options, Class<?> main, String... arguments) {
        return start(List.of(), options, main, arguments);
    }

    /** Beneath a command that runs the command behind it. */
    public static ChildJvm start(List<String> beneath, List<String> options, Class<?> main, String... arguments) {
        try {
            List<String> command = new ArrayList<>(beneath);
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            for (String option : Files.readString(Path.of("/proc/self/cmdline")).split("\0")) {
                if (option.startsWith("--illegal")
                        || option.startsWith("--sun-misc")
                        || option.startsWith("-XX:+Use")
                        || option.equals("-ea")) {
                    command.add(option);
                }
            }
            String classPath =
                    System.getProperty("surefire.test.class.path", System.getProperty("java.class.path", ""));
            command.addAll(options);
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx128m", "-cp", classPath, main.getName()));
            command.addAll(List.of(arguments));
            return new ChildJvm(new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .directory(new File(System.getProperty("java.io.tmpdir")))
                    .start());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    public long pid() {
        return process.pid();
    }

    /** The next line that it prints; an error if it ends instead. */
    public String line() {
        try {
            String line = output.readLine();
            if (line == null) {
                throw new AssertionError("the child ended with " + process.waitFor() + " instead of a line");
            }
            return line;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public void say(String line) {
        input.println(line);
    }

    /** Its end as kill -9 makes it; returns when the process is gone. */
    public void kill() {
        process.destroyForcibly();
        exit();
    }

    /** What it ended with. */
    public int exit() {
        try {
            if (!process.waitFor(300, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("the child did not end");
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
