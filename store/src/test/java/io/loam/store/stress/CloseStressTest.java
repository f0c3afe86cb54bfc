package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.FullPolicy;
import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.Store;
import io.loam.store.StoreClosedException;
import io.loam.store.StoreFullException;
import io.loam.store.UpdatePolicy;
import io.loam.store.ValueView;
import io.loam.store.sequence.Setup;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Closing may come at any moment. */
class CloseStressTest {

    private static void anyOperation(Store store, SplittableRandom random) {
        long key = random.nextInt(64);
        byte[] bytes = Stamp.key(key);
        byte[] value = new Stamp(key, 1, 1, Reader.size(random, 9000), 0).toBytes();
        switch (random.nextInt(16)) {
            case 0 -> store.delete(bytes);
            case 1 ->
                store.read(bytes, view -> {
                    Thread.yield();
                    return Stamp.check(Reader.bytesOf(view), key);
                });
            case 2 -> {
                try (Guard guard = store.guard()) {
                    ValueView view = guard.get(bytes);
                    Thread.yield();
                    if (view != null) {
                        byte[] read;
                        try {
                            read = Reader.bytesOf(view);
                        } catch (IllegalStateException e) {
                            throw new StoreClosedException(); // it had no CPU for longer than close waits
                        }
                        Stamp.check(read, key);
                    }
                }
            }
            case 3 -> store.forEach((k, view) -> view.length());
            case 4 -> store.compute(bytes, old -> value);
            case 5 ->
                store.transact(List.of(bytes), transaction -> {
                    transaction.put(bytes, value);
                    return true;
                });
            case 6 -> store.stats();
            case 7 -> store.clean();
            case 8 -> store.getAll(List.of(bytes, Stamp.key(key + 1)));
            case 9 ->
                store.tryPut(MemorySegment.ofArray(bytes), MemorySegment.ofArray(value), PutOptions.DEFAULT, () -> {});
            case 10 -> store.namespace("other").put(bytes, value);
            case 11 -> store.size();
            case 12 -> store.getEntry(bytes);
            case 13 -> {
                if (random.nextInt(20) == 0) {
                    store.clear();
                } else {
                    store.putIfAbsent(bytes, value);
                }
            }
            default -> store.put(bytes, value);
        }
    }

    @Test
    void operationsRacingWithCloseFinishOrSayClosed() {
        for (int round = 0; round < Scale.of(30); round++) {
            Setup setup = Setup.TINY
                    .with(UpdatePolicy.values()[round & 1])
                    .with(FullPolicy.values()[round >> 1 & 1])
                    .withNodes(1 + (round >> 2 & 1))
                    .withBlocks(256, 256)
                    .withWriteTimeoutMillis(2_000);
            Store store = setup.open();
            Crew crew = new Crew();
            CountDownLatch busy = new CountDownLatch(400);
            AtomicInteger closings = new AtomicInteger();
            for (int i = 0; i < 4; i++) {
                SplittableRandom random = new SplittableRandom(1000L * round + i);
                crew.work("worker " + i, () -> {
                    while (true) {
                        try {
                            anyOperation(store, random);
                        } catch (StoreFullException e) {
                            // An answer like another.
                        } catch (StoreClosedException e) {
                            return;
                        } finally {
                            busy.countDown();
                        }
                    }
                });
            }
            for (int i = 0; i < 2; i++) {
                crew.work("closer " + i, () -> {
                    busy.await();
                    store.close();
                    closings.incrementAndGet();
                });
            }
            crew.run();
            assertThat(closings.get()).isEqualTo(2);
        }
    }

    @Test
    void everyOperationAfterCloseSaysClosed() {
        Store store = Setup.TINY.open();
        byte[] key = Stamp.key(1);
        store.put(key, key);
        Namespace other = store.namespace("other");
        store.close();
        store.close();
        Map<String, Runnable> operations = new LinkedHashMap<>();
        MemorySegment memory = MemorySegment.ofArray(key);
        operations.put("get", () -> store.get(key));
        operations.put("get into array", () -> store.get(key, new byte[10], 0));
        operations.put("get into segment", () -> store.get(memory, memory));
        operations.put("getEntry", () -> store.getEntry(key));
        operations.put("read", () -> store.read(key, ValueView::length));
        operations.put("contains", () -> store.contains(key));
        operations.put("version", () -> store.version(key));
        operations.put("getAll", () -> store.getAll(List.of(key)));
        operations.put("getAll into arrays", () -> store.getAll(new byte[][] {key}, new byte[1][10], new int[1], 1));
        operations.put("put", () -> store.put(key, key));
        operations.put("put segment", () -> store.put(memory, memory));
        operations.put("put expiring", () -> store.put(key, key, Long.MAX_VALUE));
        operations.put("tryPut", () -> store.tryPut(memory, memory, PutOptions.DEFAULT, () -> {}));
        operations.put("putAll", () -> store.putAll(List.of(key), List.of(key)));
        operations.put("putIfAbsent", () -> store.putIfAbsent(key, key));
        operations.put("replace", () -> store.replace(key, key));
        operations.put("replace version", () -> store.replace(key, 1, key));
        operations.put("delete", () -> store.delete(key));
        operations.put("delete version", () -> store.delete(key, 1));
        operations.put("getAndDelete", () -> store.getAndDelete(key));
        operations.put("compute", () -> store.compute(key, old -> key));
        operations.put("add", () -> store.add(key, 1));
        operations.put("append", () -> store.append(key, key));
        operations.put("getOrLoad", () -> store.getOrLoad(key, k -> k));
        operations.put("expireAt", () -> store.expireAt(key, 1));
        operations.put("transact", () -> store.transact(List.of(key), transaction -> true));
        operations.put("scan", () -> store.scan(0, 1, (k, view) -> {}));
        operations.put("forEach", () -> store.forEach((k, view) -> {}));
        operations.put("size", store::size);
        operations.put("clear", store::clear);
        operations.put("clearAll", store::clearAll);
        operations.put("clean", store::clean);
        operations.put("guard", store::guard);
        operations.put("namespace", () -> store.namespace("third"));
        operations.put("namespaces", store::namespaces);
        operations.put("dropNamespace", () -> store.dropNamespace("other"));
        operations.put("setCapacityBytes", () -> store.setCapacityBytes(64 * 4096));
        operations.put("get of a namespace", () -> other.get(key));
        operations.put("put of a namespace", () -> other.put(key, key));
        operations.forEach((name, operation) ->
                assertThatThrownBy(operation::run).as(name).isInstanceOf(StoreClosedException.class));
    }

    @Test
    void guardHeldOverCloseDoesNotCrash() {
        Store store = Setup.TINY.open();
        store.put(Stamp.key(1), new Stamp(1, 1, 1, 3000, 0).toBytes());
        Guard guard = store.guard();
        ValueView view = Objects.requireNonNull(guard.get(Stamp.key(1)));
        Crew crew = new Crew();
        crew.work("closer", store::close);
        crew.run();
        // Whatever it reads now, the machine must not fault.
        try {
            Reader.bytesOf(view);
        } catch (IllegalStateException | StoreClosedException e) {
            // A refusal is as good.
        }
        guard.close();
        guard.close();
    }

    @Test
    void closingGivesTheMemoryBack() {
        Setup setup = Setup.TINY.withBlockBytes(64 << 10).withBlocks(512, 512);
        byte[] value = new byte[100_000]; // one for all, so that the heap does not grow
        long before = 0;
        for (int round = 0; round < 12; round++) {
            try (Store store = setup.open()) {
                for (int i = 0; i < 200; i++) {
                    store.put(Stamp.key(i), value);
                }
            }
            if (round == 2) {
                before = ResidentMemory.bytes();
            }
        }
        // Nine more stores of which 20 MB were touched; the fake's values are in the heap, whatever the collector does.
        if (System.getProperty("loam.test.store", "engine").equals("engine")) {
            assertThat(ResidentMemory.bytes()).isLessThan(before + (64L << 20));
        }
    }
}
