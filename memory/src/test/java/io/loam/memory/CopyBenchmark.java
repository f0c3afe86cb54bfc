package io.loam.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;

/**
 * Not a test: what a copy costs within random probes of memory far larger than the caches, which is where the store copies. Each probe
 * reads a random slot of an index, follows it to an entry, reads the length there, copies, and reads the header again.
 *
 * <pre>{@code
 *   mvn -q -pl memory test-compile
 *   for how in segment memory none; do
 *     java -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp memory/target/classes:memory/target/test-classes \
 *       io.loam.memory.CopyBenchmark $how out 100 100
 *   done
 * }</pre>
 *
 * <p>Arguments: {@code segment} (MemorySegment.copy), {@code memory} ({@link RawMemory}) or {@code none}; {@code out} (a GET),
 * {@code in} (an overwrite) or {@code log} (an append); least and most bytes per entry. Prints medians of CPU time. One variant per
 * JVM, so that profiles don't mix; repeat in turn on a shared machine.
 */
final class CopyBenchmark {

    private static final RawMemory MEMORY = RawMemory.ofProcess();
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final long DATA_BYTES = 1200L << 20;
    private static final long LOG_BYTES = 64L << 20;
    private static final int HEADER_BYTES = 16;
    private static final int PROBES = 1_000_000;

    private static String how = "memory";
    private static String what = "out";

    private final long index;
    private final long log;
    private final long entries;
    private final byte[] buffer;
    private final int variant;
    private final int operation;
    private long logPosition;
    private long random = 0x9E3779B97F4A7C15L;

    private CopyBenchmark(long index, long log, long entries, int most) {
        this.index = index;
        this.log = log;
        this.entries = entries;
        this.buffer = new byte[Math.max(most, 8)];
        this.variant = Arrays.asList("segment", "memory", "none").indexOf(how);
        this.operation = Arrays.asList("out", "in", "log").indexOf(what);
        if (variant < 0 || operation < 0) {
            throw new IllegalArgumentException("first argument segment, memory or none; second out, in or log");
        }
    }

    public static void main(String[] arguments) {
        how = arguments[0];
        what = arguments[1];
        int least = Integer.parseInt(arguments[2]);
        int most = Integer.parseInt(arguments[3]);
        long stride = HEADER_BYTES + most + 7L & -8L;
        long entries = DATA_BYTES / stride;
        try (Reservation data = reserve(DATA_BYTES);
                Reservation index = reserve(entries * 8);
                Reservation log = reserve(LOG_BYTES)) {
            fill(data, index, entries, stride, least, most);
            CopyBenchmark benchmark = new CopyBenchmark(index.address(), log.address(), entries, most);
            for (int i = 0; i < 5; i++) {
                benchmark.probe();
            }
            double[] nanos = new double[9];
            long checksum = 0;
            for (int i = 0; i < nanos.length; i++) {
                long start = cpuNanos();
                checksum += benchmark.probe();
                nanos[i] = (cpuNanos() - start) / (double) PROBES;
            }
            Arrays.sort(nanos);
            System.out.printf(
                    Locale.ROOT,
                    "%s %s %d-%d bytes: %.1f ns (least %.1f) %s%n",
                    how,
                    what,
                    least,
                    most,
                    nanos[4],
                    nanos[0],
                    checksum == 42 ? "." : "");
        }
    }

    /** By procfs, so that the module need not read java.management for a test. */
    private static long cpuNanos() {
        String text = ProcFile.text(Path.of("/proc/thread-self/schedstat")).orElseThrow();
        return Long.parseLong(text.substring(0, text.indexOf(' ')));
    }

    private static Reservation reserve(long bytes) {
        Reservation reservation = Reservation.reserve(bytes, 2L << 20);
        reservation.adviseHugePages(0, reservation.bytes(), true);
        reservation.populate(0, reservation.bytes());
        return reservation;
    }

    private static void fill(Reservation data, Reservation index, long entries, long stride, int least, int most) {
        Random lengths = new Random(1);
        for (long i = 0; i < entries; i++) {
            MEMORY.putLong(index.address() + i * 8, data.address() + i * stride);
        }
        for (long i = entries - 1; i > 0; i--) {
            long a = index.address() + i * 8;
            long b = index.address() + lengths.nextLong(i + 1) * 8;
            long old = MEMORY.getLong(a);
            MEMORY.putLong(a, MEMORY.getLong(b));
            MEMORY.putLong(b, old);
        }
        for (long i = 0; i < entries; i++) {
            long entry = MEMORY.getLong(index.address() + i * 8);
            MEMORY.putLong(entry, lengths.nextInt(least, most + 1));
            MEMORY.putLong(entry + 8, i);
        }
    }

    private long probe() {
        long sum = 0;
        for (int i = 0; i < PROBES; i++) {
            random ^= random << 13;
            random ^= random >>> 7;
            random ^= random << 17;
            sum += visit(Math.unsignedMultiplyHigh(random, entries)) + buffer[5];
        }
        return sum;
    }

    private int visit(long key) {
        long entry = MEMORY.getLong(index + key * 8);
        long header = MEMORY.getLongAcquire(entry);
        int length = (int) header;
        if (length < 0 || length > buffer.length || MEMORY.getLong(entry + 8) != key) {
            throw new AssertionError("entry of " + key);
        }
        if (operation == 0) {
            copyOut(entry + HEADER_BYTES, length);
            VarHandle.acquireFence();
            if (MEMORY.getLong(entry) != header) {
                throw new AssertionError("header changed");
            }
        } else if (operation == 1) {
            copyIn(entry + HEADER_BYTES, length);
        } else {
            copyIn(log + logPosition, length);
            logPosition = (logPosition + length + HEADER_BYTES & -8L) % (LOG_BYTES - (1 << 20));
        }
        return length;
    }

    private void copyOut(long address, int length) {
        if (variant == 0) {
            MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, address, buffer, 0, length);
        } else if (variant == 1) {
            MEMORY.copyOut(address, buffer, 0, length);
        } else {
            buffer[5] = MEMORY.getByte(address);
        }
    }

    private void copyIn(long address, int length) {
        if (variant == 0) {
            MemorySegment.copy(buffer, 0, ALL, ValueLayout.JAVA_BYTE, address, length);
        } else if (variant == 1) {
            MEMORY.copyIn(buffer, 0, address, length);
        } else {
            MEMORY.putByte(address, buffer[5]);
        }
    }
}
