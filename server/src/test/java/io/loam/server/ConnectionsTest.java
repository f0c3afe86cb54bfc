package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.ProcessMemory;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value.Status;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Ten thousand connections at once, of another process: {@link ManyClients}. {@code -Dloam.connections=N} for another number. */
final class ConnectionsTest {

    private static final int WANTED = Integer.getInteger("loam.connections", 10_000);
    /** Files that a process opens beside its connections. */
    private static final int OTHER_FILES = 500;
    /** On the Java heap: channel, pipeline, session, parser. */
    private static final long MOST_BYTES_OF_AN_IDLE_CLIENT = 4 << 10;
    /** What a client who does not read may cost: the socket's buffers, Netty's high-water mark, the reply under way. */
    private static final long BYTES_OF_A_SLOW_READER = 4 << 20;

    /** As many as wanted, or as files can be open in a process here; the JVM has raised its limit as far as it may. */
    private static int count() {
        long allowed = OpenFiles.limit() - OTHER_FILES;
        if (allowed < WANTED) {
            System.out.printf(
                    "ConnectionsTest: %,d connections instead of %,d: a process may open %,d files here (ulimit -Hn)%n",
                    allowed, WANTED, OpenFiles.limit());
        }
        Assumptions.assumeTrue(allowed >= 100, "a process may open only " + OpenFiles.limit() + " files here");
        return (int) Math.min(WANTED, allowed);
    }

    private static long heapBytes() {
        System.gc();
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static void await(BooleanSupplier condition) {
        for (int tries = 0; tries < 6000 && !condition.getAsBoolean(); tries++) {
            LockSupport.parkNanos(10_000_000);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    /** The other process, by its steps. */
    private record Clients(Process process, BufferedReader steps, OutputStream go) implements AutoCloseable {

        private static Clients start(int port, int count) throws IOException {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:+UseSerialGC",
                            "-Xmx256m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            ManyClients.class.getName(),
                            Integer.toString(port),
                            Integer.toString(count))
                    .redirectErrorStream(true)
                    .start();
            return new Clients(process, process.inputReader(StandardCharsets.UTF_8), process.getOutputStream());
        }

        private void await(String step) throws IOException {
            String line = steps.readLine();
            if (!step.equals(line)) {
                throw new AssertionError("the clients, before they were " + step + ": " + line + "\n"
                        + String.join("\n", steps.lines().toList()));
            }
        }

        private void goOn() throws IOException {
            go.write('\n');
            go.flush();
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    @Test
    void tenThousandConnectionsAreServedAtOnce() throws Exception {
        int count = count();
        ServerOptions options = new ServerOptions()
                .set("port", "0")
                .set("maxmemory", "64mb")
                .set("maxclients", Integer.toString(count));
        try (LoamServer server = LoamServer.start(options)) {
            try (RespClient first = new RespClient(server.port())) {
                assertThat(first.call("PING")).isEqualTo(new Status("PONG")); // classes are loaded
            }
            await(() -> server.service().sessionCount() == 0);
            long heapBefore = heapBytes();
            long residentBefore = ProcessMemory.rssBytes();
            try (Clients clients = Clients.start(server.port(), count)) {
                clients.await("connected");
                assertThat(server.service().sessionCount()).isEqualTo(count);
                assertNothingIsHeld(server);
                long heapEach = (heapBytes() - heapBefore) / count;
                System.out.printf(
                        "ConnectionsTest: %,d connections over %s, each %,d bytes of the Java heap, %,d bytes of the process%n",
                        count, server.transport(), heapEach, (ProcessMemory.rssBytes() - residentBefore) / count);
                assertThat(heapEach).isLessThan(MOST_BYTES_OF_AN_IDLE_CLIENT);
                clients.goOn();

                clients.await("served");
                assertThat(server.service().keyspace().database(0).entries().size())
                        .isEqualTo(count);
                assertNothingIsHeld(server);
                clients.goOn();

                clients.await("held up");
                int slow = (count + ManyClients.SLOW_EVERY - 2) / ManyClients.SLOW_EVERY;
                assertThat(server.service().heldOutputBytes()).isBetween(1L, slow * BYTES_OF_A_SLOW_READER);
                int halfOpen = (count + ManyClients.HALF_OPEN_EVERY - 3) / ManyClients.HALF_OPEN_EVERY;
                assertThat(server.service().sessions().stream()
                                .filter(session -> session.link().inputBytes() > 0)
                                .count())
                        .as("in the midst of a request, or not read from")
                        .isBetween((long) halfOpen, (long) halfOpen + slow);
                clients.goOn();

                clients.await("idle");
                assertNothingIsHeld(server);
                assertThat((heapBytes() - heapBefore) / count).isLessThan(MOST_BYTES_OF_AN_IDLE_CLIENT);
                clients.goOn();

                clients.await("closed");
                await(() -> server.service().sessionCount() == 0);
                assertThat(server.service().connections()).isEqualTo(count + 1);
                assertThat(server.service().rejectedConnections().sum()).isZero();
                clients.goOn();
                assertThat(clients.process.waitFor()).isZero();
            }
        }
    }

    private static void assertNothingIsHeld(LoamServer server) {
        await(() -> server.service().heldInputBytes() == 0 && server.service().heldOutputBytes() == 0);
    }
}
