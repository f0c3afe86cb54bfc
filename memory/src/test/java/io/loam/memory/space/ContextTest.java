package io.loam.memory.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.region.Access;
import io.loam.memory.region.ChildJvm;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.memory.region.RegistryDirectory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Switching, pointers, and the locks that switching takes. */
final class ContextTest {

    private static final long MIB = 1L << 20;

    private final RegistryDirectory directory = new RegistryDirectory();
    private final Registry registry = directory.open();
    private final AddressSpaces spaces = AddressSpaces.of(registry);
    private final Context context = new Context();

    @AfterEach
    void end() {
        registry.close();
        directory.close();
    }

    private Region region(String name) {
        return registry.regions().create(name, RegionOptions.of(MIB));
    }

    private Region lockable(String name) {
        return registry.regions().create(name, RegionOptions.of(MIB).withLock());
    }

    private Attachment space(String name, Access access, String... regions) {
        spaces.create(name, 0600);
        for (String region : regions) {
            spaces.add(name, region, access, false);
        }
        return spaces.attach(name);
    }

    private static void refuses(PointerException.Reason reason, Runnable access, String... words) {
        assertThatThrownBy(access::run)
                .isInstanceOf(PointerException.class)
                .satisfies(e -> assertThat(List.of(words))
                        .allMatch(word -> e.getMessage().contains(word)))
                .extracting(e -> ((PointerException) e).reason())
                .isEqualTo(reason);
    }

    private static void refuses(RegionException.Reason reason, Runnable action) {
        assertThatThrownBy(action::run)
                .isInstanceOf(RegionException.class)
                .extracting(e -> ((RegionException) e).reason())
                .isEqualTo(reason);
    }

    @Test
    void enteringAndLeavingRestoresWhatWasBefore() {
        Region a = region("a");
        Region b = region("b");
        try (Attachment one = space("one", Access.WRITE, "a");
                Attachment two = space("two", Access.WRITE, "b")) {
            assertThat(context.inside()).isNull();
            try (Switch first = context.enter(one)) {
                assertThat(first.ownersDied()).isEmpty();
                context.putLong(a.base(), 1);
                try (Switch second = context.enter(two)) {
                    assertThat(context.inside()).isSameAs(two);
                    context.putLong(b.base(), 2);
                    refuses(
                            PointerException.Reason.WRONG_SPACE,
                            () -> context.getLong(a.base()),
                            "one",
                            "two",
                            "region a");
                    try (Switch third = context.enter(one)) {
                        assertThat(context.getLong(a.base())).isEqualTo(1);
                        assertThatThrownBy(second::close).isInstanceOf(IllegalStateException.class);
                        assertThat(context.inside()).isSameAs(one);
                        assertThat(third.ownersDied()).isEmpty();
                    }
                    assertThat(context.getLong(b.base())).isEqualTo(2);
                }
                assertThat(context.inside()).isSameAs(one);
                assertThat(context.getLong(a.base())).isEqualTo(1);
            }
            assertThat(context.inside()).isNull();
            refuses(PointerException.Reason.NOT_INSIDE, () -> context.getLong(a.base()), Long.toHexString(a.base()));
            Switch stay = context.enter(one);
            stay.close();
            assertThatThrownBy(stay::close).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void threadsAreInDifferentSpacesAtOnce() throws InterruptedException {
        Region a = region("a");
        Region b = region("b");
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        try (Attachment one = space("one", Access.WRITE, "a");
                Attachment two = space("two", Access.WRITE, "b")) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                boolean even = i % 2 == 0;
                long mine = (even ? a : b).base() + i * 8;
                long other = (even ? b : a).base() + i * 8;
                long value = i;
                threads.add(Thread.ofVirtual().start(() -> {
                    try {
                        Context own = Context.current();
                        for (int round = 0; round < 20; round++) {
                            try (Switch in = own.enter(even ? one : two)) {
                                own.putLong(mine, value);
                                Thread.yield();
                                assertThat(own.getLong(mine)).isEqualTo(value);
                                refuses(PointerException.Reason.WRONG_SPACE, () -> own.getLong(other));
                            }
                        }
                    } catch (Throwable t) {
                        failures.add(t);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
        assertThat(failures).isEmpty();
    }

    @Test
    void anothersContextIsRefused() throws InterruptedException {
        Region a = region("a");
        try (Attachment one = space("one", Access.WRITE, "a");
                Switch in = context.enter(one)) {
            AtomicReference<Throwable> enter = new AtomicReference<>();
            AtomicReference<Throwable> get = new AtomicReference<>();
            AtomicReference<Throwable> leave = new AtomicReference<>();
            Thread.ofPlatform()
                    .start(() -> {
                        enter.set(caught(() -> context.enter(one)));
                        get.set(caught(() -> context.getLong(a.base())));
                        leave.set(caught(in::close));
                    })
                    .join();
            assertThat(enter.get()).isInstanceOf(IllegalStateException.class);
            assertThat(get.get())
                    .isInstanceOf(PointerException.class)
                    .hasMessageContaining(Thread.currentThread().getName());
            assertThat(leave.get()).isInstanceOf(IllegalStateException.class);
            assertThat(context.getLong(a.base())).isZero();
        }
    }

    private static Throwable caught(Runnable action) {
        try {
            action.run();
            return new AssertionError("nothing was thrown");
        } catch (Throwable t) {
            return t;
        }
    }

    @Test
    void everyAccessorReadsAndWritesAndChecks() {
        Region a = region("a");
        Region b = region("b");
        byte[] bytes = new byte[100];
        new Random(3).nextBytes(bytes);
        try (Attachment both = space("both", Access.WRITE, "a");
                Arena arena = Arena.ofConfined()) {
            both.attach("b", Access.READ, false);
            MemorySegment segment = arena.allocate(100);
            try (Switch in = context.enter(both)) {
                long p = a.base() + 40;
                context.putByte(p, (byte) -3);
                assertThat(context.getByte(p)).isEqualTo((byte) -3);
                context.putInt(p + 1, 0x12345678);
                assertThat(context.getInt(p + 1)).isEqualTo(0x12345678);
                context.putLong(p + 3, Long.MIN_VALUE + 5);
                assertThat(context.getLong(p + 3)).isEqualTo(Long.MIN_VALUE + 5);
                context.putLongRelease(p, 7);
                assertThat(context.getLongAcquire(p)).isEqualTo(7);
                context.putLongVolatile(p, 8);
                assertThat(context.getLongVolatile(p)).isEqualTo(8);
                assertThat(context.compareAndSetLong(p, 7, 9)).isFalse();
                assertThat(context.compareAndSetLong(p, 8, 9)).isTrue();
                assertThat(context.getAndAddLong(p, 2)).isEqualTo(9);
                assertThatIllegalArgumentException().isThrownBy(() -> context.getAndAddLong(p + 1, 2));
                context.copyIn(bytes, 0, p, 100);
                byte[] copy = new byte[120];
                context.copyOut(p, copy, 20, 100);
                assertThat(java.util.Arrays.copyOfRange(copy, 20, 120)).isEqualTo(bytes);
                context.copy(p, p + 1000, 100);
                context.copyOut(p + 1000, segment, 0, 100);
                assertThat(segment.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                        .isEqualTo(bytes);
                context.fill(p, 100, (byte) 1);
                assertThat(context.getLong(p + 92)).isEqualTo(0x0101010101010101L);
                context.copyIn(segment, 50, p, 50);
                assertThat(context.getByte(p)).isEqualTo(bytes[50]);
                assertThat(context.regionOf(p)).isEqualTo(a);
                assertThat(context.regionOf(p + MIB)).isEqualTo(a);
                assertThat(context.regionOf(1)).isNull();
                for (long wrong : new long[] {
                    0,
                    -1,
                    Long.MIN_VALUE,
                    a.base() - 1,
                    a.base() - 8,
                    a.base() + MIB - 7,
                    a.base() + MIB,
                    a.base() + (1L << 30) - 4,
                    a.base() + (1L << 62),
                    b.base() + MIB - 7,
                    b.base() + (1L << 30),
                    4096
                }) {
                    for (Map.Entry<String, Runnable> access :
                            accesses(wrong, segment).entrySet()) {
                        assertThatThrownBy(access.getValue()::run)
                                .as("%s at %x", access.getKey(), wrong)
                                .isInstanceOf(PointerException.class)
                                .hasMessageContaining("0x" + Long.toHexString(wrong))
                                .hasMessageContaining("both");
                    }
                }
                accesses(b.base(), segment).forEach((name, access) -> {
                    if (name.startsWith("get") && !name.equals("getAndAdd") || name.startsWith("copyOut")) {
                        access.run();
                    } else {
                        refuses(PointerException.Reason.READ_ONLY, access, "region b", "both", "reading");
                    }
                });
                refuses(
                        PointerException.Reason.OUT_OF_BOUNDS,
                        () -> context.getLong(a.base() + MIB),
                        "region a",
                        "both");
                assertThatIllegalArgumentException().isThrownBy(() -> context.fill(p, -1, (byte) 0));
                assertThatIllegalArgumentException().isThrownBy(() -> context.fill(p, 1L << 31, (byte) 0));
                refuses(PointerException.Reason.OUT_OF_BOUNDS, () -> context.fill(p, Integer.MAX_VALUE, (byte) 0));
                context.copyOut(1, bytes, 0, 0);
                context.fill(1, 0, (byte) 0);
            }
        }
    }

    private Map<String, Runnable> accesses(long pointer, MemorySegment segment) {
        byte[] bytes = new byte[8];
        Map<String, Runnable> accesses = new TreeMap<>();
        accesses.put("getInt+4", () -> context.getInt(pointer + 4 < pointer ? pointer : pointer + (pointer & 7)));
        accesses.put("getLong", () -> context.getLong(pointer));
        accesses.put("getLongAcquire", () -> context.getLongAcquire(pointer));
        accesses.put("getLongVolatile", () -> context.getLongVolatile(pointer));
        accesses.put("putLong", () -> context.putLong(pointer, 1));
        accesses.put("putLongRelease", () -> context.putLongRelease(pointer, 1));
        accesses.put("putLongVolatile", () -> context.putLongVolatile(pointer, 1));
        accesses.put("compareAndSet", () -> context.compareAndSetLong(pointer, 0, 1));
        accesses.put("getAndAdd", () -> context.getAndAddLong(pointer, 1));
        accesses.put("copyOut", () -> context.copyOut(pointer, bytes, 0, 8));
        accesses.put("copyOut to a segment", () -> context.copyOut(pointer, segment, 0, 8));
        accesses.put("copyIn", () -> context.copyIn(bytes, 0, pointer, 8));
        accesses.put("copyIn from a segment", () -> context.copyIn(segment, 0, pointer, 8));
        accesses.put("copy", () -> context.copy(pointer, pointer, 8));
        accesses.put("fill", () -> context.fill(pointer, 8, (byte) 0));
        accesses.remove("getInt+4");
        return accesses;
    }

    @Test
    void accessesMayCrossFromOneGibibyteToTheNextInsideARegion() {
        long gib = 1L << 30;
        Region a = registry.regions().create("a", RegionOptions.of(gib + MIB));
        try (Attachment one = space("one", Access.WRITE, "a");
                Switch in = context.enter(one)) {
            context.putLong(a.base() + gib - 3, 77);
            assertThat(context.getLong(a.base() + gib - 3)).isEqualTo(77);
            assertThat(context.getLong(a.base() + gib + MIB - 8)).isZero();
            refuses(PointerException.Reason.OUT_OF_BOUNDS, () -> context.getLong(a.base() + gib + MIB - 7));
        }
    }

    @Test
    void aRegionMappedElsewhereIsReachedByItsOwnAddresses() {
        Region a = region("a");
        Region b = registry.regions().create("b", RegionOptions.of(MIB).at(a.base()));
        Region c = region("c");
        try (Attachment one = space("one", Access.WRITE, "a")) {
            spaces.create("two", 0600);
            spaces.add("two", "b", Access.WRITE, false);
            refuses(RegionException.Reason.BASE_TAKEN, () -> spaces.attach("two"));
            spaces.add("two", "b", Access.WRITE, true);
            spaces.add("two", "c", Access.WRITE, false);
            try (Attachment two = spaces.attach("two")) {
                try (Switch in = context.enter(one)) {
                    context.putLong(a.base(), 1);
                }
                try (Switch in = context.enter(two)) {
                    assertThat(context.getLong(b.base())).isZero();
                    context.putLong(b.base(), 2);
                    context.putLong(c.base(), 3);
                    assertThat(context.getLong(b.base())).isEqualTo(2);
                    assertThat(context.getLong(c.base())).isEqualTo(3);
                }
                try (Switch in = context.enter(one)) {
                    assertThat(context.getLong(a.base())).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void changesOfTheDefinitionAreSeenWhenEnteringNext() {
        Region a = region("a");
        Region b = region("b");
        try (Registry other = directory.open();
                Attachment one = space("one", Access.WRITE, "a")) {
            AddressSpaces others = AddressSpaces.of(other);
            try (Switch in = context.enter(one)) {
                others.add("one", "b", Access.READ, false);
                refuses(PointerException.Reason.WRONG_SPACE, () -> context.getLong(b.base()));
            }
            try (Switch in = context.enter(one)) {
                assertThat(context.getLong(b.base())).isZero();
                refuses(PointerException.Reason.READ_ONLY, () -> context.putLong(b.base(), 1));
                others.add("one", "b", Access.WRITE, false);
                try (Switch again = context.enter(one)) {
                    context.putLong(b.base(), 1);
                }
                others.remove("one", "a");
                try (Switch again = context.enter(one)) {
                    refuses(PointerException.Reason.WRONG_SPACE, () -> context.getLong(a.base()));
                }
                refuses(PointerException.Reason.DETACHED, () -> context.getLong(a.base()), "region a", "one");
            }
            others.delete("one");
            try (Switch in = context.enter(one)) {
                assertThat(context.getLong(b.base())).isEqualTo(1);
            }
        }
        assertThat(registry.attachedTo(a.number())).isEmpty();
        assertThat(registry.attachedTo(b.number())).isEmpty();
    }

    @Test
    void whatIsAttachedHereAloneIsNotInTheDefinition() {
        Region a = region("a");
        Region b = region("b");
        try (Attachment one = space("one", Access.WRITE, "a");
                Attachment same = spaces.attach("one")) {
            one.attach("b", Access.WRITE, false);
            assertThat(one.regions()).containsExactly(a, b);
            assertThat(same.regions()).containsExactly(a);
            one.detach("a");
            assertThat(one.regions()).containsExactly(b);
            refuses(RegionException.Reason.NOT_ATTACHED, () -> one.detach("a"));
            try (Switch in = context.enter(one)) {
                refuses(PointerException.Reason.WRONG_SPACE, () -> context.getLong(a.base()));
            }
            try (Switch in = context.enter(same)) {
                assertThat(context.getLong(a.base())).isZero();
            }
            one.attach("a", Access.READ, false);
            assertThat(one.regions()).containsExactly(a, b);
            assertThat(spaces.get("one").members()).hasSize(1);
        }
    }

    @Test
    void aDetachedRegionIsRefusedAtOnceAndUnmappedWhenNobodyIsInside() {
        Region a = region("a");
        try (Attachment one = space("one", Access.WRITE, "a")) {
            try (Switch in = context.enter(one)) {
                context.putLong(a.base(), 5);
                one.detach("a");
                refuses(PointerException.Reason.DETACHED, () -> context.getLong(a.base()), "region a", "one");
                refuses(PointerException.Reason.DETACHED, () -> context.putLong(a.base(), 1));
                assertThat(registry.attachedTo(a.number())).hasSize(1);
                refuses(RegionException.Reason.BUSY, one::close);
            }
            one.attach("a", Access.READ, false);
            try (Switch in = context.enter(one)) {
                assertThat(context.getLong(a.base())).isEqualTo(5);
            }
            one.detach("a");
            assertThat(registry.attachedTo(a.number())).isEmpty();
        }
    }

    @Test
    void anAttachmentInUseIsNotClosedAndAClosedOneNotEntered() throws InterruptedException {
        Region a = region("a");
        Attachment one = space("one", Access.WRITE, "a");
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Thread thread = Thread.ofPlatform().name("the one inside").start(() -> {
            try (Switch in = Context.current().enter(one)) {
                entered.countDown();
                go.await();
                Context.current().putLong(a.base(), 1);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        entered.await();
        assertThatThrownBy(one::close).isInstanceOf(RegionException.class).hasMessageContaining("the one inside");
        try (Switch in = context.enter(one)) {
            assertThat(context.getLong(a.base())).isZero();
        }
        go.countDown();
        thread.join();
        one.close();
        one.close();
        assertThatThrownBy(() -> context.enter(one))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(context.inside()).isNull();
        assertThat(registry.attachedTo(a.number())).isEmpty();
    }

    @Test
    void detachingWhileOthersReadNeverCrashesAndNeverShowsForeignMemory() throws InterruptedException {
        Region a = region("a");
        Region b = registry.regions().create("b", RegionOptions.of(MIB).at(a.base()));
        Attachment one = space("one", Access.WRITE, "a");
        Attachment two = space("two", Access.WRITE);
        try (Switch in = context.enter(one)) {
            for (long offset = 0; offset < MIB; offset += 8) {
                context.putLong(a.base() + offset, 1);
            }
        }
        AtomicBoolean stop = new AtomicBoolean();
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            long seed = i;
            readers.add(Thread.ofPlatform().start(() -> {
                Context own = new Context();
                Random random = new Random(seed);
                while (!stop.get()) {
                    try (Switch in = own.enter(one)) {
                        for (int n = 0; n < 50; n++) {
                            if (own.getLong(a.base() + 8 * random.nextInt((int) (MIB / 8))) != 1) {
                                throw new AssertionError("another region's memory was read");
                            }
                        }
                    } catch (PointerException e) {
                        // it is out at the moment
                    } catch (Throwable t) {
                        failures.add(t);
                        return;
                    }
                }
            }));
        }
        for (int round = 0; round < 300; round++) {
            one.detach("a");
            // takes the very addresses as soon as they are free
            try {
                two.attach("b", Access.WRITE, false);
                try (Switch in = context.enter(two)) {
                    context.fill(b.base(), MIB, (byte) 2);
                }
                two.detach("b");
            } catch (RegionException e) {
                assertThat(e.reason()).isEqualTo(RegionException.Reason.BASE_TAKEN);
            }
            one.refresh();
            while (true) {
                try {
                    one.attach("a", Access.READ, false);
                    break;
                } catch (RegionException e) {
                    two.refresh();
                }
            }
        }
        stop.set(true);
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(failures).isEmpty();
        one.close();
        two.close();
    }

    @Test
    void aGrownRegionCanBeUsedToItsNewEnd() {
        Region a = region("a");
        try (Registry other = directory.open();
                Attachment one = space("one", Access.WRITE, "a");
                Switch in = context.enter(one)) {
            refuses(PointerException.Reason.OUT_OF_BOUNDS, () -> context.getLong(a.base() + MIB));
            other.regions().resize("a", 3 * MIB);
            context.putLong(a.base() + 3 * MIB - 8, 4);
            assertThat(context.getLong(a.base() + 3 * MIB - 8)).isEqualTo(4);
            refuses(PointerException.Reason.OUT_OF_BOUNDS, () -> context.getLong(a.base() + 3 * MIB));
        }
    }

    @Test
    void aDeletedRegionStaysForThoseWhoHaveIt() {
        Region a = region("a");
        try (Attachment one = space("one", Access.WRITE, "a")) {
            try (Switch in = context.enter(one)) {
                context.putLong(a.base(), 1);
            }
            registry.regions().delete("a");
            try (Switch in = context.enter(one)) {
                assertThat(context.getLong(a.base())).isEqualTo(1);
            }
            region("a");
            try (Switch in = context.enter(one)) {
                assertThat(context.getLong(a.base())).isEqualTo(1);
            }
        }
        try (Attachment one = spaces.attach("one");
                Switch in = context.enter(one)) {
            assertThat(one.regions()).isEmpty();
            refuses(PointerException.Reason.WRONG_SPACE, () -> context.getLong(a.base()));
        }
    }

    @Test
    void locksAreSharedByReadersAndExcludeWriters() {
        Region a = lockable("a");
        try (Attachment reading = space("reading", Access.READ, "a");
                Attachment alsoReading = space("also", Access.READ, "a");
                Attachment writing = space("writing", Access.WRITE, "a")) {
            Context other = inAnotherThread(() -> {});
            assertThat(other).isNotNull();
            try (Switch in = context.enter(reading)) {
                assertThat(entersElsewhere(alsoReading)).isTrue();
                assertThat(entersElsewhere(writing)).isFalse();
                refuses(RegionException.Reason.WOULD_DEADLOCK, () -> context.enter(writing));
                try (Switch again = context.enter(alsoReading)) {
                    assertThat(context.getLong(a.base())).isZero();
                }
                assertThat(entersElsewhere(writing)).isFalse();
            }
            try (Switch in = context.enter(writing)) {
                assertThat(entersElsewhere(alsoReading)).isFalse();
                assertThat(entersElsewhere(writing)).isFalse();
                try (Switch again = context.enter(reading)) {
                    assertThat(context.getLong(a.base())).isZero();
                }
                assertThat(entersElsewhere(alsoReading)).isFalse();
            }
            assertThat(entersElsewhere(writing)).isTrue();
            assertThat(context.inside()).isNull();
        }
    }

    private Context inAnotherThread(Runnable action) {
        AtomicReference<Context> made = new AtomicReference<>();
        try {
            Thread.ofPlatform()
                    .start(() -> {
                        made.set(Context.current());
                        action.run();
                    })
                    .join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return made.get();
    }

    private boolean entersElsewhere(Attachment attachment) {
        AtomicBoolean entered = new AtomicBoolean();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        inAnotherThread(() -> {
            try (Switch in = Context.current().enter(attachment, 0)) {
                entered.set(true);
            } catch (RegionException e) {
                failure.set(e);
            }
            assertThat(Context.current().inside()).isNull();
        });
        if (!entered.get()) {
            assertThat(failure.get()).hasMessageContaining("region a");
            assertThat(((RegionException) failure.get()).reason()).isEqualTo(RegionException.Reason.TIMEOUT);
        }
        return entered.get();
    }

    @Test
    void oppositeOrdersOfNestingNeverDeadlock() throws InterruptedException {
        lockable("a");
        lockable("b");
        int[] refused = new int[2];
        try (Attachment one = space("one", Access.WRITE, "a");
                Attachment two = space("two", Access.WRITE, "b")) {
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                int thread = t;
                threads.add(Thread.ofPlatform().start(() -> {
                    Context own = new Context();
                    for (int i = 0; i < 3000; i++) {
                        try (Switch outer = own.enter(thread == 0 ? one : two);
                                Switch inner = own.enter(thread == 0 ? two : one)) {
                            Thread.onSpinWait();
                        } catch (RegionException e) {
                            assertThat(e.reason()).isEqualTo(RegionException.Reason.WOULD_DEADLOCK);
                            refused[thread]++;
                        }
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(refused[0]).isZero();
        }
    }

    @Test
    void aLockThatIsNotFreeInTimeLeavesTheContextWhereItWasAndHoldsNothing() {
        lockable("a");
        lockable("b");
        try (Attachment both = space("both", Access.WRITE, "a", "b");
                Attachment second = space("second", Access.WRITE, "b");
                Attachment first = space("first", Access.WRITE, "a")) {
            CountDownLatch entered = new CountDownLatch(1);
            CountDownLatch go = new CountDownLatch(1);
            Thread holder = Thread.ofPlatform().start(() -> {
                try (Switch in = Context.current().enter(second)) {
                    entered.countDown();
                    go.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            try {
                entered.await();
                refuses(RegionException.Reason.TIMEOUT, () -> context.enter(both, 2_000_000));
                assertThat(context.inside()).isNull();
                try (Switch in = context.enter(first, 0)) {
                    assertThat(context.inside()).isSameAs(first);
                }
                go.countDown();
                holder.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            try (Switch in = context.enter(both, 0)) {
                assertThat(context.inside()).isSameAs(both);
            }
        }
    }

    /** The child: enters a space in a registry, says so, and stays until it is killed; or walks a list. */
    public static void main(String[] arguments) throws IOException {
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE);
                Attachment attachment = AddressSpaces.of(registry).attach(arguments[1])) {
            Context context = Context.current();
            try (Switch in = context.enter(attachment)) {
                if (arguments.length > 2) {
                    long sum = 0;
                    for (long node = Long.parseLong(arguments[2]); node != 0; node = context.getLong(node)) {
                        sum += context.getLong(node + 8);
                    }
                    System.out.println(sum);
                } else {
                    System.out.println("inside");
                    int ignored = System.in.read();
                }
            }
        }
    }

    @Test
    void pointersAreValidInEveryProcess() {
        Region a = region("a");
        Region b = region("b");
        int nodes = 1000;
        try (Attachment one = space("one", Access.WRITE, "a", "b");
                Switch in = context.enter(one)) {
            long next = 0;
            for (int i = 0; i < nodes; i++) {
                long node = (i % 2 == 0 ? a : b).base() + 16L * (nodes - i);
                context.putLong(node, next);
                context.putLong(node + 8, i);
                next = node;
            }
            try (ChildJvm child =
                    ChildJvm.start(ContextTest.class, directory.path().toString(), "one", "" + next)) {
                assertThat(child.line()).isEqualTo("" + nodes * (nodes - 1) / 2);
                assertThat(child.exit()).isZero();
            }
        }
    }

    @Test
    void theDeathOfAWriterInsideIsReportedOnce() {
        lockable("a");
        lockable("b");
        for (Access access : Access.values()) {
            String name = access.name().toLowerCase(java.util.Locale.ROOT);
            spaces.create("dying-" + name, 0600);
            spaces.add("dying-" + name, "b", Access.WRITE, false);
            try (Attachment mine = space(name, access, "a", "b");
                    ChildJvm child =
                            ChildJvm.start(ContextTest.class, directory.path().toString(), "dying-" + name)) {
                assertThat(child.line()).isEqualTo("inside");
                refuses(RegionException.Reason.TIMEOUT, () -> context.enter(mine, 1_000_000));
                child.kill();
                try (Switch in = context.enter(mine)) {
                    assertThat(in.ownersDied()).containsExactly("b");
                }
                try (Switch in = context.enter(mine)) {
                    assertThat(in.ownersDied()).isEmpty();
                }
            }
        }
    }
}
