package io.loam.store.transfer;

import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.ValueView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/** Writes one export, see {@link StoreFileLayout}. Small records share a frame; a large one has its own and goes out piece by piece. */
final class StoreFileWriter {

    private static final int SCAN_COUNT = 256;

    /** The most bytes handed to the file at once. */
    private static final int PIECE_BYTES = 1 << 20;

    private final FileChannel channel;
    private final CRC32C fileChecksum = new CRC32C();
    private final CRC32C frameChecksum = new CRC32C();
    private final ByteBuffer records = allocate(StoreFileLayout.BUFFERED_PAYLOAD_BYTES);
    private long entries;
    private long namespaces;

    StoreFileWriter(FileChannel channel) {
        this.channel = channel;
    }

    private static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    long write(Store store) throws IOException {
        try {
            writeHeader();
            writeNamespace(store);
            for (String name : new TreeSet<>(store.namespaces())) {
                Namespace namespace = store.findNamespace(name);
                if (namespace == null) {
                    continue; // dropped meanwhile
                }
                try {
                    writeNamespace(namespace);
                } catch (IllegalStateException e) {
                    if (store.namespaces().contains(name)) {
                        throw e;
                    } // dropped meanwhile: what was written of it stays
                }
            }
            writeEnd();
            return entries;
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private void writeHeader() {
        ByteBuffer header = allocate(StoreFileLayout.HEADER_BYTES);
        header.putLong(StoreFileLayout.HEADER_MAGIC, StoreFileLayout.MAGIC);
        header.putInt(StoreFileLayout.HEADER_VERSION, StoreFileLayout.VERSION);
        CRC32C checksum = new CRC32C();
        checksum.update(header.slice(0, StoreFileLayout.HEADER_CHECKSUM));
        header.putInt(StoreFileLayout.HEADER_CHECKSUM, (int) checksum.getValue());
        write(header);
    }

    private void writeNamespace(Namespace namespace) {
        byte[] name = namespace.name().getBytes(StandardCharsets.UTF_8);
        writeFrame(StoreFileLayout.KIND_NAMESPACE, ByteBuffer.wrap(name));
        namespaces++;
        try {
            long position = 0;
            do {
                position = namespace.scan(position, SCAN_COUNT, this::writeRecord);
            } while (position != 0);
        } finally {
            flushRecords();
        }
    }

    private void writeEnd() {
        ByteBuffer end = allocate(StoreFileLayout.END_BYTES);
        end.putLong(StoreFileLayout.END_ENTRIES, entries);
        end.putLong(StoreFileLayout.END_NAMESPACES, namespaces);
        end.putInt(StoreFileLayout.END_FILE_CHECKSUM, (int) fileChecksum.getValue());
        writeFrame(StoreFileLayout.KIND_END, end);
    }

    private void writeRecord(byte[] key, ValueView value) {
        long bytes = StoreFileLayout.RECORD_KEY + key.length + value.length();
        if (bytes > records.remaining()) {
            flushRecords();
        }
        if (bytes <= records.capacity()) {
            putRecordHead(records, key, value);
            for (int i = 0; i < value.segmentCount(); i++) {
                records.put(value.segment(i).asByteBuffer());
            }
        } else {
            writeLargeRecord(key, value, bytes);
        }
        entries++;
    }

    private void writeLargeRecord(byte[] key, ValueView value, long bytes) {
        ByteBuffer head = allocate(StoreFileLayout.RECORD_KEY + key.length);
        putRecordHead(head, key, value);
        beginFrame(StoreFileLayout.KIND_RECORDS, bytes);
        writePayload(head.flip());
        for (int i = 0; i < value.segmentCount(); i++) {
            MemorySegment segment = value.segment(i);
            for (long offset = 0; offset < segment.byteSize(); offset += PIECE_BYTES) {
                long length = Math.min(PIECE_BYTES, segment.byteSize() - offset);
                writePayload(segment.asSlice(offset, length).asByteBuffer());
            }
        }
        endFrame();
    }

    /** All of a record but its value, at the buffer's position. */
    private static void putRecordHead(ByteBuffer buffer, byte[] key, ValueView value) {
        int start = buffer.position();
        buffer.putLong(start + StoreFileLayout.RECORD_EXPIRY, value.expiresAtMillis());
        buffer.putLong(start + StoreFileLayout.RECORD_VALUE_BYTES, value.length());
        buffer.putShort(start + StoreFileLayout.RECORD_KEY_BYTES, (short) key.length);
        buffer.put(start + StoreFileLayout.RECORD_TYPE, (byte) value.type());
        buffer.position(start + StoreFileLayout.RECORD_KEY).put(key);
    }

    private void flushRecords() {
        if (records.position() > 0) {
            writeFrame(StoreFileLayout.KIND_RECORDS, records.flip());
            records.clear();
        }
    }

    private void writeFrame(int kind, ByteBuffer payload) {
        beginFrame(kind, payload.remaining());
        writePayload(payload);
        endFrame();
    }

    private void beginFrame(int kind, long payloadBytes) {
        ByteBuffer head = allocate(StoreFileLayout.FRAME_PAYLOAD);
        head.putInt(StoreFileLayout.FRAME_KIND, kind);
        head.putLong(StoreFileLayout.FRAME_LENGTH, payloadBytes);
        frameChecksum.reset();
        writePayload(head);
    }

    private void writePayload(ByteBuffer bytes) {
        frameChecksum.update(bytes.duplicate());
        write(bytes);
    }

    private void endFrame() {
        write(allocate(StoreFileLayout.CHECKSUM_BYTES)
                .putInt((int) frameChecksum.getValue())
                .flip());
    }

    private void write(ByteBuffer bytes) {
        fileChecksum.update(bytes.duplicate());
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
