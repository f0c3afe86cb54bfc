package io.loam.bench.space;

import io.loam.bench.OwnJvm;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Another JVM of this code, spoken to in bytes. */
final class ChildProcess implements AutoCloseable {

    private final Process process;
    private final OutputStream to;
    private final InputStream from;

    private ChildProcess(Process process) {
        this.process = process;
        this.to = process.getOutputStream();
        this.from = process.getInputStream();
    }

    static ChildProcess start(Class<?> main, String... arguments) throws IOException {
        List<String> command = OwnJvm.command(main, "-Xmx32m", "-XX:+UseSerialGC", "-XX:ReservedCodeCacheSize=16m");
        command.addAll(List.of(arguments));
        return new ChildProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    void send(int b) {
        send(ByteBuffer.wrap(new byte[] {(byte) b}));
    }

    /** Sends a whole array. */
    void send(ByteBuffer bytes) {
        try {
            to.write(bytes.array());
            to.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int receive() {
        try {
            int b = from.read();
            if (b < 0) {
                throw new IllegalStateException("process " + process.pid() + " has ended");
            }
            return b;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Its end as kill -9 makes it; does not wait for it. */
    void kill() {
        Process ignored = process.destroyForcibly();
    }

    @Override
    public void close() {
        try {
            to.close();
            int ignored = process.waitFor();
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
