package io.loam.memory.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.HeapMemory;
import io.loam.memory.region.RegionLock.Grant;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** One participant stopped or killed before each of its accesses in turn, while another one acts. */
final class RegionLockInterleavingTest {

    private static final int FIRST = 0;
    private static final int SECOND = 1;
    private static final int THIRD = 2;
    private static final boolean[] EITHER = {false, true};

    /** Runs something before the access of a given number. */
    private static final class SteppedMemory extends HeapMemory {
        private @Nullable Runnable action;
        private int left;

        SteppedMemory() {
            super(RegionLock.BYTES);
        }

        void before(int access, Runnable run) {
            left = access;
            action = run;
        }

        /** Whether the access has come. */
        boolean isOver() {
            boolean over = action == null;
            action = null;
            return over;
        }

        private void step() {
            Runnable due = action;
            if (due != null && --left == 0) {
                action = null;
                due.run();
            }
        }

        @Override
        public long getLongVolatile(long address) {
            step();
            return super.getLongVolatile(address);
        }

        @Override
        public void putLongVolatile(long address, long value) {
            step();
            super.putLongVolatile(address, value);
        }

        @Override
        public boolean compareAndSetLong(long address, long expected, long value) {
            step();
            return super.compareAndSetLong(address, expected, value);
        }

        @Override
        public long getAndAddLong(long address, long delta) {
            step();
            return super.getAndAddLong(address, delta);
        }
    }

    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private final SteppedMemory memory = new SteppedMemory();
    private final Set<Long> dead = new HashSet<>();

    private RegionLock lock(int slot) {
        return new RegionLock(memory, 0, new Liveness() {
            @Override
            public long self() {
                return Liveness.identity(1, slot);
            }

            @Override
            public boolean isAlive(long identity) {
                return !dead.contains(identity);
            }

            @Override
            public int usedSlots() {
                return 4;
            }
        });
    }

    private void die(int slot) {
        dead.add(Liveness.identity(1, slot));
    }

    /** What a killed participant does from its end on: nothing, not even while its stack unwinds here. */
    private void kill(int slot) {
        die(slot);
        memory.before(1, () -> kill(slot));
        throw new Killed();
    }

    private void clear() {
        memory.fill(0, RegionLock.BYTES, (byte) 0);
        dead.clear();
    }

    @Test
    void aReaderAndAWriterOrTwoWritersAreNeverInsideTogether() {
        for (boolean firstExclusive : EITHER) {
            for (boolean secondExclusive : EITHER) {
                int access = 0;
                boolean more = true;
                while (more) {
                    clear();
                    RegionLock first = lock(FIRST);
                    RegionLock second = lock(SECOND);
                    Grant[] other = {Grant.NONE};
                    memory.before(++access, () -> other[0] = second.acquire(secondExclusive, 0));
                    Grant grant = first.acquire(firstExclusive, 0);
                    more = memory.isOver();
                    if (grant != Grant.NONE && other[0] != Grant.NONE) {
                        assertThat(firstExclusive || secondExclusive)
                                .as("both inside, the second came before access %d", access)
                                .isFalse();
                    }
                    if (grant != Grant.NONE) {
                        first.release(firstExclusive, grant);
                    }
                    if (other[0] != Grant.NONE) {
                        second.release(secondExclusive, other[0]);
                    }
                    assertThat(first.readers()).isZero();
                    assertThat(first.acquire(true, 0)).isEqualTo(Grant.HELD);
                }
                assertThat(access).isGreaterThan(2);
            }
        }
    }

    @Test
    void aDeathIsToldOnceHoweverTwoMeetOverIt() {
        for (boolean firstExclusive : EITHER) {
            for (boolean secondExclusive : EITHER) {
                int access = 0;
                boolean more = true;
                while (more) {
                    clear();
                    assertThat(lock(THIRD).acquire(true, 0)).isEqualTo(Grant.HELD);
                    die(THIRD);
                    RegionLock first = lock(FIRST);
                    RegionLock second = lock(SECOND);
                    int[] other = new int[1];
                    memory.before(++access, () -> other[0] = enterAndLeave(second, secondExclusive));
                    int told = enterAndLeave(first, firstExclusive);
                    more = memory.isOver();
                    told += enterAndLeave(second, true);
                    assertThat(told + other[0]).as("access %d", access).isEqualTo(1);
                    assertThat(second.acquire(true, 0)).isEqualTo(Grant.HELD);
                }
                assertThat(access).isGreaterThan(5);
            }
        }
    }

    private static int enterAndLeave(RegionLock lock, boolean exclusive) {
        Grant grant = lock.acquire(exclusive, 0);
        if (grant != Grant.NONE) {
            lock.release(exclusive, grant);
        }
        return grant == Grant.OWNER_DIED ? 1 : 0;
    }

    @Test
    void whoeverIsKilledAtWhateverAccessTheLockIsFreeAndADeathIsNotForgotten() {
        for (boolean deadBefore : EITHER) {
            for (boolean exclusive : EITHER) {
                int access = 0;
                boolean more = true;
                while (more) {
                    clear();
                    if (deadBefore) {
                        assertThat(lock(THIRD).acquire(true, 0)).isEqualTo(Grant.HELD);
                        die(THIRD);
                    }
                    RegionLock first = lock(FIRST);
                    boolean[] leaving = new boolean[1];
                    memory.before(++access, () -> kill(FIRST));
                    try {
                        Grant grant = first.acquire(exclusive, 0);
                        assertThat(grant).isEqualTo(deadBefore ? Grant.OWNER_DIED : Grant.HELD);
                        leaving[0] = true;
                        first.release(exclusive, grant);
                        more = false;
                    } catch (Killed e) {
                        more = true;
                    }
                    boolean ignored = memory.isOver();
                    RegionLock second = lock(SECOND);
                    Grant next = second.acquire(true, 0);
                    assertThat(next).as("killed before access %d", access).isNotEqualTo(Grant.NONE);
                    if (deadBefore && !leaving[0]) {
                        assertThat(next).as("killed before access %d", access).isEqualTo(Grant.OWNER_DIED);
                    }
                    if (leaving[0] && more && exclusive) {
                        assertThat(next).as("killed while leaving, %d", access).isEqualTo(Grant.OWNER_DIED);
                    }
                    second.release(true, next);
                    assertThat(second.readers()).isZero();
                    assertThat(second.acquire(true, 0)).isEqualTo(Grant.HELD);
                }
                assertThat(access).isGreaterThan(2);
            }
        }
    }
}
