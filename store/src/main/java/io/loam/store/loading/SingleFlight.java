package io.loam.store.loading;

import io.loam.store.LoamException;
import io.loam.store.Namespace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The way of {@link Namespace#getOrLoad}: one thread loads a key, the others that ask for it meanwhile wait for what it gets.
 *
 * <p>An exception of a loader reaches the thread that ran it; those that waited start over, and one of them loads. Loaders that wait for
 * each other in a circle (in the simplest case, one that asks for its own key) get {@link IllegalStateException}.
 * A waiter that is interrupted gives up with {@link LoamException} and stays interrupted; the load goes on. Waiting parks, so it holds no
 * carrier of a virtual thread.
 *
 * <p>Handles of the same namespace must be equal (they are, if each namespace has one).
 */
public final class SingleFlight {

    private record Target(Namespace namespace, byte[] key) {
        @Override
        public boolean equals(@Nullable Object object) {
            return object instanceof Target other && namespace.equals(other.namespace) && Arrays.equals(key, other.key);
        }

        @Override
        public int hashCode() {
            return 31 * namespace.hashCode() + Arrays.hashCode(key);
        }
    }

    /** A load in progress. {@code loaded} and {@code value} are written before the latch opens, read after. */
    private static final class Flight {
        final Thread loader = Thread.currentThread();
        final CountDownLatch landed = new CountDownLatch(1);
        boolean loaded;
        byte @Nullable [] value;

        boolean inProgress() {
            return landed.getCount() != 0;
        }
    }

    private final ConcurrentHashMap<Target, Flight> flights = new ConcurrentHashMap<>();

    /** What each waiting thread waits for; only for finding circles. */
    private final ConcurrentHashMap<Thread, Flight> waits = new ConcurrentHashMap<>();

    /** See {@link Namespace#getOrLoad}. The array returned is the caller's. */
    public byte @Nullable [] getOrLoad(Namespace namespace, byte[] key, Function<byte[], byte @Nullable []> loader) {
        Objects.requireNonNull(loader, "loader");
        byte[] present = namespace.get(key);
        return present != null ? present : join(new Target(namespace, key.clone()), loader);
    }

    private byte @Nullable [] join(Target target, Function<byte[], byte @Nullable []> loader) {
        while (true) {
            Flight mine = new Flight();
            Flight other = flights.putIfAbsent(target, mine);
            if (other == null) {
                return fly(target, mine, loader);
            }
            await(other);
            if (other.loaded) {
                return other.value == null ? null : other.value.clone();
            }
        }
    }

    private byte @Nullable [] fly(Target target, Flight flight, Function<byte[], byte @Nullable []> loader) {
        try {
            // A flight that landed after our first look has stored its value.
            byte[] value = target.namespace.get(target.key);
            if (value == null) {
                value = loader.apply(target.key.clone());
                if (value != null) {
                    value = storeOrYield(target, value);
                }
            }
            flight.value = value == null ? null : value.clone();
            flight.loaded = true;
            return value;
        } finally {
            flights.remove(target, flight);
            flight.landed.countDown();
        }
    }

    /** Stores the value, unless a write came in between: returns what is stored. */
    private static byte[] storeOrYield(Target target, byte[] value) {
        while (target.namespace.putIfAbsent(target.key, value) == Namespace.ABSENT) {
            byte[] present = target.namespace.get(target.key);
            if (present != null) {
                return present;
            }
        }
        return value;
    }

    private void await(Flight flight) {
        Thread self = Thread.currentThread();
        waits.put(
                self,
                flight); // before the search: of two threads that close a circle at once, at least one sees the other
        try {
            if (closesCircle(flight, self)) {
                throw new IllegalStateException(
                        "a loader asked for a key that is being loaded for its own sake; a loader must not load its own key, "
                                + "nor two loaders each other's");
            }
            flight.landed.await();
        } catch (InterruptedException e) {
            self.interrupt();
            throw new LoamException(
                    "interrupted while " + flight.loader + " loads the key; it goes on loading: ask again later", e);
        } finally {
            waits.remove(self);
        }
    }

    /**
     * Whether {@code flight} can't land before {@code self} does something. The steps are read one after another; what was read is
     * still true at the end if all flights on the way are in progress then.
     */
    private boolean closesCircle(Flight flight, Thread self) {
        List<Flight> way = new ArrayList<>();
        for (Flight next = flight; next != null && !way.contains(next); next = waits.get(next.loader)) {
            way.add(next);
            if (next.loader.equals(self)) {
                return way.stream().allMatch(Flight::inProgress);
            }
        }
        return false;
    }
}
