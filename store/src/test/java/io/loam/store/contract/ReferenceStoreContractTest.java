package io.loam.store.contract;

import io.loam.store.Store;
import io.loam.store.reference.ReferenceStore;
import java.time.InstantSource;

class ReferenceStoreContractTest extends StoreContract {
    @Override
    protected Store open(InstantSource clock) {
        return new ReferenceStore(clock);
    }
}
