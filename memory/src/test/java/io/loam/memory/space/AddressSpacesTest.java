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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Definitions of address spaces, and attachments of them. */
final class AddressSpacesTest {

    private static final long MIB = 1L << 20;

    private final RegistryDirectory directory = new RegistryDirectory();
    private final Registry registry = directory.open();
    private final AddressSpaces spaces = AddressSpaces.of(registry);

    @AfterEach
    void end() {
        registry.close();
        directory.close();
    }

    private Region region(String name) {
        return registry.regions().create(name, RegionOptions.of(MIB));
    }

    private static void refuses(RegionException.Reason reason, Runnable action) {
        assertThatThrownBy(action::run)
                .isInstanceOf(RegionException.class)
                .extracting(e -> ((RegionException) e).reason())
                .isEqualTo(reason);
    }

    @Test
    void definitionHoldsWhatWasPutIntoIt() {
        Region a = region("a");
        Region b = region("b");
        AddressSpace created = spaces.create("orders", 0640);
        assertThat(created.members()).isEmpty();
        assertThat(created.number()).isGreaterThan(b.number());
        spaces.add("orders", "a", Access.READ, false);
        spaces.add("orders", "b", Access.WRITE, true);
        AddressSpace changed = spaces.add("orders", "a", Access.WRITE, false);
        assertThat(changed.members())
                .containsExactly(
                        new Member("b", b.uuid(), Access.WRITE, true), new Member("a", a.uuid(), Access.WRITE, false));
        assertThat(changed.generation()).isEqualTo(created.generation() + 3);
        assertThat(spaces.find("orders")).contains(changed);
        assertThat(spaces.list()).containsExactly(changed);
        assertThat(spaces.remove("orders", "b").members()).hasSize(1);
        refuses(RegionException.Reason.NOT_ATTACHED, () -> spaces.remove("orders", "b"));
        refuses(RegionException.Reason.NOT_FOUND, () -> spaces.add("orders", "c", Access.READ, false));
        refuses(RegionException.Reason.NOT_FOUND, () -> spaces.add("other", "a", Access.READ, false));
        refuses(RegionException.Reason.EXISTS, () -> spaces.create("orders", 0600));
        spaces.delete("orders");
        assertThat(spaces.find("orders")).isEmpty();
        assertThat(registry.regions().names()).containsExactly("a", "b");
        refuses(RegionException.Reason.NOT_FOUND, () -> spaces.delete("orders"));
    }

    @Test
    void permissionsAreThoseOfTheDefinition() throws IOException {
        spaces.create("orders", 0640);
        Path file = directory.path().resolve("spaces/orders");
        assertThat(Files.getAttribute(file, "unix:mode")).isEqualTo(0100640);
        assertThat(spaces.setMode("orders", 0444).mode()).isEqualTo(0444);
        assertThat(Files.getAttribute(file, "unix:mode")).isEqualTo(0100444);
        assertThatIllegalArgumentException().isThrownBy(() -> spaces.setMode("orders", 0777));
        assertThatIllegalArgumentException().isThrownBy(() -> spaces.create("b", 0));
    }

    @Test
    void copyHasTheSameRegionsAndALifeOfItsOwn() {
        region("a");
        spaces.create("one", 0644);
        spaces.add("one", "a", Access.WRITE, false);
        AddressSpace copy = spaces.copy("one", "two");
        assertThat(copy.members()).isEqualTo(spaces.get("one").members());
        assertThat(copy.mode()).isEqualTo(0644);
        spaces.remove("two", "a");
        assertThat(spaces.get("one").members()).hasSize(1);
        refuses(RegionException.Reason.NOT_FOUND, () -> spaces.copy("three", "four"));
    }

    @Test
    void regionsWithCommonAddressesAreRefused() {
        Region a = region("a");
        registry.regions().create("b", RegionOptions.of(1).at(a.base()));
        spaces.create("orders", 0600);
        spaces.add("orders", "a", Access.READ, false);
        assertThatThrownBy(() -> spaces.add("orders", "b", Access.READ, true))
                .hasMessageContaining("region a")
                .hasMessageContaining("region b")
                .hasMessageContaining("orders");
        refuses(RegionException.Reason.OVERLAP, () -> spaces.add("orders", "b", Access.READ, true));
        assertThat(spaces.get("orders").members()).hasSize(1);
        try (Attachment attachment = spaces.attach("orders")) {
            refuses(RegionException.Reason.OVERLAP, () -> attachment.attach("b", Access.READ, true));
            assertThat(attachment.regions()).containsExactly(a);
        }
    }

    @Test
    void damagedDefinitionsAreNamedAndCanBeDeleted() throws IOException {
        region("a");
        spaces.create("orders", 0600);
        spaces.add("orders", "a", Access.READ, false);
        Path file = directory.path().resolve("spaces/orders");
        byte[] good = Files.readAllBytes(file);
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 8;
            Files.write(file, bad);
            RegionException.Reason expected =
                    at >= 8 && at < 12 ? RegionException.Reason.VERSION : RegionException.Reason.CORRUPT;
            refuses(expected, () -> spaces.get("orders"));
        }
        for (int length = 0; length < good.length; length++) {
            Files.write(file, Arrays.copyOf(good, length));
            refuses(RegionException.Reason.CORRUPT, () -> spaces.attach("orders"));
        }
        assertThat(spaces.list()).isEmpty();
        assertThat(spaces.names()).containsExactly("orders");
        spaces.delete("orders");
        assertThat(spaces.names()).isEmpty();
    }

    @Test
    void abusedNamesAreRefused() {
        for (String name : new String[] {"", "..", "a/b", "../regions/a", ".hidden", "x".repeat(300), "a b", "\0"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> spaces.create(name, 0600));
            assertThatIllegalArgumentException().isThrownBy(() -> spaces.find(name));
            assertThatIllegalArgumentException().isThrownBy(() -> spaces.delete(name));
            assertThatIllegalArgumentException().isThrownBy(() -> spaces.attach(name));
        }
    }

    @Test
    void whatAKilledWriterLeavesIsCleanedUp() throws IOException {
        spaces.create("orders", 0600);
        Path leftover = Files.write(directory.path().resolve("spaces/.orders"), new byte[3]);
        assertThat(spaces.names()).containsExactly("orders");
        assertThat(spaces.setMode("orders", 0640).mode()).isEqualTo(0640);
        Files.write(leftover, new byte[3]);
        assertThat(spaces.cleanUp()).containsExactly(leftover);
    }

    @Test
    void oneOfManyCreatorsWins() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            String name = "contested" + round;
            AtomicInteger winners = new AtomicInteger();
            AtomicInteger losers = new AtomicInteger();
            List<Thread> threads = java.util.stream.IntStream.range(0, 8)
                    .mapToObj(i -> Thread.ofPlatform().start(() -> {
                        try {
                            spaces.create(name, 0600);
                            winners.incrementAndGet();
                        } catch (RegionException e) {
                            losers.incrementAndGet();
                        }
                    }))
                    .toList();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(winners).hasValue(1);
            assertThat(losers).hasValue(7);
        }
    }

    @Test
    void whoHasASpaceAttachedIsSeen() {
        AddressSpace space = spaces.create("orders", 0600);
        assertThat(spaces.attachedTo(space)).isEmpty();
        try (Attachment one = spaces.attach("orders");
                Attachment two = spaces.attach("orders")) {
            assertThat(spaces.attachedTo(space)).hasSize(1);
            two.close();
            assertThat(spaces.attachedTo(space)).hasSize(1);
            assertThat(one.name()).isEqualTo("orders");
        }
        assertThat(spaces.attachedTo(space)).isEmpty();
    }

    @Test
    void aFailedAttachLeavesNothingMapped() {
        Region a = region("a");
        Region b = region("b");
        registry.regions().create("c", RegionOptions.of(MIB).at(b.base()));
        spaces.create("orders", 0600);
        spaces.add("orders", "a", Access.WRITE, false);
        spaces.add("orders", "b", Access.WRITE, false);
        var occupant = registry.regions().map("c", Access.READ);
        refuses(RegionException.Reason.BASE_TAKEN, () -> spaces.attach("orders"));
        assertThat(registry.attachedTo(a.number())).isEmpty();
        occupant.close();
        try (Attachment attachment = spaces.attach("orders")) {
            assertThat(attachment.regions()).containsExactly(a, b);
        }
        assertThat(registry.attachedTo(a.number())).isEmpty();
    }
}
