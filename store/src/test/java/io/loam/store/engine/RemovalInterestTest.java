package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener;
import io.loam.store.Store;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Listeners that want to hear of some removals only, and namespaces whose entries are not evicted. */
final class RemovalInterestTest {

    private static final PutOptions MARKED = PutOptions.DEFAULT.withType(2);

    private final AtomicLong now = new AtomicLong(1_000_000);
    private final InstantSource clock = () -> Instant.ofEpochMilli(now.get());
    private final List<String> heard = new CopyOnWriteArrayList<>(); // also by who looks for what has expired

    private final RemovalListener listener = new RemovalListener() {
        @Override
        public boolean wants(Cause cause, int type) {
            return type == 2 && cause == Cause.EXPIRED;
        }

        @Override
        public void removed(String namespace, byte[] key, byte[] value, Cause cause) {
            heard.add(new String(key, StandardCharsets.US_ASCII) + "=" + new String(value, StandardCharsets.US_ASCII)
                    + " " + cause);
        }
    };

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void aListenerHearsOfWhatItWantsHoweverItIsNoticed() {
        try (Store store = Store.builder().capacityBytes(16 << 20).clock(clock).open()) {
            store.addListener(listener);
            for (String key : List.of("deleted", "put", "transacted", "present", "plain")) {
                PutOptions options = key.equals("plain") ? PutOptions.DEFAULT : MARKED;
                store.put(bytes(key), bytes("v"), key.equals("present") ? options : options.expiringAt(now.get() + 10));
            }
            now.addAndGet(10);
            store.delete(bytes("deleted"));
            store.put(bytes("put"), bytes("w"));
            store.transact(List.of(bytes("transacted")), transaction -> {
                transaction.put(bytes("transacted"), bytes("w"));
                return true;
            });
            store.delete(bytes("plain"));
            store.put(bytes("present"), bytes("w"));
            store.delete(bytes("present"));
            for (long until = System.nanoTime() + 60_000_000_000L; heard.size() < 3 && System.nanoTime() < until; ) {
                Thread.onSpinWait();
            }
            assertThat(heard).containsExactlyInAnyOrder("deleted=v EXPIRED", "put=v EXPIRED", "transacted=v EXPIRED");
        }
    }

    @Test
    void aProtectedNamespaceIsNotEvicted() {
        int kept = 20_000;
        try (Store store = Store.builder()
                .capacityBytes(16 << 20)
                .fullPolicy(FullPolicy.EVICT)
                .writeTimeoutMillis(60_000)
                .open()) {
            store.setEvictable("kept", false);
            Namespace namespace = store.namespace("kept");
            for (int i = 0; i < kept; i++) {
                namespace.put(bytes("k" + i), new byte[100]);
            }
            for (int i = 0; i < 100_000; i++) {
                store.put(bytes("k" + i), new byte[1000]);
            }
            assertThat(store.size()).isLessThan(16_000);
            for (int i = 0; i < kept; i++) {
                assertThat(namespace.get(bytes("k" + i))).as("k%d", i).hasSize(100);
            }
        }
    }
}
