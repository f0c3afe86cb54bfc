package io.loam.server.differential;

import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Decimal;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Nothing;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import io.loam.server.differential.Value.Truth;
import io.loam.server.differential.Value.Verbatim;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The plainest of clients: one socket, both protocol versions, nothing guessed. */
public final class RespClient implements AutoCloseable {

    private static final int TIMEOUT_MILLIS = 30_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    public RespClient(int port) throws IOException {
        this(connected(port));
    }

    private static Socket connected(int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
        return socket;
    }

    public RespClient(Socket connected) throws IOException {
        socket = connected;
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        out = socket.getOutputStream();
    }

    /** Sends a request of words and returns the reply. */
    public Value call(String... words) throws IOException {
        send(words);
        return read();
    }

    public Value call(List<byte[]> words) throws IOException {
        out.write(encode(words));
        return read();
    }

    public void send(String... words) throws IOException {
        out.write(encode(words));
    }

    public void sendRaw(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    public static byte[] encode(String... words) {
        List<byte[]> bytes = new ArrayList<>();
        for (String word : words) {
            bytes.add(word.getBytes(StandardCharsets.ISO_8859_1));
        }
        return encode(bytes);
    }

    public static byte[] encode(List<byte[]> words) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(ascii("*" + words.size() + "\r\n"));
        for (byte[] word : words) {
            bytes.writeBytes(ascii("$" + word.length + "\r\n"));
            bytes.writeBytes(word);
            bytes.writeBytes(ascii("\r\n"));
        }
        return bytes.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Reads one reply. */
    public Value read() throws IOException {
        int kind = in.read();
        if (kind < 0) {
            throw new EOFException("the server has ended the connection");
        }
        String line = line();
        return switch (kind) {
            case '+' -> new Status(line);
            case '-' -> new Failure(line);
            case ':' -> new Number(Long.parseLong(line));
            case ',' -> new Decimal(line);
            case '#' -> new Truth(line.equals("t"));
            case '_' -> new Nothing(false);
            case '$' -> line.equals("-1") ? new Nothing(false) : new Bulk(bytes(line));
            case '=' -> new Verbatim(bytes(line));
            case '*', '~', '>' -> line.equals("-1") ? new Nothing(true) : many((char) kind, Integer.parseInt(line));
            case '%' -> many('%', 2 * Integer.parseInt(line));
            default -> throw new IOException("a reply of kind " + (char) kind + " and " + line);
        };
    }

    private Value many(char kind, int count) throws IOException {
        List<Value> values = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            values.add(read());
        }
        return new Many(kind, values);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        int next;
        while ((next = in.read()) != '\r') {
            if (next < 0) {
                throw new EOFException("in the line " + line);
            }
            line.append((char) next);
        }
        if (in.read() != '\n') {
            throw new IOException("no line feed after " + line);
        }
        return line.toString();
    }

    private String bytes(String length) throws IOException {
        byte[] bytes = in.readNBytes(Integer.parseInt(length));
        if (bytes.length != Integer.parseInt(length) || in.read() != '\r' || in.read() != '\n') {
            throw new IOException("a string of " + length + " bytes is cut, or not ended");
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Whether the server ends the connection, without another byte. */
    public boolean isEnded() throws IOException {
        return in.read() < 0;
    }

    public Socket socket() {
        return socket;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
