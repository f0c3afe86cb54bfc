package io.loam.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A server in a process of its own, with the tests' class path and collector, which may be killed. */
public final class ServerProcess implements AutoCloseable {

    private final Process process;
    private final Path log;
    private final String first;

    private ServerProcess(Process process, Path log) throws IOException {
        this.process = process;
        this.log = log;
        BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        String line = output.readLine();
        first = line == null ? "ended without a word; its log: " + Files.readString(log) : line;
    }

    /** The process. Arguments: names of settings and their values in turn. */
    public static void main(String[] arguments) throws Exception {
        ServerOptions options = new ServerOptions().set("port", "0");
        for (int i = 0; i < arguments.length; i += 2) {
            options.set(arguments[i], arguments[i + 1]);
        }
        try (LoamServer server = LoamServer.start(options)) {
            Runtime.getRuntime().addShutdownHook(new Thread(server::close));
            System.out.println(server.port() + " " + server.data());
            server.await();
        } catch (RuntimeException e) {
            System.out.println("refused: " + e.getMessage());
            System.exit(1);
        }
    }

    static ServerProcess start(String... settings) throws IOException {
        return start(List.of(), List.of(), settings);
    }

    /**
     * Starts one, and waits for what it has to say.
     *
     * @param before what the command begins with
     * @param jvm more options of the JVM
     */
    static ServerProcess start(List<String> before, List<String> jvm, String... settings) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String option : Files.readString(Path.of("/proc/self/cmdline")).split("\0")) {
            if (option.startsWith("-XX:+Use") || option.startsWith("--illegal") || option.startsWith("--sun-misc")) {
                command.add(option);
            }
        }
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path", ""));
        String modulePath = System.getProperty("jdk.module.path", "");
        String all = modulePath.isEmpty() ? classPath : modulePath + ":" + classPath;
        command.addAll(jvm);
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-cp", all, ServerProcess.class.getName()));
        command.addAll(List.of(settings));
        Path log = Files.createTempFile("loam-server-", ".log");
        return new ServerProcess(
                new ProcessBuilder(command).redirectError(log.toFile()).start(), log);
    }

    int port() {
        if (!Character.isDigit(first.charAt(0))) {
            throw new AssertionError(first);
        }
        return Integer.parseInt(first.substring(0, first.indexOf(' ')));
    }

    /** Its first line: port and what the data were, or why it does not start. */
    String first() {
        return first;
    }

    String log() throws IOException {
        return Files.readString(log);
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Ends it as {@code kill -9} does, and waits until it is gone. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        int ignored = await();
    }

    /** Ends it as {@code kill} does; its exit code. */
    int terminate() throws InterruptedException {
        process.destroy();
        return await();
    }

    /** Waits for its end; its exit code. */
    int await() throws InterruptedException {
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the server did not end");
        }
        return process.exitValue();
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        Files.deleteIfExists(log);
    }
}
