package io.loam.cli;

import io.loam.store.Store;
import io.loam.store.StoreBuilder;

/** Where commands get their store from. */
@FunctionalInterface
public interface StoreOpener {
    StoreOpener ENGINE = settings -> {
        StoreBuilder builder = Store.builder()
                .capacityBytes(settings.capacityBytes())
                .updatePolicy(settings.update())
                .fullPolicy(settings.full());
        return (settings.region() == null ? builder : builder.region(settings.region())).open();
    };

    Store open(StoreSettings settings);
}
