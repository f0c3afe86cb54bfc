package io.loam.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.cli.ByteSize;
import io.loam.server.ServerOptions;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Scanner;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ServeCommandTest {

    @Test
    void optionsAreThoseOfTheConfigurationFile() {
        ServeCommand command = new ServeCommand();
        new CommandLine(command)
                .registerConverter(ByteSize.class, ByteSize::parse)
                .parseArgs(
                        "--port", "7000", "--memory", "64m", "--policy", "allkeys-lru", "--set", "requirepass=secret");
        ServerOptions options = command.options();
        assertThat(options.port()).isEqualTo(7000);
        assertThat(options.maxMemory()).isEqualTo(64L << 20);
        assertThat(options.maxMemoryPolicy()).isEqualTo("allkeys-lru");
        assertThat(options.requirePass()).isEqualTo("secret");
        assertThat(options.bind()).isEqualTo("127.0.0.1");
    }

    @Test
    void badOptionsAreUsageErrors() {
        StringWriter errors = new StringWriter();
        CommandLine commandLine = new CommandLine(new ServeCommand()).setErr(new PrintWriter(errors));
        assertThat(commandLine.execute("--set", "no-such=1")).isEqualTo(2);
        assertThat(errors.toString()).contains("no parameter is named 'no-such'");
        assertThat(commandLine.execute("--policy", "sometimes")).isEqualTo(2);
        assertThat(errors.toString()).contains("maxmemory-policy sometimes", "allkeys-lru");
        assertThat(commandLine.execute("--set", "appendonly=yes")).isEqualTo(2);
        assertThat(errors.toString()).contains("no durability on disk yet");
    }

    @Test
    void servesUntilAClientEndsIt() throws Exception {
        PipedWriter out = new PipedWriter();
        CompletableFuture<Integer> code;
        try (Scanner banner = new Scanner(new PipedReader(out, 1 << 16))) {
            CommandLine commandLine = new CommandLine(new ServeCommand())
                    .registerConverter(ByteSize.class, ByteSize::parse)
                    .setOut(new PrintWriter(out));
            code = CompletableFuture.supplyAsync(() -> commandLine.execute("--port", "0", "--memory", "16m"));
            String line = banner.nextLine();
            assertThat(line).startsWith("Loam ").endsWith(" serves the Redis protocol");
            while (!line.contains("redis-cli -p ")) {
                line = banner.nextLine();
            }
            int port = Integer.parseInt(line.replaceAll(".*-p ", ""));
            assertThat(ask(port, "PING\r\n")).isEqualTo("+PONG");
            assertThat(ask(port, "SHUTDOWN\r\n")).isEmpty();
            assertThat(code.get()).isZero();
        }
    }

    private static String ask(int port, String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readNBytes(5), StandardCharsets.US_ASCII);
        }
    }
}
