package io.loam.bench.server;

import io.loam.bench.WorkerFailure;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** One connection, one command at a time; replies that are no arrays. */
final class RespClient implements AutoCloseable {

    private final Socket socket;
    private final InputStream in;

    RespClient(int port) {
        try {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            in = new BufferedInputStream(socket.getInputStream());
        } catch (IOException e) {
            throw new WorkerFailure("can't connect to port " + port + ": " + e.getMessage());
        }
    }

    /** The reply as text, without its type. */
    String call(String... words) {
        StringBuilder request = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            request.append('$')
                    .append(word.length())
                    .append("\r\n")
                    .append(word)
                    .append("\r\n");
        }
        try {
            socket.getOutputStream().write(Protocol.bytes(request.toString()));
            String line = line();
            char type = line.isEmpty() ? ' ' : line.charAt(0);
            return switch (type) {
                case '+', ':' -> line.substring(1);
                case '$' -> value(Integer.parseInt(line.substring(1)));
                default -> throw new WorkerFailure(String.join(" ", words) + ": the server answered '" + line + "'");
            };
        } catch (IOException e) {
            throw new WorkerFailure(String.join(" ", words) + ": " + e.getMessage());
        }
    }

    /** A number of INFO. */
    long info(String section, String field) {
        return call("INFO", section)
                .lines()
                .filter(line -> line.startsWith(field + ":"))
                .mapToLong(line ->
                        Long.parseLong(line.substring(field.length() + 1).strip()))
                .findFirst()
                .orElseThrow(() -> new WorkerFailure("INFO " + section + " has no " + field));
    }

    private String value(int bytes) throws IOException {
        byte[] value = in.readNBytes(Math.max(0, bytes));
        if (bytes >= 0) {
            in.skipNBytes(2);
        }
        return new String(value, StandardCharsets.UTF_8);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new IOException("the server closed the connection");
            }
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // It was only read from and is not used any more.
        }
    }
}
