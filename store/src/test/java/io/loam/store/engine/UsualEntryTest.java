package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A GET guesses that an entry is like those before: every entry that is not must be read as it is. */
class UsualEntryTest {
    private static final int USUAL = 40;
    private static final byte UNTOUCHED = 99;

    private static byte[] key(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] value(int length, int mark) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) mark);
        return value;
    }

    private static Store open(UpdatePolicy policy) {
        return Store.builder().capacityBytes(16 << 20).updatePolicy(policy).open();
    }

    /** Makes 8-byte keys with values of 40 bytes the usual entry. */
    private static void makeUsual(Namespace space) {
        for (int i = 0; i < 500; i++) {
            byte[] key = key("usual" + (100 + i));
            space.put(key, value(USUAL, i));
            assertReads(space, key, value(USUAL, i));
        }
    }

    private static void assertReads(Namespace space, byte[] key, byte[] expected) {
        byte[] destination = value(expected.length + 3, UNTOUCHED);
        assertThat(space.get(key, destination, 2)).isEqualTo(expected.length);
        assertThat(Arrays.copyOfRange(destination, 2, 2 + expected.length)).isEqualTo(expected);
        assertThat(destination[1]).isEqualTo(UNTOUCHED);
        assertThat(destination[expected.length + 2]).isEqualTo(UNTOUCHED);
    }

    @ParameterizedTest
    @EnumSource(UpdatePolicy.class)
    void readsOtherLengthsAsTheyAre(UpdatePolicy policy) {
        try (Store store = open(policy)) {
            makeUsual(store);
            for (int length = 0; length < 200; length++) {
                byte[] key = key("other" + (100 + length));
                store.put(key, value(length, length));
                assertReads(store, key, value(length, length));
                assertReads(store, key("usual100"), value(USUAL, 0));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(UpdatePolicy.class)
    void readsEntriesOfTheSameSizeWithAnotherKeyLength(UpdatePolicy policy) {
        try (Store store = open(policy)) {
            makeUsual(store);
            for (int longer = 0; longer <= 16; longer++) {
                byte[] key = Arrays.copyOf(key("samesize"), longer);
                store.put(key, value(USUAL + 8 - longer, longer));
                assertReads(store, key, value(USUAL + 8 - longer, longer));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(UpdatePolicy.class)
    void readsWhatWasOverwrittenShorterAndLonger(UpdatePolicy policy) {
        try (Store store = open(policy)) {
            makeUsual(store);
            byte[] key = key("usual200");
            for (int length : new int[] {USUAL - 1, USUAL - 20, 0, USUAL, USUAL + 1, 2 * USUAL, USUAL}) {
                store.put(key, value(length, length));
                assertReads(store, key, value(length, length));
            }
            store.delete(key);
            assertThat(store.get(key, new byte[USUAL], 0)).isEqualTo((int) Namespace.ABSENT);
        }
    }

    @ParameterizedTest
    @EnumSource(UpdatePolicy.class)
    void readsEntriesWithExpiryAndOfOtherNamespaces(UpdatePolicy policy) {
        try (Store store = open(policy)) {
            makeUsual(store);
            Namespace other = store.namespace("other");
            makeUsual(other);
            byte[] key = key("expiring");
            store.put(key, value(USUAL - 8, 1), System.currentTimeMillis() + 3_600_000);
            assertReads(store, key, value(USUAL - 8, 1));
            store.put(key, value(USUAL - 8, 2), 1);
            assertThat(store.get(key, new byte[USUAL], 0)).isEqualTo((int) Namespace.ABSENT);
        }
    }

    @ParameterizedTest
    @EnumSource(UpdatePolicy.class)
    void leavesADestinationAloneThatIsTooSmall(UpdatePolicy policy) {
        try (Store store = open(policy)) {
            makeUsual(store);
            byte[] destination = value(USUAL, UNTOUCHED);
            assertThat(store.get(key("usual100"), destination, 1)).isEqualTo(USUAL);
            assertThat(destination).containsOnly(UNTOUCHED);
            assertThatThrownBy(() -> store.get(key("usual100"), destination, USUAL + 1))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> store.get(new byte[Namespace.MAX_KEY_BYTES + 1], destination, 0))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
