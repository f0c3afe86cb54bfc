package io.loam.bench.server;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads RESP requests and sends what a function makes of each, in pieces of any length; null ends the connection. */
final class TinyServer implements AutoCloseable {

    private final ServerSocket listening = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    private final Function<List<String>, @Nullable String> answer;

    TinyServer(Function<List<String>, @Nullable String> answer) throws IOException {
        this.answer = answer;
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    private void accept() {
        try {
            for (int i = 0; true; i++) {
                Socket socket = listening.accept();
                long seed = i;
                Thread.ofVirtual().start(() -> serve(socket, new Random(seed)));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serve(Socket socket, Random random) {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                int words = number(in, '*');
                List<String> request = new ArrayList<>();
                for (int i = 0; i < words; i++) {
                    byte[] word = in.readNBytes(number(in, '$'));
                    in.skipNBytes(2);
                    request.add(new String(word, StandardCharsets.US_ASCII));
                }
                String reply = answer.apply(request);
                if (reply == null) {
                    return;
                }
                byte[] bytes = Protocol.bytes(reply);
                int cut = bytes.length == 0 ? 0 : random.nextInt(bytes.length);
                socket.getOutputStream().write(bytes, 0, cut);
                socket.getOutputStream().write(bytes, cut, bytes.length - cut);
            }
        } catch (IOException e) {
            // the client has gone
        }
    }

    private static int number(InputStream in, char type) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new IOException("end");
            }
            line.append((char) b);
        }
        if (line.charAt(0) != type) {
            throw new AssertionError("the generator sent '" + line + "' where " + type + " belongs");
        }
        return Integer.parseInt(line.substring(1).strip());
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
