package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.loam.memory.Topology;
import io.loam.store.LoamException;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.Store;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreFullException;
import io.loam.store.sequence.Setup;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What can't be done is refused with words that help, and harms nothing. */
class BadInputTest {

    @Test
    void capacityBelowTheMinimumNamesTheMinimum() {
        for (int blockBytes : new int[] {4096, 65_536}) {
            for (long bytes : new long[] {Long.MIN_VALUE, -1, 0, 1, 4096, 20 * 4096}) {
                Throwable refusal = catchThrowable(() -> Store.builder()
                        .blockBytes(blockBytes)
                        .capacityBytes(bytes)
                        .open());
                assertThat(refusal)
                        .as("%d", bytes)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining(Long.toString(bytes));
                Matcher minimum =
                        Pattern.compile("at least (\\d+)").matcher(Objects.requireNonNull(refusal.getMessage()));
                assertThat(minimum.find()).as(refusal.getMessage()).isTrue();
                // And the minimum is enough.
                try (Store store = Store.builder()
                        .blockBytes(blockBytes)
                        .capacityBytes(Long.parseLong(minimum.group(1)))
                        .open()) {
                    store.put(new byte[] {1}, new byte[] {2});
                    assertThat(store.get(new byte[] {1})).containsExactly(2);
                }
            }
        }
    }

    @Test
    void capacityAboveTheMachineIsRefused() {
        for (long bytes : new long[] {1L << 44, 1L << 50, Long.MAX_VALUE}) {
            assertThatThrownBy(() -> Store.builder().capacityBytes(bytes).open())
                    .as("%d", bytes)
                    .isInstanceOfAny(IllegalArgumentException.class, LoamException.class)
                    .hasMessageMatching("(?s).*\\d.*");
        }
    }

    static Stream<Arguments> wrongOptions() {
        return Stream.of(
                option("block not a power of two", builder -> builder.blockBytes(5000)),
                option("block too small", builder -> builder.blockBytes(2048)),
                option("block too large", builder -> builder.blockBytes(2 << 20)),
                option("block negative", builder -> builder.blockBytes(-4096)),
                option(
                        "segment no multiple of the block",
                        builder -> builder.blockBytes(4096).segmentBytes(10_000)),
                option("segment negative", builder -> builder.segmentBytes(-1)),
                option("segment as large as the store", builder -> builder.segmentBytes(16 << 20)),
                option("no heads", builder -> builder.headsPerNode(-1)),
                option("too many heads", builder -> builder.headsPerNode(1 << 20)),
                option("cleaners negative", builder -> builder.cleanersPerNode(-1)),
                option("timeout negative", builder -> builder.writeTimeoutMillis(-1)),
                option("delay negative", builder -> builder.releaseDelayMillis(-1)),
                option("maximum below the capacity", builder -> builder.maximumCapacityBytes(8 << 20)),
                option("maximum negative", builder -> builder.maximumCapacityBytes(-1)));
    }

    private static Arguments option(String name, UnaryOperator<StoreBuilder> change) {
        return Arguments.of(name, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("wrongOptions")
    void optionOutOfRangeIsNamed(String name, UnaryOperator<StoreBuilder> change) {
        assertThatThrownBy(() -> change.apply(Store.builder().capacityBytes(16 << 20))
                        .open()
                        .close())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("(?s).*\\d.*");
    }

    @Test
    void nullsAreRefused() {
        try (Store store = Setup.TINY.open()) {
            byte[] nothing = nothing();
            byte[] key = {1};
            assertThatThrownBy(() -> store.get(nothing)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> store.put(nothing, key)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> store.put(key, nothing)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> store.delete(nothing)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> store.getAll(Arrays.asList(key, nothing)))
                    .isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> store.append(key, nothing)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> store.compute(nothing, old -> old)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> store.transact(Arrays.asList(nothing), t -> 1))
                    .isInstanceOf(NullPointerException.class);
            assertThat(store.size()).isZero();
            assertThat(store.stats().oldestGuard()).isNull();
        }
    }

    @SuppressWarnings("NullAway") // the point of the test
    private static byte[] nothing() {
        return null;
    }

    @Test
    void keysFromEmptyToLongestAreKeysAndLongerAreRefused() {
        try (Store store = Setup.TINY.withBlocks(256, 256).open()) {
            byte[] longest = new byte[Namespace.MAX_KEY_BYTES];
            byte[] tooLong = new byte[Namespace.MAX_KEY_BYTES + 1];
            store.put(new byte[0], new byte[0]);
            store.put(longest, new byte[] {1});
            assertThat(store.get(new byte[0])).isEmpty();
            assertThat(store.get(longest)).containsExactly(1);
            assertThat(store.get(new byte[] {0})).isNull();
            for (Runnable operation : List.<Runnable>of(
                    () -> store.put(tooLong, new byte[1]),
                    () -> store.get(tooLong),
                    () -> store.delete(tooLong),
                    () -> store.put(MemorySegment.ofArray(tooLong), MemorySegment.ofArray(new byte[1])),
                    () -> store.put(ByteBuffer.wrap(tooLong), ByteBuffer.allocate(1)))) {
                assertThatThrownBy(operation::run)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("65536")
                        .hasMessageContaining("65535");
            }
            assertThat(store.size()).isEqualTo(2);
        }
    }

    @Test
    void valueOverTheCapacityIsRefused() {
        try (Store store = Setup.TINY.withWriteTimeoutMillis(2_000).open()) {
            store.put(new byte[] {1}, new byte[] {1});
            for (int size : new int[] {128 * 4096, 1 << 20, 1 << 28}) {
                assertThatThrownBy(() -> store.put(new byte[] {1}, new byte[size]))
                        .isInstanceOfAny(IllegalArgumentException.class, StoreFullException.class)
                        .hasMessageMatching("(?s).*\\d.*");
            }
            assertThat(store.get(new byte[] {1})).containsExactly(1);
        }
    }

    @Test
    void wrongPutOptionsAreRefused() {
        assertThatThrownBy(() -> PutOptions.DEFAULT.withType(16)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PutOptions.DEFAULT.expiringAt(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PutOptions.DEFAULT.ifVersion(0)).isInstanceOf(IllegalArgumentException.class);
        try (Store store = Setup.TINY.open()) {
            assertThatThrownBy(() -> store.put(new byte[1], new byte[1], -5))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> store.get(new byte[1], new byte[4], 5))
                    .isInstanceOfAny(IndexOutOfBoundsException.class, IllegalArgumentException.class);
            assertThatThrownBy(() -> store.get(new byte[1], new byte[4], -1))
                    .isInstanceOfAny(IndexOutOfBoundsException.class, IllegalArgumentException.class);
            assertThatThrownBy(() -> store.putAll(List.of(new byte[1]), List.of()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> store.getAll(new byte[2][1], new byte[1][1], new int[2], 2))
                    .isInstanceOfAny(IndexOutOfBoundsException.class, IllegalArgumentException.class);
            assertThat(store.size()).isZero();
        }
    }

    @Test
    void tooManyNamespacesAreRefused() {
        try (Store store = Setup.TINY.withBlocks(8192, 8192).open()) {
            for (int i = 0; i < StoreBuilder.MAX_NAMESPACES; i++) {
                store.namespace("space " + i).put(new byte[1], new byte[] {(byte) i});
            }
            assertThatThrownBy(() -> store.namespace("one more"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("255");
            store.dropNamespace("space 7");
            assertThat(store.namespace("one more").get(new byte[1])).isNull();
        }
    }

    @Test
    void capacityOutOfRangeLeavesItUnchanged() {
        try (Store store = Setup.TINY.withBlocks(128, 256).open()) {
            for (long bytes : new long[] {-1, 0, 40 * 4096, 257 * 4096, Long.MAX_VALUE}) {
                assertThatThrownBy(() -> store.setCapacityBytes(bytes)).isInstanceOf(IllegalArgumentException.class);
                assertThat(store.capacityBytes()).isEqualTo(128 * 4096);
            }
        }
    }

    @Test
    void transactionThatNamesAKeyTwiceOrUsesAnotherIsHandled() {
        try (Store store = Setup.TINY.open()) {
            byte[] key = {1};
            assertThatThrownBy(() -> store.transact(List.of(key), transaction -> transaction.get(new byte[] {2})))
                    .isInstanceOf(IllegalArgumentException.class);
            store.transact(List.of(key, key.clone()), transaction -> {
                transaction.put(key, new byte[] {5});
                return 1;
            });
            assertThat(store.get(key)).containsExactly(5);
            assertThat(store.<Integer>transact(List.of(), transaction -> 7)).isEqualTo(7);
        }
    }

    /** A child JVM whose address space is limited, so that the kernel refuses the store's reservation. */
    @Test
    void memoryThatTheSystemRefusesIsAClearException(@TempDir Path directory) throws IOException, InterruptedException {
        Path classes = codeSource(Store.class);
        String classPath = Stream.of(classes, classes.resolveSibling("test-classes"), codeSource(Topology.class))
                .map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator));
        // The child's heap, code cache and class space must fit below the limit too.
        List<String> command = List.of(
                "bash",
                "-c",
                "ulimit -v 6000000; exec \"$@\"",
                "bash",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:ReservedCodeCacheSize=64m",
                "-XX:CompressedClassSpaceSize=64m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                OpensALargeStore.class.getName());
        Path output = directory.resolve("output");
        Process child = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String said = java.nio.file.Files.readString(output);
        assertThat(child.exitValue()).as(said).isZero();
        assertThat(said).contains("refused: ").doesNotContain("SIGSEGV", "SIGBUS");
    }

    private static Path codeSource(Class<?> type) {
        return Path.of(URI.create(
                type.getProtectionDomain().getCodeSource().getLocation().toString()));
    }

    /** The child's main class. */
    static final class OpensALargeStore {
        public static void main(String[] arguments) {
            try {
                Store.builder().capacityBytes(8L << 30).open().close();
                System.out.println("opened");
                System.exit(3);
            } catch (LoamException | IllegalArgumentException e) {
                System.out.println("refused: " + e.getMessage());
            }
            // A smaller one still opens.
            try (Store store = Store.builder().capacityBytes(16L << 20).open()) {
                store.put(new byte[] {1}, new byte[] {2});
            }
        }
    }
}
