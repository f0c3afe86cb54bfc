package io.loam.store.transfer;

import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.Store;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.zip.CRC32C;

/**
 * Reads one export, see {@link StoreFileLayout}: first all of it to verify it, then again to put its entries, checking each frame again. Frames too long for the heap
 * are checked through a buffer and then mapped, so a value of any length is put straight from the file.
 */
final class StoreFileReader {

    /** What becomes of the file's content. */
    private interface Content {
        void namespace(String name);

        void record(MemorySegment key, MemorySegment value, long expiresAtMillis, int type);
    }

    private final FileChannel channel;
    private final Path file;
    private final long fileBytes;
    private final CRC32C fileChecksum = new CRC32C();
    private final CRC32C frameChecksum = new CRC32C();
    private final ByteBuffer buffer = ByteBuffer.allocate(StoreFileLayout.BUFFERED_PAYLOAD_BYTES);

    private long offset;
    private long entries;
    private long namespaces;

    StoreFileReader(FileChannel channel, Path file) throws IOException {
        this.channel = channel;
        this.file = file;
        fileBytes = channel.size();
    }

    /** Checks every byte of the file. */
    void verify() throws IOException {
        read(new Content() {
            @Override
            public void namespace(String name) {}

            @Override
            public void record(MemorySegment key, MemorySegment value, long expiresAtMillis, int type) {}
        });
    }

    /** Puts what has not expired; returns how many. */
    long putAll(Store store, InstantSource clock) throws IOException {
        var content = new Content() {
            private Namespace namespace = store;
            private long puts;

            @Override
            public void namespace(String name) {
                namespace = name.isEmpty() ? store : store.namespace(name);
            }

            @Override
            public void record(MemorySegment key, MemorySegment value, long expiresAtMillis, int type) {
                if (expiresAtMillis == Namespace.NEVER || expiresAtMillis > clock.millis()) {
                    namespace.put(
                            key,
                            value,
                            PutOptions.DEFAULT.expiringAt(expiresAtMillis).withType(type));
                    puts++;
                }
            }
        };
        read(content);
        return content.puts;
    }

    private void read(Content content) throws IOException {
        offset = 0;
        entries = 0;
        namespaces = 0;
        fileChecksum.reset();
        readHeader();
        while (readFrame(content)) {}
        if (offset != fileBytes) {
            throw damaged(offset, (fileBytes - offset) + " bytes after the end frame");
        }
    }

    private void readHeader() throws IOException {
        if (fileBytes < StoreFileLayout.HEADER_BYTES) {
            throw new IOException(file + " has " + fileBytes
                    + " bytes, less than an export's header; name a file that was written by an export");
        }
        MemorySegment header = readBuffered(StoreFileLayout.HEADER_BYTES);
        if (StoreFileLayout.number(header, StoreFileLayout.HEADER_MAGIC) != StoreFileLayout.MAGIC) {
            throw new IOException(
                    file
                            + ", offset 0: not an export of a store (it starts with another magic number); name a file that was written by an export");
        }
        CRC32C checksum = new CRC32C();
        checksum.update(buffer.array(), 0, StoreFileLayout.HEADER_CHECKSUM);
        expectChecksum(
                "the header",
                StoreFileLayout.HEADER_CHECKSUM,
                StoreFileLayout.integer(header, StoreFileLayout.HEADER_CHECKSUM),
                (int) checksum.getValue());
        int version = StoreFileLayout.integer(header, StoreFileLayout.HEADER_VERSION);
        if (version != StoreFileLayout.VERSION) {
            throw new IOException(file + ", offset " + StoreFileLayout.HEADER_VERSION + ": format version " + version
                    + ", this program reads version " + StoreFileLayout.VERSION
                    + "; read it with the program that wrote it, or a newer one");
        }
    }

    /** Reads one frame; false if it was the end frame. */
    private boolean readFrame(Content content) throws IOException {
        long start = offset;
        int precedingChecksum = (int) fileChecksum.getValue();
        frameChecksum.reset();
        MemorySegment head = readBuffered(StoreFileLayout.FRAME_PAYLOAD);
        int kind = StoreFileLayout.integer(head, StoreFileLayout.FRAME_KIND);
        long length = StoreFileLayout.number(head, StoreFileLayout.FRAME_LENGTH);
        if (length < 0 || length > fileBytes - offset - StoreFileLayout.CHECKSUM_BYTES) {
            throw damaged(start, "a frame of " + length + " bytes where " + (fileBytes - offset) + " are left");
        }
        long payloadOffset = offset;
        if (length <= buffer.capacity()) {
            // A copy of its own, for the buffer is needed for the checksum.
            byte[] payload = readBuffered((int) length).toArray(ValueLayout.JAVA_BYTE);
            checkFrame(start);
            return accept(kind, start, payloadOffset, MemorySegment.ofArray(payload), precedingChecksum, content);
        }
        for (long end = offset + length; offset < end; ) {
            readBuffered((int) Math.min(buffer.capacity(), end - offset));
        }
        checkFrame(start);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment payload = channel.map(FileChannel.MapMode.READ_ONLY, payloadOffset, length, arena);
            return accept(kind, start, payloadOffset, payload, precedingChecksum, content);
        }
    }

    private void checkFrame(long start) throws IOException {
        int computed = (int) frameChecksum.getValue();
        long checksumOffset = offset;
        int stored = StoreFileLayout.integer(readBuffered(StoreFileLayout.CHECKSUM_BYTES), 0);
        expectChecksum("the frame at offset " + start, checksumOffset, stored, computed);
    }

    private boolean accept(
            int kind, long start, long payloadOffset, MemorySegment payload, int precedingChecksum, Content content)
            throws IOException {
        switch (kind) {
            case StoreFileLayout.KIND_NAMESPACE -> {
                namespaces++;
                content.namespace(decodeName(payload, payloadOffset));
            }
            case StoreFileLayout.KIND_RECORDS -> readRecords(payload, payloadOffset, content);
            case StoreFileLayout.KIND_END -> {
                checkEnd(payload, payloadOffset, precedingChecksum);
                return false;
            }
            default -> throw damaged(start, "a frame of unknown kind " + kind);
        }
        return true;
    }

    private String decodeName(MemorySegment payload, long payloadOffset) throws IOException {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(payload.asByteBuffer())
                    .toString();
        } catch (CharacterCodingException e) {
            throw damaged(payloadOffset, "a namespace's name is not UTF-8");
        }
    }

    private void readRecords(MemorySegment payload, long payloadOffset, Content content) throws IOException {
        if (namespaces == 0) {
            throw damaged(payloadOffset, "records before the first namespace");
        }
        for (long at = 0; at < payload.byteSize(); entries++) {
            long left = payload.byteSize() - at - StoreFileLayout.RECORD_KEY;
            if (left < 0) {
                throw damaged(payloadOffset + at, "a record's head exceeds its frame");
            }
            long expiresAtMillis = StoreFileLayout.number(payload, at + StoreFileLayout.RECORD_EXPIRY);
            long valueBytes = StoreFileLayout.number(payload, at + StoreFileLayout.RECORD_VALUE_BYTES);
            int keyBytes = StoreFileLayout.unsignedShort(payload, at + StoreFileLayout.RECORD_KEY_BYTES);
            int type = StoreFileLayout.unsignedByte(payload, at + StoreFileLayout.RECORD_TYPE);
            if (expiresAtMillis < 0 || type > 15 || keyBytes > left || valueBytes < 0 || valueBytes > left - keyBytes) {
                throw damaged(
                        payloadOffset + at,
                        "a record with expiry " + expiresAtMillis + ", type " + type + ", " + keyBytes
                                + " key bytes and " + valueBytes + " value bytes where " + left + " are left");
            }
            long keyAt = at + StoreFileLayout.RECORD_KEY;
            content.record(
                    payload.asSlice(keyAt, keyBytes),
                    payload.asSlice(keyAt + keyBytes, valueBytes),
                    expiresAtMillis,
                    type);
            at = keyAt + keyBytes + valueBytes;
        }
    }

    private void checkEnd(MemorySegment payload, long payloadOffset, int precedingChecksum) throws IOException {
        if (payload.byteSize() != StoreFileLayout.END_BYTES) {
            throw damaged(
                    payloadOffset,
                    "an end frame of " + payload.byteSize() + " bytes, expected " + StoreFileLayout.END_BYTES);
        }
        long promisedEntries = StoreFileLayout.number(payload, StoreFileLayout.END_ENTRIES);
        long promisedNamespaces = StoreFileLayout.number(payload, StoreFileLayout.END_NAMESPACES);
        if (promisedEntries != entries || promisedNamespaces != namespaces) {
            throw damaged(
                    payloadOffset,
                    entries + " entries in " + namespaces + " namespaces, expected " + promisedEntries + " in "
                            + promisedNamespaces);
        }
        int stored = StoreFileLayout.integer(payload, StoreFileLayout.END_FILE_CHECKSUM);
        expectChecksum("the file", payloadOffset + StoreFileLayout.END_FILE_CHECKSUM, stored, precedingChecksum);
    }

    /** The next bytes of the file, valid until the next call; they count for both checksums. */
    private MemorySegment readBuffered(int bytes) throws IOException {
        if (bytes > fileBytes - offset) {
            throw damaged(offset, "the file ends here, " + bytes + " more bytes expected");
        }
        buffer.clear().limit(bytes);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, offset + buffer.position()) < 0) {
                throw damaged(offset + buffer.position(), "the file was cut while it was read");
            }
        }
        offset += bytes;
        fileChecksum.update(buffer.array(), 0, bytes);
        frameChecksum.update(buffer.array(), 0, bytes);
        return MemorySegment.ofArray(buffer.array()).asSlice(0, bytes);
    }

    private void expectChecksum(String what, long checksumOffset, int stored, int computed) throws IOException {
        if (stored != computed) {
            throw damaged(checksumOffset, what + " has checksum " + hex(computed) + ", expected " + hex(stored));
        }
    }

    private static String hex(int checksum) {
        return String.format("%08x", checksum);
    }

    private IOException damaged(long at, String what) {
        return new IOException(file + ", offset " + at + ": " + what
                + "; the file is damaged: restore it from a copy, or export again");
    }
}
