package io.loam.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link RawMemory} does. Guard bytes around each write show that nothing else is touched. */
abstract class RawMemoryContract {

    /** Bytes that {@link #base} offers to a test. */
    static final int BYTES = 1 << 17;

    private static final int[] LENGTHS = IntStream.concat(
                    IntStream.rangeClosed(0, 300),
                    IntStream.of(511, 512, 513, 1023, 1024, 1025, 4095, 4096, 65_535, 65_536))
            .toArray();

    private final Random random = new Random(7);

    abstract RawMemory memory();

    /** Address, aligned to 8, of {@link #BYTES} bytes with any content. */
    abstract long base();

    @BeforeEach
    void clear() {
        memory().fill(base(), BYTES, (byte) 0);
    }

    private byte[] randomBytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] read(long address, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = memory().getByte(address + i);
        }
        return bytes;
    }

    private void write(long address, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            memory().putByte(address + i, bytes[i]);
        }
    }

    @Test
    void plainAccessesAreLittleEndianAtEveryAlignment() {
        byte[] bytes = randomBytes(64);
        ByteBuffer expected = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        write(base(), bytes);
        for (int offset = 0; offset < 48; offset++) {
            assertThat(memory().getByte(base() + offset)).isEqualTo(expected.get(offset));
            assertThat(memory().getInt(base() + offset)).isEqualTo(expected.getInt(offset));
            assertThat(memory().getLong(base() + offset)).isEqualTo(expected.getLong(offset));
        }
        for (int offset = 8; offset < 48; offset++) {
            long value = random.nextLong();
            memory().putLong(base() + offset, value);
            expected.putLong(offset, value);
            memory().putInt(base() + offset + 1, (int) ~value);
            expected.putInt(offset + 1, (int) ~value);
            memory().putByte(base() + offset, (byte) value);
            expected.put(offset, (byte) value);
            assertThat(read(base(), 64)).isEqualTo(bytes);
        }
    }

    @Test
    void orderedModesReadWhatWasWrittenAndLeaveNeighboursAlone() {
        byte[] bytes = randomBytes(64);
        ByteBuffer expected = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        write(base(), bytes);
        for (int offset = 8; offset < 48; offset += 8) {
            assertThat(memory().getLongOpaque(base() + offset)).isEqualTo(expected.getLong(offset));
            assertThat(memory().getLongAcquire(base() + offset)).isEqualTo(expected.getLong(offset));
            assertThat(memory().getLongVolatile(base() + offset)).isEqualTo(expected.getLong(offset));
            memory().putLongOpaque(base() + offset, offset);
            assertThat(memory().getLong(base() + offset)).isEqualTo(offset);
            memory().putLongRelease(base() + offset, ~offset);
            assertThat(memory().getLong(base() + offset)).isEqualTo(~offset);
            memory().putLongVolatile(base() + offset, -1L - offset);
            expected.putLong(offset, -1L - offset);
            assertThat(read(base(), 64)).isEqualTo(bytes);
        }
        for (int offset = 8; offset < 48; offset += 4) {
            assertThat(memory().getIntAcquire(base() + offset)).isEqualTo(expected.getInt(offset));
            memory().putIntRelease(base() + offset, -offset);
            expected.putInt(offset, -offset);
            assertThat(read(base(), 64)).isEqualTo(bytes);
        }
        for (int offset = 8; offset < 48; offset++) {
            assertThat(memory().getByteOpaque(base() + offset)).isEqualTo(expected.get(offset));
            memory().putByteOpaque(base() + offset, (byte) -offset);
            expected.put(offset, (byte) -offset);
            assertThat(read(base(), 64)).isEqualTo(bytes);
        }
    }

    @Test
    void compareAndSetWritesOnlyIfTheExpectedValueIsThere() {
        memory().putLong(base() + 8, 5);
        assertThat(memory().compareAndSetLong(base() + 8, 4, 6)).isFalse();
        assertThat(memory().getLong(base() + 8)).isEqualTo(5);
        assertThat(memory().compareAndSetLong(base() + 8, 5, 6)).isTrue();
        assertThat(memory().getAndAddLong(base() + 8, -7)).isEqualTo(6);
        assertThat(memory().getLong(base() + 8)).isEqualTo(-1);
        assertThat(memory().getLong(base())).isZero();
        assertThat(memory().getLong(base() + 16)).isZero();
    }

    @Test
    void misalignedAtomicAccessIsRefused() {
        assertThatThrownBy(() -> memory().getLongAcquire(base() + 4)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory().compareAndSetLong(base() + 1, 0, 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory().getAndAddLong(base() + 7, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void bulkCopiesMoveExactlyTheirRange() {
        for (int length : LENGTHS) {
            for (int alignment = 0; alignment < 8; alignment += length > 64 ? 3 : 1) {
                byte[] source = randomBytes(length + 16);
                long address = base() + 8 + alignment;
                int offset = 8 - alignment;

                memory().fill(base(), length + 32, (byte) 0x55);
                memory().copyIn(source, offset, address, length);
                assertThat(read(address, length)).isEqualTo(Arrays.copyOfRange(source, offset, offset + length));
                assertGuards(address, length, (byte) 0x55);

                byte[] destination = new byte[length + 16];
                Arrays.fill(destination, (byte) 0x66);
                byte[] expected = destination.clone();
                System.arraycopy(source, offset, expected, alignment, length);
                memory().copyOut(address, destination, alignment, length);
                assertThat(destination).isEqualTo(expected);

                if (length < BYTES / 2 - 32) {
                    long to = base() + BYTES / 2 + 8 + (alignment + 3 & 7);
                    memory().fill(base() + BYTES / 2, length + 32, (byte) 0x77);
                    memory().copy(address, to, length);
                    assertThat(read(to, length)).isEqualTo(Arrays.copyOfRange(source, offset, offset + length));
                    assertGuards(to, length, (byte) 0x77);
                }
            }
        }
    }

    private void assertGuards(long address, int length, byte guard) {
        assertThat(memory().getByte(address - 1)).isEqualTo(guard);
        assertThat(memory().getByte(address + length)).isEqualTo(guard);
    }

    @Test
    void segmentCopiesMoveExactlyTheirRange() {
        try (Arena arena = Arena.ofConfined()) {
            for (int length : LENGTHS) {
                byte[] source = randomBytes(length + 16);
                for (MemorySegment segment :
                        new MemorySegment[] {MemorySegment.ofArray(source), arena.allocate(length + 16, 8)}) {
                    MemorySegment.copy(source, 0, segment, ValueLayout.JAVA_BYTE, 0, source.length);
                    memory().fill(base(), length + 32, (byte) 0x55);
                    memory().copyIn(segment, 3, base() + 8, length);
                    assertThat(read(base() + 8, length)).isEqualTo(Arrays.copyOfRange(source, 3, 3 + length));
                    assertGuards(base() + 8, length, (byte) 0x55);

                    MemorySegment expected = MemorySegment.ofArray(source.clone());
                    MemorySegment.copy(MemorySegment.ofArray(source), 3, expected, 5, length);
                    memory().copyOut(base() + 8, segment, 5, length);
                    assertThat(segment.mismatch(expected)).isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void copyOutsideTheArrayIsRefusedAndWritesNothing() {
        byte[] array = new byte[100];
        memory().fill(base(), 1024, (byte) 9);
        int[][] impossible = {
            {-1, 1}, {0, 101}, {100, 1}, {99, 2}, {1, -1}, {Integer.MAX_VALUE, 1}, {1, Integer.MAX_VALUE}, {-50, 60}
        };
        for (int[] range : impossible) {
            assertThatThrownBy(() -> memory().copyOut(base(), array, range[0], range[1]))
                    .as("offset %d, length %d", range[0], range[1])
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> memory().copyIn(array, range[0], base(), range[1]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> memory().matches(base(), array, range[0], range[1]))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
        assertThat(array).containsOnly(0);
        assertThat(read(base(), 100)).containsOnly(9);
    }

    @Test
    void fillSetsExactlyItsRange() {
        for (int length : LENGTHS) {
            memory().fill(base(), length + 32, (byte) 0);
            memory().fill(base() + 3, length, (byte) 0xAB);
            byte[] expected = new byte[length];
            Arrays.fill(expected, (byte) 0xAB);
            assertThat(read(base() + 3, length)).isEqualTo(expected);
            assertGuards(base() + 3, length, (byte) 0);
        }
    }

    @Test
    void matchesFindsADifferenceInAnyByte() {
        for (int length : LENGTHS) {
            byte[] bytes = randomBytes(length + 8);
            int offset = length % 7;
            long address = base() + 16 + length % 5;
            long twin = base() + BYTES / 2 + 16;
            if (length >= BYTES / 2 - 32) {
                continue;
            }
            byte[] content = Arrays.copyOfRange(bytes, offset, offset + length);
            memory().fill(base(), length + 64, (byte) 1);
            write(address, content);
            write(twin, content);
            assertThat(memory().matches(address, bytes, offset, length)).isTrue();
            assertThat(memory().matches(address, twin, length)).isTrue();
            for (int position = 0; position < length; position += length > 300 ? length - 1 : 1) {
                memory().putByte(address + position, (byte) (content[position] ^ 1));
                assertThat(memory().matches(address, bytes, offset, length))
                        .as("length %d, byte %d", length, position)
                        .isFalse();
                assertThat(memory().matches(address, twin, length)).isFalse();
                memory().putByte(address + position, content[position]);
            }
        }
    }

    @Test
    void atomicUpdatesOfManyThreadsAreNotLost() throws InterruptedException {
        int threads = 4;
        int rounds = 20_000;
        Thread[] workers = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            int own = t;
            workers[t] = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < rounds; i++) {
                    memory().getAndAddLong(base(), 1);
                    long old;
                    do {
                        old = memory().getLongAcquire(base() + 8);
                    } while (!memory().compareAndSetLong(base() + 8, old, old + 3));
                    memory().putByteOpaque(base() + 16 + own, (byte) i);
                    memory().putIntRelease(base() + 24 + own * 4L, i);
                }
            });
        }
        for (Thread worker : workers) {
            worker.join();
        }
        assertThat(memory().getLong(base())).isEqualTo((long) threads * rounds);
        assertThat(memory().getLong(base() + 8)).isEqualTo(3L * threads * rounds);
        for (int t = 0; t < threads; t++) {
            assertThat(memory().getByte(base() + 16 + t)).isEqualTo((byte) (rounds - 1));
            assertThat(memory().getInt(base() + 24 + t * 4L)).isEqualTo(rounds - 1);
        }
    }
}
