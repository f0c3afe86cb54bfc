package io.loam.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * Does once what commands do when they start, and ends: a JVM that runs it with {@code -XX:AOTCacheOutput} leaves a cache with which
 * the others start in half of the time. {@code bin/loam} does so at its first use.
 */
@Command(name = "start-up", hidden = true, description = "What the start-up cache of bin/loam is made of.")
final class StartUpCommand implements Callable<Integer> {

    private static final String REQUESTS =
            "PING\r\nSET key value\r\nGET key\r\nHSET hash field value\r\nHGET hash field\r\nDEL key hash\r\nINFO\r\nSHUTDOWN\r\n";

    @Override
    public Integer call() throws Exception {
        commandLine().execute("help");
        int port = freePort();
        FutureTask<Integer> server = new FutureTask<>(() -> {
            String[] serve = {"serve", "--port", Integer.toString(port), "--memory", "64m"};
            return commandLine(serve).execute(serve);
        });
        Thread.ofPlatform().daemon().name("start-up-server").start(server);
        while (!server.isDone() && !isServed(port)) {
            Thread.sleep(10);
        }
        return server.get();
    }

    private static CommandLine commandLine(String... arguments) {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        return Main.commandLine(arguments).setOut(nowhere).setErr(nowhere);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Sends some requests, the last of which ends the server; false if none listens yet. */
    private static boolean isServed(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(REQUESTS.getBytes(StandardCharsets.US_ASCII));
            return socket.getInputStream().readAllBytes().length > 0;
        } catch (IOException e) {
            return false;
        }
    }
}
