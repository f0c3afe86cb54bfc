package io.loam.heap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.persistence.Durability;
import io.loam.memory.persistence.SimulatedMemory;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PersistentHeapTest {

    private static final StructLayout NODE =
            MemoryLayout.structLayout(ValueLayout.JAVA_LONG.withName("next"), ValueLayout.JAVA_LONG.withName("value"));
    private static final ObjectLayout NODE_LAYOUT = ObjectLayout.of("node", NODE, "next");

    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("test.heap");
    }

    private static HeapOptions small() {
        return HeapOptions.defaults().withDurability(Durability.NONE).withSize(1 << 20, 64 << 20);
    }

    @Test
    void whatIsLinkedIsThereAfterACleanClose() {
        try (PersistentHeap heap = PersistentHeap.create(file(), small())) {
            HeapType node = heap.type(NODE_LAYOUT);
            Root root = heap.root("list", node);
            for (long i = 0; i < 1000; i++) {
                long value = i;
                root.set(heap.allocate(node, memory -> {
                    memory.set(ValueLayout.JAVA_LONG, 0, root.get());
                    memory.set(ValueLayout.JAVA_LONG, 8, value);
                }));
            }
        }
        try (PersistentHeap heap = PersistentHeap.open(file(), small())) {
            assertThat(heap.recovery().wasDirty()).isFalse();
            assertThat(values(heap)).hasSize(1000).startsWith(999L, 998L);
            assertThat(heap.check().problems()).isEmpty();
            assertThat(heap.stats().liveObjects()).isEqualTo(1000);
        }
    }

    private static List<Long> values(PersistentHeap heap) {
        List<Long> values = new ArrayList<>();
        Root root = heap.findRoot("list");
        for (long at = root == null ? 0 : root.get(); at != 0; at = heap.getReference(at)) {
            values.add(heap.getLong(at + 8));
        }
        return values;
    }

    @Test
    void whatIsNotLinkedIsReclaimedAfterACrash() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        HeapType node = heap.type(NODE_LAYOUT);
        Root root = heap.root("list", node);
        root.set(heap.allocate(node, view -> view.set(ValueLayout.JAVA_LONG, 8, 5)));
        for (int i = 0; i < 500; i++) {
            heap.allocate(node);
            heap.allocate(40);
        }
        heap.allocate(9000);
        PersistentHeap found = PersistentHeap.open(new SimulatedMemory(memory.processEnded()), SmallHeap.OPTIONS);
        assertThat(found.recovery().wasDirty()).isTrue();
        assertThat(found.recovery().objects()).isEqualTo(1);
        assertThat(values(found)).containsExactly(5L);
        assertThat(found.stats().liveObjects()).isEqualTo(1);
        assertThat(found.check().problems()).isEmpty();
    }

    @Test
    void slotsInUseNeverOverlapAndWasteIsBounded() {
        var random = new Random(1);
        try (PersistentHeap heap = PersistentHeap.create(file(), small())) {
            Map<Long, Long> live = new HashMap<>();
            for (int i = 0; i < 20_000; i++) {
                if (live.size() > 200 || random.nextInt(3) == 0 && !live.isEmpty()) {
                    long victim = live.keySet().iterator().next();
                    live.remove(victim);
                    heap.free(victim);
                } else {
                    long bytes = 1 + (long) Math.exp(random.nextDouble() * Math.log(800_000));
                    long offset = heap.allocate(heap.bytes(), bytes);
                    long room = heap.sizeOf(offset);
                    assertThat(room).isGreaterThanOrEqualTo(bytes);
                    if (bytes <= 512 << 10) {
                        assertThat(room - (bytes + 15 & -16)).isLessThanOrEqualTo(room / 8);
                    }
                    live.put(offset, room);
                }
            }
            long end = 0;
            for (long offset : live.keySet().stream().sorted().toList()) {
                assertThat(offset).isGreaterThanOrEqualTo(end);
                end = offset + live.get(offset);
            }
            assertThat(heap.check().problems()).isEmpty();
            HeapStats stats = heap.stats();
            assertThat(stats.liveObjects()).isEqualTo(live.size());
            assertThat(stats.tableBytes() + stats.freeBytes() + stats.runBytes())
                    .isEqualTo(stats.fileBytes());
        }
    }

    @Test
    void allocatingAndFreeingInALaneNeitherFlushesNorFences() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        HeapType node = heap.type(NODE_LAYOUT);
        heap.free(heap.allocate(node));
        int flushes = memory.flushes();
        int fences = memory.fences();
        for (int i = 0; i < 10_000; i++) {
            heap.free(heap.allocate(node));
        }
        assertThat(memory.flushes()).isEqualTo(flushes);
        assertThat(memory.fences()).isEqualTo(fences);
    }

    @Test
    void typedObjectsBeginAsZeros() {
        PersistentHeap heap = SmallHeap.create();
        HeapType node = heap.type(NODE_LAYOUT);
        long first = heap.allocate(node);
        heap.putLong(first, 77);
        heap.free(first);
        for (int i = 0; i < 100; i++) {
            long offset = heap.allocate(node);
            assertThat(heap.getLong(offset)).isZero();
            assertThat(heap.getLong(offset + 8)).isZero();
        }
    }

    @Test
    void wrongFreesAreNamed() {
        PersistentHeap heap = SmallHeap.create();
        long object = heap.allocate(64);
        assertThatThrownBy(() -> heap.free(object + 16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("inside of a slot");
        assertThatThrownBy(() -> heap.free(1L << 40)).hasMessageContaining("no run of this heap");
        assertThatThrownBy(() -> heap.free(-16)).hasMessageContaining("no run of this heap");
        assertThatThrownBy(() -> heap.free(0)).isInstanceOf(IllegalArgumentException.class);
        heap.free(object);
        assertThatThrownBy(() -> heap.free(object)).hasMessageContaining("freed before");
        long large = heap.allocate(40_000);
        heap.free(large);
        assertThatThrownBy(() -> heap.free(large)).isInstanceOf(IllegalArgumentException.class);
        assertThat(heap.check().problems()).isEmpty();
    }

    @Test
    void useAfterFreeAndStraysAreNamedInACheckedHeap() {
        PersistentHeap heap = PersistentHeap.create(SmallHeap.memory(), SmallHeap.OPTIONS.withChecks(true));
        long object = heap.allocate(64);
        heap.putLong(object + 56, 1);
        assertThatThrownBy(() -> heap.putLong(object + 60, 1)).hasMessageContaining("beyond the end");
        heap.free(object);
        assertThatThrownBy(() -> heap.getLong(object)).hasMessageContaining("not in use");
        assertThatThrownBy(() -> heap.putLong(64, 1)).hasMessageContaining("outside");
    }

    @Test
    void storesCantReachTheTables() {
        PersistentHeap heap = SmallHeap.create();
        assertThatThrownBy(() -> heap.putLong(0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("outside");
        long object = heap.allocate(64);
        assertThatThrownBy(() -> heap.view(object).set(ValueLayout.JAVA_LONG, 64, 1))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> heap.readOnlyView(object).set(ValueLayout.JAVA_LONG, 0, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void growsUntilItsMaximumAndThenSaysSo() {
        PersistentHeap heap = SmallHeap.create();
        Set<Long> objects = new HashSet<>();
        assertThatThrownBy(() -> {
                    while (true) {
                        objects.add(heap.allocate(3000));
                    }
                })
                .isInstanceOf(HeapFullException.class)
                .hasMessageContaining("maximum");
        assertThat(heap.check().problems()).isEmpty();
        objects.forEach(heap::free);
        assertThat(heap.allocate(20_000)).isPositive();
        assertThat(heap.check().problems()).isEmpty();
    }

    @Test
    void anObjectThatFitsTheLargestPossibleCanBeHad() {
        PersistentHeap heap = SmallHeap.create();
        long largest = heap.stats().largestBytes();
        assertThat(heap.allocate(largest)).isPositive();
        PersistentHeap other = SmallHeap.create();
        assertThatThrownBy(() -> other.allocate(largest + 1)).isInstanceOf(HeapFullException.class);
        assertThat(other.allocate(largest)).isPositive();
    }

    @Test
    void rootsAreTypedAndNamed() {
        PersistentHeap heap = SmallHeap.create();
        HeapType node = heap.type(NODE_LAYOUT);
        Root root = heap.root("a", node);
        assertThat(heap.root("a", node)).isSameAs(root);
        assertThatThrownBy(() -> heap.root("a", heap.bytes())).hasMessageContaining("exists");
        long bytes = heap.allocate(heap.bytes(), 16);
        assertThatThrownBy(() -> root.set(bytes)).hasMessageContaining("of type bytes");
        assertThatThrownBy(() -> root.set(bytes + 1)).isInstanceOf(IllegalArgumentException.class);
        for (int i = 0; i < 5; i++) {
            heap.root("r" + i, heap.opaque());
        }
        assertThatThrownBy(() -> heap.root("more", node)).isInstanceOf(HeapFullException.class);
        heap.removeRoot(root);
        heap.root("more", node);
        assertThat(heap.allRoots()).extracting(Root::name).contains("more").doesNotContain("a");
    }

    @Test
    void typesAreKnownAgainAndDifferentOnesRefused() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        HeapType node = heap.type(NODE_LAYOUT);
        heap.close();
        PersistentHeap again = PersistentHeap.open(memory, SmallHeap.OPTIONS);
        assertThat(again.type(NODE_LAYOUT).id()).isEqualTo(node.id());
        assertThatThrownBy(() -> again.type(ObjectLayout.of("node", NODE, "value")))
                .hasMessageContaining("another layout");
        assertThat(again.type(ObjectLayout.of("node", NODE, "value").withVersion(1))
                        .id())
                .isNotEqualTo(node.id());
        assertThatThrownBy(() -> again.allocate(node)).hasMessageContaining("another heap");
    }

    @Test
    void atomicUpdatesAreUndoneWhenTheyThrow() {
        PersistentHeap heap = SmallHeap.create();
        HeapType node = heap.type(NODE_LAYOUT);
        Root root = heap.root("list", node);
        long object = heap.allocate(node, view -> view.set(ValueLayout.JAVA_LONG, 8, 1));
        root.set(object);
        long live = heap.stats().liveObjects();
        assertThatThrownBy(() -> heap.atomic(() -> {
                    heap.putLong(object + 8, 2);
                    root.set(heap.allocate(node));
                    heap.free(object);
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        assertThat(heap.getLong(object + 8)).isEqualTo(1);
        assertThat(root.get()).isEqualTo(object);
        assertThat(heap.stats().liveObjects()).isEqualTo(live);
        heap.free(object);
    }

    @Test
    void anInnerUpdateIsUndoneAlone() {
        PersistentHeap heap = SmallHeap.create();
        long object = heap.allocate(heap.bytes(), 32);
        heap.putLong(object, 1);
        heap.putLong(object + 8, 1);
        heap.atomic(() -> {
            heap.putLong(object, 2);
            try {
                heap.atomic(() -> {
                    heap.putLong(object, 3);
                    heap.putLong(object + 8, 3);
                    throw new IllegalStateException();
                });
            } catch (IllegalStateException expected) {
                assertThat(heap.getLong(object)).isEqualTo(2);
            }
            heap.putLong(object + 16, heap.getLong(object + 8));
        });
        assertThat(heap.getLong(object)).isEqualTo(2);
        assertThat(heap.getLong(object + 8)).isEqualTo(1);
        assertThat(heap.getLong(object + 16)).isEqualTo(1);
    }

    @Test
    void anUpdateLongerThanItsLogSucceeds() {
        PersistentHeap heap = SmallHeap.create();
        long object = heap.allocate(heap.bytes(), 8000);
        heap.view(object).fill((byte) 1);
        assertThatThrownBy(() -> heap.atomic(() -> {
                    for (int i = 0; i < 1000; i++) {
                        heap.putLong(object + 8L * i, i);
                    }
                    throw new IllegalStateException();
                }))
                .isInstanceOf(IllegalStateException.class);
        for (int i = 0; i < 8000; i++) {
            assertThat(heap.getByte(object + i)).isEqualTo((byte) 1);
        }
        heap.atomic(() -> heap.modify(object, 8000).fill((byte) 2));
        assertThat(heap.getByte(object + 7999)).isEqualTo((byte) 2);
        assertThat(heap.check().problems()).isEmpty();
    }

    @Test
    void aReadOnlyUpdateNeitherFlushesNorFences() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        long object = heap.allocate(16);
        int fences = memory.fences();
        assertThat(heap.atomic(() -> heap.getLong(object) * 0)).isZero();
        assertThat(memory.fences()).isEqualTo(fences);
    }

    @Test
    void collectFreesWhatClosedSessionsLeftAndKeepsWhatOpenOnesUse() {
        PersistentHeap heap = SmallHeap.create();
        HeapType node = heap.type(NODE_LAYOUT);
        Root root = heap.root("list", node);
        long linked;
        long lost;
        try (HeapSession session = heap.session()) {
            linked = heap.allocate(node);
            root.set(linked);
            lost = heap.allocate(node);
            assertThat(heap.collect().freed()).isZero();
        }
        long outside = heap.allocate(node);
        try (HeapSession session = heap.session()) {
            session.keep(lost);
            assertThat(heap.collect().freed()).isZero();
        }
        CollectionReport report = heap.collect();
        assertThat(report.freed()).isEqualTo(1);
        assertThat(heap.isObject(linked)).isTrue();
        assertThat(heap.isObject(outside)).isTrue();
        assertThat(heap.isObject(lost)).isFalse();
        root.set(0);
        assertThat(heap.collect().freed()).isEqualTo(1);
        assertThat(heap.check().problems()).isEmpty();
    }

    @Test
    void opaqueObjectsKeepWhatTheyMayReferTo() {
        PersistentHeap heap = SmallHeap.create();
        Root root = heap.root("any", heap.opaque());
        long held;
        long lost;
        try (HeapSession session = heap.session()) {
            long holder = heap.allocate(64);
            held = heap.allocate(heap.bytes(), 32);
            lost = heap.allocate(heap.bytes(), 32);
            heap.view(holder).fill((byte) -1);
            heap.putLong(holder + 40, held);
            heap.putLong(holder + 48, lost + 8);
            root.set(holder);
        }
        assertThat(heap.collect().freed()).isEqualTo(1);
        assertThat(heap.isObject(held)).isTrue();
        assertThat(heap.isObject(lost)).isFalse();
    }

    @Test
    void threadsShareWithoutOverlap() throws Exception {
        try (PersistentHeap heap = PersistentHeap.create(file(), small())) {
            AtomicReference<Throwable> failure = new AtomicReference<>();
            List<Thread> threads = new ArrayList<>();
            Long[] exchange = new Long[64];
            for (int t = 0; t < 6; t++) {
                long id = t + 1;
                Runnable work = () -> {
                    var random = new Random(id);
                    for (int i = 0; i < 20_000; i++) {
                        long bytes = 16 + random.nextInt(500);
                        long offset = heap.allocate(heap.bytes(), bytes);
                        heap.putLong(offset, offset ^ id);
                        heap.putLong(offset + bytes - 8 & -8, offset ^ id);
                        long there = offset + bytes - 8 & -8;
                        if (heap.getLong(there) != (offset ^ id)) {
                            throw new AssertionError("overlap at " + offset);
                        }
                        Long other;
                        synchronized (exchange) {
                            int slot = random.nextInt(exchange.length);
                            other = exchange[slot];
                            exchange[slot] = offset;
                        }
                        if (other != null) {
                            heap.free(other);
                        }
                        if (i % 5000 == 0) {
                            heap.collect();
                        }
                    }
                };
                Thread thread = t % 2 == 0
                        ? Thread.ofPlatform().unstarted(work)
                        : Thread.ofVirtual().unstarted(work);
                thread.setUncaughtExceptionHandler((ignored, e) -> failure.compareAndSet(null, e));
                threads.add(thread);
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failure.get()).isNull();
            assertThat(heap.check().problems()).isEmpty();
            assertThat(heap.stats().liveObjects()).isLessThanOrEqualTo(64);
        }
        try (PersistentHeap heap = PersistentHeap.open(file(), small())) {
            assertThat(heap.stats().liveObjects()).isLessThanOrEqualTo(64);
            assertThat(heap.check().problems()).isEmpty();
        }
    }

    @Test
    void reallocateMovesOnlyWhenItMust() {
        PersistentHeap heap = SmallHeap.create();
        Root root = heap.root("any", heap.opaque());
        long object = heap.allocate(100);
        heap.putLong(object, 42);
        root.set(object);
        assertThat(heap.reallocate(object, 112, root::set)).isEqualTo(object);
        long moved = heap.reallocate(object, 5000, root::set);
        assertThat(moved).isNotEqualTo(object).isEqualTo(root.get());
        assertThat(heap.getLong(moved)).isEqualTo(42);
        assertThat(heap.isObject(object)).isFalse();
    }

    @Test
    void badFilesAreNamed() throws Exception {
        assertThatThrownBy(() -> PersistentHeap.open(file(), small())).hasMessageContaining("no such file");
        Files.write(file(), new byte[100]);
        assertThatThrownBy(() -> PersistentHeap.open(file(), small())).hasMessageContaining("100 bytes");
        Files.write(file(), new byte[10_000]);
        assertThatThrownBy(() -> PersistentHeap.open(file(), small())).hasMessageContaining("no heap");
        Files.delete(file());
        PersistentHeap heap = PersistentHeap.create(file(), small());
        assertThatThrownBy(() -> PersistentHeap.open(file(), small())).hasMessageContaining("in use");
        assertThatThrownBy(() -> PersistentHeap.create(file(), small())).hasMessageContaining("exists");
        heap.close();
        byte[] good = Files.readAllBytes(file());

        byte[] version = good.clone();
        version[8] = 9;
        Files.write(file(), version);
        assertThatThrownBy(() -> PersistentHeap.open(file(), small())).hasMessageContaining("version 9");

        byte[] header = good.clone();
        header[20] ^= 1;
        Files.write(file(), header);
        assertThatThrownBy(() -> PersistentHeap.open(file(), small())).hasMessageContaining("checksum");

        Files.write(file(), java.util.Arrays.copyOf(good, good.length / 2));
        assertThatThrownBy(() -> PersistentHeap.open(file(), small())).hasMessageContaining("cut off");
    }

    @Test
    void aClosedHeapSaysSo() {
        PersistentHeap heap = SmallHeap.create();
        heap.close();
        heap.close();
        assertThatThrownBy(() -> heap.allocate(16))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(heap::collect).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void everyFlippedBitOfTheTablesIsFoundOrHarmless() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        HeapType node = heap.type(NODE_LAYOUT);
        Root root = heap.root("list", node);
        root.set(heap.allocate(node, view -> view.set(ValueLayout.JAVA_LONG, 8, 5)));
        heap.close();
        var image = memory.processEnded();
        long tables = Geometry.of(SmallHeap.OPTIONS).firstSuperblock() * 4096L;
        int found = 0;
        for (int bit = 0; bit < tables * 8; bit += 37) {
            long[] words = image.words().clone();
            words[bit / 64] ^= 1L << bit;
            var damaged = new SimulatedMemory(
                    new io.loam.memory.persistence.CrashImage(words, image.reservedBytes(), "flip"));
            try {
                PersistentHeap opened = PersistentHeap.open(damaged, SmallHeap.OPTIONS);
                assertThat(values(opened)).as("bit %s", bit).isIn(List.of(5L), List.of());
                assertThat(opened.check().problems()).as("bit %s", bit).isEmpty();
                if (values(opened).isEmpty()) {
                    assertThat(image.words()[bit / 64]).as("bit %s", bit).isNotZero();
                }
            } catch (HeapException | io.loam.memory.MemoryException e) {
                assertThat(e.getMessage()).contains("simulated memory");
                found++;
            }
        }
        assertThat(found).isGreaterThan(100);
    }
}
