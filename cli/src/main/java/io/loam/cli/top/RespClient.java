package io.loam.cli.top;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/** Asks a server by version 2 of the Redis protocol for what {@link Reading} holds. */
final class RespClient implements AutoCloseable {

    private static final int TIMEOUT_MILLIS = 30_000;

    private final Socket socket;
    private final InputStream in;

    /** A reply that says no. */
    static final class Refusal extends IOException {
        private static final long serialVersionUID = 1;

        Refusal(String message) {
            super(message);
        }
    }

    /** @param tls makes sockets of TLS; null: the connection is plain */
    RespClient(String host, int port, @Nullable SSLSocketFactory tls) throws IOException {
        Socket plain = new Socket();
        try {
            plain.connect(new InetSocketAddress(host, port), TIMEOUT_MILLIS);
            plain.setSoTimeout(TIMEOUT_MILLIS);
            plain.setTcpNoDelay(true);
            socket = tls == null ? plain : secured((SSLSocket) tls.createSocket(plain, host, port, true));
            in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        } catch (IOException e) {
            plain.close();
            throw e;
        }
    }

    /** Refuses a server whose certificate is not for the host. */
    private static SSLSocket secured(SSLSocket socket) throws IOException {
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /** @throws Refusal if user and password are not those of the server */
    void authenticate(@Nullable String user, String password) throws IOException {
        if (user == null) {
            call("AUTH", password);
        } else {
            call("AUTH", user, password);
        }
    }

    /** The server now. */
    Reading read() throws IOException {
        long nanos = System.nanoTime();
        Map<String, Double> figures = new TreeMap<>();
        List<?> stats = list(call("LOAM", "STATS"));
        for (int i = 0; i + 1 < stats.size(); i += 2) {
            figures.put(String.valueOf(stats.get(i)), Double.valueOf(String.valueOf(stats.get(i + 1))));
        }
        Map<Long, Long> latencies = new TreeMap<>();
        List<?> pairs = list(call("LOAM", "LATENCIES"));
        for (int i = 0; i + 1 < pairs.size(); i += 2) {
            latencies.put(number(pairs.get(i)), number(pairs.get(i + 1)));
        }
        List<Reading.Segment> segments = new ArrayList<>();
        for (Object each : list(call("LOAM", "SEGMENTS"))) {
            List<?> of = list(each);
            segments.add(new Reading.Segment(
                    String.valueOf(of.get(0)),
                    (int) number(of.get(1)),
                    number(of.get(2)),
                    number(of.get(3)),
                    number(of.get(4))));
        }
        return new Reading(nanos, figures, latencies, segments);
    }

    private static List<?> list(@Nullable Object reply) throws IOException {
        if (reply instanceof List<?> list) {
            return list;
        }
        throw new IOException("a reply that is no array: " + reply);
    }

    private static long number(@Nullable Object reply) throws IOException {
        if (reply instanceof Long number) {
            return number;
        }
        throw new IOException("a reply that is no number: " + reply);
    }

    @Nullable
    Object call(String... words) throws IOException {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(bytes("*" + words.length + "\r\n"));
        for (String word : words) {
            byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
            request.writeBytes(bytes("$" + bytes.length + "\r\n"));
            request.writeBytes(bytes);
            request.writeBytes(bytes("\r\n"));
        }
        socket.getOutputStream().write(request.toByteArray());
        return reply();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private @Nullable Object reply() throws IOException {
        String line = line();
        String rest = line.substring(1);
        return switch (line.charAt(0)) {
            case '+' -> rest;
            case '-' -> throw new Refusal(rest);
            case ':' -> Long.valueOf(rest);
            case '$' -> bulk(Integer.parseInt(rest));
            case '*' -> {
                int count = Integer.parseInt(rest);
                List<@Nullable Object> values = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    values.add(reply());
                }
                yield values;
            }
            default -> throw new IOException("no reply of the Redis protocol: " + line);
        };
    }

    private @Nullable String bulk(int length) throws IOException {
        if (length < 0) {
            return null;
        }
        byte[] bytes = in.readNBytes(length + 2);
        if (bytes.length < length + 2) {
            throw new EOFException("the server has ended the connection");
        }
        return new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        int next;
        while ((next = in.read()) != '\n') {
            if (next < 0 || line.length() > 1 << 16) {
                throw new EOFException("the server has ended the connection, or does not speak the Redis protocol");
            }
            line.append((char) next);
        }
        String text = line.toString().strip();
        if (text.isEmpty()) {
            throw new IOException("the server does not speak the Redis protocol");
        }
        return text;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
