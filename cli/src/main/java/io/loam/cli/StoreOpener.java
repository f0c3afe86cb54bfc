package io.loam.cli;

import io.loam.store.Store;

/** Where commands get their store from. */
@FunctionalInterface
public interface StoreOpener {
    StoreOpener ENGINE = settings -> Store.builder()
            .capacityBytes(settings.capacityBytes())
            .updatePolicy(settings.update())
            .fullPolicy(settings.full())
            .open();

    Store open(StoreSettings settings);
}
