package io.loam.heap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.RawMemory;
import io.loam.memory.persistence.Durability;
import io.loam.memory.region.Access;
import io.loam.memory.region.MappedLock;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.Participants.Participant;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionLock.Grant;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A heap in a region: found by name, attached, locked, grown with it. */
class HeapRegionTest {

    private static final long MIB = 1 << 20;

    @TempDir
    Path directory;

    private Registry registry;

    @BeforeEach
    void begin() {
        registry = Registry.open(directory.resolve("registry"), Registry.PRIVATE);
    }

    @AfterEach
    void end() {
        registry.close();
    }

    private static HeapOptions options() {
        return HeapOptions.defaults().withDurability(Durability.NONE).withTables(16, 16, 4, 4096);
    }

    private Region region(RegionOptions wanted) {
        return registry.regions().create("data", wanted);
    }

    private static void push(PersistentHeap heap, long value) {
        Root list = heap.root("list", heap.bytes());
        list.set(heap.allocate(heap.bytes(), 64, memory -> memory.set(ValueLayout.JAVA_LONG, 0, value)));
    }

    private static long pushed(PersistentHeap heap) {
        return heap.getLong(Objects.requireNonNull(heap.findRoot("list")).get());
    }

    @Test
    void itIsFoundByNameAndGrowsItsRegion() {
        region(RegionOptions.of(2 * MIB).withRoom(1 << 30));
        try (PersistentHeap heap = PersistentHeap.create(registry, "data", options())) {
            assertThat(heap.name()).isEqualTo("region data");
            assertThat(heap.stats().maximumBytes()).isEqualTo(1 << 30);
            push(heap, 42);
            heap.root("large", heap.bytes())
                    .set(heap.allocate(heap.bytes(), 40 * MIB, memory -> memory.fill((byte) 7)));
        }
        Region grown = registry.regions().get("data");
        assertThat(grown.bytes()).isGreaterThan(50 * MIB);
        try (PersistentHeap heap = PersistentHeap.open(registry, "data", options())) {
            assertThat(heap.recovery().wasDirty()).isFalse();
            assertThat(pushed(heap)).isEqualTo(42);
            assertThat(heap.check().problems()).isEmpty();
            // all space of a region stays its own
            heap.free(heap.allocate(heap.bytes(), MIB));
            assertThat(heap.trim()).isZero();
        }
        try (PersistentHeap first = PersistentHeap.openReadOnly(registry, "data");
                PersistentHeap second = PersistentHeap.openReadOnly(registry, "data")) {
            assertThat(pushed(first)).isEqualTo(pushed(second));
        }
    }

    @Test
    void aRegionTooSmallForTheTablesGrows() {
        region(RegionOptions.of(4096).withRoom(1 << 30));
        try (PersistentHeap heap = PersistentHeap.create(registry, "data", options())) {
            push(heap, 1);
            assertThat(heap.check().problems()).isEmpty();
        }
    }

    @Test
    void whatTheRegionHasNoRoomForIsRefused() {
        region(RegionOptions.of(2 * MIB));
        HeapOptions options = options().withSize(MIB, 32 * MIB);
        try (PersistentHeap heap = PersistentHeap.create(registry, "data", options)) {
            assertThat(heap.stats().maximumBytes()).isEqualTo(32 * MIB);
            assertThatThrownBy(() -> heap.allocate(heap.bytes(), 33 * MIB))
                    .isInstanceOf(HeapFullException.class)
                    .hasMessageContaining("region data");
            push(heap, 1);
        }
    }

    @Test
    void whoUsesItCountsAsAttachedAndTheSecondIsTold() {
        Region region = region(RegionOptions.of(2 * MIB));
        PersistentHeap heap = PersistentHeap.create(registry, "data", options());
        assertThat(registry.regions().attachedTo(region))
                .extracting(Participant::pid)
                .containsExactly(ProcessHandle.current().pid());
        try (Registry other = Registry.open(registry.directory(), Registry.PRIVATE)) {
            assertThatThrownBy(() -> PersistentHeap.open(other, "data", options()))
                    .isInstanceOf(RegionException.class)
                    .hasMessageContaining("region data")
                    .hasMessageContaining("in use")
                    .hasMessageContaining("pid " + ProcessHandle.current().pid())
                    .extracting(e -> ((RegionException) e).reason())
                    .isEqualTo(RegionException.Reason.BUSY);
            assertThatThrownBy(() -> PersistentHeap.openReadOnly(other, "data")).hasMessageContaining("in use");
            // by its path it is the same heap, and as locked
            assertThatThrownBy(() -> PersistentHeap.open(region.file(), options()))
                    .hasMessageContaining("in use");
            heap.close();
            assertThat(registry.regions().attachedTo(region)).isEmpty();
            PersistentHeap.open(other, "data", options()).close();
        }
    }

    @Test
    void theLockOfALockableRegionIsHeldMeanwhile() {
        Region region = region(RegionOptions.of(2 * MIB).withLock());
        try (Registry other = Registry.open(registry.directory(), Registry.PRIVATE);
                MappedLock lock = other.regions().mapLock(region)) {
            PersistentHeap heap = PersistentHeap.create(registry, "data", options());
            assertThat(lock.lock().acquire(false, 0)).isEqualTo(Grant.NONE);
            heap.close();
            assertThat(lock.lock().acquire(true, 0)).isEqualTo(Grant.HELD);
            assertThatThrownBy(() -> PersistentHeap.open(registry, "data", options()))
                    .hasMessageContaining("region data")
                    .hasMessageContaining(
                            "locked by process " + ProcessHandle.current().pid())
                    .extracting(e -> ((RegionException) e).reason())
                    .isEqualTo(RegionException.Reason.BUSY);
            assertThat(registry.regions().attachedTo(region)).isEmpty();
            lock.lock().release(true, Grant.HELD);
            try (PersistentHeap reader = PersistentHeap.openReadOnly(registry, "data")) {
                assertThat(reader.allRoots()).isEmpty();
                assertThat(lock.lock().acquire(false, 0)).isEqualTo(Grant.HELD);
                assertThat(lock.lock().acquire(true, 0)).isEqualTo(Grant.NONE);
                lock.lock().release(false, Grant.HELD);
            }
            assertThat(lock.lock().acquire(true, 0)).isEqualTo(Grant.HELD);
            lock.lock().release(true, Grant.HELD);
        }
    }

    @Test
    void whatARegionHoldsIsNotOverwritten() {
        region(RegionOptions.of(8 * MIB));
        try (MappedRegion mapped = registry.regions().map("data", Access.WRITE)) {
            RawMemory.ofProcess().putLong(mapped.address() + 5000, 1);
        }
        assertThatThrownBy(() -> PersistentHeap.create(registry, "data", options()))
                .isInstanceOf(HeapException.class)
                .hasMessageContaining("region data")
                .hasMessageContaining("0x1000")
                .hasMessageContaining("make a new region");
        assertThatThrownBy(() -> PersistentHeap.open(registry, "data", options()))
                .isInstanceOf(HeapException.class)
                .hasMessageContaining("no heap");
        assertThatThrownBy(() -> PersistentHeap.open(registry, "other", options()))
                .hasMessageContaining("no region other");
        assertThat(registry.regions().attachedTo(registry.regions().get("data")))
                .isEmpty();
    }

    @Test
    void aHeapWhoseRegionWasDeletedDoesNotGrowAnotherOfItsName() {
        region(RegionOptions.of(2 * MIB));
        try (PersistentHeap heap = PersistentHeap.create(registry, "data", options())) {
            push(heap, 5);
            registry.regions().delete("data");
            Region successor = region(RegionOptions.of(MIB));
            assertThatThrownBy(() -> heap.allocate(heap.bytes(), 100 * MIB))
                    .isInstanceOf(HeapFullException.class)
                    .hasMessageContaining("was deleted");
            assertThat(registry.regions().get("data")).isEqualTo(successor);
            assertThat(pushed(heap)).isEqualTo(5);
        }
    }

    /** Child: pushes until it is killed. */
    public static void main(String[] arguments) {
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE);
                PersistentHeap heap = PersistentHeap.create(registry, "data", options())) {
            for (long value = 1; ; value++) {
                push(heap, value);
                System.out.println(value);
            }
        }
    }

    @Test
    void aKilledProcessLeavesTheRegionToTheNext() throws Exception {
        Region region = region(RegionOptions.of(2 * MIB).withLock());
        Process child = child();
        long acknowledged = 0;
        try (var reader = child.inputReader()) {
            while (acknowledged < 1000) {
                acknowledged = Long.parseLong(reader.readLine());
            }
            assertThat(registry.regions().attachedTo(region))
                    .extracting(Participant::pid)
                    .containsExactly(child.pid());
            child.destroyForcibly().waitFor();
        }
        try (PersistentHeap heap = opened()) {
            assertThat(heap.recovery().wasDirty()).isTrue();
            assertThat(pushed(heap)).isGreaterThanOrEqualTo(acknowledged);
            assertThat(heap.check().problems()).isEmpty();
            assertThat(registry.regions().attachedTo(region))
                    .extracting(Participant::pid)
                    .containsExactly(ProcessHandle.current().pid());
        }
    }

    private Process child() throws IOException {
        return new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HeapRegionTest.class.getName(),
                        registry.directory().toString()))
                .redirectErrorStream(true)
                .start();
    }

    /** The kernel ends a killed process's locks some 10 ms after it. */
    private PersistentHeap opened() throws InterruptedException {
        RegionException last = null;
        for (int i = 0; i < 1000; i++) {
            try {
                return PersistentHeap.open(registry, "data", options());
            } catch (RegionException e) {
                last = e;
                TimeUnit.MILLISECONDS.sleep(10);
            }
        }
        throw new AssertionError(last);
    }
}
