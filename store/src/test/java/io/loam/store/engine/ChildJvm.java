package io.loam.store.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another JVM with the tests' class path, module path and collector, which runs a main class and talks by lines. */
final class ChildJvm implements AutoCloseable {

    final Process process;
    private final BufferedReader output;
    private final PrintWriter input;

    private ChildJvm(Process process) {
        this.process = process;
        this.output = process.inputReader(StandardCharsets.UTF_8);
        this.input = new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true);
    }

    static ChildJvm start(List<String> options, Class<?> main, String... arguments) {
        try {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            for (String option : Files.readString(Path.of("/proc/self/cmdline")).split("\0")) {
                if (option.startsWith("-XX:+Use")
                        || option.startsWith("--illegal")
                        || option.startsWith("--sun-misc")) {
                    command.add(option);
                }
            }
            String classPath =
                    System.getProperty("surefire.test.class.path", System.getProperty("java.class.path", ""));
            String modulePath = System.getProperty("jdk.module.path", "");
            String all = modulePath.isEmpty() ? classPath : modulePath + ":" + classPath;
            command.addAll(options);
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx128m", "-cp", all, main.getName()));
            command.addAll(List.of(arguments));
            return new ChildJvm(new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next line that it prints; an error if it ends instead. */
    String line() {
        try {
            String line = output.readLine();
            if (line == null) {
                throw new AssertionError("the child ended with " + process.waitFor() + " instead of a line");
            }
            return line;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    void say(String line) {
        input.println(line);
    }

    /** Its end as kill -9 makes it; returns when the process is gone. */
    void kill() {
        process.destroyForcibly();
        int ignored = exit();
    }

    /** What it ended with. */
    int exit() {
        try {
            if (!process.waitFor(1_500, TimeUnit.SECONDS)) {
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
