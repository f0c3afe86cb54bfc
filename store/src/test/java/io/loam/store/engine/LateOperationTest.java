package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.StoreClosedException;
import io.loam.store.UpdatePolicy;
import io.loam.store.ValueView;
import io.loam.store.sequence.Setup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An operation is under way when the store is closed, and outlasts the wait of {@code close}: what it goes on with is zeros, and it must say that the store is closed rather
 * than tell what it found.
 */
class LateOperationTest {
    private static final int VALUE_BYTES = 100;

    private static Map<String, Function<Namespace, Object>> operations() {
        Map<String, Function<Namespace, Object>> operations = new LinkedHashMap<>();
        byte[] key = {0};
        operations.put("get", store -> store.get(key));
        operations.put("get into an array", store -> store.get(key, new byte[VALUE_BYTES], 0));
        operations.put("get into a segment", store -> {
            try (Arena arena = Arena.ofConfined()) {
                return store.get(MemorySegment.ofArray(key), arena.allocate(VALUE_BYTES));
            }
        });
        operations.put("getEntry", store -> store.getEntry(key));
        operations.put("read", store -> store.read(key, ValueView::toByteArray));
        operations.put("contains", store -> store.contains(key));
        operations.put("getAll", store -> store.getAll(List.of(key)));
        operations.put("scan", store -> {
            List<byte[]> shown = new ArrayList<>();
            try {
                store.forEach((found, view) -> shown.add(found));
            } finally {
                assertThat(shown).as("keys that a late scan showed").isEmpty();
            }
            return shown;
        });
        // writers wait with a bucket locked, so each has a key of its own
        operations.put("put", store -> store.put(new byte[] {1}, new byte[VALUE_BYTES], HoldupClock.LATER));
        operations.put("delete", store -> store.delete(new byte[] {2}, 1));
        operations.put("getAndDelete", store -> store.getAndDelete(new byte[] {3}));
        return operations;
    }

    @ParameterizedTest
    @EnumSource
    void saysThatTheStoreIsClosed(UpdatePolicy policy) throws InterruptedException {
        Map<String, Function<Namespace, Object>> operations = operations();
        HoldupClock clock = new HoldupClock();
        Store store = Setup.TINY.with(policy).openEngine(clock, 1);
        for (byte i = 0; i < 4; i++) {
            store.put(new byte[] {i}, new byte[VALUE_BYTES], HoldupClock.LATER);
        }
        Map<String, FutureTask<Object>> outcomes = new LinkedHashMap<>();
        operations.forEach((name, operation) -> {
            FutureTask<Object> outcome = new FutureTask<>(() -> operation.apply(store));
            Thread thread = Thread.ofPlatform().daemon().name(name).unstarted(outcome);
            clock.hold(thread);
            outcomes.put(name, outcome);
            thread.start();
        });
        clock.awaitArrivals();
        store.close();
        clock.release();
        outcomes.forEach((name, outcome) ->
                assertThatThrownBy(outcome::get).as(name).hasCauseInstanceOf(StoreClosedException.class));
    }

    @Test
    void viewOfAGuardThatIsStillOpenThrows() {
        Store store = Setup.TINY.openEngine(InstantSource.system(), 1);
        byte[] key = {0};
        store.put(key, new byte[VALUE_BYTES]);
        Guard guard = store.guard();
        ValueView view = Objects.requireNonNull(guard.get(key));
        MemorySegment piece = view.segment(0);
        store.close();
        assertThatThrownBy(view::toByteArray).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> piece.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> guard.get(key)).isInstanceOf(StoreClosedException.class);
        guard.close();
    }
}
