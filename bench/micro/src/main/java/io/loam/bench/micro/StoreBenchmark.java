package io.loam.bench.micro;

import io.loam.store.Guard;
import io.loam.store.KeyHashing;
import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The steps of an operation, one by one. {@code probeAbsent} is hash and index probe alone; {@code version} adds the entry's header;
 * {@code get} the copy; {@code pin} is a guard taken and closed; {@code putAppend} and {@code putInPlace} write.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StoreBenchmark {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int BATCH = 16;

    @Param({"1000000"})
    public int records;

    @Param({"100", "1024"})
    public int valueBytes;

    @Param({"FAST", "FLOOD_RESISTANT"})
    public KeyHashing hash = KeyHashing.FLOOD_RESISTANT;

    @SuppressWarnings("NullAway.Init") // set up before any benchmark
    private Store append;

    @SuppressWarnings("NullAway.Init")
    private Store inPlace;

    @Setup(Level.Trial)
    public void open() {
        long capacityBytes = Math.max(64L << 20, 2L * records * (valueBytes + 48));
        append = Store.builder().capacityBytes(capacityBytes).keyHashing(hash).open();
        inPlace = Store.builder()
                .capacityBytes(capacityBytes)
                .keyHashing(hash)
                .updatePolicy(UpdatePolicy.IN_PLACE)
                .open();
        byte[] key = new byte[8];
        byte[] value = new byte[valueBytes];
        for (long i = 0; i < records; i++) {
            LONG.set(key, 0, i);
            append.put(key, value);
            inPlace.put(key, value);
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        append.close();
        inPlace.close();
    }

    /** A thread's key and buffers. */
    @State(Scope.Thread)
    public static class Caller {
        private long random = 0x9E3779B97F4A7C15L ^ Thread.currentThread().threadId();
        private final byte[] key = new byte[8];
        private final byte[][] keys = new byte[BATCH][8];
        private final byte[][] buffers = new byte[BATCH][1024];
        private final int[] lengths = new int[BATCH];
        private final byte[] buffer = new byte[1024];
        private byte[] value = new byte[0];

        private long bits() {
            random ^= random << 13;
            random ^= random >>> 7;
            random ^= random << 17;
            return random;
        }

        private byte[] present(int records) {
            LONG.set(key, 0, Math.unsignedMultiplyHigh(bits(), records));
            return key;
        }

        private byte[] absent() {
            LONG.set(key, 0, bits() | Long.MIN_VALUE);
            return key;
        }

        private byte[] value(int bytes) {
            if (value.length != bytes) {
                value = new byte[bytes];
            }
            return value;
        }
    }

    @Benchmark
    public boolean probeAbsent(Caller caller) {
        return append.contains(caller.absent());
    }

    @Benchmark
    public long version(Caller caller) {
        return append.version(caller.present(records));
    }

    @Benchmark
    public int get(Caller caller) {
        return append.get(caller.present(records), caller.buffer, 0);
    }

    @Benchmark
    public byte[] getFresh(Caller caller) {
        byte[] value = append.get(caller.present(records));
        if (value == null) {
            throw new IllegalStateException("a record is missing");
        }
        return value;
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int getBatch(Caller caller) {
        for (byte[] key : caller.keys) {
            LONG.set(key, 0, Math.unsignedMultiplyHigh(caller.bits(), records));
        }
        return append.getAll(caller.keys, caller.buffers, caller.lengths, BATCH);
    }

    @Benchmark
    public long putAppend(Caller caller) {
        return append.put(caller.present(records), caller.value(valueBytes));
    }

    @Benchmark
    public long putInPlace(Caller caller) {
        return inPlace.put(caller.present(records), caller.value(valueBytes));
    }

    @Benchmark
    public void pin() {
        try (Guard guard = append.guard()) {
            keep(guard);
        }
    }

    private static void keep(Guard guard) {
        if (guard.hashCode() == 0x7FFF_FFFF) {
            throw new IllegalStateException("never");
        }
    }
}
