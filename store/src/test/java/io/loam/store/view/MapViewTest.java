package io.loam.store.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.entry;

import io.loam.store.Codec;
import io.loam.store.Store;
import io.loam.store.reference.ReferenceStore;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class MapViewTest {

    private final Store store = new ReferenceStore(InstantSource.system());
    private final ConcurrentMap<String, Long> map = new MapView<>(store, Codec.STRING, Codec.LONG);

    // ---- guava-testlib's conformance suite, each of its JUnit 3 tests as a dynamic test

    @TestFactory
    Stream<DynamicTest> conformsToConcurrentMap() {
        return MapConformance.tests("view of a reference store", () -> new ReferenceStore(InstantSource.system()));
    }

    // ---- what the suite does not ask

    @Test
    void iteratorReturnsEveryKeyOnceOverManyBatches() {
        Set<String> expected = new HashSet<>();
        for (long i = 0; i < 5_000; i++) {
            map.put("key " + i, i);
            expected.add("key " + i);
        }
        List<String> seen = new ArrayList<>(map.keySet());
        assertThat(seen).hasSize(5_000);
        assertThat(new HashSet<>(seen)).isEqualTo(expected);
        assertThat(map.values().stream().mapToLong(Long::longValue).sum()).isEqualTo(5_000L * 4_999 / 2);
    }

    @Test
    void iteratorRemovesWhatItReturned() {
        for (long i = 0; i < 1_000; i++) {
            map.put("key " + i, i);
        }
        for (var iterator = map.entrySet().iterator(); iterator.hasNext(); ) {
            if (iterator.next().getValue() % 3 != 0) {
                iterator.remove();
            }
        }
        assertThat(map.values()).hasSize(334).allMatch(value -> value % 3 == 0);
    }

    @Test
    void largeValuesAreIterated() {
        var large = new MapView<>(store, Codec.STRING, Codec.BYTES);
        large.put("large", new byte[100_000]);
        large.put("small", new byte[10]);
        assertThat(large.values().stream().mapToInt(value -> value.length).sum())
                .isEqualTo(100_010);
    }

    @Test
    void entryWritesThrough() {
        map.put("a", 1L);
        map.entrySet().iterator().next().setValue(2L);
        assertThat(map).containsExactly(entry("a", 2L));
    }

    @Test
    void keyOfAnotherClassIsAbsent() {
        map.put("a", 1L);
        assertThat(map.get(1L)).isNull();
        assertThat(map.containsKey(1L)).isFalse();
        assertThat(map.containsValue("1")).isFalse();
        assertThat(map.remove(1L)).isNull();
        assertThat(map.remove("a", "1")).isFalse();
        assertThat(map.keySet().remove(1L)).isFalse();
        assertThat(map.entrySet().contains(Map.entry("a", "1"))).isFalse();
        assertThat(map).hasSize(1);
    }

    @Test
    void nullsAreRefused() {
        assertThatNullPointerException().isThrownBy(() -> map.put(null, 1L));
        assertThatNullPointerException().isThrownBy(() -> map.put("a", null));
        assertThatNullPointerException().isThrownBy(() -> map.get(null));
        assertThatNullPointerException().isThrownBy(() -> map.containsValue(null));
        assertThatNullPointerException().isThrownBy(() -> map.merge("a", null, Long::sum));
    }

    @Test
    void computeKeepsExpiryAndTypeWhilePutResetsThem() {
        byte[] key = Codec.STRING.encode("a");
        store.put(
                key,
                Codec.LONG.encode(1L),
                io.loam.store.PutOptions.DEFAULT.expiringAt(Long.MAX_VALUE).withType(3));
        map.merge("a", 5L, Long::sum);
        assertThat(store.getEntry(key)).satisfies(entry -> {
            assertThat(Codec.LONG.decode(entry.value())).isEqualTo(6);
            assertThat(entry.expiresAtMillis()).isEqualTo(Long.MAX_VALUE);
            assertThat(entry.type()).isEqualTo(3);
        });
        map.put("a", 7L);
        assertThat(store.getEntry(key).expiresAtMillis()).isZero();
    }

    @Test
    void mergesOfManyThreadsAllCount() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(Thread.startVirtualThread(() -> {
                for (int j = 0; j < 200; j++) {
                    map.merge("sum", 1L, Long::sum);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(map).containsExactly(entry("sum", 1_600L));
    }

    @Test
    void computeIfAbsentEvaluatesOnce() throws InterruptedException {
        var evaluations = new java.util.concurrent.atomic.AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(Thread.startVirtualThread(
                    () -> map.computeIfAbsent("a", key -> (long) evaluations.incrementAndGet())));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(evaluations).hasValue(1);
        assertThat(map).containsExactly(entry("a", 1L));
    }

    @Test
    void removeIfSparesWhatChangedMeanwhile() {
        map.put("a", 1L);
        boolean removed = map.values().removeIf(value -> {
            map.put("a", 2L);
            return true;
        });
        assertThat(removed).isFalse();
        assertThat(map).containsExactly(entry("a", 2L));
    }
}
