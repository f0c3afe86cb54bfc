package io.loam.bench.server;

import io.loam.bench.BadInput;
import io.loam.bench.WorkerFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A server that was started to be measured, with no data and nothing kept on disk. */
final class ServerProcess implements AutoCloseable {

    /** Long, because bin/loam may have to build first. */
    private static final long START_NANOS = TimeUnit.MINUTES.toNanos(5);

    private static final long POLL_NANOS = 500_000;

    private final ServerSystem system;
    private final int port;
    private final long memoryBytes;
    private final List<String> command;
    private final Path log;
    private final Process process;
    private final Thread atExit;
    private final long startNanos;
    private final long emptyRssBytes;

    private ServerProcess(ServerSystem system, long memoryBytes, String cpus) {
        this.system = system;
        this.memoryBytes = memoryBytes;
        try {
            port = freePort();
            command = new ArrayList<>(pinned(cpus));
            command.addAll(system.command(port, memoryBytes, cpus.split(",").length));
            log = Files.createTempFile("loam-bench-" + system + "-", ".log");
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().remove("LOAM_JAVA_OPTS"); // those are of the benchmark's own JVM
            builder.environment().remove("JAVA_TOOL_OPTIONS");
            long from = System.nanoTime();
            process = builder.start();
            atExit = new Thread(process::destroy, "loam-bench-stop-" + system);
            Runtime.getRuntime().addShutdownHook(atExit); // a benchmark that is interrupted leaves no server behind
            startNanos = awaitReply(from) - from;
            emptyRssBytes = rssBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("can't start " + system, e);
        }
    }

    /**
     * Starts a server and waits for its first reply.
     *
     * @param cpus where it may run, as taskset writes them
     * @throws BadInput if its program is not there
     * @throws WorkerFailure if it does not answer; with what it printed
     */
    static ServerProcess start(ServerSystem system, long memoryBytes, String cpus) {
        return new ServerProcess(system, memoryBytes, cpus);
    }

    /** What begins a command so that it runs on these CPUs. */
    static List<String> pinned(String cpus) {
        return List.of(ServerSystem.onPath("pinning", "taskset", "install Debian's package util-linux"), "-c", cpus);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private long awaitReply(long from) throws IOException {
        try {
            while (!answers()) {
                if (!process.isAlive() || System.nanoTime() - from > START_NANOS) {
                    process.destroyForcibly();
                    throw new WorkerFailure(system + " does not answer"
                            + (process.waitFor(5, TimeUnit.SECONDS) ? ", exit code " + process.exitValue() : "") + ".\n"
                            + String.join(" ", command) + "\n" + printed());
                }
                TimeUnit.NANOSECONDS.sleep(POLL_NANOS);
            }
            return System.nanoTime();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new WorkerFailure("interrupted while " + system + " started");
        }
    }

    private boolean answers() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(Protocol.bytes(system.protocol() == Protocol.RESP ? "PING\r\n" : "version\r\n"));
            int first = socket.getInputStream().read();
            return first == '+' || first == 'V';
        } catch (IOException e) {
            return false; // not yet
        }
    }

    private String printed() throws IOException {
        List<String> lines = Files.readAllLines(log);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    ServerSystem system() {
        return system;
    }

    int port() {
        return port;
    }

    /** Its budget. */
    long memoryBytes() {
        return memoryBytes;
    }

    /** The command that started it, programs by name: where they lie is the machine's affair. */
    String command() {
        return command.stream()
                .map(word -> word.startsWith("/") ? Path.of(word).getFileName().toString() : word)
                .collect(Collectors.joining(" "));
    }

    /** From the start of the process to the first reply. */
    long startNanos() {
        return startNanos;
    }

    /** Resident size after the first reply. */
    long emptyRssBytes() {
        return emptyRssBytes;
    }

    long cpuNanos() {
        return ProcessStat.cpuNanos(process.pid());
    }

    long rssBytes() {
        return ProcessStat.rssBytes(process.pid());
    }

    long peakRssBytes() {
        return ProcessStat.peakRssBytes(process.pid());
    }

    @Override
    public void close() {
        try {
            process.destroy();
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            Files.deleteIfExists(log);
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new UncheckedIOException("can't delete " + log, e);
        }
    }
}
