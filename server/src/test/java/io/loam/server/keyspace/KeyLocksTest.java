package io.loam.server.keyspace;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class KeyLocksTest {

    private final KeyLocks locks = new KeyLocks();

    @Test
    void lockingIsAllOrNothing() {
        int[] two = {3, 7};
        assertThat(locks.tryLock(new int[] {7}, 1, false)).isTrue();
        assertThat(locks.tryLock(two, 2, true)).isFalse();
        assertThat(locks.tryLock(new int[] {3}, 1, false)).as("3 was let go").isTrue();
        locks.unlock(new int[] {3}, 1);
        locks.unlock(new int[] {7}, 1);
        assertThat(locks.tryLock(two, 2, true)).isTrue();
        locks.unlock(two, 2);
    }

    @Test
    void readersSeeTheMarkOfWritersOfSeveralKeysOnly() {
        int[] one = {5};
        long before = locks.word(5);
        locks.lock(one, 1, false);
        assertThat(locks.isSettled(5, before)).isTrue();
        locks.unlock(one, 1);
        assertThat(locks.isSettled(5, before)).isTrue();
        locks.lock(one, 1, true);
        assertThat(locks.isSettled(5, before)).isFalse();
        long midst = locks.word(5);
        assertThat(locks.isSettled(5, midst)).isFalse();
        locks.unlock(one, 1);
        assertThat(locks.isSettled(5, before))
                .as("it may have read in the midst")
                .isFalse();
        assertThat(locks.isSettled(5, midst)).isFalse();
        assertThat(locks.isSettled(5, locks.word(5))).isTrue();
    }

    @Test
    void everyLockingChangesTheWord() {
        long before = locks.word(9);
        assertThat(KeyLocks.isFree(before)).isTrue();
        assertThat(locks.isUnchanged(9, before)).isTrue();
        int[] one = {9};
        locks.lock(one, 1, true);
        assertThat(KeyLocks.isFree(locks.word(9))).isFalse();
        assertThat(locks.isUnchanged(9, before)).isFalse();
        locks.unlock(one, 1);
        assertThat(KeyLocks.isFree(locks.word(9))).isTrue();
        assertThat(locks.isUnchanged(9, before)).isFalse();
    }
}
