package io.loam.store.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.Codec;
import io.loam.store.Entry;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.Store;
import io.loam.store.reference.ReferenceStore;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreFileTest {

    private static final long NOW_MILLIS = 1_800_000_000_000L;
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochMilli(NOW_MILLIS));

    @TempDir
    Path directory;

    private final Store store = new ReferenceStore(CLOCK);
    private final Store target = new ReferenceStore(CLOCK);

    private Path file() {
        return directory.resolve("store.loam");
    }

    @Test
    void namespaceThatIsDroppedMeanwhileIsNotMadeAnew() throws IOException {
        store.namespace("one").put(bytes("key"), bytes("value"));
        Store dropping = (Store) Proxy.newProxyInstance(
                Store.class.getClassLoader(), new Class<?>[] {Store.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(store, arguments);
                    if (method.getName().equals("namespaces")) {
                        store.dropNamespace("one");
                    }
                    return result;
                });
        assertThat(StoreFile.write(dropping, file())).isZero();
        assertThat(store.namespaces()).isEmpty();
    }

    private static byte[] bytes(String text) {
        return Codec.STRING.encode(text);
    }

    /** A store's content with all that a file keeps: everything but versions. */
    private static Map<String, String> content(Store store) {
        Map<String, String> content = new HashMap<>();
        Stream.concat(Stream.of(store), store.namespaces().stream().map(store::namespace))
                .forEach(namespace -> namespace.forEach((key, value) -> content.put(
                        namespace.name() + "/" + Arrays.toString(key),
                        Arrays.hashCode(value.toByteArray()) + " " + value.length() + " " + value.expiresAtMillis()
                                + " " + value.type())));
        return content;
    }

    /** The content of the golden file. */
    private static void fillSmall(Store store) {
        store.put(bytes("key"), bytes("value"));
        store.put(new byte[0], new byte[0]);
        store.put(
                bytes("typed"),
                bytes("until 2033"),
                PutOptions.DEFAULT.expiringAt(2_000_000_000_000L).withType(15));
        store.namespace("städte").put(bytes("Köln"), bytes("Rhein"));
        store.namespace("empty");
    }

    private byte[] smallFile() throws IOException {
        fillSmall(store);
        assertThat(StoreFile.write(store, file())).isEqualTo(4);
        return Files.readAllBytes(file());
    }

    private IOException refusal(byte[] content) throws IOException {
        Files.write(file(), content);
        var thrown = org.assertj.core.api.Assertions.catchThrowable(() -> StoreFile.read(target, file(), CLOCK));
        assertThat(thrown).isInstanceOf(IOException.class);
        assertThat(target.size()).isZero();
        assertThat(target.namespaces()).isEmpty();
        return (IOException) thrown;
    }

    @Test
    void everyEntryComesBackWithExpiryAndType() throws IOException {
        Random random = new Random(7);
        for (int i = 0; i < 3_000; i++) {
            byte[] key = new byte[random.nextInt(40)];
            byte[] value = new byte[random.nextInt(3_000)];
            random.nextBytes(key);
            random.nextBytes(value);
            Namespace namespace = i % 3 == 0 ? store : store.namespace("n" + i % 3);
            long expiresAtMillis = i % 2 == 0 ? Namespace.NEVER : NOW_MILLIS + 1 + i;
            namespace.put(
                    key, value, PutOptions.DEFAULT.expiringAt(expiresAtMillis).withType(i % 16));
        }
        long written = StoreFile.write(store, file());
        assertThat(StoreFile.read(target, file(), CLOCK))
                .isEqualTo(written)
                .isEqualTo(content(store).size());
        assertThat(content(target)).isEqualTo(content(store));
    }

    @Test
    void largeKeysAndValuesComeBack() throws IOException {
        byte[] key = new byte[Namespace.MAX_KEY_BYTES];
        Arrays.fill(key, (byte) 7);
        for (int length : new int[] {(128 << 10) - 20, (128 << 10) - 19, 128 << 10, (1 << 20) + 1, 5_000_000}) {
            byte[] value = new byte[length];
            new Random(length).nextBytes(value);
            store.put(Codec.LONG.encode((long) length), value);
        }
        store.put(key, key);
        store.put(Arrays.copyOf(key, 100), new byte[0]);
        StoreFile.write(store, file());
        assertThat(StoreFile.read(target, file(), CLOCK)).isEqualTo(7);
        assertThat(content(target)).isEqualTo(content(store));
    }

    @Test
    void emptyStoreAndEmptyNamespacesComeBack() throws IOException {
        store.namespace("empty");
        assertThat(StoreFile.write(store, file())).isZero();
        assertThat(StoreFile.read(target, file(), CLOCK)).isZero();
        assertThat(target.namespaces()).containsExactly("empty");
    }

    @Test
    void whatExpiredSinceIsSkipped() throws IOException {
        store.put(bytes("soon"), bytes("1"), NOW_MILLIS + 10);
        store.put(bytes("late"), bytes("2"), NOW_MILLIS + 11);
        StoreFile.write(store, file());
        InstantSource later = InstantSource.fixed(Instant.ofEpochMilli(NOW_MILLIS + 10));
        assertThat(StoreFile.read(target, file(), later)).isEqualTo(1);
        assertThat(target.contains(bytes("late"))).isTrue();
    }

    @Test
    void importOverwritesAndLeavesOtherKeysAlone() throws IOException {
        smallFile();
        target.put(bytes("key"), bytes("old"));
        target.put(bytes("mine"), bytes("stays"));
        StoreFile.read(target, file(), CLOCK);
        assertThat(target.get(bytes("key"))).isEqualTo(bytes("value"));
        assertThat(target.get(bytes("mine"))).isEqualTo(bytes("stays"));
    }

    @Test
    void exportReplacesTheFileAndLeavesNothingBeside() throws IOException {
        Files.writeString(file(), "old");
        smallFile();
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file());
        }
        assertThat(StoreFile.read(target, file(), CLOCK)).isEqualTo(4);
    }

    @Test
    void failedExportLeavesTheOldFile() throws IOException {
        byte[] old = smallFile();
        store.close();
        assertThatThrownBy(() -> StoreFile.write(store, file())).isInstanceOf(io.loam.store.StoreClosedException.class);
        assertThat(file()).hasBinaryContent(old);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file());
        }
    }

    @Test
    void missingFileAndMissingDirectoryAreNamed() {
        assertThatThrownBy(() -> StoreFile.read(target, file(), CLOCK))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("store.loam");
        Path nowhere = directory.resolve("nowhere").resolve("store.loam");
        assertThatIOException()
                .isThrownBy(() -> StoreFile.write(store, nowhere))
                .withMessageContaining("nowhere");
    }

    @Test
    void everyFlippedBitIsFound() throws IOException {
        byte[] good = smallFile();
        for (int i = 0; i < good.length; i++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] bad = good.clone();
                bad[i] ^= (byte) (1 << bit);
                assertThat(refusal(bad)).as("byte %d, bit %d", i, bit).hasMessageContaining("offset ");
            }
        }
    }

    @Test
    void damageInALargeValueIsFound() throws IOException {
        store.put(bytes("large"), new byte[1_000_000]);
        StoreFile.write(store, file());
        byte[] good = Files.readAllBytes(file());
        for (int i = 10; i < good.length; i += 99_991) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            assertThat(refusal(bad)).as("byte %d", i).hasMessageContaining("offset ");
            assertThat(refusal(Arrays.copyOf(good, i))).as("%d bytes", i).hasMessageContaining("store.loam");
        }
    }

    @Test
    void namespaceDroppedDuringTheExportDoesNotFailIt() throws IOException {
        fillSmall(store);
        Store dropping = (Store) Proxy.newProxyInstance(
                Store.class.getClassLoader(), new Class<?>[] {Store.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(store, arguments);
                    if (method.getName().equals("namespace") && arguments[0].equals("empty")) {
                        store.dropNamespace("empty");
                    }
                    return result;
                });
        assertThat(StoreFile.write(dropping, file())).isEqualTo(4);
        assertThat(StoreFile.read(target, file(), CLOCK)).isEqualTo(4);
    }

    @Test
    void everyTruncationIsFound() throws IOException {
        byte[] good = smallFile();
        for (int length = 0; length < good.length; length++) {
            assertThat(refusal(Arrays.copyOf(good, length)))
                    .as("%d bytes", length)
                    .hasMessageContaining("store.loam");
        }
    }

    @Test
    void bytesAfterTheEndAreFound() throws IOException {
        byte[] good = smallFile();
        assertThat(refusal(Arrays.copyOf(good, good.length + 1)))
                .hasMessageContaining("1 bytes after the end")
                .hasMessageContaining("offset " + good.length);
    }

    @Test
    void lostAndSwappedFramesAreFound() throws IOException {
        byte[] good = smallFile();
        int second = 16 + 12 + 4; // the default namespace's frame has no payload
        int third = second
                + 16
                + (int) ByteBuffer.wrap(good)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getLong(second + StoreFileLayout.FRAME_LENGTH);
        byte[] lost = concat(Arrays.copyOf(good, second), Arrays.copyOfRange(good, third, good.length));
        assertThat(refusal(lost)).hasMessageContaining("entries");
        byte[] swapped = concat(
                Arrays.copyOf(good, 16),
                Arrays.copyOfRange(good, second, third),
                Arrays.copyOfRange(good, 16, second),
                Arrays.copyOfRange(good, third, good.length));
        assertThat(refusal(swapped)).hasMessageContaining("before the first namespace");
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        assertThat(refusal(bytes("just some text, long enough for a header"))).hasMessageContaining("not an export");
        assertThat(refusal(new byte[0])).hasMessageContaining("0 bytes");
    }

    @Test
    void newerVersionIsNamed() throws IOException {
        byte[] newer = smallFile();
        ByteBuffer header =
                ByteBuffer.wrap(newer).order(ByteOrder.LITTLE_ENDIAN).putInt(StoreFileLayout.HEADER_VERSION, 2);
        CRC32C checksum = new CRC32C();
        checksum.update(newer, 0, StoreFileLayout.HEADER_CHECKSUM);
        header.putInt(StoreFileLayout.HEADER_CHECKSUM, (int) checksum.getValue());
        assertThat(refusal(newer)).hasMessageContaining("version 2").hasMessageContaining("newer");
    }

    @Test
    void consistentlyWrongRecordsAreRefused() throws IOException {
        store.put(bytes("key"), bytes("value"));
        StoreFile.write(store, file());
        byte[] good = Files.readAllBytes(file());
        int record = 16 + 16 + 12;
        for (int field : new int[] {StoreFileLayout.RECORD_EXPIRY, StoreFileLayout.RECORD_VALUE_BYTES}) {
            for (long wrong : new long[] {-1, Long.MIN_VALUE}) {
                byte[] bad = good.clone();
                ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putLong(record + field, wrong);
                seal(bad, record - 12, record + 19 + 8);
                assertThat(refusal(bad))
                        .hasMessageContaining("offset " + record)
                        .hasMessageContaining(Long.toString(wrong));
            }
        }
        byte[] bad = good.clone();
        bad[record + StoreFileLayout.RECORD_TYPE] = 16;
        seal(bad, record - 12, record + 19 + 8);
        assertThat(refusal(bad)).hasMessageContaining("type 16");
    }

    /** Makes a changed frame's checksum right. */
    private static void seal(byte[] file, int start, int end) {
        CRC32C checksum = new CRC32C();
        checksum.update(file, start, end - start);
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(end, (int) checksum.getValue());
    }

    @Test
    void goldenFilePinsVersionOne() throws IOException {
        byte[] golden;
        try (InputStream resource = StoreFileTest.class.getResourceAsStream("version-1.loam")) {
            golden = resource.readAllBytes();
        }
        assertThat(smallFile()).isEqualTo(golden);
        Files.write(file(), golden);
        assertThat(StoreFile.read(target, file(), CLOCK)).isEqualTo(4);
        assertThat(content(target)).isEqualTo(content(store));
        Entry typed = target.getEntry(bytes("typed"));
        assertThat(typed.expiresAtMillis()).isEqualTo(2_000_000_000_000L);
        assertThat(typed.type()).isEqualTo(15);
    }

    /** The table in the layout's documentation and its constants say the same. */
    @Test
    void documentedTableMatchesTheConstants() throws IOException, ReflectiveOperationException {
        String source = Files.readString(Path.of("src/main/java/io/loam/store/transfer/StoreFileLayout.java"));
        Matcher row = Pattern.compile("^ \\* +(\\d+) +(\\d+)  ([A-Z_]+) ", Pattern.MULTILINE)
                .matcher(source);
        int rows = 0;
        int nextOffset = 0;
        while (row.find()) {
            int offset = Integer.parseInt(row.group(1));
            assertThat(offset).as(row.group(3)).isIn(0, nextOffset);
            assertThat(StoreFileLayout.class.getDeclaredField(row.group(3)).getInt(null))
                    .as(row.group(3))
                    .isEqualTo(offset);
            nextOffset = offset + Integer.parseInt(row.group(2));
            rows++;
        }
        assertThat(rows).isEqualTo(14);
        assertThat(nextOffset).isEqualTo(StoreFileLayout.END_BYTES);
    }

    private static byte[] concat(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(
                List.of(parts).stream().mapToInt(part -> part.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }
}
