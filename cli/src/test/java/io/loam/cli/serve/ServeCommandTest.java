package io.loam.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.cli.ByteSize;
import io.loam.server.ServerOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

class ServeCommandTest {

    @Test
    void optionsAreThoseOfTheConfigurationFile() throws IOException {
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
        assertThat(errors.toString()).contains("no setting is named 'no-such'");
        assertThat(commandLine.execute("--policy", "sometimes")).isEqualTo(2);
        assertThat(errors.toString()).contains("maxmemory-policy sometimes", "allkeys-lru");
        assertThat(commandLine.execute("--set", "appendonly=yes")).isEqualTo(2);
        assertThat(errors.toString()).contains("nothing is written to disk yet");
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

    /** The server as a process of its own. */
    private static Process start(String... words) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "io.loam.cli.Main",
                "serve",
                "--memory",
                "16m"));
        command.addAll(List.of(words));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static int port(BufferedReader banner) throws IOException {
        String line = banner.readLine();
        while (line != null && !line.contains("redis-cli -p ")) {
            line = banner.readLine();
        }
        assertThat(line).isNotNull();
        return Integer.parseInt(line.replaceAll(".*-p ", ""));
    }

    @Test
    void aSignalEndsItInOrder() throws Exception {
        Process process = start("--port", "0");
        try (BufferedReader out = process.inputReader()) {
            int port = port(out);
            try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                client.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
                assertThat(client.getInputStream().readNBytes(7)).asString().isEqualTo("+PONG\r\n");
                process.toHandle().destroy(); // SIGTERM; Process.destroy would close what is read below
                assertThat(client.getInputStream().read())
                        .as("the connection is ended, not cut off")
                        .isEqualTo(-1);
            }
            assertThat(out.lines()).containsSubsequence("stopping: the process got a signal", "stopped");
            assertThat(process.waitFor()).isEqualTo(128 + 15);
        } finally {
            process.destroyForcibly();
        }
    }

    /** The usual port is taken by this test, or by somebody else already. */
    @Test
    void theNextFreePortIsTakenAndSaid() throws Exception {
        try (ServerSocket taken = new ServerSocket()) {
            try {
                taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 6379));
            } catch (BindException e) {
                assertThat(e).hasMessageContaining("in use");
            }
            Process process = start();
            try (BufferedReader out = process.inputReader()) {
                List<String> before = new ArrayList<>();
                String line = out.readLine();
                while (line != null && !line.startsWith("Loam ")) {
                    before.add(line);
                    line = out.readLine();
                }
                int port = port(out);
                assertThat(port).isBetween(6380, 6388);
                assertThat(before)
                        .contains("port 6379 is taken, so this server listens at port " + port
                                + "; --port chooses another");
                assertThat(ask(port, "PING\r\n")).isEqualTo("+PONG");
                assertThat(ask(port, "SHUTDOWN\r\n")).isEmpty();
                assertThat(out.lines()).contains("stopped: a client sent SHUTDOWN");
                assertThat(process.waitFor()).isZero();
            } finally {
                process.destroyForcibly();
            }
        }
    }

    private static String ask(int port, String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readNBytes(5), StandardCharsets.US_ASCII);
        }
    }

    @TempDir
    Path directory;

    private static ServerOptions options(String... words) throws IOException {
        ServeCommand command = new ServeCommand();
        new CommandLine(command)
                .registerConverter(ByteSize.class, ByteSize::parse)
                .parseArgs(words);
        return command.options();
    }

    @Test
    void everySettingIsAnOption() throws IOException {
        ServerOptions options = options(
                "--timeout",
                "30",
                "--port",
                "7000",
                "--bind",
                "127.0.0.1 -::1",
                "--requirepass",
                "geheim",
                "--maxmemory",
                "100mb",
                "--maxmemory-policy",
                "allkeys-lru");
        assertThat(options.timeoutSeconds()).isEqualTo(30);
        assertThat(options.port()).isEqualTo(7000);
        assertThat(options.bind()).isEqualTo("127.0.0.1 -::1");
        assertThat(options.requirePass()).isEqualTo("geheim");
        assertThat(options.maxMemory()).isEqualTo(100 << 20);
        assertThat(options.maxMemoryPolicy()).isEqualTo("allkeys-lru");
    }

    @Test
    void aUsersRulesMayBeginWithAMinus() throws IOException {
        assertThat(options("--user", "a", "on", ">pw", "+@all", "-@dangerous", "--user", "b on nopass")
                        .users())
                .isEqualTo(List.of("a on >pw +@all -@dangerous", "b on nopass"));
    }

    @Test
    void textsAreBytes() throws IOException {
        assertThat(options("--requirepass", "ä").requirePass()).isEqualTo("\u00c3\u00a4");
    }

    @Test
    void optionsOverrideTheFile() throws IOException {
        Path file =
                Files.write(directory.resolve("loam.conf"), List.of("timeout 5", "maxclients 10", "maxmemory 64mb"));
        ServerOptions options = options("--config", file.toString(), "--timeout", "6", "--set", "maxclients=11");
        assertThat(options.timeoutSeconds()).isEqualTo(6);
        assertThat(options.maxClients()).isEqualTo(11);
        assertThat(options.maxMemory()).isEqualTo(64 << 20);
        assertThat(options.file()).isEqualTo(file);
    }

    @Test
    void noLimitOfMemoryIsTheDefaultOne() throws IOException {
        long usual = options().maxMemory();
        assertThat(options("--maxmemory", "0").maxMemory()).isEqualTo(usual);
        assertThat(options("--set", "maxmemory=0").maxMemory()).isEqualTo(usual);
        Path file = Files.write(directory.resolve("loam.conf"), List.of("maxmemory 100mb", "maxmemory 0"));
        assertThat(options("--config", file.toString()).maxMemory()).isEqualTo(usual);
    }

    @Test
    void errorsNameWhatIsWrong() throws IOException {
        assertThatThrownBy(() -> options("--timeot", "5"))
                .isInstanceOf(ParameterException.class)
                .hasMessage("--timeot: no setting is named 'timeot'; near it: timeout");
        assertThatThrownBy(() -> options("--timeout", "soon"))
                .hasMessage("--timeout: argument couldn't be parsed into an integer");
        assertThatThrownBy(() -> options("--timeout")).hasMessageContaining("a value is missing");
        assertThatThrownBy(() -> options("stray")).hasMessageContaining("'stray' is no option");
        assertThatThrownBy(() -> options("--appendonly", "yes")).hasMessageContaining("later version");
        Path file = Files.writeString(directory.resolve("loam.conf"), "timeout\n");
        assertThatThrownBy(() -> options("--config", file.toString()))
                .hasMessage(file + ":1: timeout: a value is missing");
        assertThatThrownBy(() -> options("--config", directory.resolve("absent").toString()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("absent");
    }

    @Test
    void theExampleIsTaken() throws IOException {
        Path example = Path.of("..", "dist", "loam.conf");
        ServerOptions options = options("--config", example.toString());
        assertThat(options.maxMemory()).isEqualTo(1L << 30);
        assertThat(options.bind()).isEqualTo("127.0.0.1 -::1");
    }
}
