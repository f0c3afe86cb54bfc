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
import java.util.stream.LongStream;
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

    /** What nobody looks at between the crash and the next close is in use afterwards too. */
    @Test
    void whatRecoveryFoundSurvivesACloseWithoutAnyUse() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        HeapType node = heap.type(NODE_LAYOUT);
        Root root = heap.root("list", node);
        long before = heap.allocate(node);
        root.set(before);
        heap.close();
        PersistentHeap again = PersistentHeap.open(memory, SmallHeap.OPTIONS);
        Root list = again.findRoot("list");
        assertThat(list).isNotNull();
        long added = again.allocate(again.type(NODE_LAYOUT), view -> view.set(ValueLayout.JAVA_LONG, 0, list.get()));
        list.set(added);
        var crashed = new SimulatedMemory(memory.processEnded());
        PersistentHeap.open(crashed, SmallHeap.OPTIONS).close();
        PersistentHeap found = PersistentHeap.open(crashed, SmallHeap.OPTIONS);
        assertThat(found.recovery().wasDirty()).isFalse();
        assertThat(found.check().problems()).isEmpty();
        assertThat(found.check().reachable()).isEqualTo(2);
        assertThat(found.isObject(before)).isTrue();
        assertThat(found.isObject(added)).isTrue();
    }

    @Test
    void aDamagedBitmapIsNamedAndCountedAnewByRecovery() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        HeapType node = heap.type(NODE_LAYOUT);
        heap.root("list", node).set(heap.allocate(node, view -> view.set(ValueLayout.JAVA_LONG, 8, 5)));
        heap.close();
        Geometry geometry = HeapLayout.read(memory);
        for (int superblock = geometry.firstSuperblock(); superblock < geometry.superblocks(); superblock++) {
            long bits = geometry.bitmap(superblock) + Geometry.BITMAP_HEADER_BYTES;
            memory.putLong(bits, ~memory.getLong(bits));
        }
        PersistentHeap damaged = PersistentHeap.open(memory, SmallHeap.OPTIONS);
        assertThatThrownBy(() -> damaged.allocate(damaged.type(NODE_LAYOUT)))
                .isInstanceOf(HeapException.class)
                .hasMessageContaining("simulated memory, bitmap of superblock")
                .hasMessageContaining("checksum")
                .hasMessageContaining("withRecovery(true)");
        damaged.abandon();
        PersistentHeap recovered = PersistentHeap.open(memory, SmallHeap.OPTIONS.withRecovery(true));
        assertThat(values(recovered)).containsExactly(5L);
        assertThat(recovered.check().problems()).isEmpty();
        recovered.close();
        PersistentHeap closed = PersistentHeap.open(memory, SmallHeap.OPTIONS.withRecovery(true));
        assertThat(closed.recovery().wasDirty()).isTrue();
        assertThat(values(closed)).containsExactly(5L);
        closed.close();
        PersistentHeap again = PersistentHeap.open(memory, SmallHeap.OPTIONS);
        assertThat(again.recovery().wasDirty()).isFalse();
        assertThat(again.check().problems()).isEmpty();
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
    void aCheckedHeapStoresReferencesToObjectsInUseOnly() {
        HeapOptions options = SmallHeap.OPTIONS.withChecks(true);
        PersistentHeap heap = PersistentHeap.create(SmallHeap.memory(options), options);
        HeapType node = heap.type(NODE_LAYOUT);
        long object = heap.allocate(node);
        long freed = heap.allocate(node);
        heap.setReference(object, freed);
        heap.free(freed);
        assertThatThrownBy(() -> heap.setReference(object, freed))
                .hasMessageContaining("simulated memory")
                .hasMessageContaining("not in use");
        for (long wrong : new long[] {object + 8, 1L << 40, -16}) {
            assertThatThrownBy(() -> heap.setReference(object, wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no object begins");
        }
        heap.setReference(object, 0);
    }

    @Test
    void storesCantReachTheTables() {
        PersistentHeap heap = SmallHeap.create();
        assertThatThrownBy(() -> heap.putLong(0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("outside");
        long object = heap.allocate(64);
        for (long wrong : new long[] {-8, 1L << 40, Long.MAX_VALUE}) {
            assertThatThrownBy(() -> heap.getLong(wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("simulated memory")
                    .hasMessageContaining("outside of its objects");
        }
        HeapType foreign = SmallHeap.create().type(NODE_LAYOUT);
        assertThatThrownBy(() -> heap.allocate(foreign))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is another heap's");
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
    void sequencesAndStructsInsideMayHoldReferences() {
        StructLayout inner = MemoryLayout.structLayout(
                ValueLayout.JAVA_LONG.withName("value"), ValueLayout.JAVA_LONG.withName("next"));
        StructLayout layout = MemoryLayout.structLayout(
                ValueLayout.JAVA_LONG.withName("number"),
                MemoryLayout.sequenceLayout(3, ValueLayout.JAVA_LONG).withName("children"),
                inner.withName("inner"),
                MemoryLayout.sequenceLayout(2, ValueLayout.JAVA_INT).withName("ints"));
        PersistentHeap heap = SmallHeap.create();
        HeapType type = heap.type(ObjectLayout.of("nested", layout, "children", "inner.next"));
        assertThat(type.prefixReferences).containsExactly(8, 16, 24, 40);
        HeapType array = heap.type(ObjectLayout.array("array", layout, inner, "children", "next"));
        assertThat(array.prefixReferences).containsExactly(8, 16, 24);
        assertThat(array.elementReferences).containsExactly(8);
        assertThatThrownBy(() -> ObjectLayout.array("array", layout, inner, "children", "nexxt"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nexxt");
        for (String wrong : List.of("ints", "inner", "inner.none", "number.next", "none")) {
            assertThatThrownBy(() -> ObjectLayout.of("nested", layout, wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'" + wrong + "'");
        }
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
    void anInnerUpdateIsUndoneInWhatTheOuterHasAllocatedToo() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        Root root = heap.root("object", heap.bytes());
        heap.atomic(() -> {
            long object = heap.allocate(heap.bytes(), 32);
            heap.putLong(object, 1);
            assertThatThrownBy(() -> heap.atomic(() -> {
                        heap.putLong(object, 2);
                        heap.putLong(heap.allocate(heap.bytes(), 32), 3);
                        throw new IllegalStateException("undo this");
                    }))
                    .hasMessage("undo this");
            assertThat(heap.getLong(object)).isEqualTo(1);
            heap.putLong(object + 8, 4);
            root.set(object);
        });
        assertThat(heap.getLong(root.get())).isEqualTo(1);
        assertThat(heap.getLong(root.get() + 8)).isEqualTo(4);
        assertThat(heap.stats().liveObjects()).isEqualTo(1);
        PersistentHeap found = PersistentHeap.open(new SimulatedMemory(memory.processEnded()), SmallHeap.OPTIONS);
        Root survivor = found.findRoot("object");
        assertThat(survivor).isNotNull();
        assertThat(found.getLong(survivor.get())).isEqualTo(1);
        assertThat(found.getLong(survivor.get() + 8)).isEqualTo(4);
    }

    /** What an inner update allocated and logged is nobody else's before the outer one has ended, whose failure restores it once more. */
    @Test
    void whatAFailedInnerUpdateAllocatedIsNotUsedByOthersBeforeTheOuterEnds() throws Exception {
        HeapOptions options = SmallHeap.OPTIONS.withSize(400 * 4096, 400 * 4096);
        PersistentHeap heap = PersistentHeap.create(SmallHeap.memory(options), options);
        HeapType node = heap.type(NODE_LAYOUT);
        long[] others = new long[1000];
        Thread other = Thread.ofPlatform().unstarted(() -> {
            for (int i = 0; i < others.length; i++) {
                others[i] = heap.allocate(node);
                heap.putLong(others[i] + 8, 7);
            }
        });
        assertThatThrownBy(() -> heap.atomic(() -> {
                    assertThatThrownBy(() -> heap.atomic(() -> failAfterManyAllocations(heap, node)))
                            .hasMessage("the inner one");
                    other.start();
                    join(other);
                    throw new IllegalStateException("the outer one");
                }))
                .hasMessage("the outer one");
        assertThat(LongStream.of(others).boxed())
                .allSatisfy(object -> assertThat(heap.getLong(object + 8)).isEqualTo(7L));
        assertThat(heap.stats().liveObjects()).isEqualTo(others.length);
        assertThat(heap.check().problems()).isEmpty();
    }

    private static void failAfterManyAllocations(PersistentHeap heap, HeapType node) {
        long[] objects = new long[1000];
        for (int i = 0; i < objects.length; i++) {
            objects[i] = heap.allocate(node);
        }
        for (long object : objects) {
            heap.putLong(object + 8, 1);
        }
        throw new IllegalStateException("the inner one");
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
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

    /** Their checksums are right: a newer or a faulty Loam has written them. */
    @Test
    void headersThatDoNotFitTheHeapAreNamed() {
        Geometry geometry = Geometry.of(SmallHeap.OPTIONS);
        int superblock = geometry.firstSuperblock() + 2;
        Map<String, Lines.Header> headers = Map.of(
                "type 9 is not in the table of types", new Lines.Header(Lines.SLOTS, 0, 9, 1, 16, 1),
                "slots of 17 bytes are no size class", new Lines.Header(Lines.SLOTS, 0, HeapType.BYTES_ID, 1, 17, 1),
                "an object of 0 bytes", new Lines.Header(Lines.LARGE, 0, HeapType.BYTES_ID, 1, 0, 1),
                "does not fit into the heap", new Lines.Header(Lines.LARGE, 0, HeapType.BYTES_ID, 60, 9, 1));
        headers.forEach((message, header) -> {
            SimulatedMemory memory = SmallHeap.memory();
            PersistentHeap.create(memory, SmallHeap.OPTIONS).close();
            var damaged = new SimulatedMemory(memory.processEnded());
            new Lines(damaged, geometry).publish(superblock, header);
            assertThatThrownBy(() -> PersistentHeap.open(damaged, SmallHeap.OPTIONS))
                    .isInstanceOf(HeapException.class)
                    .hasMessageContaining("superblock " + superblock)
                    .hasMessageContaining(message)
                    .hasMessageContaining("restore the heap from a copy");
        });
    }

    /** Its pages are mapped to be read: a store would end the JVM. */
    @Test
    void aHeapOpenToBeReadOnlyRefusesEveryChange() {
        try (PersistentHeap heap = PersistentHeap.create(file(), small())) {
            HeapType node = heap.type(NODE_LAYOUT);
            heap.root("list", node).set(heap.allocate(node, view -> view.set(ValueLayout.JAVA_LONG, 8, 5)));
        }
        try (PersistentHeap heap = PersistentHeap.openReadOnly(file())) {
            HeapType node = heap.type(NODE_LAYOUT);
            Root root = heap.root("list", node);
            long object = root.get();
            List<org.assertj.core.api.ThrowableAssert.ThrowingCallable> changes = List.of(
                    () -> heap.allocate(node),
                    () -> heap.allocate(10 << 20),
                    () -> heap.allocate(node, view -> {}),
                    () -> heap.free(object),
                    () -> heap.putByte(object, (byte) 1),
                    () -> heap.putInt(object, 1),
                    () -> heap.putLong(object, 1),
                    () -> heap.put(object, new byte[8]),
                    () -> heap.setReference(object, 0),
                    () -> heap.atomic(() -> heap.putLong(object, 1)),
                    () -> heap.atomic(() -> {
                        heap.modify(object, 8);
                    }),
                    () -> heap.reallocate(object, 5000, moved -> {}),
                    () -> root.set(0),
                    () -> heap.removeRoot(root),
                    () -> heap.root("another", node),
                    () -> heap.type(ObjectLayout.references("another")),
                    heap::collect,
                    heap::compact,
                    heap::trim,
                    heap::group);
            assertThat(changes)
                    .allSatisfy(change -> assertThatThrownBy(change)
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining(file().toString())
                            .hasMessageContaining("open it for writing"));
            assertThatThrownBy(() -> heap.view(object).set(ValueLayout.JAVA_LONG, 8, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(values(heap)).containsExactly(5L);
            assertThat(heap.check().problems()).isEmpty();
        }
        try (PersistentHeap heap = PersistentHeap.open(file(), small())) {
            assertThat(values(heap)).containsExactly(5L);
        }
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

    /** A place that a session freed and another thread uses again is the other's when the session ends. */
    @Test
    void whatASessionFreedAndAnotherThreadTookStaysWhenTheSessionEnds() throws Exception {
        PersistentHeap heap = SmallHeap.create();
        HeapType node = heap.type(NODE_LAYOUT);
        long[] taken = new long[2];
        try (HeapSession session = heap.session()) {
            taken[0] = heap.allocate(node);
            heap.free(taken[0]);
            heap.collect(); // empties the lanes: the other thread gets the same place
            Thread other = Thread.ofPlatform().start(() -> taken[1] = heap.allocate(node));
            other.join();
        }
        assertThat(taken[1]).isEqualTo(taken[0]);
        assertThat(heap.collect().freed()).isZero();
        assertThat(heap.isObject(taken[1])).isTrue();
    }

    @Test
    void freedMemoryRestsBeforeItIsUsedAgain() {
        HeapOptions options = SmallHeap.OPTIONS.withRest(3_600_000, 10 * 64);
        PersistentHeap heap = PersistentHeap.create(SmallHeap.memory(options), options);
        Set<Long> places = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            long offset = heap.allocate(heap.bytes(), 64);
            assertThat(places.add(offset)).isTrue();
            heap.free(offset);
        }
        assertThat(heap.stats().restingBytes()).isEqualTo(640);
        assertThat(heap.stats().liveObjects()).isZero();
        // a run of which nothing is in use and something rests does not end
        heap.collect();
        heap.collect();
        long first = places.stream().mapToLong(place -> place).min().orElseThrow();
        assertThat(heap.isObject(first)).isFalse();
        assertThatThrownBy(() -> heap.free(first)).hasMessageContaining("freed before");
        // the eleventh sends the first away
        heap.free(heap.allocate(heap.bytes(), 64));
        assertThat(heap.stats().restingBytes()).isEqualTo(640);
        heap.collect();
        assertThat(places).contains(heap.allocate(heap.bytes(), 64));
        assertThat(heap.check().problems()).isEmpty();
        heap.close();
    }

    @Test
    void restingMemoryIsUsedBeforeTheHeapIsFull() {
        HeapOptions options = SmallHeap.OPTIONS.withRest(3_600_000, 1L << 30);
        PersistentHeap heap = PersistentHeap.create(SmallHeap.memory(options), options);
        for (int i = 0; i < 500; i++) {
            heap.free(heap.allocate(heap.bytes(), 3000));
            heap.free(heap.allocate(heap.bytes(), 40_000));
        }
        assertThat(heap.check().problems()).isEmpty();
    }

    /** Behind the elements asked for, the slot may hold what an earlier object left there. */
    @Test
    void anArraysRoomToSpareIsDurablyZero() {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        HeapType table = heap.type(ObjectLayout.references("table"));
        Root root = heap.root("table", table);
        List<Long> earlier = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            // the whole of a slot that an object of 130 words gets
            earlier.add(heap.allocate(table, 144 * 8, view -> view.fill((byte) 0x11)));
        }
        earlier.forEach(heap::free);
        root.set(heap.allocate(table, 130 * 8, view -> {}));
        assertThat(heap.sizeOf(root.get())).isGreaterThan(130 * 8);
        assertNothingDangles(memory);
        root.set(heap.reallocate(root.get(), 200 * 8, root::set));
        assertNothingDangles(memory);
    }

    private static void assertNothingDangles(SimulatedMemory memory) {
        for (var image : memory.crashes(new java.util.SplittableRandom(1), 50)) {
            PersistentHeap found = PersistentHeap.open(new SimulatedMemory(image), SmallHeap.OPTIONS);
            assertThat(found.recovery().dangling()).as(image.choice()).isZero();
            assertThat(found.check().problems()).as(image.choice()).isEmpty();
        }
    }

    @Test
    void whoeverIsInsideOfAnUpdateCantHaveTheHeapAlone() {
        PersistentHeap heap = SmallHeap.create();
        assertThatThrownBy(() -> heap.atomic(() -> {
                    heap.compact();
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("alone");
        assertThatThrownBy(() -> heap.exclusive(() -> heap.operate(heap::collect)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("alone");
        assertThat(heap.<CollectionReport>exclusive(heap::collect).freed()).isZero();
    }

    @Test
    void aGroupIsDurableOnlyWhenItsTicketSaysSo() throws Exception {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        Root root = heap.root("cell", heap.bytes());
        long cell = heap.allocate(heap.bytes(), 64, view -> view.fill((byte) 0));
        root.set(cell);
        heap.putLong(cell, 1);
        HeapGroup group = heap.group();
        group.add(cell, 8);
        assertThat(group.isDurable()).isFalse();
        assertThatThrownBy(() -> group.await(1, java.util.concurrent.TimeUnit.SECONDS))
                .hasMessageContaining("seal");
        assertThat(group.seal().await(1, java.util.concurrent.TimeUnit.MINUTES)).isTrue();
        assertThat(group.isDurable()).isTrue();
        assertThatThrownBy(() -> group.add(cell, 8)).hasMessageContaining("sealed");
        heap.putLong(cell, 2);
        Set<Long> found = new HashSet<>();
        for (var image : memory.crashes(new java.util.SplittableRandom(1), 50)) {
            PersistentHeap after = PersistentHeap.open(new SimulatedMemory(image), SmallHeap.OPTIONS);
            Root cells = after.findRoot("cell");
            found.add(cells == null ? -1 : after.getLong(cells.get()));
        }
        assertThat(found).containsExactlyInAnyOrder(1L, 2L);
    }

    @Test
    void aGroupThatFailsSaysWhyAndTheNextSucceeds() throws Exception {
        SimulatedMemory memory = SmallHeap.memory();
        PersistentHeap heap = PersistentHeap.create(memory, SmallHeap.OPTIONS);
        long cell = heap.allocate(heap.bytes(), 64);
        heap.putLong(cell, 1);
        memory.beforeFence(ignored -> {
            throw new IllegalStateException("the medium is gone");
        });
        HeapGroup failing = heap.group();
        failing.add(cell, 8);
        failing.seal();
        assertThatThrownBy(() -> failing.await(1, java.util.concurrent.TimeUnit.MINUTES))
                .isInstanceOf(HeapException.class)
                .hasMessageContaining("the medium is gone");
        assertThat(failing.isDurable()).isFalse();
        memory.beforeFence(null);
        HeapGroup next = heap.group();
        next.add(cell, 8);
        assertThat(next.seal().await(1, java.util.concurrent.TimeUnit.MINUTES)).isTrue();
    }

    /** A tree of typed objects with holes: compacted it takes fewer superblocks, and holds the same. */
    @Test
    void compactionReturnsSuperblocksAndKeepsWhatMustStay() {
        try (PersistentHeap heap = PersistentHeap.create(file(), small())) {
            HeapType node = heap.type(NODE_LAYOUT);
            HeapType tables = heap.type(ObjectLayout.references("table"));
            int count = 100_000;
            Root root = heap.root("table", tables);
            Root opaque = heap.root("opaque", heap.opaque());
            try (HeapSession session = heap.session()) {
                root.set(heap.allocate(tables, count * 8L));
                opaque.set(heap.allocate(64));
                for (int i = 0; i < count; i++) {
                    long object = heap.allocate(node);
                    heap.putLong(object + 8, i);
                    heap.setReference(root.get() + i * 8L, object);
                }
            }
            for (int i = 0; i < count; i++) {
                if (i % 10 != 0) {
                    heap.free(heap.getReference(root.get() + i * 8L));
                    heap.setReference(root.get() + i * 8L, 0);
                } else if (i > 0) {
                    // each has the one before it, so that references between the moved are rewritten too
                    heap.setReference(
                            heap.getReference(root.get() + i * 8L), heap.getReference(root.get() + (i - 10) * 8L));
                }
            }
            long pinned = heap.getReference(root.get() + 5000 * 8L);
            heap.putLong(opaque.get() + 8, pinned);
            assertThat(runs(heap, "node")).isGreaterThan(20);
            long kept = heap.getReference(root.get() + 15_000 * 8L);
            try (HeapSession session = heap.session()) {
                session.keep(kept);
                CompactionReport report = heap.compact();
                assertThat(report.moved()).isPositive();
            }
            assertThat(runs(heap, "node")).isLessThan(6);
            assertThat(heap.getReference(root.get() + 5000 * 8L)).isEqualTo(pinned);
            assertThat(heap.getReference(root.get() + 15_000 * 8L)).isEqualTo(kept);
            for (int i = 0; i < count; i += 10) {
                long object = heap.getReference(root.get() + i * 8L);
                assertThat(heap.getLong(object + 8)).isEqualTo(i);
                assertThat(heap.getReference(object))
                        .isEqualTo(i == 0 ? 0 : heap.getReference(root.get() + (i - 10) * 8L));
            }
            assertThat(heap.check().problems()).isEmpty();
            assertThat(heap.stats().liveObjects()).isEqualTo(count / 10 + 2);
        }
    }

    /** A full heap with a reference to every tenth node: objects are noted where they move in what little is free, so that it takes many rounds. */
    @Test
    void compactionGoesRoundByRoundWhereThereIsLittleRoom() {
        HeapOptions options = SmallHeap.OPTIONS.withSize(400 * 4096, 400 * 4096);
        PersistentHeap heap = PersistentHeap.create(SmallHeap.memory(options), options);
        HeapType node = heap.type(NODE_LAYOUT);
        HeapType tables = heap.type(ObjectLayout.references("table"));
        Root root = heap.root("table", tables);
        root.set(heap.allocate(tables, 10_000 * 8L));
        long first = heap.allocate(heap.bytes(), 4096);
        long second = heap.allocate(heap.bytes(), 4096);
        List<Long> nodes = fillUp(heap, node, 16);
        for (int i = 0; i < nodes.size(); i++) {
            if (i % 10 == 0) {
                heap.putLong(nodes.get(i) + 8, i);
                heap.setReference(nodes.get(i), i == 0 ? 0 : nodes.get(i - 10));
                heap.setReference(root.get() + i / 10 * 8L, nodes.get(i));
            }
        }
        for (int i = 0; i < nodes.size(); i++) {
            if (i % 10 == 0) {
                heap.settle(nodes.get(i));
            } else {
                heap.free(nodes.get(i));
            }
        }
        long before = runs(heap, "node");
        assertThat(before).isGreaterThan(100);
        fillUp(heap, heap.bytes(), 16);
        assertThatThrownBy(heap::compact).isInstanceOf(HeapFullException.class).hasMessageContaining("to note in");
        assertThat(heap.check().problems()).isEmpty();

        heap.free(first);
        heap.free(second);
        CompactionReport report = heap.compact();
        assertThat(report.moved()).isGreaterThan(nodes.size() / 10 * 4 / 5);
        assertThat(runs(heap, "node")).isLessThanOrEqualTo(before / 10 + 2);
        assertThat(heap.check().problems()).isEmpty();
        for (int i = 0; i < nodes.size(); i += 10) {
            long object = heap.getReference(root.get() + i / 10 * 8L);
            assertThat(heap.getLong(object + 8)).isEqualTo(i);
            assertThat(heap.getReference(object))
                    .isEqualTo(i == 0 ? 0 : heap.getReference(root.get() + (i / 10 - 1) * 8L));
        }
    }

    /** Objects until no more fit. */
    private static List<Long> fillUp(PersistentHeap heap, HeapType type, long bytes) {
        List<Long> objects = new ArrayList<>();
        while (true) {
            try {
                objects.add(heap.allocate(type, bytes));
            } catch (HeapFullException e) {
                return objects;
            }
        }
    }

    /** A crash after each fence of a compaction that goes round by round: recovery finishes what was noted. */
    @Test
    void aCrashInAnyRoundOfACompactionIsFinished() {
        HeapOptions options = SmallHeap.OPTIONS.withSize(60 * 4096, 60 * 4096);
        SimulatedMemory memory = SmallHeap.memory(options);
        PersistentHeap heap = PersistentHeap.create(memory, options);
        HeapType node = heap.type(NODE_LAYOUT);
        Root list = heap.root("list", node);
        Root end = heap.root("end", node);
        HeapType tables = heap.type(ObjectLayout.references("table"));
        Root table = heap.root("table", tables);
        try (HeapSession session = heap.session()) {
            List<Long> nodes = new ArrayList<>();
            for (int i = 0; i < 5000; i++) {
                nodes.add(heap.allocate(node));
            }
            long all = heap.allocate(tables, 250 * 8, view -> {});
            for (int i = 0; i < 5000; i += 20) {
                heap.putLong(nodes.get(i) + 8, i);
                heap.setReference(nodes.get(i), i == 0 ? 0 : nodes.get(i - 20));
                heap.persist(nodes.get(i), 16);
                heap.setReference(all + i / 20 * 8L, nodes.get(i));
            }
            heap.persist(all, 250 * 8);
            table.set(all);
            list.set(nodes.get(4980));
            end.set(nodes.getFirst());
        }
        List<Long> expected = values(heap);
        assertThat(expected).hasSize(250);
        // all else is full, but for room to note some runs
        List<Long> others = fillUp(heap, heap.bytes(), 4096);
        heap.free(others.get(0));
        heap.free(others.get(1));
        var random = new java.util.SplittableRandom(3);
        List<io.loam.memory.persistence.CrashImage> images = new ArrayList<>();
        memory.beforeFence(fence -> images.addAll(memory.crashes(random, 6)));
        CompactionReport report = heap.compact();
        memory.beforeFence(null);
        assertThat(report.moved()).isGreaterThan(150);
        assertThat(images).hasSizeGreaterThan(60);
        int unfinished = 0;
        for (var image : images) {
            var found = new SimulatedMemory(image);
            List<io.loam.memory.persistence.CrashImage> within = new ArrayList<>();
            if (HeapLayout.forwarding(found) != 0) {
                unfinished++;
                found.beforeFence(fence -> within.addAll(found.crashes(random, 4)));
            }
            PersistentHeap recovered = PersistentHeap.open(found, options);
            found.beforeFence(null);
            assertLinked(recovered, expected, image.choice());
            for (var inner : within) {
                assertLinked(
                        PersistentHeap.open(new SimulatedMemory(inner), options),
                        expected,
                        image.choice() + ", then " + inner.choice());
            }
        }
        assertThat(unfinished).isGreaterThan(10);
    }

    private static void assertLinked(PersistentHeap heap, List<Long> expected, String choice) {
        assertThat(values(heap)).as(choice).isEqualTo(expected);
        assertThat(heap.recovery().dangling()).as(choice).isZero();
        // two references to one object lead to one place
        Root table = heap.findRoot("table");
        Root list = heap.findRoot("list");
        assertThat(table).isNotNull();
        assertThat(list).isNotNull();
        long at = list.get();
        for (int i = expected.size() - 1; i >= 0; i--) {
            assertThat(heap.getReference(table.get() + i * 8L)).as(choice).isEqualTo(at);
            at = heap.getReference(at);
        }
        assertThat(heap.check().problems()).as(choice).isEmpty();
        assertThat(heap.check().garbage()).as(choice).isZero();
    }

    /** A bin keeps some runs that are empty; the heap does not grow while it has such. */
    @Test
    void emptyRunsThatABinKeepsAreUsedBeforeTheHeapGrows() {
        HeapOptions options = small().withSize(32 << 20, 64 << 20);
        try (PersistentHeap heap = PersistentHeap.create(file(), options)) {
            List<Long> objects = new ArrayList<>();
            for (int i = 0; i < 20 * 1024; i++) {
                objects.add(heap.allocate(heap.bytes(), 64));
            }
            objects.forEach(heap::free);
            HeapStats kept = heap.stats();
            assertThat(kept.liveObjects()).isZero();
            assertThat(kept.runBytes()).isBetween(2L * 64 << 10, 20L * 64 << 10);
            // sixteen of these fill a superblock; some of the first ones are in a lane still
            long superblocks = (kept.freeBytes() + kept.runBytes() >> 16) - 3;
            assertThat(superblocks).isGreaterThan(kept.freeBytes() >> 16);
            for (int i = 0; i < superblocks * 16; i++) {
                heap.allocate(heap.bytes(), 4096);
            }
            assertThat(heap.stats().fileBytes()).isEqualTo(kept.fileBytes());
            assertThat(heap.check().problems()).isEmpty();
        }
    }

    private static long runs(PersistentHeap heap, String type) {
        return heap.stats().classes().stream()
                .filter(one -> one.type().equals(type))
                .mapToLong(HeapStats.ClassStats::runs)
                .sum();
    }

    /** Marked by several threads, each object counts once, though many of them find it at the same time. */
    @Test
    void aCrashedHeapIsMarkedInParallel() {
        HeapOptions options = small().withSize(32 << 20, 64 << 20).withMarkers(4);
        var memory = new SimulatedMemory(0, options.maximumBytes());
        PersistentHeap heap = PersistentHeap.create(memory, options);
        HeapType node = heap.type(NODE_LAYOUT);
        HeapType tables = heap.type(ObjectLayout.references("table"));
        // the table is marked in parts, each of which leads to the same objects in the same order
        int each = 32 << 10;
        long parts = 8;
        Root root = heap.root("table", tables);
        long table = heap.allocate(tables, parts * each * 8);
        root.set(table);
        for (int i = 0; i < each; i++) {
            long object = heap.allocate(node);
            heap.allocate(node);
            for (int part = 0; part < parts; part++) {
                heap.setReference(table + (part * (long) each + i) * 8, object);
            }
        }
        for (int round = 0; round < 10; round++) {
            PersistentHeap found = PersistentHeap.open(new SimulatedMemory(memory.processEnded()), options);
            assertThat(found.recovery().objects()).isEqualTo(1 + each);
            assertThat(found.stats().liveObjects()).isEqualTo(1 + each);
            if (round == 0) {
                assertThat(found.check().problems()).isEmpty();
            }
        }
    }
}
