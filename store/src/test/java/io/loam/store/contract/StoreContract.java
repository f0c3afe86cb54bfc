package io.loam.store.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.Codec;
import io.loam.store.Entry;
import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Store;
import io.loam.store.StoreBuilder;
import io.loam.store.StoreClosedException;
import io.loam.store.Transaction;
import io.loam.store.ValueView;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The behaviour of the public API, one behaviour a test. A subclass opens the stores; those have room for at least 64 MiB of values and
 * for {@link StoreBuilder#MAX_NAMESPACES} namespaces, and decide expiry by the clock given.
 */
@Timeout(600)
public abstract class StoreContract {

    private static final byte[] KEY = bytes("key");
    private static final byte[] VALUE = bytes("value");
    private static final byte[] OTHER = bytes("another value");
    private static final byte[] EMPTY = {};

    protected final SettableClock clock = new SettableClock();

    protected Store store;

    @TempDir
    Path directory;

    /** A store of its own, empty. */
    protected abstract Store open(InstantSource clock);

    /** Whether its listeners hear of all that expires: in a shared store the leader may find it first, and tells its own. */
    protected boolean hearsAllExpiry() {
        return true;
    }

    /** Audits a store after each test, before it is closed (it may be closed already). */
    protected void check(Store store) {}

    @BeforeEach
    final void openStore() {
        store = open(clock);
    }

    @AfterEach
    final void closeStore() {
        check(store);
        store.close();
    }

    private static byte[] bytes(String text) {
        return Codec.STRING.encode(text);
    }

    private static byte[] random(int seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static MemorySegment heap(byte[] bytes) {
        return MemorySegment.ofArray(bytes);
    }

    private static MemorySegment nativeCopy(Arena arena, byte[] bytes) {
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    }

    private long inMillis(long millis) {
        return clock.millis() + millis;
    }

    /** Makes {@code KEY} expired, its value {@code VALUE}. */
    private void putExpired() {
        store.put(KEY, VALUE, inMillis(10));
        clock.advanceMillis(10);
    }

    // ---- get, put, delete

    @Test
    void absentKeyIsAbsentInEveryForm() {
        assertThat(store.get(KEY)).isNull();
        assertThat(store.get(KEY, new byte[8], 0)).isEqualTo((int) Namespace.ABSENT);
        assertThat(store.get(heap(KEY), heap(new byte[8]))).isEqualTo(Namespace.ABSENT);
        assertThat(store.get(ByteBuffer.wrap(KEY), ByteBuffer.allocate(8))).isEqualTo(Namespace.ABSENT);
        assertThat(store.<String>read(KEY, value -> "read")).isNull();
        assertThat(store.getEntry(KEY)).isNull();
        assertThat(store.contains(KEY)).isFalse();
        assertThat(store.version(KEY)).isEqualTo(Namespace.ABSENT);
        assertThat(store.delete(KEY)).isFalse();
        assertThat(store.delete(heap(KEY))).isFalse();
        assertThat(store.delete(ByteBuffer.wrap(KEY))).isFalse();
        assertThat(store.getAndDelete(KEY)).isNull();
    }

    @Test
    void valuePutIsGotUntilReplaced() {
        store.put(KEY, VALUE);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        store.put(KEY, OTHER);
        assertThat(store.get(KEY)).isEqualTo(OTHER);
        assertThat(store.contains(KEY)).isTrue();
    }

    @Test
    void deletedKeyIsAbsent() {
        store.put(KEY, VALUE);
        assertThat(store.delete(KEY)).isTrue();
        assertThat(store.get(KEY)).isNull();
        assertThat(store.delete(KEY)).isFalse();
    }

    @Test
    void getAndDeleteReturnsTheLastValue() {
        store.put(KEY, VALUE);
        assertThat(store.getAndDelete(KEY)).isEqualTo(VALUE);
        assertThat(store.contains(KEY)).isFalse();
    }

    @Test
    void emptyKeyIsAKey() {
        store.put(EMPTY, VALUE);
        store.put(new byte[1], OTHER);
        assertThat(store.get(EMPTY)).isEqualTo(VALUE);
        assertThat(store.get(new byte[1])).isEqualTo(OTHER);
        assertThat(store.delete(EMPTY)).isTrue();
        assertThat(store.contains(EMPTY)).isFalse();
    }

    @Test
    void emptyValueIsAValue() {
        store.put(KEY, EMPTY);
        assertThat(store.get(KEY)).isEmpty();
        assertThat(store.contains(KEY)).isTrue();
        assertThat(store.get(KEY, EMPTY, 0)).isZero();
        assertThat(store.<Integer>read(KEY, ValueView::segmentCount)).isZero();
        assertThat(store.get(heap(KEY), heap(EMPTY))).isZero();
    }

    @Test
    void keyOfTheGreatestLengthIsAKey() {
        byte[] longest = random(1, Namespace.MAX_KEY_BYTES);
        store.put(longest, VALUE);
        assertThat(store.get(longest)).isEqualTo(VALUE);
        assertThat(store.contains(Arrays.copyOf(longest, longest.length - 1))).isFalse();
        assertThat(store.delete(longest)).isTrue();
    }

    @Test
    void longerKeyIsRefusedWithTheLimit() {
        byte[] tooLong = new byte[Namespace.MAX_KEY_BYTES + 1];
        List<ThrowingCallable> calls = List.of(
                () -> store.put(tooLong, VALUE),
                () -> store.put(heap(tooLong), heap(VALUE)),
                () -> store.put(ByteBuffer.wrap(tooLong), ByteBuffer.wrap(VALUE)),
                () -> store.get(tooLong),
                () -> store.delete(tooLong),
                () -> store.add(tooLong, 1),
                () -> store.transact(List.of(tooLong), transaction -> 1));
        for (ThrowingCallable call : calls) {
            assertThatIllegalArgumentException()
                    .isThrownBy(call)
                    .withMessageContaining("65535")
                    .withMessageContaining("65536");
        }
        assertThat(store.size()).isZero();
    }

    @Test
    void valuesOfManyLengthsComeBackWhole() {
        int[] lengths = {1, 7, 8, 9, 63, 64, 65, 2047, 2048, 2049, 4095, 4096, 4097, 65_535, 65_536, 1 << 20, 3_000_001
        };
        for (int length : lengths) {
            store.put(Codec.LONG.encode((long) length), random(length, length));
        }
        for (int length : lengths) {
            assertThat(store.get(Codec.LONG.encode((long) length))).isEqualTo(random(length, length));
        }
    }

    @Test
    void valueMayGrowAndShrink() {
        for (int length : new int[] {10, 1_000, 100_000, 3, 0, 2_000_000, 50}) {
            store.put(KEY, random(length, length));
            assertThat(store.get(KEY)).isEqualTo(random(length, length));
        }
        assertThat(store.size()).isEqualTo(1);
    }

    @Test
    void keysThatDifferInOneBitAreDifferent() {
        byte[] key = random(3, 37);
        for (int bit = 0; bit < key.length * 8; bit++) {
            byte[] near = key.clone();
            near[bit / 8] ^= (byte) (1 << (bit % 8));
            store.put(near, Codec.LONG.encode((long) bit));
        }
        assertThat(store.contains(key)).isFalse();
        for (int bit = 0; bit < key.length * 8; bit++) {
            byte[] near = key.clone();
            near[bit / 8] ^= (byte) (1 << (bit % 8));
            assertThat(store.get(near)).isEqualTo(Codec.LONG.encode((long) bit));
        }
    }

    @Test
    void arraysAreCopiedInAndOut() {
        byte[] key = KEY.clone();
        byte[] value = VALUE.clone();
        store.put(key, value);
        key[0]++;
        value[0]++;
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        store.get(KEY)[0]++;
        store.getEntry(KEY).value()[0]++;
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    // ---- segments and buffers

    @Test
    void segmentsOfHeapAndNativeMemoryAreEqual() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment key = nativeCopy(arena, KEY);
            assertThat(store.put(key, nativeCopy(arena, VALUE))).isPositive();
            assertThat(store.get(KEY)).isEqualTo(VALUE);
            MemorySegment destination = arena.allocate(VALUE.length);
            assertThat(store.get(heap(KEY), destination)).isEqualTo(VALUE.length);
            assertThat(destination.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(VALUE);
            store.put(heap(KEY), heap(OTHER));
            byte[] room = new byte[OTHER.length + 2];
            assertThat(store.get(key, heap(room).asSlice(1))).isEqualTo(OTHER.length);
            assertThat(Arrays.copyOfRange(room, 1, OTHER.length + 1)).isEqualTo(OTHER);
            assertThat(store.put(key, nativeCopy(arena, VALUE), PutOptions.IF_ABSENT))
                    .isEqualTo(Namespace.ABSENT);
            assertThat(store.delete(key)).isTrue();
        }
    }

    @Test
    void slicesOfWiderArraysAreTakenAsTheyAre() {
        MemorySegment wide = heap(bytes("..key:value.."));
        store.put(wide.asSlice(2, 3), wide.asSlice(6, 5).asReadOnly());
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        assertThat(store.put(heap(KEY), MemorySegment.ofArray(new long[] {5}))).isPositive();
        assertThat(store.get(KEY)).hasSize(8);
    }

    @Test
    void buffersKeepTheirPositionsAndDestinationsMoveOn() {
        for (boolean direct : new boolean[] {false, true}) {
            ByteBuffer key = buffer(direct, "--key--").position(2).limit(5);
            ByteBuffer value = buffer(direct, "-value-").position(1).limit(6);
            store.put(key, value);
            assertThat(store.get(KEY)).isEqualTo(VALUE);
            ByteBuffer destination = buffer(direct, "...........").position(3);
            assertThat(store.get(key, destination)).isEqualTo(VALUE.length);
            assertThat(destination.position()).isEqualTo(3 + VALUE.length);
            assertThat(destination.limit()).isEqualTo(11);
            byte[] all = new byte[11];
            destination.get(0, all);
            assertThat(all).isEqualTo(bytes("...value..."));
            assertThat(store.delete(key)).isTrue();
            assertThat(List.of(key.position(), key.limit(), value.position(), value.limit()))
                    .containsExactly(2, 5, 1, 6);
        }
    }

    private static ByteBuffer buffer(boolean direct, String text) {
        byte[] bytes = bytes(text);
        return (direct ? ByteBuffer.allocateDirect(bytes.length) : ByteBuffer.allocate(bytes.length))
                .put(bytes)
                .clear();
    }

    @Test
    void readOnlyBuffersAndSegmentsAreSources() {
        store.put(
                ByteBuffer.wrap(KEY).asReadOnlyBuffer(), ByteBuffer.wrap(VALUE).asReadOnlyBuffer());
        assertThat(store.get(ByteBuffer.wrap(KEY).asReadOnlyBuffer(), ByteBuffer.allocate(9)))
                .isEqualTo(VALUE.length);
        assertThat(store.get(heap(KEY).asReadOnly(), heap(new byte[9]))).isEqualTo(VALUE.length);
    }

    @Test
    void readOnlyDestinationsAreRefusedUntouched() {
        store.put(KEY, VALUE);
        byte[] room = new byte[9];
        assertThatThrownBy(() -> store.get(heap(KEY), heap(room).asReadOnly())).isInstanceOf(RuntimeException.class);
        assertThatThrownBy(() ->
                        store.get(ByteBuffer.wrap(KEY), ByteBuffer.wrap(room).asReadOnlyBuffer()))
                .isInstanceOf(RuntimeException.class);
        assertThat(room).containsOnly(0);
    }

    @Test
    void segmentOfAClosedArenaIsRefused() {
        store.put(KEY, VALUE);
        MemorySegment gone;
        try (Arena arena = Arena.ofConfined()) {
            gone = nativeCopy(arena, OTHER);
        }
        assertThatIllegalStateException().isThrownBy(() -> store.put(gone, heap(VALUE)));
        assertThatIllegalStateException().isThrownBy(() -> store.put(heap(KEY), gone));
        assertThatIllegalStateException().isThrownBy(() -> store.get(gone, heap(new byte[9])));
        assertThatIllegalStateException().isThrownBy(() -> store.get(heap(KEY), gone));
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    @Test
    void segmentOfAnotherThreadsConfinedArenaIsRefused() throws InterruptedException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment foreign = nativeCopy(arena, KEY);
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread thread = new Thread(() ->
                    thrown.set(org.assertj.core.api.Assertions.catchThrowable(() -> store.put(foreign, foreign))));
            thread.start();
            thread.join();
            assertThat(thrown.get()).isInstanceOf(WrongThreadException.class);
        }
        assertThat(store.size()).isZero();
    }

    @Test
    void valueIsCopiedAtTheOffset() {
        store.put(KEY, VALUE);
        byte[] room = new byte[10];
        assertThat(store.get(KEY, room, 3)).isEqualTo(5);
        assertThat(room).isEqualTo(bytes("\0\0\0value\0\0"));
    }

    @Test
    void valueLongerThanTheRoomIsNotCopiedAndItsLengthSaid() {
        store.put(KEY, VALUE);
        byte[] room = new byte[10];
        assertThat(store.get(KEY, room, 6)).isEqualTo(5);
        assertThat(store.get(heap(KEY), heap(room).asSlice(0, 4))).isEqualTo(5);
        ByteBuffer destination = ByteBuffer.wrap(room).limit(4);
        assertThat(store.get(ByteBuffer.wrap(KEY), destination)).isEqualTo(5);
        assertThat(destination.position()).isZero();
        assertThat(room).containsOnly(0);
    }

    @Test
    void offsetOutsideTheDestinationIsRefused() {
        store.put(KEY, VALUE);
        for (int offset : new int[] {-1, 11, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThatThrownBy(() -> store.get(KEY, new byte[10], offset))
                    .isInstanceOfAny(IndexOutOfBoundsException.class, IllegalArgumentException.class);
        }
    }

    // ---- versions and conditions

    @Test
    void versionsStartAtOneOrMoreAndGrowWithEveryWrite() {
        long first = store.put(KEY, VALUE);
        assertThat(first).isPositive();
        assertThat(store.version(KEY)).isEqualTo(first);
        long last = first;
        for (int i = 0; i < 100; i++) {
            long next = store.put(KEY, i % 2 == 0 ? OTHER : VALUE);
            assertThat(next).isGreaterThan(last);
            last = next;
        }
        assertThat(store.getEntry(KEY).version()).isEqualTo(last);
        assertThat(store.<Long>read(KEY, ValueView::version)).isEqualTo(last);
    }

    @Test
    void versionGrowsAcrossDeletionAndExpiryAndClear() {
        long version = store.put(KEY, VALUE);
        store.delete(KEY);
        long afterDelete = store.put(KEY, VALUE, inMillis(10));
        assertThat(afterDelete).isGreaterThan(version);
        clock.advanceMillis(10);
        long afterExpiry = store.put(KEY, VALUE);
        assertThat(afterExpiry).isGreaterThan(afterDelete);
        store.clear();
        long afterClear = store.put(KEY, VALUE);
        assertThat(afterClear).isGreaterThan(afterExpiry);
        store.clearAll();
        assertThat(store.put(KEY, VALUE)).isGreaterThan(afterClear);
    }

    @Test
    void everyKindOfWriteMakesTheVersionGrow() {
        byte[] number = Codec.LONG.encode(5L);
        List<Runnable> writes = List.of(
                () -> store.put(KEY, number),
                () -> store.add(KEY, 1),
                () -> store.append(KEY, EMPTY),
                () -> store.append(KEY, VALUE),
                () -> store.compute(KEY, old -> old),
                () -> store.expireAt(KEY, inMillis(1_000)),
                () -> store.replace(KEY, VALUE),
                () -> store.put(heap(KEY), heap(VALUE)),
                () -> store.put(ByteBuffer.wrap(KEY), ByteBuffer.wrap(VALUE)),
                () -> store.putAll(List.of(KEY), List.of(VALUE)),
                () -> store.transact(List.of(KEY), transaction -> {
                    transaction.put(KEY, VALUE);
                    return 1;
                }));
        long last = store.put(KEY, number);
        for (Runnable write : writes) {
            write.run();
            assertThat(store.version(KEY)).isGreaterThan(last);
            last = store.version(KEY);
        }
    }

    @Test
    void putIfAbsentStoresOnce() {
        assertThat(store.putIfAbsent(KEY, VALUE)).isPositive();
        assertThat(store.putIfAbsent(KEY, OTHER)).isEqualTo(Namespace.ABSENT);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    @Test
    void replaceNeedsAPresentKey() {
        assertThat(store.replace(KEY, VALUE)).isEqualTo(Namespace.ABSENT);
        assertThat(store.contains(KEY)).isFalse();
        store.put(KEY, VALUE);
        assertThat(store.replace(KEY, OTHER)).isPositive();
        assertThat(store.get(KEY)).isEqualTo(OTHER);
    }

    @Test
    void replaceByVersionNeedsThatVersion() {
        long version = store.put(KEY, VALUE);
        assertThat(store.replace(KEY, version + 1, OTHER)).isEqualTo(Namespace.ABSENT);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        assertThat(store.replace(KEY, version, OTHER)).isGreaterThan(version);
        assertThat(store.replace(KEY, version, VALUE)).isEqualTo(Namespace.ABSENT);
        assertThat(store.get(KEY)).isEqualTo(OTHER);
        assertThat(store.replace(OTHER, version, VALUE)).isEqualTo(Namespace.ABSENT);
    }

    @Test
    void deleteByVersionNeedsThatVersion() {
        long old = store.put(KEY, VALUE);
        long version = store.put(KEY, VALUE);
        assertThat(store.delete(KEY, old)).isFalse();
        assertThat(store.delete(KEY, version + 1)).isFalse();
        assertThat(store.contains(KEY)).isTrue();
        assertThat(store.delete(KEY, version)).isTrue();
        assertThat(store.delete(KEY, version)).isFalse();
    }

    @Test
    void optionsCarryTheConditions() {
        assertThat(store.put(KEY, VALUE, PutOptions.IF_PRESENT)).isEqualTo(Namespace.ABSENT);
        long version = store.put(KEY, VALUE, PutOptions.IF_ABSENT);
        assertThat(version).isPositive();
        assertThat(store.put(KEY, OTHER, PutOptions.IF_ABSENT)).isEqualTo(Namespace.ABSENT);
        assertThat(store.put(KEY, OTHER, PutOptions.DEFAULT.ifVersion(version + 1)))
                .isEqualTo(Namespace.ABSENT);
        assertThat(store.put(KEY, OTHER, PutOptions.DEFAULT.ifVersion(version))).isGreaterThan(version);
        assertThat(store.put(KEY, VALUE, PutOptions.IF_PRESENT)).isPositive();
    }

    @Test
    void tryPutStoresUnderItsConditions() {
        Runnable unneeded = () -> {
            throw new AssertionError("there is room");
        };
        long version = store.tryPut(heap(KEY), heap(VALUE), PutOptions.DEFAULT.withType(4), unneeded);
        assertThat(version).isPositive();
        assertThat(store.getEntry(KEY).type()).isEqualTo(4);
        assertThat(store.tryPut(heap(KEY), heap(OTHER), PutOptions.IF_ABSENT, unneeded))
                .isEqualTo(Namespace.ABSENT);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    // ---- types and expiry

    @Test
    void typesAreKeptAndReset() {
        for (int type = 0; type < 16; type++) {
            store.put(KEY, VALUE, PutOptions.DEFAULT.withType(type));
            assertThat(store.getEntry(KEY).type()).isEqualTo(type);
            assertThat(store.<Integer>read(KEY, ValueView::type)).isEqualTo(type);
        }
        store.put(KEY, VALUE);
        assertThat(store.getEntry(KEY).type()).isZero();
    }

    @Test
    void entryShowsAllOfIt() {
        long version =
                store.put(KEY, VALUE, PutOptions.DEFAULT.expiringAt(inMillis(5)).withType(9));
        Entry entry = store.getEntry(KEY);
        assertThat(entry.value()).isEqualTo(VALUE);
        assertThat(entry.version()).isEqualTo(version);
        assertThat(entry.expiresAtMillis()).isEqualTo(inMillis(5));
        assertThat(entry.type()).isEqualTo(9);
    }

    @Test
    void entryExpiresAtItsMillisecond() {
        store.put(KEY, VALUE, inMillis(10));
        clock.advanceMillis(9);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        clock.advanceMillis(1);
        assertThat(store.get(KEY)).isNull();
    }

    @Test
    void putWithAPastExpiryLeavesTheKeyAbsent() {
        store.put(KEY, VALUE);
        assertThat(store.put(KEY, OTHER, 1)).isPositive();
        assertThat(store.contains(KEY)).isFalse();
    }

    @Test
    void farExpiryIsKept() {
        for (long expiresAtMillis : new long[] {1L << 40, 1L << 45, 1L << 56, Long.MAX_VALUE}) {
            store.put(KEY, VALUE, inMillis(0) + expiresAtMillis > 0 ? inMillis(0) + expiresAtMillis : Long.MAX_VALUE);
            assertThat(store.get(KEY)).isEqualTo(VALUE);
        }
        assertThat(store.getEntry(KEY).expiresAtMillis()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void negativeExpiryIsRefused() {
        store.put(KEY, VALUE);
        assertThatIllegalArgumentException().isThrownBy(() -> store.put(KEY, OTHER, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> store.expireAt(KEY, -1));
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    @Test
    void expiredKeyIsAbsentForEveryReading() {
        putExpired();
        absentKeyIsAbsentInEveryForm();
    }

    @Test
    void expiredKeyIsAbsentForConditions() {
        long version = store.put(KEY, VALUE, inMillis(10));
        clock.advanceMillis(10);
        assertThat(store.replace(KEY, OTHER)).isEqualTo(Namespace.ABSENT);
        assertThat(store.replace(KEY, version, OTHER)).isEqualTo(Namespace.ABSENT);
        assertThat(store.delete(KEY, version)).isFalse();
        assertThat(store.expireAt(KEY, inMillis(100))).isFalse();
        assertThat(store.contains(KEY)).isFalse();
        assertThat(store.putIfAbsent(KEY, OTHER)).isGreaterThan(version);
        assertThat(store.get(KEY)).isEqualTo(OTHER);
    }

    @Test
    void expiredKeyIsAbsentForComputations() {
        putExpired();
        store.compute(KEY, old -> {
            assertThat(old).isNull();
            return null;
        });
        assertThat(store.append(KEY, OTHER)).isEqualTo(OTHER.length);
        assertThat(store.getEntry(KEY).expiresAtMillis()).isEqualTo(Namespace.NEVER);
        putExpired();
        assertThat(store.add(KEY, 3)).isEqualTo(3);
        assertThat(store.getEntry(KEY).expiresAtMillis()).isEqualTo(Namespace.NEVER);
        putExpired();
        assertThat(store.getOrLoad(KEY, key -> OTHER)).isEqualTo(OTHER);
    }

    @Test
    void expiredKeyIsAbsentForBatchesTransactionsScansAndGuards() {
        putExpired();
        assertThat(store.getAll(List.of(KEY))).containsExactly((byte[]) null);
        int[] lengths = new int[1];
        assertThat(store.getAll(new byte[][] {KEY}, new byte[1][9], lengths, 1)).isZero();
        assertThat(lengths).containsExactly(-1);
        assertThat(store.<Boolean>transact(
                        List.of(KEY), transaction -> transaction.get(KEY) == null && transaction.getEntry(KEY) == null))
                .isTrue();
        assertThat(scanAll(store, 10)).isEmpty();
        try (Guard guard = store.guard()) {
            assertThat(guard.get(KEY)).isNull();
        }
        assertThat(store.asMap(Codec.STRING, Codec.STRING).entrySet().iterator().hasNext())
                .isFalse();
    }

    @Test
    void expiryOfOneKeepsTheOthers() {
        store.put(KEY, VALUE, inMillis(10));
        store.put(OTHER, VALUE, inMillis(20));
        store.put(VALUE, VALUE);
        clock.advanceMillis(15);
        assertThat(List.of(store.contains(KEY), store.contains(OTHER), store.contains(VALUE)))
                .containsExactly(false, true, true);
    }

    @Test
    void expireAtSetsAndRemovesTheExpiry() {
        assertThat(store.expireAt(KEY, inMillis(5))).isFalse();
        long version = store.put(KEY, VALUE, PutOptions.DEFAULT.withType(7));
        assertThat(store.expireAt(KEY, inMillis(5))).isTrue();
        assertThat(store.getEntry(KEY).expiresAtMillis()).isEqualTo(inMillis(5));
        assertThat(store.getEntry(KEY).type()).isEqualTo(7);
        assertThat(store.version(KEY)).isGreaterThan(version);
        assertThat(store.expireAt(KEY, Namespace.NEVER)).isTrue();
        clock.advanceMillis(1_000);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        assertThat(store.expireAt(KEY, inMillis(0))).isTrue();
        assertThat(store.contains(KEY)).isFalse();
    }

    @Test
    void plainPutRemovesTheExpiryAndKeepExpiryKeepsIt() {
        store.put(KEY, VALUE, inMillis(10));
        store.put(KEY, OTHER, PutOptions.DEFAULT.keepingExpiry());
        assertThat(store.getEntry(KEY).expiresAtMillis()).isEqualTo(inMillis(10));
        store.put(KEY, OTHER);
        assertThat(store.getEntry(KEY).expiresAtMillis()).isEqualTo(Namespace.NEVER);
        store.put(VALUE, OTHER, PutOptions.DEFAULT.keepingExpiry());
        assertThat(store.getEntry(VALUE).expiresAtMillis()).isEqualTo(Namespace.NEVER);
    }

    @Test
    void keepExpiryDoesNotKeepAnExpiryThatHasPassed() {
        putExpired();
        store.put(KEY, OTHER, PutOptions.DEFAULT.keepingExpiry());
        assertThat(store.get(KEY)).isEqualTo(OTHER);
        assertThat(store.getEntry(KEY).expiresAtMillis()).isEqualTo(Namespace.NEVER);
    }

    // ---- reading without a copy

    @Test
    void viewShowsTheValueInPieces() {
        for (int length : new int[] {0, 1, 2_048, 2_049, 100_000, 2_000_000}) {
            byte[] value = random(length, length);
            store.put(KEY, value);
            store.<Boolean>read(KEY, view -> {
                assertThat(view.length()).isEqualTo(length);
                assertThat(joined(view)).isEqualTo(value);
                assertThat(view.toByteArray()).isEqualTo(value);
                assertThat(view.asContiguous(heap(new byte[length])).toArray(ValueLayout.JAVA_BYTE))
                        .isEqualTo(value);
                if (length <= 2_048) {
                    assertThat(view.segmentCount()).isEqualTo(length == 0 ? 0 : 1);
                }
                return true;
            });
        }
    }

    private static byte[] joined(ValueView view) {
        ByteBuffer joined = ByteBuffer.allocate((int) view.length());
        for (int i = 0; i < view.segmentCount(); i++) {
            joined.put(view.segment(i).asByteBuffer());
        }
        assertThat(joined.hasRemaining()).isFalse();
        return joined.array();
    }

    @Test
    void viewIsReadOnly() {
        store.put(KEY, VALUE);
        store.<Boolean>read(KEY, view -> {
            assertThat(view.segment(0).isReadOnly()).isTrue();
            assertThat(view.asContiguous(heap(new byte[9])).isReadOnly()).isTrue();
            return true;
        });
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    @Test
    void readerReadsAndWritesTheStore() {
        store.put(KEY, VALUE);
        store.put(OTHER, OTHER);
        byte[] seen = store.read(KEY, view -> {
            store.put(KEY, store.get(OTHER));
            store.delete(OTHER);
            return joined(view);
        });
        assertThat(seen).isEqualTo(VALUE);
        assertThat(store.get(KEY)).isEqualTo(OTHER);
        assertThat(store.contains(OTHER)).isFalse();
    }

    @Test
    void readersExceptionPassesThroughAndTheStoreGoesOn() {
        store.put(KEY, VALUE);
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> store.read(KEY, view -> {
                    throw new UnsupportedOperationException();
                }));
        store.put(KEY, OTHER);
        assertThat(store.get(KEY)).isEqualTo(OTHER);
    }

    @Test
    void whatAGuardReadStaysValidThroughWritesUntilItsClose() {
        byte[] large = random(5, 50_000);
        Namespace other = store.namespace("other");
        other.put(KEY, large);
        store.put(KEY, VALUE);
        Guard guard = store.guard();
        ValueView one = guard.get(KEY);
        ValueView two = guard.get(other, KEY);
        assertThat(guard.get(OTHER)).isNull();
        store.put(KEY, OTHER);
        store.delete(KEY);
        other.clear();
        for (int i = 0; i < 1_000; i++) {
            store.put(Codec.LONG.encode((long) i), random(i, 1_000));
        }
        assertThat(joined(one)).isEqualTo(VALUE);
        assertThat(joined(two)).isEqualTo(large);
        guard.close();
        guard.close();
    }

    @Test
    void closedGuardRefusesReads() {
        store.put(KEY, VALUE);
        Guard guard = store.guard();
        guard.close();
        assertThatIllegalStateException().isThrownBy(() -> guard.get(KEY));
        assertThatIllegalStateException().isThrownBy(() -> guard.get(store, KEY));
    }

    @Test
    void guardIsClosedByAnotherThread() throws InterruptedException {
        store.put(KEY, VALUE);
        Guard guard = store.guard();
        assertThat(guard.get(KEY)).isNotNull();
        Thread thread = new Thread(guard::close);
        thread.start();
        thread.join();
        assertThatIllegalStateException().isThrownBy(() -> guard.get(KEY));
    }

    // ---- batches

    @Test
    void getAllAnswersInOrderWithNullForAbsent() {
        store.put(KEY, VALUE);
        store.put(OTHER, OTHER);
        assertThat(store.getAll(List.of(OTHER, EMPTY, KEY, KEY))).containsExactly(OTHER, null, VALUE, VALUE);
        assertThat(store.getAll(List.of())).isEmpty();
    }

    @Test
    void getAllOfManyKeysFindsEach() {
        List<byte[]> keys = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            keys.add(Codec.LONG.encode((long) i));
            if (i % 3 != 0) {
                store.put(keys.get(i), random(i, i * 7));
            }
        }
        List<byte[]> values = store.getAll(keys);
        for (int i = 0; i < 1_000; i++) {
            assertThat(values.get(i)).isEqualTo(i % 3 == 0 ? null : random(i, i * 7));
        }
    }

    @Test
    void getAllIntoArraysSaysLengthsAndCountsThePresent() {
        store.put(KEY, VALUE);
        store.put(OTHER, OTHER);
        store.put(EMPTY, EMPTY);
        byte[][] destinations = {new byte[8], new byte[8], new byte[8], new byte[4], new byte[8]};
        int[] lengths = {7, 7, 7, 7, 7};
        int present = store.getAll(new byte[][] {KEY, VALUE, EMPTY, OTHER, KEY}, destinations, lengths, 4);
        assertThat(present).isEqualTo(3);
        assertThat(lengths).containsExactly(VALUE.length, -1, 0, OTHER.length, 7);
        assertThat(destinations[0]).startsWith(VALUE);
        assertThat(destinations[3]).containsOnly(0);
        assertThat(destinations[4]).containsOnly(0);
        assertThat(store.getAll(new byte[0][], new byte[0][], new int[0], 0)).isZero();
    }

    @Test
    void putAllPutsEachAndTheLaterOfTwoWins() {
        store.putAll(List.of(KEY, OTHER, KEY), List.of(VALUE, OTHER, EMPTY));
        assertThat(store.get(KEY)).isEmpty();
        assertThat(store.get(OTHER)).isEqualTo(OTHER);
        assertThatIllegalArgumentException().isThrownBy(() -> store.putAll(List.of(VALUE), List.of()));
        assertThat(store.size()).isEqualTo(2);
    }

    // ---- computations

    @Test
    void computeStoresReplacesAndDeletes() {
        assertThat(store.compute(KEY, old -> old == null ? VALUE : null)).isEqualTo(VALUE);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        assertThat(store.compute(KEY, old -> Arrays.copyOf(old, 3))).isEqualTo(bytes("val"));
        assertThat(store.compute(KEY, old -> null)).isNull();
        assertThat(store.contains(KEY)).isFalse();
        assertThat(store.compute(KEY, old -> null)).isNull();
    }

    @Test
    void computeAppendAndAddKeepExpiryAndType() {
        store.put(
                KEY,
                Codec.LONG.encode(1L),
                PutOptions.DEFAULT.expiringAt(inMillis(50)).withType(6));
        store.add(KEY, 1);
        store.compute(KEY, byte[]::clone);
        store.append(KEY, VALUE);
        Entry entry = store.getEntry(KEY);
        assertThat(entry.expiresAtMillis()).isEqualTo(inMillis(50));
        assertThat(entry.type()).isEqualTo(6);
        assertThat(entry.value()).hasSize(8 + VALUE.length);
    }

    @Test
    void computeRunsAgainWhenTheKeyChangedMeanwhile() {
        store.put(KEY, VALUE);
        AtomicInteger runs = new AtomicInteger();
        byte[] result = store.compute(KEY, old -> {
            if (runs.incrementAndGet() == 1) {
                store.put(KEY, OTHER);
            }
            return old;
        });
        assertThat(result).isEqualTo(OTHER);
        assertThat(runs).hasValue(2);
    }

    @Test
    void computationsExceptionLeavesTheValue() {
        store.put(KEY, VALUE);
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> store.compute(KEY, old -> {
                    throw new UnsupportedOperationException();
                }));
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    @Test
    void addCountsFromZeroInLittleEndian() {
        assertThat(store.add(KEY, 258)).isEqualTo(258);
        assertThat(store.get(KEY)).isEqualTo(new byte[] {2, 1, 0, 0, 0, 0, 0, 0});
        assertThat(store.add(KEY, -300)).isEqualTo(-42);
        assertThat(store.getEntry(KEY).type()).isZero();
        assertThat(Codec.LONG.decode(store.get(KEY))).isEqualTo(-42);
    }

    @Test
    void addThatOverflowsLeavesTheValue() {
        store.put(KEY, Codec.LONG.encode(Long.MAX_VALUE));
        assertThatExceptionOfType(ArithmeticException.class).isThrownBy(() -> store.add(KEY, 1));
        assertThat(store.get(KEY)).isEqualTo(Codec.LONG.encode(Long.MAX_VALUE));
        assertThat(store.add(KEY, Long.MIN_VALUE)).isEqualTo(-1);
    }

    @Test
    void addToAValueThatIsNoNumberIsRefused() {
        for (byte[] value : List.of(EMPTY, new byte[7], new byte[9])) {
            store.put(KEY, value);
            assertThatIllegalStateException()
                    .isThrownBy(() -> store.add(KEY, 1))
                    .withMessageContaining(Integer.toString(value.length));
            assertThat(store.get(KEY)).isEqualTo(value);
        }
    }

    @Test
    void addsOfManyThreadsAllCount() throws InterruptedException {
        inThreads(4, thread -> {
            for (int i = 0; i < 500; i++) {
                store.add(KEY, 1);
            }
        });
        assertThat(store.add(KEY, 0)).isEqualTo(2_000);
    }

    @Test
    void appendJoinsAndReturnsTheLength() {
        assertThat(store.append(KEY, EMPTY)).isZero();
        assertThat(store.get(KEY)).isEmpty();
        assertThat(store.append(KEY, VALUE)).isEqualTo(5);
        assertThat(store.append(KEY, OTHER)).isEqualTo(5 + OTHER.length);
        assertThat(store.get(KEY)).isEqualTo(bytes("valueanother value"));
    }

    @Test
    void appendsGrowAValuePastManySizes() {
        byte[] expected = EMPTY;
        for (int i = 0; i < 60; i++) {
            byte[] suffix = random(i, i * 100);
            expected = Arrays.copyOf(expected, expected.length + suffix.length);
            System.arraycopy(suffix, 0, expected, expected.length - suffix.length, suffix.length);
            assertThat(store.append(KEY, suffix)).isEqualTo(expected.length);
        }
        assertThat(store.get(KEY)).isEqualTo(expected);
    }

    @Test
    void getOrLoadLoadsOnlyTheAbsent() {
        assertThat(store.getOrLoad(KEY, key -> {
                    assertThat(key).isEqualTo(KEY);
                    return VALUE;
                }))
                .isEqualTo(VALUE);
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        assertThat(store.getOrLoad(KEY, key -> OTHER)).isEqualTo(VALUE);
        assertThat(store.getOrLoad(OTHER, key -> null)).isNull();
        assertThat(store.contains(OTHER)).isFalse();
    }

    @Test
    void getOrLoadGivesWayToAWriteInBetween() {
        assertThat(store.getOrLoad(KEY, key -> {
                    store.put(KEY, OTHER);
                    return VALUE;
                }))
                .isEqualTo(OTHER);
    }

    @Test
    void getOrLoadLoadsOnceForManyThreads() throws InterruptedException {
        AtomicInteger loads = new AtomicInteger();
        inThreads(4, thread -> {
            for (int i = 0; i < 100; i++) {
                assertThat(store.getOrLoad(Codec.LONG.encode((long) i), key -> {
                            loads.incrementAndGet();
                            Thread.yield();
                            return VALUE;
                        }))
                        .isEqualTo(VALUE);
            }
        });
        assertThat(loads).hasValue(100);
    }

    @Test
    void loadersExceptionPassesThroughAndNothingIsStored() {
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> store.getOrLoad(KEY, key -> {
                    throw new UnsupportedOperationException();
                }));
        assertThat(store.getOrLoad(KEY, key -> VALUE)).isEqualTo(VALUE);
    }

    private static void inThreads(int count, java.util.function.IntConsumer task) throws InterruptedException {
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            Thread thread = new Thread(() -> task.accept(number));
            thread.setUncaughtExceptionHandler((failed, failure) -> failures.add(failure));
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
    }

    // ---- transactions

    @Test
    void transactionWritesAllItsKeys() {
        store.put(KEY, VALUE);
        String result = store.transact(List.of(KEY, OTHER, EMPTY), transaction -> {
            transaction.put(OTHER, transaction.get(KEY));
            transaction.put(
                    EMPTY, OTHER, PutOptions.DEFAULT.expiringAt(inMillis(10)).withType(2));
            transaction.delete(KEY);
            return "done";
        });
        assertThat(result).isEqualTo("done");
        assertThat(store.contains(KEY)).isFalse();
        assertThat(store.get(OTHER)).isEqualTo(VALUE);
        assertThat(store.getEntry(EMPTY).type()).isEqualTo(2);
        assertThat(store.getEntry(EMPTY).expiresAtMillis()).isEqualTo(inMillis(10));
    }

    @Test
    void transactionSeesItsOwnWritesAndNobodyElseDoes() {
        long version = store.put(KEY, VALUE);
        store.transact(List.of(KEY, OTHER), transaction -> {
            transaction.put(KEY, OTHER);
            assertThat(transaction.get(KEY)).isEqualTo(OTHER);
            assertThat(transaction.getEntry(KEY).version()).isEqualTo(version);
            assertThat(transaction.getEntry(KEY).value()).isEqualTo(VALUE);
            assertThat(store.get(KEY)).isEqualTo(VALUE);
            transaction.delete(KEY);
            assertThat(transaction.get(KEY)).isNull();
            transaction.put(KEY, EMPTY);
            transaction.delete(OTHER);
            return 1;
        });
        assertThat(store.get(KEY)).isEmpty();
        assertThat(store.version(KEY)).isGreaterThan(version);
    }

    @Test
    void exceptionAbandonsTheTransaction() {
        store.put(KEY, VALUE);
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> store.transact(List.of(KEY, OTHER), transaction -> {
                    transaction.delete(KEY);
                    transaction.put(OTHER, VALUE);
                    throw new UnsupportedOperationException();
                }));
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        assertThat(store.contains(OTHER)).isFalse();
    }

    @Test
    void transactionRunsAgainWhenAKeyChangedMeanwhile() {
        store.put(KEY, VALUE);
        AtomicInteger runs = new AtomicInteger();
        store.transact(List.of(KEY, OTHER), transaction -> {
            if (runs.incrementAndGet() == 1) {
                store.put(KEY, OTHER);
            }
            transaction.put(OTHER, transaction.get(KEY));
            return 1;
        });
        assertThat(runs).hasValue(2);
        assertThat(store.get(OTHER)).isEqualTo(OTHER);
    }

    @Test
    void foreignKeyIsRefusedInATransaction() {
        List<java.util.function.Consumer<Transaction>> uses = List.of(
                transaction -> transaction.get(OTHER),
                transaction -> transaction.getEntry(OTHER),
                transaction -> transaction.put(OTHER, VALUE),
                transaction -> transaction.delete(OTHER));
        for (var use : uses) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> store.transact(List.of(KEY), transaction -> {
                        transaction.put(KEY, VALUE);
                        use.accept(transaction);
                        return 1;
                    }));
        }
        assertThat(store.size()).isZero();
    }

    @Test
    void conditionIsRefusedInATransaction() {
        for (PutOptions options :
                List.of(PutOptions.IF_ABSENT, PutOptions.IF_PRESENT, PutOptions.DEFAULT.ifVersion(1))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> store.transact(List.of(KEY), transaction -> {
                        transaction.put(KEY, VALUE, options);
                        return 1;
                    }));
        }
        assertThat(store.contains(KEY)).isFalse();
    }

    @Test
    void keyNamedTwiceIsOneKey() {
        store.transact(List.of(KEY, KEY.clone()), transaction -> {
            transaction.put(KEY, VALUE);
            return 1;
        });
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    @Test
    void transactionsAreIsolatedFromEachOther() throws InterruptedException {
        int accounts = 8;
        List<byte[]> keys = new ArrayList<>();
        for (int i = 0; i < accounts; i++) {
            keys.add(Codec.LONG.encode((long) i));
            store.put(keys.get(i), Codec.LONG.encode(100L));
        }
        inThreads(4, thread -> {
            Random random = new Random(thread);
            for (int i = 0; i < 300; i++) {
                if (thread == 0) {
                    assertThat(store.<Long>transact(
                                    keys,
                                    transaction -> keys.stream()
                                            .mapToLong(key -> Codec.LONG.decode(transaction.get(key)))
                                            .sum()))
                            .isEqualTo(100L * accounts);
                } else {
                    byte[] from = keys.get(random.nextInt(accounts));
                    byte[] to = keys.get(random.nextInt(accounts));
                    store.transact(List.of(from, to), transaction -> {
                        transaction.put(from, Codec.LONG.encode(Codec.LONG.decode(transaction.get(from)) - 1));
                        transaction.put(to, Codec.LONG.encode(Codec.LONG.decode(transaction.get(to)) + 1));
                        return 1;
                    });
                }
            }
        });
        assertThat(keys.stream()
                        .mapToLong(key -> Codec.LONG.decode(store.get(key)))
                        .sum())
                .isEqualTo(100L * accounts);
    }

    // ---- all keys

    private static Map<String, Integer> scanAll(Namespace namespace, int count) {
        Map<String, Integer> visits = new HashMap<>();
        long position = 0;
        do {
            position = namespace.scan(
                    position, count, (key, value) -> visits.merge(Arrays.toString(key), 1, Integer::sum));
        } while (position != 0);
        return visits;
    }

    @Test
    void scanVisitsEveryKeyOnceWhenNobodyWrites() {
        Set<String> expected = new HashSet<>();
        for (int i = 0; i < 3_000; i++) {
            byte[] key = random(i, i % 50 + 4);
            store.put(key, Codec.LONG.encode((long) i));
            expected.add(Arrays.toString(key));
        }
        for (int count : new int[] {1, 7, 100, 100_000}) {
            Map<String, Integer> visits = scanAll(store, count);
            assertThat(visits.keySet()).isEqualTo(expected);
            assertThat(visits.values()).containsOnly(1);
        }
    }

    @Test
    void scanOfNothingEndsAtOnce() {
        assertThat(store.scan(0, 10, (key, value) -> {
                    throw new AssertionError();
                }))
                .isZero();
    }

    @Test
    void scanShowsAllOfAnEntry() {
        byte[] large = random(1, 10_000);
        long version =
                store.put(KEY, large, PutOptions.DEFAULT.expiringAt(inMillis(5)).withType(3));
        store.forEach((key, value) -> {
            assertThat(key).isEqualTo(KEY);
            assertThat(joined(value)).isEqualTo(large);
            assertThat(value.version()).isEqualTo(version);
            assertThat(value.expiresAtMillis()).isEqualTo(inMillis(5));
            assertThat(value.type()).isEqualTo(3);
        });
    }

    @Test
    void scanVisitsWhatIsPresentThroughoutWhileTheIndexGrowsAndShrinks() {
        Set<String> stable = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            store.put(random(i, 20), VALUE);
            stable.add(Arrays.toString(random(i, 20)));
        }
        Set<String> visited = new HashSet<>();
        long position = 0;
        int round = 0;
        do {
            position = store.scan(position, 20, (key, value) -> visited.add(Arrays.toString(key)));
            for (int i = 0; i < 1_000; i++) {
                byte[] key = Codec.LONG.encode((long) (round % 8 * 1_000 + i));
                if (round % 16 < 8) {
                    store.put(key, VALUE);
                } else {
                    store.delete(key);
                }
            }
            store.put(random(round % 500, 20), OTHER);
            round++;
            assertThat(round).as("scans that never end").isLessThan(5_000);
        } while (position != 0);
        assertThat(visited).containsAll(stable);
    }

    @Test
    void scanFromAnyNumberIsHarmless() {
        for (int i = 0; i < 100; i++) {
            store.put(random(i, 20), VALUE);
        }
        for (long position : new long[] {1, -1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32, 0x0123_4567_89AB_CDEFL}) {
            try {
                store.scan(
                        position,
                        10,
                        (key, value) -> assertThat(value.toByteArray()).isEqualTo(VALUE));
            } catch (IllegalArgumentException e) {
                assertThat(e).hasMessageContaining(Long.toString(position));
            }
        }
        assertThat(scanAll(store, 10)).hasSize(100);
    }

    @Test
    void visitorDeletesWhatItVisits() {
        for (int i = 0; i < 500; i++) {
            store.put(random(i, 20), VALUE);
        }
        store.forEach((key, value) -> store.delete(key));
        assertThat(store.size()).isZero();
    }

    @Test
    void visitorsExceptionPassesThroughAndTheStoreGoesOn() {
        store.put(KEY, VALUE);
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> store.forEach((key, value) -> {
                    throw new UnsupportedOperationException();
                }));
        store.put(KEY, OTHER);
        assertThat(scanAll(store, 1)).hasSize(1);
    }

    @Test
    void sizeCountsKeys() {
        for (int i = 0; i < 2_000; i++) {
            store.put(Codec.LONG.encode((long) (i % 1_000)), VALUE);
        }
        assertThat(store.size()).isEqualTo(1_000);
        for (int i = 0; i < 300; i++) {
            store.delete(Codec.LONG.encode((long) i));
        }
        assertThat(store.size()).isEqualTo(700);
        assertThat(store.stats().keys()).isEqualTo(700);
    }

    @Test
    void clearRemovesTheKeysOfOneNamespace() {
        Namespace other = store.namespace("other");
        store.put(KEY, VALUE);
        other.put(KEY, OTHER);
        store.clear();
        assertThat(store.contains(KEY)).isFalse();
        assertThat(store.size()).isZero();
        assertThat(other.get(KEY)).isEqualTo(OTHER);
        store.put(KEY, VALUE);
        other.clear();
        assertThat(other.contains(KEY)).isFalse();
        assertThat(store.get(KEY)).isEqualTo(VALUE);
    }

    @Test
    void clearAllRemovesEveryKeyAndKeepsTheNamespaces() {
        Namespace other = store.namespace("other");
        for (int i = 0; i < 1_000; i++) {
            store.put(random(i, 20), VALUE);
            other.put(random(i, 20), VALUE);
        }
        store.clearAll();
        assertThat(store.size() + other.size()).isZero();
        assertThat(scanAll(store, 10)).isEmpty();
        assertThat(store.namespaces()).containsExactly("other");
        other.put(KEY, VALUE);
        assertThat(other.get(KEY)).isEqualTo(VALUE);
    }

    // ---- namespaces

    @Test
    void namespacesHaveKeysOfTheirOwn() {
        Namespace one = store.namespace("one");
        Namespace two = store.namespace("two");
        store.put(KEY, EMPTY);
        one.put(KEY, VALUE);
        two.put(KEY, OTHER);
        assertThat(store.get(KEY)).isEmpty();
        assertThat(one.get(KEY)).isEqualTo(VALUE);
        assertThat(two.get(KEY)).isEqualTo(OTHER);
        one.delete(KEY);
        assertThat(two.contains(KEY)).isTrue();
        assertThat(List.of(store.size(), one.size(), two.size())).containsExactly(1L, 0L, 1L);
        assertThat(scanAll(two, 10)).hasSize(1);
    }

    @Test
    void namespacesAreNamed() {
        assertThat(store.name()).isEmpty();
        assertThat(store.namespaces()).isEmpty();
        assertThat(store.namespace("one").name()).isEqualTo("one");
        store.namespace("zwei: ü");
        assertThat(store.namespaces()).containsExactlyInAnyOrder("one", "zwei: ü");
    }

    @Test
    void namespaceIsFoundOnlyIfItIsThere() {
        assertThat(store.findNamespace("one")).isNull();
        assertThat(store.namespaces()).isEmpty();
        assertThat(store.findNamespace("")).isSameAs(store);
        Namespace made = store.namespace("one");
        assertThat(store.findNamespace("one")).isSameAs(made);
        store.dropNamespace("one");
        assertThat(store.findNamespace("one")).isNull();
    }

    @Test
    void sameNameIsTheSameNamespace() {
        store.namespace("one").put(KEY, VALUE);
        assertThat(store.namespace("one").get(KEY)).isEqualTo(VALUE);
        assertThat(store.namespace("one")).isEqualTo(store.namespace("one"));
        assertThat(store.namespaces()).hasSize(1);
    }

    @Test
    void droppedNamespaceIsGoneWithItsKeys() {
        store.put(KEY, OTHER);
        Namespace dropped = store.namespace("one");
        dropped.put(KEY, VALUE);
        assertThat(store.dropNamespace("one")).isTrue();
        assertThat(store.namespaces()).isEmpty();
        assertThat(store.dropNamespace("one")).isFalse();
        assertThat(store.get(KEY)).isEqualTo(OTHER);
        Namespace again = store.namespace("one");
        assertThat(again.contains(KEY)).isFalse();
        assertThat(again.size()).isZero();
        again.put(KEY, EMPTY);
        assertThatIllegalStateException().isThrownBy(() -> dropped.get(KEY));
        assertThat(again.get(KEY)).isEmpty();
    }

    @TestFactory
    Stream<DynamicTest> droppedHandleIsRefusedBy() {
        return operations(store.namespace("dropped")).entrySet().stream()
                .map(each -> DynamicTest.dynamicTest(each.getKey(), () -> {
                    store.dropNamespace("dropped");
                    assertThatIllegalStateException()
                            .isThrownBy(each.getValue())
                            .withMessageContaining("dropped");
                }));
    }

    @Test
    void namespacesAreLimited() {
        for (int i = 0; i < StoreBuilder.MAX_NAMESPACES; i++) {
            store.namespace("n" + i).put(KEY, Codec.LONG.encode((long) i));
        }
        assertThatIllegalStateException()
                .isThrownBy(() -> store.namespace("one more"))
                .withMessageContaining("255");
        assertThat(store.namespace("n254").get(KEY)).isEqualTo(Codec.LONG.encode(254L));
        store.dropNamespace("n7");
        assertThat(store.namespace("one more").contains(KEY)).isFalse();
        assertThat(store.namespaces()).hasSize(StoreBuilder.MAX_NAMESPACES);
    }

    @Test
    void namespacesComeAndGoManyTimes() {
        for (int i = 0; i < 1_000; i++) {
            Namespace namespace = store.namespace("passing");
            assertThat(namespace.contains(KEY)).isFalse();
            namespace.put(KEY, VALUE);
            assertThat(store.dropNamespace("passing")).isTrue();
        }
    }

    // ---- listeners

    private record Removal(String namespace, String key, String value, Cause cause) {}

    private List<Removal> removals() {
        List<Removal> removals = new CopyOnWriteArrayList<>();
        store.addListener((namespace, key, value, cause) ->
                removals.add(new Removal(namespace, Codec.STRING.decode(key), Codec.STRING.decode(value), cause)));
        return removals;
    }

    @Test
    void listenersHearDeletionsAndReplacements() {
        List<Removal> removals = removals();
        store.put(KEY, VALUE);
        store.put(KEY, OTHER);
        store.delete(KEY);
        store.delete(KEY);
        store.namespace("one").put(KEY, VALUE);
        store.namespace("one").getAndDelete(KEY);
        assertThat(removals)
                .containsExactly(
                        new Removal("", "key", "value", Cause.REPLACED),
                        new Removal("", "key", "another value", Cause.DELETED),
                        new Removal("one", "key", "value", Cause.DELETED));
    }

    @Test
    void listenersHearWhatTransactionsAndComputationsRemove() {
        List<Removal> removals = removals();
        store.put(KEY, VALUE);
        store.append(KEY, VALUE);
        store.compute(KEY, old -> null);
        store.put(KEY, OTHER);
        store.put(VALUE, VALUE);
        store.transact(List.of(KEY, VALUE), transaction -> {
            transaction.put(KEY, EMPTY);
            transaction.delete(VALUE);
            return 1;
        });
        assertThat(removals)
                .containsExactlyInAnyOrder(
                        new Removal("", "key", "value", Cause.REPLACED),
                        new Removal("", "key", "valuevalue", Cause.DELETED),
                        new Removal("", "key", "another value", Cause.REPLACED),
                        new Removal("", "value", "value", Cause.DELETED));
    }

    @Test
    void listenersHearExpiryOnceAndNotAsReplacement() {
        List<Removal> removals = removals();
        putExpired();
        store.get(KEY);
        store.put(KEY, OTHER);
        store.clean();
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (hearsAllExpiry() && removals.isEmpty() && System.nanoTime() < deadline) {
            Thread.onSpinWait(); // who looks for what has expired tells of it a moment later
        }
        List<Removal> expired = List.of(new Removal("", "key", "value", Cause.EXPIRED));
        assertThat(removals).isIn(expired, hearsAllExpiry() ? expired : List.of());
    }

    @Test
    void listenersHearNothingOfRefusedWritesAndClearing() {
        List<Removal> removals = removals();
        long version = store.put(KEY, VALUE);
        store.putIfAbsent(KEY, OTHER);
        store.replace(KEY, version + 1, OTHER);
        store.delete(KEY, version + 1);
        store.clear();
        store.namespace("one").put(KEY, VALUE);
        store.dropNamespace("one");
        store.clearAll();
        assertThat(removals).isEmpty();
    }

    @Test
    void listenerSeesTheStoreAfterTheFactOnTheSameThreadAndMayWrite() {
        AtomicReference<Thread> thread = new AtomicReference<>();
        store.addListener((namespace, key, value, cause) -> {
            thread.set(Thread.currentThread());
            assertThat(store.contains(KEY)).isFalse();
            store.putIfAbsent(OTHER, value);
        });
        store.put(KEY, VALUE);
        store.delete(KEY);
        assertThat(store.get(OTHER)).isEqualTo(VALUE);
        assertThat(thread.get()).isSameAs(Thread.currentThread());
    }

    @Test
    void failingListenerHarmsNobody() {
        store.addListener((namespace, key, value, cause) -> {
            throw new UnsupportedOperationException("a listener that fails as planned");
        });
        List<Removal> removals = removals();
        store.put(KEY, VALUE);
        assertThat(store.delete(KEY)).isTrue();
        assertThat(removals).hasSize(1);
    }

    @Test
    void removedListenerHearsNoMore() {
        AtomicInteger heard = new AtomicInteger();
        RemovalListener listener = (namespace, key, value, cause) -> heard.incrementAndGet();
        store.addListener(listener);
        store.put(KEY, VALUE);
        store.put(KEY, VALUE);
        store.removeListener(listener);
        store.delete(KEY);
        assertThat(heard).hasValue(1);
    }

    // ---- files

    @Test
    void exportedEntriesAreImported() throws IOException {
        Path file = directory.resolve("store.loam");
        for (int i = 0; i < 500; i++) {
            store.put(
                    random(i, 20),
                    random(i, i * 20),
                    PutOptions.DEFAULT.withType(i % 16).expiringAt(i % 2 == 0 ? Namespace.NEVER : inMillis(100)));
        }
        store.put(KEY, random(9, 1_000_000));
        store.namespace("one").put(KEY, VALUE);
        assertThat(store.exportTo(file)).isEqualTo(502);
        try (Store imported = open(clock)) {
            assertThat(imported.importFrom(file)).isEqualTo(502);
            assertThat(imported.size()).isEqualTo(501);
            store.forEach((key, value) -> {
                Entry entry = imported.getEntry(key);
                assertThat(entry.value()).isEqualTo(value.toByteArray());
                assertThat(entry.type()).isEqualTo(value.type());
                assertThat(entry.expiresAtMillis()).isEqualTo(value.expiresAtMillis());
            });
            assertThat(imported.namespace("one").get(KEY)).isEqualTo(VALUE);
            check(imported);
        }
        clock.advanceMillis(100);
        try (Store later = open(clock)) {
            assertThat(later.importFrom(file)).isEqualTo(252);
        }
    }

    @Test
    void damagedFileIsRefusedAndNothingIsPut() throws IOException {
        Path file = directory.resolve("store.loam");
        store.put(KEY, VALUE);
        store.exportTo(file);
        store.clear();
        byte[] content = Files.readAllBytes(file);
        content[content.length / 2] ^= 4;
        Files.write(file, content);
        assertThatIOException()
                .isThrownBy(() -> store.importFrom(file))
                .withMessageContaining("store.loam")
                .withMessageContaining("offset");
        assertThat(store.size()).isZero();
    }

    // ---- the map view

    @Test
    void mapViewIsAViewOfTheNamespace() {
        Map<String, String> map = store.asMap(Codec.STRING, Codec.STRING);
        map.put("key", "value");
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        store.put(OTHER, OTHER);
        assertThat(map)
                .isEqualTo(Map.of("key", "value", "another value", "another value"))
                .hasSize(2);
        map.keySet().remove("key");
        assertThat(store.contains(KEY)).isFalse();
    }

    // ---- bad input

    @Test
    void nullIsRefusedEverywhere() {
        byte[] none = null;
        store.put(KEY, VALUE);
        List<ThrowingCallable> calls = List.of(
                () -> store.get(none),
                () -> store.get(none, new byte[1], 0),
                () -> store.get(KEY, null, 0),
                () -> store.get((MemorySegment) null, heap(new byte[9])),
                () -> store.get(heap(KEY), (MemorySegment) null),
                () -> store.get((ByteBuffer) null, ByteBuffer.allocate(9)),
                () -> store.get(ByteBuffer.wrap(KEY), (ByteBuffer) null),
                () -> store.read(none, ValueView::length),
                () -> store.read(KEY, null),
                () -> store.getEntry(none),
                () -> store.contains(none),
                () -> store.version(none),
                () -> store.getAll(null),
                () -> store.getAll(Collections.singletonList(none)),
                () -> store.put(none, VALUE),
                () -> store.put(KEY, none),
                () -> store.put(KEY, none, inMillis(1)),
                () -> store.put(KEY, VALUE, null),
                () -> store.put(heap(KEY), null),
                () -> store.put((MemorySegment) null, heap(VALUE)),
                () -> store.put(ByteBuffer.wrap(KEY), null),
                () -> store.tryPut(heap(KEY), null, PutOptions.DEFAULT, () -> {}),
                () -> store.putAll(null, List.of()),
                () -> store.putAll(Collections.singletonList(none), List.of(VALUE)),
                () -> store.putIfAbsent(KEY, none),
                () -> store.putIfAbsent(OTHER, none),
                () -> store.replace(KEY, none),
                () -> store.replace(KEY, 1, none),
                () -> store.delete(none),
                () -> store.delete((MemorySegment) null),
                () -> store.delete((ByteBuffer) null),
                () -> store.delete(none, 1),
                () -> store.getAndDelete(none),
                () -> store.compute(none, old -> old),
                () -> store.compute(KEY, null),
                () -> store.add(none, 1),
                () -> store.append(KEY, none),
                () -> store.getOrLoad(KEY, null),
                () -> store.expireAt(none, 1),
                () -> store.transact(null, transaction -> 1),
                () -> store.transact(Collections.singletonList(none), transaction -> 1),
                () -> store.transact(List.of(KEY), null),
                () -> store.scan(0, 1, null),
                () -> store.forEach(null),
                () -> store.asMap(null, Codec.STRING),
                () -> store.namespace(null),
                () -> store.dropNamespace(null),
                () -> store.addListener(null),
                () -> store.exportTo(null),
                () -> store.importFrom(null));
        for (int i = 0; i < calls.size(); i++) {
            assertThatNullPointerException().as("call %d", i).isThrownBy(calls.get(i));
        }
        assertThat(store.get(KEY)).isEqualTo(VALUE);
        assertThat(store.size()).isEqualTo(1);
    }

    // ---- closing

    /** Every operation of a namespace that needs it to be there. */
    private Map<String, ThrowingCallable> operations(Namespace namespace) {
        Map<String, ThrowingCallable> operations = new LinkedHashMap<>();
        operations.put("get", () -> namespace.get(KEY));
        operations.put("get into an array", () -> namespace.get(KEY, new byte[9], 0));
        operations.put("get into a segment", () -> namespace.get(heap(KEY), heap(new byte[9])));
        operations.put("get into a buffer", () -> namespace.get(ByteBuffer.wrap(KEY), ByteBuffer.allocate(9)));
        operations.put("read", () -> namespace.read(KEY, ValueView::length));
        operations.put("getEntry", () -> namespace.getEntry(KEY));
        operations.put("contains", () -> namespace.contains(KEY));
        operations.put("version", () -> namespace.version(KEY));
        operations.put("getAll", () -> namespace.getAll(List.of(KEY)));
        operations.put("getAll into arrays", () -> namespace.getAll(new byte[][] {KEY}, new byte[1][9], new int[1], 1));
        operations.put("put", () -> namespace.put(KEY, VALUE));
        operations.put("put with expiry", () -> namespace.put(KEY, VALUE, inMillis(5)));
        operations.put("put of segments", () -> namespace.put(heap(KEY), heap(VALUE)));
        operations.put("put of buffers", () -> namespace.put(ByteBuffer.wrap(KEY), ByteBuffer.wrap(VALUE)));
        operations.put("put with options", () -> namespace.put(KEY, VALUE, PutOptions.IF_ABSENT));
        operations.put("put of segments with options", () -> namespace.put(heap(KEY), heap(VALUE), PutOptions.DEFAULT));
        operations.put("tryPut", () -> namespace.tryPut(heap(KEY), heap(VALUE), PutOptions.DEFAULT, () -> {}));
        operations.put("putAll", () -> namespace.putAll(List.of(KEY), List.of(VALUE)));
        operations.put("putIfAbsent", () -> namespace.putIfAbsent(KEY, VALUE));
        operations.put("replace", () -> namespace.replace(KEY, VALUE));
        operations.put("replace by version", () -> namespace.replace(KEY, 1, VALUE));
        operations.put("delete", () -> namespace.delete(KEY));
        operations.put("delete by segment", () -> namespace.delete(heap(KEY)));
        operations.put("delete by buffer", () -> namespace.delete(ByteBuffer.wrap(KEY)));
        operations.put("delete by version", () -> namespace.delete(KEY, 1));
        operations.put("getAndDelete", () -> namespace.getAndDelete(KEY));
        operations.put("compute", () -> namespace.compute(KEY, old -> VALUE));
        operations.put("add", () -> namespace.add(KEY, 1));
        operations.put("append", () -> namespace.append(KEY, VALUE));
        operations.put("getOrLoad", () -> namespace.getOrLoad(KEY, key -> VALUE));
        operations.put("expireAt", () -> namespace.expireAt(KEY, inMillis(5)));
        operations.put("transact", () -> namespace.transact(List.of(KEY), transaction -> 1));
        operations.put("scan", () -> namespace.scan(0, 1, (key, value) -> {}));
        operations.put("forEach", () -> namespace.forEach((key, value) -> {}));
        operations.put("size", namespace::size);
        operations.put("clear", namespace::clear);
        operations.put(
                "a map view", () -> namespace.asMap(Codec.STRING, Codec.STRING).get("key"));
        return operations;
    }

    @TestFactory
    Stream<DynamicTest> closedStoreIsRefusedBy() {
        Map<String, ThrowingCallable> operations = new LinkedHashMap<>();
        operations(store).forEach((name, operation) -> operations.put(name + " of the store", operation));
        operations(store.namespace("one"))
                .forEach((name, operation) -> operations.put(name + " of a namespace", operation));
        operations.put("namespace", () -> store.namespace("one"));
        operations.put("a new namespace", () -> store.namespace("two"));
        operations.put("findNamespace", () -> store.findNamespace("one"));
        operations.put("namespaces", store::namespaces);
        operations.put("dropNamespace", () -> store.dropNamespace("one"));
        operations.put("guard", store::guard);
        operations.put("clearAll", store::clearAll);
        operations.put("stats", store::stats);
        operations.put("setCapacityBytes", () -> store.setCapacityBytes(1L << 30));
        operations.put("exportTo", () -> store.exportTo(directory.resolve("closed")));
        operations.put("importFrom", () -> store.importFrom(directory.resolve("closed")));
        operations.put("clean", store::clean);
        return operations.entrySet().stream()
                .map(each -> DynamicTest.dynamicTest(each.getKey(), () -> {
                    store.close();
                    assertThatExceptionOfType(StoreClosedException.class).isThrownBy(each.getValue());
                }));
    }

    @Test
    void closeIsIdempotent() {
        store.put(KEY, VALUE);
        store.close();
        store.close();
        assertThatExceptionOfType(StoreClosedException.class).isThrownBy(() -> store.get(KEY));
    }

    @Test
    void closeRacingWithOperationsRefusesThemCleanly() throws InterruptedException {
        for (int round = 0; round < 5; round++) {
            try (Store racing = open(clock)) {
                AtomicInteger started = new AtomicInteger();
                inThreads(4, thread -> {
                    Random random = new Random(thread);
                    started.incrementAndGet();
                    try {
                        if (thread == 0) {
                            while (started.get() < 4 || racing.size() < 100) {
                                Thread.onSpinWait();
                            }
                            racing.close();
                        }
                        while (true) {
                            byte[] key = Codec.LONG.encode((long) random.nextInt(1_000));
                            racing.put(key, key);
                            byte[] value = racing.get(key);
                            assertThat(value == null || Arrays.equals(value, key))
                                    .isTrue();
                            racing.delete(Codec.LONG.encode((long) random.nextInt(100)));
                            racing.transact(List.of(key), transaction -> transaction.get(key) == null);
                        }
                    } catch (StoreClosedException e) {
                        // what every thread ends with
                    }
                });
            }
        }
    }
}
