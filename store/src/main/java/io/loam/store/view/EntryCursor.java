package io.loam.store.view;

import io.loam.store.Entry;
import io.loam.store.Namespace;
import io.loam.store.ValueView;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Walks over a namespace by {@link Namespace#scan}, a batch of copies at a time; for one thread. A batch holds a key once and positions
 * only advance, so a key comes twice only if the index moved it while the walk was between two batches. Values that are large are fetched when the walk
 * gets to them.
 */
final class EntryCursor {

    private static final int BATCH_COUNT = 64;

    /** The longest value copied into a batch, bytes. */
    private static final int EAGER_BYTES = 16 << 10;

    private record Item(byte[] key, byte @Nullable [] value, long version) {
        /** Whether only {@code key} is of use yet. */
        boolean lacksValue() {
            return value == null;
        }

        @Override
        public boolean equals(@Nullable Object object) {
            return object instanceof Item other && Arrays.equals(key, other.key);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(key);
        }
    }

    private final Namespace namespace;
    private final boolean withValues;
    private final ArrayDeque<Item> batch = new ArrayDeque<>();
    private long position;
    private boolean ended;
    private @Nullable Item current;

    EntryCursor(Namespace namespace, boolean withValues) {
        this.namespace = namespace;
        this.withValues = withValues;
    }

    /** Goes to the next entry; false at the end. */
    boolean advance() {
        while (true) {
            Item item = batch.poll();
            if (item == null) {
                if (ended) {
                    return false;
                }
                fill();
            } else if (!withValues || !item.lacksValue() || (item = fetch(item.key)) != null) {
                current = item;
                return true;
            }
        }
    }

    byte[] key() {
        return Objects.requireNonNull(current).key;
    }

    byte[] value() {
        return Objects.requireNonNull(Objects.requireNonNull(current).value);
    }

    long version() {
        return Objects.requireNonNull(current).version;
    }

    private void fill() {
        Set<Item> seen = new HashSet<>();
        position = namespace.scan(position, BATCH_COUNT, (key, value) -> {
            Item item = new Item(key, withValues ? copyIfSmall(value) : null, value.version());
            if (seen.add(item)) {
                batch.add(item);
            }
        });
        ended = position == 0;
    }

    private static byte @Nullable [] copyIfSmall(ValueView value) {
        return value.length() <= EAGER_BYTES ? value.toByteArray() : null;
    }

    private @Nullable Item fetch(byte[] key) {
        Entry entry = namespace.getEntry(key);
        return entry == null ? null : new Item(key, entry.value(), entry.version());
    }
}
