package io.loam.server.differential;

import io.loam.server.FreePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Debian's {@code redis-server}, to compare with; a process of its own. */
public final class RealRedis implements AutoCloseable {

    private final Process process;
    private final Path directory;
    private final int port;

    private RealRedis(Process process, Path directory, int port) {
        this.process = process;
        this.directory = directory;
        this.port = port;
    }

    /** Starts it, or skips the test and says so if this machine has none. */
    public static RealRedis start(String... options) throws IOException {
        Assumptions.assumeTrue(
                isInstalled(), "no redis-server on the PATH to compare with (apt-get install redis-server)");
        Path directory = Files.createTempDirectory("loam-redis");
        int port = FreePort.find();
        List<String> command = new ArrayList<>(List.of(
                "redis-server",
                "--port",
                Integer.toString(port),
                "--save",
                "",
                "--appendonly",
                "no",
                "--enable-debug-command",
                "yes",
                "--dir",
                directory.toString()));
        command.addAll(Arrays.asList(options));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        RealRedis redis = new RealRedis(process, directory, port);
        redis.awaitReady();
        return redis;
    }

    /** Whether there is one, and with it {@code redis-cli}. */
    public static boolean isInstalled() {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "redis-server")));
    }

    private void awaitReady() throws IOException {
        for (int tries = 0; ; tries++) {
            try (RespClient client = new RespClient(port)) {
                client.call("PING");
                return;
            } catch (IOException e) {
                if (!process.isAlive() || tries > 12_000) {
                    String log = Files.readString(directory.resolve("log"));
                    close();
                    throw new IOException("redis-server does not start: " + log, e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }
    }

    public int port() {
        return port;
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor();
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
