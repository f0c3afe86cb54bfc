package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import io.loam.store.contract.StoreContract;
import java.time.InstantSource;
import org.junit.jupiter.api.Nested;

/** The engine keeps the API's contract, under each update policy. */
final class EngineContractTest {

    private static void audit(Store store) {
        assertThat(StoreChecker.check(store)).isEmpty();
    }

    @Nested
    final class Appending extends StoreContract {
        @Override
        protected Store open(InstantSource clock) {
            return Store.builder()
                    .capacityBytes(64 << 20)
                    .writeTimeoutMillis(60_000)
                    .clock(clock)
                    .open();
        }

        @Override
        protected void check(Store store) {
            audit(store);
        }
    }

    @Nested
    final class InPlace extends StoreContract {
        @Override
        protected Store open(InstantSource clock) {
            return Store.builder()
                    .capacityBytes(64 << 20)
                    .writeTimeoutMillis(60_000)
                    .clock(clock)
                    .updatePolicy(UpdatePolicy.IN_PLACE)
                    .open();
        }

        @Override
        protected void check(Store store) {
            audit(store);
        }
    }
}
