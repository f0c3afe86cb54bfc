package io.loam.server;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A process that is many clients, each with a connection: {@link ConnectionsTest} runs it and looks at the server meanwhile. After each step it prints the step's name and waits for a line. Checks every reply; what is wrong
 * ends it with an exception.
 */
final class ManyClients {

    /** One of so many reads nothing of what it has asked for, until the others have been served. */
    static final int SLOW_EVERY = 500;
    /** One of so many stops in the midst of a request. */
    static final int HALF_OPEN_EVERY = 100;

    private static final int SLOW_REQUESTS = 100;
    private static final String LARGE = "large".repeat(20_000);
    private static final String HALF = "*3\r\n$3\r\nSET\r\n$8\r\nhalfopen\r\n$1000\r\n" + "h".repeat(400);
    private static final String OTHER_HALF = "h".repeat(600) + "\r\n";

    private final List<SocketChannel> channels = new ArrayList<>();
    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    private final ByteBuffer reply = ByteBuffer.allocateDirect(1 << 17);

    /** @param arguments the server's port, the number of clients */
    public static void main(String[] arguments) throws IOException {
        new ManyClients().run(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]));
    }

    private void run(int port, int count) throws IOException {
        InetSocketAddress server = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        for (int i = 0; i < count; i++) {
            channels.add(SocketChannel.open(server));
        }
        all(i -> "PING\r\n", i -> "+PONG\r\n");
        done("connected");

        all(i -> request("SET", key(i), value(i)), i -> "+OK\r\n");
        all(i -> request("GET", key(i)), i -> bulk(value(i)));
        all(ManyClients::pipeline, ManyClients::pipelineReplies);
        done("served");

        one(0, request("SET", "large", LARGE), "+OK\r\n");
        for (int i = 0; i < count; i++) {
            if (isSlow(i)) {
                send(i, request("GET", "large").repeat(SLOW_REQUESTS));
            } else if (isHalfOpen(i)) {
                send(i, HALF);
            }
        }
        for (int i = 0; i < count; i++) {
            if (!isSlow(i) && !isHalfOpen(i)) {
                one(i, request("GET", key(i)), bulk(value(i)));
            }
        }
        done("held up");

        for (int i = 0; i < count; i++) {
            if (isSlow(i)) {
                for (int k = 0; k < SLOW_REQUESTS; k++) {
                    expect(i, bulk(LARGE));
                }
            } else if (isHalfOpen(i)) {
                one(i, OTHER_HALF, "+OK\r\n");
            }
        }
        all(i -> "PING\r\n", i -> "+PONG\r\n");
        done("idle");

        for (int i = 0; i < count; i++) {
            SocketChannel channel = channels.get(i);
            if (i % 3 == 0) {
                one(i, "QUIT\r\n", "+OK\r\n");
                expectEnd(i);
            } else if (i % 3 == 1) {
                channel.shutdownOutput();
                expectEnd(i);
            }
            channel.close();
        }
        done("closed");
    }

    private static boolean isSlow(int client) {
        return client % SLOW_EVERY == 1;
    }

    private static boolean isHalfOpen(int client) {
        return client % HALF_OPEN_EVERY == 2;
    }

    private void done(String step) throws IOException {
        System.out.println(step);
        if (in.readLine() == null) {
            throw new EOFException("the test has ended after " + step);
        }
    }

    // ---- requests

    private static String key(int client) {
        return "client:" + client;
    }

    private static String value(int client) {
        return "v" + "x".repeat(client % 97) + client;
    }

    private static String request(String... words) {
        StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            text.append(bulk(word));
        }
        return text.toString();
    }

    private static String bulk(String text) {
        return "$" + text.length() + "\r\n" + text + "\r\n";
    }

    private static String pipeline(int client) {
        return (request("INCR", "n:" + client) + request("GET", key(client)) + request("STRLEN", key(client)))
                        .repeat(client % 7)
                + request("DEL", "n:" + client);
    }

    private static String pipelineReplies(int client) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= client % 7; i++) {
            text.append(":").append(i).append("\r\n").append(bulk(value(client)));
            text.append(":").append(value(client).length()).append("\r\n");
        }
        return text.append(client % 7 == 0 ? ":0\r\n" : ":1\r\n").toString();
    }

    // ---- connections

    /** Sends what all have to send, then reads what all are to get. */
    private void all(IntFunction<String> sent, IntFunction<String> expected) throws IOException {
        for (int i = 0; i < channels.size(); i++) {
            send(i, sent.apply(i));
        }
        for (int i = 0; i < channels.size(); i++) {
            expect(i, expected.apply(i));
        }
    }

    private void one(int client, String sent, String expected) throws IOException {
        send(client, sent);
        expect(client, expected);
    }

    private void send(int client, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            channels.get(client).write(bytes);
        }
    }

    private void expect(int client, String text) throws IOException {
        byte[] expected = text.getBytes(StandardCharsets.US_ASCII);
        byte[] read = new byte[expected.length];
        reply.clear().limit(expected.length);
        while (reply.hasRemaining()) {
            if (channels.get(client).read(reply) < 0) {
                throw new EOFException("client " + client + " was disconnected after " + reply.position() + " bytes of "
                        + expected.length);
            }
        }
        reply.flip().get(read);
        if (!Arrays.equals(read, expected)) {
            throw new IOException("client " + client + " got " + new String(read, StandardCharsets.ISO_8859_1)
                    + " instead of " + text);
        }
    }

    private void expectEnd(int client) throws IOException {
        if (channels.get(client).read(reply.clear()) >= 0) {
            throw new IOException("client " + client + " got more than it has asked for");
        }
    }
}
