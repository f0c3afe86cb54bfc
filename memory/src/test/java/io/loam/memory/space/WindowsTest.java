package io.loam.memory.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.region.Access;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.memory.region.RegistryDirectory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Spaces that hold more than may be mapped at once. */
final class WindowsTest {

    private static final long MIB = 1L << 20;

    private final RegistryDirectory directory = new RegistryDirectory();
    private final Registry registry = directory.open();
    private final AddressSpaces spaces = AddressSpaces.inWindows(registry, 3 * MIB);
    private final Context context = new Context();

    @AfterEach
    void end() {
        registry.close();
        directory.close();
    }

    private List<Region> regions(int count) {
        List<Region> regions = new ArrayList<>();
        spaces.create("wide", 0600);
        for (int i = 0; i < count; i++) {
            regions.add(registry.regions().create("r" + i, RegionOptions.of(MIB)));
            spaces.add("wide", "r" + i, Access.WRITE, false);
        }
        return regions;
    }

    private long mapped(List<Region> regions) {
        return regions.stream()
                .filter(region -> !registry.attachedTo(region.number()).isEmpty())
                .count();
    }

    @Test
    void aSpaceHoldsMoreThanTheBudget() {
        List<Region> regions = regions(10);
        try (Attachment wide = spaces.attach("wide")) {
            assertThat(mapped(regions)).isZero();
            try (Switch in = context.enter(wide)) {
                for (int round = 0; round < 3; round++) {
                    for (int i = 0; i < regions.size(); i++) {
                        long p = regions.get(i).base() + 8L * i;
                        assertThat(context.getLong(p)).isEqualTo(round == 0 ? 0 : 100L * (round - 1) + i);
                        context.putLong(p, 100L * round + i);
                        assertThat(mapped(regions)).isBetween(1L, 3L);
                    }
                }
                Random random = new Random(9);
                for (int n = 0; n < 500; n++) {
                    int i = random.nextInt(10);
                    assertThat(context.getLong(regions.get(i).base() + 8L * i)).isEqualTo(200 + i);
                    assertThat(mapped(regions)).isBetween(1L, 3L);
                }
            }
        }
        assertThat(mapped(regions)).isZero();
    }

    @Test
    void whatIsUsedOftenStaysMapped() {
        List<Region> regions = regions(10);
        try (Attachment wide = spaces.attach("wide");
                Switch in = context.enter(wide)) {
            long favourite = regions.get(0).base();
            for (int i = 1; i < 10; i++) {
                assertThat(context.getLong(favourite)).isZero();
                assertThat(context.getLong(regions.get(i).base())).isZero();
                assertThat(context.getLong(favourite)).isZero();
                assertThat(registry.attachedTo(regions.get(0).number())).hasSize(1);
            }
        }
    }

    @Test
    void aCopyBetweenRegionsHasBothMapped() {
        List<Region> regions = regions(6);
        try (Attachment wide = spaces.attach("wide");
                Switch in = context.enter(wide)) {
            context.fill(regions.get(0).base(), MIB, (byte) 7);
            for (int i = 1; i < 6; i++) {
                context.copy(regions.get(i - 1).base(), regions.get(i).base(), MIB);
            }
            assertThat(context.getLong(regions.get(5).base() + MIB - 8)).isEqualTo(0x0707070707070707L);
        }
    }

    @Test
    void spacesWithTheSameAddressesTakeTurns() {
        List<Region> regions = new ArrayList<>();
        List<Attachment> attachments = new ArrayList<>();
        long base = 0;
        for (int i = 0; i < 5; i++) {
            Region region =
                    registry.regions().create("r" + i, RegionOptions.of(MIB).at(base));
            base = region.base();
            regions.add(region);
            spaces.create("s" + i, 0600);
            spaces.add("s" + i, "r" + i, Access.WRITE, false);
            attachments.add(spaces.attach("s" + i));
        }
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 5; i++) {
                try (Switch in = context.enter(attachments.get(i))) {
                    assertThat(context.getLong(base)).isEqualTo(round == 0 ? 0 : i + 10L * (round - 1));
                    context.putLong(base, i + 10L * round);
                }
            }
        }
        attachments.forEach(Attachment::close);
        assertThat(mapped(regions)).isZero();
    }

    @Test
    void whatOtherThreadsAreUsingIsNotTakenFromThem() throws InterruptedException {
        List<Region> regions = regions(5);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        try (Attachment wide = spaces.attach("wide")) {
            Thread other = Thread.ofPlatform().start(() -> {
                try (Switch in = Context.current().enter(wide)) {
                    for (int i = 0; i < 3; i++) {
                        Context.current().putLong(regions.get(i).base(), i);
                    }
                    inside.countDown();
                    go.await();
                    for (int i = 0; i < 3; i++) {
                        assertThat(Context.current().getLong(regions.get(i).base()))
                                .isEqualTo(i);
                    }
                } catch (Throwable t) {
                    failures.add(t);
                }
            });
            inside.await();
            try (Switch in = context.enter(wide)) {
                assertThat(context.getLong(regions.get(1).base())).isEqualTo(1);
                assertThatThrownBy(() -> context.getLong(regions.get(4).base()))
                        .isInstanceOf(RegionException.class)
                        .hasMessageContaining("region r4")
                        .hasMessageContaining("budget");
                go.countDown();
                other.join();
                assertThat(context.getLong(regions.get(4).base())).isZero();
            }
        }
        assertThat(failures).isEmpty();
    }

    @Test
    void threadsInTurnsNeverSeeForeignMemory() throws InterruptedException {
        List<Region> regions = regions(8);
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        try (Attachment wide = spaces.attach("wide")) {
            try (Switch in = context.enter(wide)) {
                for (int i = 0; i < 8; i++) {
                    for (long offset = 0; offset < MIB; offset += 8) {
                        context.putLong(regions.get(i).base() + offset, i);
                    }
                }
            }
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                long seed = t;
                threads.add(Thread.ofPlatform().start(() -> {
                    Context own = new Context();
                    Random random = new Random(seed);
                    for (int n = 0; n < 3000; n++) {
                        int i = random.nextInt(8);
                        try (Switch in = own.enter(wide)) {
                            for (int k = 0; k < 20; k++) {
                                long value = own.getLong(regions.get(i).base() + 8 * random.nextInt((int) (MIB / 8)));
                                if (value != i) {
                                    throw new AssertionError("region " + i + " showed " + value);
                                }
                            }
                        } catch (RegionException e) {
                            // the others are using all of the budget
                        } catch (Throwable e) {
                            failures.add(e);
                        }
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
    void aRegionLargerThanTheBudgetIsRefused() {
        registry.regions().create("large", RegionOptions.of(4 * MIB));
        spaces.create("s", 0600);
        spaces.add("s", "large", Access.READ, false);
        assertThatThrownBy(() -> spaces.attach("s"))
                .isInstanceOf(RegionException.class)
                .hasMessageContaining("budget of " + 3 * MIB);
        assertThatIllegalArgumentException().isThrownBy(() -> AddressSpaces.inWindows(registry, 0));
    }
}
