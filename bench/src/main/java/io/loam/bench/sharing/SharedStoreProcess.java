package io.loam.bench.sharing;

import io.loam.memory.region.Registry;
import io.loam.store.Store;
import io.loam.store.StoreBuilder;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * One process of the measurement. Arguments: role, registry, socket, keys, value bytes, capacity in MiB, huge pages. It prints {@code ready} when it is; for each line {@code SECONDS UPDATES} that it is told it works
 * that long and prints its operations per second.
 */
public final class SharedStoreProcess {

    static final String STORE = "bench";
    private static final int BATCH = 64;

    private final int keys;
    private final int valueBytes;
    private final byte[][] names;
    private final SplittableRandom random =
            new SplittableRandom(ProcessHandle.current().pid());
    private long seen;

    private SharedStoreProcess(int keys, int valueBytes) {
        this.keys = keys;
        this.valueBytes = valueBytes;
        this.names = new byte[keys][];
        for (int i = 0; i < keys; i++) {
            names[i] = name(i);
        }
    }

    static byte[] name(int key) {
        return String.format(Locale.ROOT, "user%012d", key).getBytes(StandardCharsets.US_ASCII);
    }

    static StoreBuilder builder(int capacityMib, boolean hugePages) {
        return Store.builder()
                .capacityBytes((long) capacityMib << 20)
                .writeTimeoutMillis(10_000)
                .hugePages(hugePages);
    }

    static void load(Store store, int keys, int valueBytes) {
        SharedStoreProcess loader = new SharedStoreProcess(keys, valueBytes);
        byte[] value = new byte[valueBytes];
        for (byte[] name : loader.names) {
            store.put(name, value);
        }
    }

    public static void main(String[] arguments) throws IOException {
        int keys = Integer.parseInt(arguments[3]);
        int valueBytes = Integer.parseInt(arguments[4]);
        int capacityMib = Integer.parseInt(arguments[5]);
        boolean hugePages = Boolean.parseBoolean(arguments[6]);
        Path socket = Path.of(arguments[2]);
        switch (arguments[0]) {
            case "private" -> {
                try (Store store =
                        builder(capacityMib, hugePages).prefault(true).open()) {
                    load(store, keys, valueBytes);
                    new SharedStoreProcess(keys, valueBytes).obey(store);
                }
            }
            case "direct" -> {
                try (Registry registry = Registry.open(Path.of(arguments[1]), Registry.PRIVATE);
                        Store store = Store.attach(registry, STORE)) {
                    new SharedStoreProcess(keys, valueBytes).obey(store);
                }
            }
            case "server" -> {
                try (Registry registry = Registry.open(Path.of(arguments[1]), Registry.PRIVATE);
                        Store store = Store.attach(registry, STORE)) {
                    serve(store, socket);
                }
            }
            default -> {
                try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                    new SharedStoreProcess(keys, valueBytes).obey(channel);
                }
            }
        }
    }

    private interface Work {
        /** Does a batch of operations. */
        void batch(double updates) throws IOException;
    }

    private void obey(Work work) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            long nanos = (long) (Double.parseDouble(words[0]) * 1e9);
            double updates = Double.parseDouble(words[1]);
            long start = System.nanoTime();
            long count = 0;
            long now;
            do {
                work.batch(updates);
                count += BATCH;
                now = System.nanoTime();
            } while (now - start < nanos);
            System.out.println(count * 1e9 / (now - start));
        }
        if (seen == 42) {
            System.out.println(); // so that what was read counts
        }
    }

    private void obey(Store store) throws IOException {
        byte[] value = new byte[valueBytes];
        obey(updates -> {
            for (int i = 0; i < BATCH; i++) {
                byte[] key = names[random.nextInt(keys)];
                if (updates > 0 && random.nextDouble() < updates) {
                    store.put(key, value);
                } else {
                    seen += store.get(key, value, 0) + value[0];
                }
            }
        });
    }

    private void obey(SocketChannel channel) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8192);
        byte[] value = new byte[valueBytes];
        obey(updates -> {
            for (int i = 0; i < BATCH; i++) {
                byte[] key = names[random.nextInt(keys)];
                boolean put = updates > 0 && random.nextDouble() < updates;
                buffer.clear().putShort((short) key.length).putShort((short) (put ? valueBytes : 0));
                buffer.put(key);
                if (put) {
                    buffer.put(value);
                }
                send(channel, buffer);
                receive(channel, buffer, 2);
                int length = buffer.getShort(0);
                receiveMore(channel, buffer, 2 + length);
                if (length > 0) {
                    buffer.get(2, value, 0, length);
                    seen += length + value[0];
                }
            }
        });
    }

    // ---- the server

    private static void serve(Store store, Path socket) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            System.out.println("ready");
            while (true) {
                SocketChannel channel = server.accept();
                Thread.ofPlatform().daemon().start(() -> answer(store, channel));
            }
        }
    }

    private static void answer(Store store, SocketChannel channel) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8192);
        byte[] value = new byte[4096];
        try (channel) {
            while (true) {
                receive(channel, buffer, 4);
                int keyLength = buffer.getShort(0);
                int valueLength = buffer.getShort(2);
                receiveMore(channel, buffer, 4 + keyLength + valueLength);
                byte[] key = new byte[keyLength];
                buffer.get(4, key);
                int length = 0;
                if (valueLength > 0) {
                    byte[] put = new byte[valueLength];
                    buffer.get(4 + keyLength, put);
                    store.put(key, put);
                } else {
                    length = Math.max(0, store.get(key, value, 0));
                }
                buffer.clear().putShort((short) length).put(value, 0, length);
                send(channel, buffer);
            }
        } catch (EOFException e) {
            return; // the client has ended
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void send(SocketChannel channel, ByteBuffer buffer) throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            int ignored = channel.write(buffer);
        }
    }

    private static void receive(SocketChannel channel, ByteBuffer buffer, int bytes) throws IOException {
        buffer.clear();
        receiveMore(channel, buffer, bytes);
    }

    /** Reads until there are so many bytes; one request is on its way at a time, so there are never more. */
    private static void receiveMore(SocketChannel channel, ByteBuffer buffer, int bytes) throws IOException {
        while (buffer.position() < bytes) {
            if (channel.read(buffer) < 0) {
                throw new EOFException();
            }
        }
    }
}
