package io.loam.memory.space;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.region.Access;
import io.loam.memory.region.ChildJvm;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.memory.region.RegistryDirectory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several JVMs in the same address spaces, killed at random points. */
final class KilledProcessTest {

    private static final int CHILDREN = 3;

    private final RegistryDirectory directory = new RegistryDirectory();
    private final Registry registry = directory.open();
    private final AddressSpaces spaces = AddressSpaces.of(registry);
    private final Context context = new Context();

    @AfterEach
    void end() {
        registry.close();
        directory.close();
    }

    /** The child: {@code write}, {@code define} or {@code attach} until it is killed. */
    public static void main(String[] arguments) {
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE)) {
            AddressSpaces spaces = AddressSpaces.of(registry);
            System.out.println("ready");
            switch (arguments[1]) {
                case "write" -> {
                    try (Attachment writing = spaces.attach("writing");
                            Attachment reading = spaces.attach("reading")) {
                        while (true) {
                            long ignored = count(Context.current(), writing, reading, 1000);
                        }
                    }
                }
                case "define" -> {
                    while (true) {
                        spaces.add("writing", "c", Access.READ, false);
                        spaces.setMode("writing", 0640);
                        removeUnlessAnotherDid(spaces);
                    }
                }
                default -> {
                    while (true) {
                        spaces.attach("reading").close();
                    }
                }
            }
        }
    }

    private static void removeUnlessAnotherDid(AddressSpaces spaces) {
        try {
            AddressSpace ignored = spaces.remove("writing", "c");
        } catch (RegionException e) {
            assertThat(e.reason()).isEqualTo(RegionException.Reason.NOT_ATTACHED);
        }
    }

    /**
     * Counts up one counter in each region, in a space that has both for writing, and compares them in one that has both for reading.
     *
     * @return how often a death was reported
     */
    private static long count(Context context, Attachment writing, Attachment reading, int times) {
        long told = 0;
        for (int i = 0; i < times; i++) {
            try (Switch in = context.enter(writing)) {
                long a = writing.regions().get(0).base();
                long b = writing.regions().get(1).base();
                if (!in.ownersDied().isEmpty()) {
                    told++;
                    // it died between the two stores, or before or after both
                    context.putLong(b, context.getLong(a));
                }
                context.putLong(a, context.getLong(a) + 1);
                context.putLong(b, context.getLong(b) + 1);
            }
            try (Switch in = context.enter(reading)) {
                long a = reading.regions().get(0).base();
                long b = reading.regions().get(1).base();
                if (!in.ownersDied().isEmpty()) {
                    told++;
                } else if (context.getLong(a) != context.getLong(b)) {
                    throw new AssertionError("counters differ and nobody is said to have died");
                }
            }
        }
        return told;
    }

    private List<ChildJvm> start(String task) {
        List<ChildJvm> children = new ArrayList<>();
        for (int i = 0; i < CHILDREN; i++) {
            children.add(
                    ChildJvm.start(KilledProcessTest.class, directory.path().toString(), task));
        }
        for (ChildJvm child : children) {
            assertThat(child.line()).isEqualTo("ready");
        }
        return children;
    }

    @Test
    void survivorsGoOnAndAreToldOfEachDeathAtMostOncePerLock() {
        Random random = new Random(23);
        for (String name : List.of("a", "b")) {
            Region ignored = registry.regions().create(name, RegionOptions.of(1).withLock());
        }
        for (String name : List.of("writing", "reading")) {
            spaces.create(name, 0600);
            for (String region : List.of("a", "b")) {
                spaces.add(name, region, name.equals("writing") ? Access.WRITE : Access.READ, false);
            }
        }
        try (Attachment writing = spaces.attach("writing");
                Attachment reading = spaces.attach("reading")) {
            for (int round = 0; round < 5; round++) {
                List<ChildJvm> children = start("write");
                long told = 0;
                for (ChildJvm child : children) {
                    told += count(context, writing, reading, 200 + random.nextInt(2000));
                    child.kill();
                }
                told += count(context, writing, reading, 1000);
                // each dies in one place; who is told of it reports it once, whatever locks it left
                assertThat(told).isLessThanOrEqualTo(2 * CHILDREN);
                assertThat(count(context, writing, reading, 100)).isZero();
            }
        }
        assertThat(registry.participants().list()).hasSize(1);
    }

    @Test
    void definitionsStayWholeWhenThoseWhoChangeOrAttachThemAreKilled() throws InterruptedException {
        Random random = new Random(29);
        Region a = registry.regions().create("a", RegionOptions.of(1));
        Region c = registry.regions().create("c", RegionOptions.of(1));
        for (String name : List.of("writing", "reading")) {
            spaces.create(name, 0600);
            spaces.add(name, "a", Access.READ, false);
        }
        for (int round = 0; round < 4; round++) {
            List<ChildJvm> children = start(round % 2 == 0 ? "define" : "attach");
            for (ChildJvm child : children) {
                Thread.sleep(random.nextInt(150));
                child.kill();
                assertThat(spaces.get("writing").members())
                        .extracting(Member::region)
                        .startsWith("a")
                        .hasSizeBetween(1, 2);
            }
            spaces.cleanUp();
            assertThat(spaces.add("writing", "c", Access.READ, false).members()).hasSize(2);
            try (Attachment attachment = spaces.attach("writing");
                    Switch in = context.enter(attachment)) {
                assertThat(context.getLong(a.base()) + context.getLong(c.base()))
                        .isZero();
            }
            assertThat(registry.attachedTo(a.number())).isEmpty();
            assertThat(registry.attachedTo(spaces.get("reading").number())).isEmpty();
        }
    }
}
