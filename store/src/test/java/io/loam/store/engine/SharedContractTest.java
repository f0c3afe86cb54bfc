package io.loam.store.engine;

import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import io.loam.store.contract.StoreContract;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

/** A shared store keeps the API's contract, for who leads and for who follows. */
@Timeout(300)
final class SharedContractTest {

    @Nested
    final class Leading extends StoreContract {
        private final SharedDirectory directory = new SharedDirectory();

        @Override
        protected Store open(InstantSource clock) {
            return Store.builder()
                    .capacityBytes(64 << 20)
                    .writeTimeoutMillis(60_000)
                    .clock(clock)
                    .hugePages(false)
                    .create(directory.registry, "store" + System.nanoTime());
        }

        @AfterEach
        void delete() {
            directory.close();
        }
    }

    @Nested
    final class Following extends StoreContract {
        private final SharedDirectory directory = new SharedDirectory();
        private final java.util.List<Store> leaders = new java.util.ArrayList<>();

        @Override
        protected Store open(InstantSource clock) {
            String name = "store" + System.nanoTime();
            leaders.add(Store.builder()
                    .capacityBytes(64 << 20)
                    .writeTimeoutMillis(60_000)
                    .clock(clock)
                    .hugePages(false)
                    .updatePolicy(UpdatePolicy.APPEND)
                    .create(directory.registry, name));
            return Store.builder().clock(clock).attach(directory.registry, name, false);
        }

        @Override
        protected boolean hearsAllExpiry() {
            return false;
        }

        @AfterEach
        void delete() {
            leaders.forEach(Store::close);
            directory.close();
        }
    }
}
