package io.loam.memory.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.RawMemory;
import io.loam.memory.region.RegionLock.Grant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Locks between JVMs, of which some are killed. */
final class RegionLockTest {

    private static final RawMemory MEMORY = RawMemory.ofProcess();

    private final RegistryDirectory directory = new RegistryDirectory();
    private final Registry registry = directory.open();
    private final Region region = registry.regions().create("locks", RegionOptions.of(1 << 20));
    private final MappedRegion mapped = registry.regions().map("locks", Access.WRITE);
    private final RegionLock lock = new RegionLock(MEMORY, mapped.address(), registry.participants());

    @AfterEach
    void end() {
        mapped.close();
        registry.close();
        directory.close();
    }

    /** The child: {@code hold shared|exclusive}, or {@code add N} under the lock to a counter that is not atomic. */
    public static void main(String[] arguments) {
        try (Registry registry = Registry.open(java.nio.file.Path.of(arguments[0]), Registry.PRIVATE);
                MappedRegion mapped = registry.regions().map("locks", Access.WRITE)) {
            RegionLock lock = new RegionLock(MEMORY, mapped.address(), registry.participants());
            if (arguments[1].equals("hold")) {
                boolean exclusive = arguments[2].equals("exclusive");
                Grant grant = lock.acquire(exclusive);
                System.out.println(grant);
                if (System.in.read() > 0) {
                    lock.release(exclusive, grant);
                    System.out.println("released");
                }
            } else {
                System.out.println("ready");
                add(lock, mapped.address(), Integer.parseInt(arguments[2]));
                System.out.println("done");
            }
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final int A = 1 << 17;
    private static final int B = A + 64;

    /** Both counters go up by one under the lock; readers find them equal. */
    private static long add(RegionLock lock, long address, int count) {
        long told = 0;
        for (int i = 0; i < count; i++) {
            Grant grant = lock.acquire(true);
            told += grant == Grant.OWNER_DIED ? 1 : 0;
            long a = MEMORY.getLong(address + A);
            MEMORY.putLong(address + A, a + 1);
            if (grant == Grant.OWNER_DIED) {
                // the one before died between the two stores, or before or after both
                MEMORY.putLong(address + B, a);
            }
            MEMORY.putLong(address + B, MEMORY.getLong(address + B) + 1);
            lock.release(true, grant);
            grant = lock.acquire(false);
            if (grant == Grant.OWNER_DIED) {
                told++;
            } else if (MEMORY.getLong(address + A) != MEMORY.getLong(address + B)) {
                throw new AssertionError("a reader was inside together with a writer");
            }
            lock.release(false, grant);
        }
        return told;
    }

    @Test
    void sharedGoesWithSharedAndWithNothingElse() {
        try (Registry other = directory.open()) {
            RegionLock second = new RegionLock(MEMORY, mapped.address(), other.participants());
            assertThat(lock.acquire(false, 0)).isEqualTo(Grant.HELD);
            assertThat(second.acquire(false, 0)).isEqualTo(Grant.HELD);
            assertThat(lock.acquire(false, 0)).isEqualTo(Grant.HELD);
            assertThat(lock.readers()).isEqualTo(3);
            assertThat(second.acquire(true, 0)).isEqualTo(Grant.NONE);
            assertThat(lock.acquire(true, 1_000_000)).isEqualTo(Grant.NONE);
            assertThat(lock.writer()).isZero();
            lock.release(false, Grant.HELD);
            lock.release(false, Grant.HELD);
            assertThat(lock.acquire(true, 0)).isEqualTo(Grant.NONE);
            second.release(false, Grant.HELD);
            assertThat(lock.acquire(true, 0)).isEqualTo(Grant.HELD);
            assertThat(lock.writer()).isEqualTo(registry.participants().self());
            assertThat(lock.acquire(true, 0)).isEqualTo(Grant.NONE);
            assertThat(second.acquire(false, 0)).isEqualTo(Grant.NONE);
            assertThat(second.acquire(false, 1_000_000)).isEqualTo(Grant.NONE);
            assertThat(lock.readers()).isZero();
            lock.release(true, Grant.HELD);
            assertThat(second.acquire(false, 0)).isEqualTo(Grant.HELD);
            second.release(false, Grant.HELD);
        }
    }

    @Test
    void anotherParticipantsEndIsADeath() {
        Registry other = directory.open();
        assertThat(new RegionLock(MEMORY, mapped.address(), other.participants()).acquire(true, 0))
                .isEqualTo(Grant.HELD);
        assertThat(lock.acquire(false, 0)).isEqualTo(Grant.NONE);
        other.close();
        assertThat(lock.acquire(false, 0)).isEqualTo(Grant.OWNER_DIED);
        assertThat(lock.acquire(false, 0)).isEqualTo(Grant.HELD);
        lock.release(false, Grant.HELD);
        lock.release(false, Grant.OWNER_DIED);
        assertThat(lock.acquire(true, 0)).isEqualTo(Grant.HELD);
    }

    @Test
    void whoWasToldAndDiesLeavesItToTheNext() {
        for (boolean exclusive : new boolean[] {false, true}) {
            Registry first = directory.open();
            new RegionLock(MEMORY, mapped.address(), first.participants()).acquire(true);
            first.close();
            Registry second = directory.open();
            assertThat(new RegionLock(MEMORY, mapped.address(), second.participants()).acquire(exclusive, 0))
                    .isEqualTo(Grant.OWNER_DIED);
            second.close();
            assertThat(lock.acquire(true, 0)).isEqualTo(Grant.OWNER_DIED);
            lock.release(true, Grant.OWNER_DIED);
            assertThat(lock.acquire(true, 0)).isEqualTo(Grant.HELD);
            lock.release(true, Grant.HELD);
        }
    }

    @Test
    void killedReadersAreForgotten() {
        List<ChildJvm> children = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            children.add(ChildJvm.start(RegionLockTest.class, directory.path().toString(), "hold", "shared"));
            assertThat(children.get(i).line()).isEqualTo("HELD");
        }
        assertThat(lock.acquire(true, 1_000_000)).isEqualTo(Grant.NONE);
        assertThat(registry.regions().attachedTo(region)).hasSize(3);
        children.forEach(ChildJvm::kill);
        assertThat(lock.acquire(true)).isEqualTo(Grant.HELD);
        lock.release(true, Grant.HELD);
        assertThat(lock.readers()).isZero();
        assertThat(registry.participants().list()).hasSize(1);
        assertThat(registry.regions().attachedTo(region)).hasSize(1);
    }

    @Test
    void aKilledWriterIsReportedOnceToTheNextHolderHoweverItHolds() {
        for (boolean exclusive : new boolean[] {true, false}) {
            try (ChildJvm child =
                    ChildJvm.start(RegionLockTest.class, directory.path().toString(), "hold", "exclusive")) {
                assertThat(child.line()).isEqualTo("HELD");
                assertThat(registry.participants().pid(lock.writer())).isEqualTo(child.pid());
                assertThat(lock.acquire(exclusive, 1_000_000)).isEqualTo(Grant.NONE);
                child.kill();
                assertThat(lock.acquire(exclusive)).isEqualTo(Grant.OWNER_DIED);
                lock.release(exclusive, Grant.OWNER_DIED);
                assertThat(lock.acquire(true)).isEqualTo(Grant.HELD);
                lock.release(true, Grant.HELD);
                assertThat(lock.acquire(false)).isEqualTo(Grant.HELD);
                lock.release(false, Grant.HELD);
            }
        }
    }

    @Test
    void aWaiterIsWokenByAReleaseInAnotherProcess() {
        try (ChildJvm child =
                ChildJvm.start(RegionLockTest.class, directory.path().toString(), "hold", "exclusive")) {
            assertThat(child.line()).isEqualTo("HELD");
            Thread.ofVirtual().start(() -> child.say("go"));
            assertThat(lock.acquire(true)).isEqualTo(Grant.HELD);
            lock.release(true, Grant.HELD);
            assertThat(child.line()).isEqualTo("released");
        }
    }

    @Test
    void anInterruptIsKeptAndDoesNotBreakTheWait() throws InterruptedException {
        lock.acquire(true);
        boolean[] interrupted = new boolean[1];
        Thread waiter = Thread.ofPlatform().start(() -> {
            Thread.currentThread().interrupt();
            Grant grant = lock.acquire(true);
            interrupted[0] = Thread.currentThread().isInterrupted();
            lock.release(true, grant);
        });
        assertThat(lock.acquire(false, 5_000_000)).isEqualTo(Grant.NONE);
        assertThat(waiter.isAlive()).isTrue();
        lock.release(true, Grant.HELD);
        waiter.join();
        assertThat(interrupted[0]).isTrue();
    }

    @Test
    void threadsOfThreeJvmsExcludeEachOther() throws InterruptedException {
        int count = 20_000;
        List<ChildJvm> children = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            children.add(ChildJvm.start(RegionLockTest.class, directory.path().toString(), "add", "" + count));
        }
        for (ChildJvm child : children) {
            assertThat(child.line()).isEqualTo("ready");
        }
        List<Thread> threads = new ArrayList<>();
        long[] told = new long[2];
        threads.add(Thread.ofPlatform().start(() -> told[0] = add(lock, mapped.address(), count)));
        threads.add(Thread.ofVirtual().start(() -> told[1] = add(lock, mapped.address(), count)));
        for (Thread thread : threads) {
            thread.join();
        }
        for (ChildJvm child : children) {
            assertThat(child.line()).isEqualTo("done");
            assertThat(child.exit()).isZero();
        }
        assertThat(MEMORY.getLong(mapped.address() + A)).isEqualTo(4 * count);
        assertThat(MEMORY.getLong(mapped.address() + B)).isEqualTo(4 * count);
        assertThat(told[0] + told[1]).isZero();
        assertThat(lock.readers()).isZero();
        assertThat(lock.writer()).isZero();
    }

    @Test
    void killedAtRandomPointsTheyNeverStopASurvivorOrLetAReaderInBesideAWriter() throws Exception {
        Random random = new Random(11);
        for (int round = 0; round < 5; round++) {
            List<ChildJvm> children = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                children.add(
                        ChildJvm.start(RegionLockTest.class, directory.path().toString(), "add", "1000000000"));
            }
            for (ChildJvm child : children) {
                assertThat(child.line()).isEqualTo("ready");
            }
            long told = add(lock, mapped.address(), 50 + random.nextInt(3000));
            for (ChildJvm child : children) {
                child.kill();
                told += add(lock, mapped.address(), 1 + random.nextInt(500));
            }
            told += add(lock, mapped.address(), 100);
            assertThat(told).isLessThanOrEqualTo(children.size());
            assertThat(lock.acquire(true, 0)).isEqualTo(Grant.HELD);
            assertThat(lock.readers()).isZero();
            lock.release(true, Grant.HELD);
        }
    }
}
