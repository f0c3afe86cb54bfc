package io.loam.memory.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.RawMemory;
import io.loam.memory.Reservation;
import io.loam.memory.SharedFile;
import io.loam.memory.SharedRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class RegionsTest {

    private static final long MIB = 1L << 20;
    private static final RawMemory MEMORY = RawMemory.ofProcess();

    private final RegistryDirectory directory = new RegistryDirectory();
    private final Registry registry = directory.open();
    private final Regions regions = registry.regions();

    @AfterEach
    void end() {
        registry.close();
        directory.close();
    }

    private static void refuses(RegionException.Reason reason, Runnable action) {
        assertThatThrownBy(action::run)
                .isInstanceOf(RegionException.class)
                .extracting(e -> ((RegionException) e).reason())
                .isEqualTo(reason);
    }

    private List<String> filesBeside(String... except) throws IOException {
        try (var files = Files.walk(directory.path())) {
            return files.filter(Files::isRegularFile)
                    .map(file -> directory.path().relativize(file).toString())
                    .filter(name -> !List.of(except).contains(name))
                    .toList();
        }
    }

    @Test
    void createdRegionIsFoundWithWhatWasAsked() {
        Region region = regions.create(
                "inventory",
                RegionOptions.of(3 * MIB + 1).withRoom(5L << 30).withMode(0640).withLock());
        assertThat(region.name()).isEqualTo("inventory");
        assertThat(region.bytes()).isEqualTo(3 * MIB + Reservation.pageBytes());
        assertThat(region.roomBytes()).isEqualTo(5L << 30);
        assertThat(region.base() % Region.GRANULE_BYTES).isZero();
        assertThat(SharedRange.contains(region.base(), region.roomBytes())).isTrue();
        assertThat(region.lockable()).isTrue();
        assertThat(region.hugePages()).isFalse();
        assertThat(regions.find("inventory")).contains(region);
        assertThat(regions.list()).containsExactly(region);
        assertThat(regions.names()).containsExactly("inventory");
        assertThat(regions.find("other")).isEmpty();
        refuses(RegionException.Reason.NOT_FOUND, () -> regions.get("other"));
    }

    @Test
    void spaceIsAllocatedAndModesAreAsAsked() throws IOException {
        Region region =
                regions.create("a", RegionOptions.of(3 * MIB).withMode(0440).withLock());
        assertThat(Files.getAttribute(region.file(), "unix:mode")).isEqualTo(0100440);
        Path lock = region.file().resolveSibling(region.uuid() + ".lock");
        assertThat(Files.getAttribute(lock, "unix:mode")).isEqualTo(0100660);
        assertThat(allocatedBytes(region.file())).isEqualTo(3 * MIB);
        assertThat(allocatedBytes(lock)).isGreaterThanOrEqualTo(RegionLock.BYTES);
        assertThat(filesBeside("registry", "attached")).hasSize(3);
    }

    private static long allocatedBytes(Path file) throws IOException {
        Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
        return Long.parseLong(new String(stat.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                        .strip())
                * 512;
    }

    @Test
    void accessListIsSetAndReadAndCopied() {
        AccessList acl = AccessList.parse("u:1000:rw,g:50:r,u:7:r");
        Region region = regions.create("a", RegionOptions.of(1).withAcl(acl).withLock());
        assertThat(regions.acl(region)).isEqualTo(acl).hasToString("u:7:r,u:1000:rw,g:50:r");
        assertThat(regions.acl(regions.copy("a", "b"))).isEqualTo(acl);
        assertThat(regions.acl(regions.create("c", RegionOptions.of(1)))).isNull();
        for (String wrong : new String[] {"", "u:1:w", "x:1:r", "u::r", "u:1:r,", "u:99999999999:r", "u:1:r,u:1:rw"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> AccessList.parse(wrong));
        }
    }

    @Test
    void regionsDoNotOverlapAndFreedAddressesAreUsedAgain() {
        Region a = regions.create("a", RegionOptions.of(MIB).withRoom(3L << 30));
        Region b = regions.create("b", RegionOptions.of(MIB));
        Region c = regions.create("c", RegionOptions.of(MIB));
        assertThat(b.base()).isEqualTo(a.base() + (3L << 30));
        assertThat(c.base()).isEqualTo(b.base() + (1L << 30));
        regions.delete("b");
        assertThat(regions.create("d", RegionOptions.of(MIB).withRoom(2L << 30)).base())
                .isEqualTo(c.base() + (1L << 30));
        Region e = regions.create("e", RegionOptions.of(MIB));
        assertThat(e.base()).isEqualTo(b.base());
        assertThat(e.number()).isGreaterThan(c.number());
    }

    @Test
    void mappedRegionHoldsWhatIsWrittenWhileItExists() {
        regions.create("a", RegionOptions.of(MIB));
        try (MappedRegion mapped = regions.map("a", Access.WRITE)) {
            assertThat(mapped.address()).isEqualTo(mapped.region().base());
            assertThat(mapped.delta()).isZero();
            assertThat(MEMORY.getLong(mapped.address() + MIB - 8)).isZero();
            MEMORY.putLong(mapped.address() + MIB - 8, 42);
        }
        try (MappedRegion mapped = regions.map("a", Access.READ)) {
            assertThat(MEMORY.getLong(mapped.address() + MIB - 8)).isEqualTo(42);
        }
    }

    @Test
    void regionIsMappedOnceForAllOfTheProcessAndBecomesWritableInPlace() {
        Region region = regions.create("a", RegionOptions.of(MIB));
        try (MappedRegion reader = regions.map("a", Access.READ);
                Registry second = directory.open();
                MappedRegion writer = second.regions().map("a", Access.WRITE)) {
            assertThat(writer.address()).isEqualTo(reader.address());
            MEMORY.putLong(writer.address(), 7);
            assertThat(MEMORY.getLong(reader.address())).isEqualTo(7);
            assertThat(regions.attachedTo(region))
                    .hasSize(2)
                    .allMatch(p -> p.pid() == ProcessHandle.current().pid());
            reader.close();
            assertThat(regions.attachedTo(region))
                    .extracting(Participants.Participant::identity)
                    .containsExactly(second.participants().self());
            assertThat(MEMORY.getLong(writer.address())).isEqualTo(7);
        }
        assertThat(regions.attachedTo(region)).isEmpty();
    }

    @Test
    void takenBaseIsAnErrorOrADelta() {
        Region first = regions.create("first", RegionOptions.of(MIB));
        Region second = regions.create("second", RegionOptions.of(MIB).at(first.base()));
        try (MappedRegion one = regions.map("first", Access.WRITE)) {
            assertThatThrownBy(() -> regions.map("second", Access.WRITE))
                    .isInstanceOf(RegionException.class)
                    .hasMessageContaining("region second")
                    .hasMessageContaining("region first")
                    .hasMessageContaining(Long.toHexString(first.base()));
            refuses(RegionException.Reason.BASE_TAKEN, () -> regions.map("second", Access.WRITE));
            try (MappedRegion elsewhere = regions.map(second, Access.WRITE, true)) {
                assertThat(elsewhere.address()).isEqualTo(second.base() + elsewhere.delta());
                assertThat(elsewhere.delta()).isNotZero();
                MEMORY.putLong(elsewhere.address(), 5);
                assertThat(MEMORY.getLong(one.address())).isZero();
            }
        }
        try (MappedRegion atBase = regions.map("second", Access.READ)) {
            assertThat(MEMORY.getLong(atBase.address())).isEqualTo(5);
        }
    }

    @Test
    void impossibleBasesAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegionOptions.of(1).at(4096));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegionOptions.of(1).at(SharedRange.END));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegionOptions.of(1).at(-Region.GRANULE_BYTES));
        assertThatIllegalArgumentException().isThrownBy(() -> RegionOptions.of(0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegionOptions.of(1).withMode(01777));
        refuses(
                RegionException.Reason.NO_SPACE,
                () -> regions.create(
                        "a",
                        RegionOptions.of(1)
                                .at(SharedRange.BASES_END - Region.GRANULE_BYTES)
                                .withRoom(2L << 30)));
        assertThat(regions.names()).isEmpty();
    }

    @Test
    void grownRegionIsLongerForThoseWhoHaveItMapped() throws IOException {
        regions.create("a", RegionOptions.of(MIB));
        try (MappedRegion mapped = regions.map("a", Access.WRITE)) {
            MEMORY.putLong(mapped.address(), 3);
            Region grown = regions.resize("a", 4 * MIB);
            assertThat(grown.bytes()).isEqualTo(4 * MIB);
            assertThat(regions.get("a")).isEqualTo(grown);
            MEMORY.putLong(mapped.address() + 4 * MIB - 8, 9);
            assertThat(MEMORY.getLong(mapped.address())).isEqualTo(3);
            assertThat(allocatedBytes(grown.file())).isEqualTo(4 * MIB);
            assertThat(regions.resize("a", MIB)).isEqualTo(grown);
            refuses(RegionException.Reason.NO_SPACE, () -> regions.resize("a", 2L << 30));
        }
    }

    @Test
    void copyHasTheContentAndALifeOfItsOwn() {
        Region source =
                regions.create("a", RegionOptions.of(2 * MIB).withMode(0640).withLock());
        try (MappedRegion mapped = regions.map("a", Access.WRITE)) {
            for (long offset = 0; offset < 2 * MIB; offset += 8) {
                MEMORY.putLong(mapped.address() + offset, offset ^ 0x5555);
            }
            Region copy = regions.copy("a", "b");
            assertThat(copy.base()).isNotEqualTo(source.base());
            assertThat(copy.mode()).isEqualTo(0640);
            assertThat(copy.lockable()).isTrue();
            MEMORY.putLong(mapped.address(), -1);
            try (MappedRegion other = regions.map("b", Access.WRITE)) {
                for (long offset = 0; offset < 2 * MIB; offset += 8) {
                    assertThat(MEMORY.getLong(other.address() + offset)).isEqualTo(offset ^ 0x5555);
                }
                MEMORY.putLong(other.address() + 8, -2);
                assertThat(MEMORY.getLong(mapped.address() + 8)).isEqualTo(8 ^ 0x5555);
            }
        }
    }

    @Test
    void deletedRegionKeepsItsPagesUntilItIsUnmapped() throws IOException {
        Region region = regions.create("a", RegionOptions.of(MIB).withLock());
        try (MappedRegion mapped = regions.map("a", Access.WRITE)) {
            MEMORY.putLong(mapped.address(), 1);
            regions.delete("a");
            assertThat(regions.find("a")).isEmpty();
            assertThat(filesBeside("registry", "attached")).isEmpty();
            MEMORY.putLong(mapped.address() + 8, 2);
            assertThat(MEMORY.getLong(mapped.address())).isEqualTo(1);
            Region next = regions.create("a", RegionOptions.of(MIB));
            assertThat(next.uuid()).isNotEqualTo(region.uuid());
            refuses(RegionException.Reason.BASE_TAKEN, () -> regions.map("a", Access.READ));
        }
        try (MappedRegion mapped = regions.map("a", Access.READ)) {
            assertThat(MEMORY.getLong(mapped.address())).isZero();
        }
        refuses(RegionException.Reason.NOT_FOUND, () -> regions.delete("b"));
    }

    @Test
    void regionLiesInTheDirectoryThatWasAsked() throws IOException {
        Path elsewhere = Files.createDirectory(directory.path().resolveSibling("elsewhere"));
        Region region =
                regions.create("a", RegionOptions.of(MIB).inDirectory(elsewhere).withLock());
        assertThat(region.file().getParent()).isEqualTo(elsewhere);
        try (MappedRegion mapped = regions.map("a", Access.WRITE)) {
            MEMORY.putLong(mapped.address(), 1);
        }
        regions.delete("a");
        assertThat(elsewhere).isEmptyDirectory();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegionOptions.of(1).inDirectory(Path.of("relative")));
    }

    @Test
    void hugePagesAreUsedWhereTheKernelCanAndNeverMissed() {
        Region region = regions.create("a", RegionOptions.of(8 * MIB).withHugePages());
        assertThat(region.hugePages()).isTrue();
        try (MappedRegion mapped = regions.map("a", Access.WRITE)) {
            for (long offset = 0; offset < 8 * MIB; offset += 4096) {
                assertThat(MEMORY.getLong(mapped.address() + offset)).isZero();
                MEMORY.putLong(mapped.address() + offset, offset);
            }
            boolean huge = mapped.makeHuge();
            // a part may be huge where the kernel gave up half-way
            assertThat(mapped.hugePageBytes()).isBetween(huge ? 8 * MIB : 0, 8 * MIB);
            for (long offset = 0; offset < 8 * MIB; offset += 4096) {
                assertThat(MEMORY.getLong(mapped.address() + offset)).isEqualTo(offset);
            }
        }
    }

    @Test
    void moreThanTheMachineHasIsRefusedAndLeavesNothing() throws IOException {
        assertThatThrownBy(() -> regions.create("a", RegionOptions.of(1L << 44)))
                .isInstanceOf(RegionException.class)
                .hasMessageContaining("region a")
                .hasMessageContaining("available")
                .extracting(e -> ((RegionException) e).reason())
                .isEqualTo(RegionException.Reason.NO_SPACE);
        assertThat(filesBeside("registry", "attached")).isEmpty();
    }

    @Test
    void abusedNamesAreRefused() throws IOException {
        List<String> wrong = new ArrayList<>(List.of(
                "",
                ".",
                "..",
                "../a",
                "a/b",
                "/etc/passwd",
                "a\0b",
                ".a",
                "-a",
                "a b",
                "ä",
                "a\n",
                "a".repeat(300),
                "con:"));
        Random random = new Random(5);
        for (int i = 0; i < 500; i++) {
            StringBuilder name = new StringBuilder();
            for (int length = random.nextInt(20); length > 0; length--) {
                name.append((char) random.nextInt(0x180));
            }
            if (!name.toString().matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
                wrong.add(name.toString());
            }
        }
        for (String name : wrong) {
            assertThatIllegalArgumentException().isThrownBy(() -> regions.create(name, RegionOptions.of(1)));
            assertThatIllegalArgumentException().isThrownBy(() -> regions.find(name));
            assertThatIllegalArgumentException().isThrownBy(() -> regions.delete(name));
            assertThatIllegalArgumentException().isThrownBy(() -> regions.resize(name, 1));
        }
        assertThat(filesBeside("registry", "attached")).isEmpty();
        String longest = "a".repeat(100);
        assertThat(regions.create(longest, RegionOptions.of(1)).name()).isEqualTo(longest);
        assertThat(regions.create("A-1_b.c", RegionOptions.of(1)).name()).isEqualTo("A-1_b.c");
    }

    @Test
    void oneOfManyCreatorsWinsAndOneOfManyDeleters() throws Exception {
        int threads = 8;
        for (int round = 0; round < 30; round++) {
            String name = "contested" + round;
            AtomicInteger winners = new AtomicInteger();
            AtomicInteger losers = new AtomicInteger();
            race(threads, () -> {
                try {
                    regions.create(name, RegionOptions.of(1));
                    winners.incrementAndGet();
                } catch (RegionException e) {
                    assertThat(e.reason()).isEqualTo(RegionException.Reason.EXISTS);
                    losers.incrementAndGet();
                }
            });
            assertThat(winners).hasValue(1);
            assertThat(losers).hasValue(threads - 1);
            AtomicInteger deleters = new AtomicInteger();
            race(threads, () -> {
                try {
                    regions.delete(name);
                    deleters.incrementAndGet();
                } catch (RegionException e) {
                    assertThat(e.reason()).isEqualTo(RegionException.Reason.NOT_FOUND);
                }
            });
            assertThat(deleters).hasValue(1);
        }
        assertThat(filesBeside("registry", "attached")).isEmpty();
    }

    private static void race(int count, Runnable action) throws InterruptedException {
        CountDownLatch start = new CountDownLatch(1);
        List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    start.await();
                    action.run();
                } catch (Throwable t) {
                    failures.add(t);
                }
            }));
        }
        start.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
    }

    @Test
    void damagedDescriptorsAreNamedAndCanBeDeleted() throws IOException {
        Region region = regions.create("a", RegionOptions.of(1).withLock());
        Path descriptor = directory.path().resolve("regions/a");
        byte[] good = Files.readAllBytes(descriptor);
        for (int at : new int[] {0, 13, 20, 40, 90, 4095}) {
            byte[] bad = good.clone();
            bad[at] ^= 1;
            Files.write(descriptor, bad);
            assertThatThrownBy(() -> regions.get("a"))
                    .isInstanceOf(RegionException.class)
                    .hasMessageContaining(descriptor.toString())
                    .hasMessageContaining("damaged");
        }
        byte[] foreign = good.clone();
        foreign[8] = 2;
        Files.write(descriptor, foreign);
        refuses(RegionException.Reason.VERSION, () -> regions.get("a"));
        Files.write(descriptor, new byte[0]);
        refuses(RegionException.Reason.CORRUPT, () -> regions.get("a"));
        Files.write(descriptor, java.util.Arrays.copyOf(good, 100));
        refuses(RegionException.Reason.CORRUPT, () -> regions.map("a", Access.READ));
        assertThat(regions.list()).isEmpty();
        assertThat(regions.names()).containsExactly("a");
        assertThat(regions.cleanUp()).isEmpty();
        refuses(RegionException.Reason.EXISTS, () -> regions.create("a", RegionOptions.of(1)));
        regions.delete("a");
        assertThat(regions.names()).isEmpty();
        assertThat(region.file()).exists();
        assertThat(regions.cleanUp())
                .containsExactlyInAnyOrder(region.file(), region.file().resolveSibling(region.uuid() + ".lock"));
        assertThat(filesBeside("registry", "attached")).isEmpty();
    }

    @Test
    void whatADescriptorWithAGoodChecksumSaysIsStillLookedAt() throws IOException {
        Region good = regions.create("a", RegionOptions.of(MIB));
        Path victim = Files.createFile(directory.path().resolveSibling("victim"));
        List<Region> forged = new ArrayList<>();
        forged.add(forged(good, good.number(), good.base(), good.roomBytes(), victim));
        forged.add(forged(
                good,
                good.number(),
                good.base(),
                good.roomBytes(),
                Path.of(good.uuid().toString())));
        forged.add(forged(good, 0, good.base(), good.roomBytes(), good.file()));
        forged.add(forged(good, good.number(), good.base() + 4096, good.roomBytes(), good.file()));
        forged.add(forged(good, good.number(), SharedRange.BASES_END, good.roomBytes(), good.file()));
        forged.add(forged(good, good.number(), good.base(), Long.MIN_VALUE, good.file()));
        forged.add(forged(good, good.number(), good.base(), 0, good.file()));
        Path descriptor = directory.path().resolve("regions/a");
        for (Region region : forged) {
            Files.write(descriptor, RegionLayout.encode(region, good.file().resolveSibling("-")));
            refuses(RegionException.Reason.CORRUPT, () -> regions.get("a"));
        }
        Files.write(descriptor, RegionLayout.encode(good, good.file()));
        Path other = Files.copy(descriptor, directory.path().resolve("regions/b"));
        refuses(RegionException.Reason.CORRUPT, () -> regions.get("b"));
        // neither deleting nor cleaning up follows a path that no region has
        Files.write(other, RegionLayout.encode(forged.getFirst(), good.file()));
        regions.delete("b");
        Files.write(
                directory.path().resolve("temporary/" + UUID.randomUUID()),
                RegionLayout.encode(forged.getFirst(), good.file()));
        assertThat(regions.cleanUp()).hasSize(1);
        assertThat(victim).exists();
        assertThat(regions.get("a")).isEqualTo(good);
    }

    private static Region forged(Region region, long number, long base, long room, Path file) {
        return new Region(
                region.name(),
                region.uuid(),
                number,
                base,
                region.bytes(),
                room,
                region.mode(),
                false,
                false,
                file,
                region.createdMillis());
    }

    @Test
    void aMappedRegionOutlivesItsRegistry() {
        Registry other = directory.open();
        Region region = other.regions().create("a", RegionOptions.of(MIB));
        try (MappedRegion mapped = other.regions().map("a", Access.WRITE)) {
            other.close();
            assertThat(regions.attachedTo(region)).isEmpty();
            MEMORY.putLong(mapped.address(), 5);
            assertThat(MEMORY.getLong(mapped.address())).isEqualTo(5);
        }
    }

    @Test
    void memoryShorterThanItsDescriptorIsRefused() {
        Region region = regions.create("a", RegionOptions.of(MIB));
        try (SharedFile file = SharedFile.open(region.file(), true)) {
            file.truncate(MIB - 1);
        }
        assertThatThrownBy(() -> regions.map("a", Access.READ))
                .isInstanceOf(RegionException.class)
                .hasMessageContaining(region.file().toString())
                .hasMessageContaining("has only " + (MIB - 1) + " bytes");
        assertThat(regions.attachedTo(region)).isEmpty();
    }

    @Test
    void symbolicLinkInPlaceOfMemoryIsRefused() throws IOException {
        Region region = regions.create("a", RegionOptions.of(MIB));
        Files.delete(region.file());
        Files.createSymbolicLink(region.file(), Path.of("/etc/passwd"));
        refuses(RegionException.Reason.SYSTEM, () -> regions.map("a", Access.READ));
    }

    @Test
    void whatKilledCreatorsAndDeletersLeaveIsCleanedUp() throws IOException {
        Region whole = regions.create("whole", RegionOptions.of(1));
        Path temporary = directory.path().resolve("temporary");
        Path memory = directory.path().resolve("memory");
        // killed before it wrote anything
        Path empty = Files.createFile(temporary.resolve(UUID.randomUUID().toString()));
        // killed between link and unlink
        Path second = temporary.resolve(whole.uuid().toString());
        Files.createLink(second, directory.path().resolve("regions/whole"));
        // killed while deleting, or before the link
        Region gone = regions.create("gone", RegionOptions.of(1).withLock());
        Path doomed = temporary.resolve(UUID.randomUUID().toString());
        Files.move(directory.path().resolve("regions/gone"), doomed);
        // killed before it replaced a descriptor
        Path replacement = Files.createFile(directory.path().resolve("regions/.whole"));
        // alive
        Path busy = temporary.resolve(UUID.randomUUID().toString());
        try (SharedFile alive = SharedFile.create(busy, 0600)) {
            alive.lockByte(0, true);
            assertThat(regions.cleanUp())
                    .containsExactlyInAnyOrder(
                            empty, second, doomed, replacement, gone.file(), memory.resolve(gone.uuid() + ".lock"));
            assertThat(busy).exists();
        }
        assertThat(regions.cleanUp()).containsExactly(busy);
        assertThat(regions.get("whole")).isEqualTo(whole);
        try (MappedRegion mapped = regions.map("whole", Access.READ)) {
            assertThat(MEMORY.getLong(mapped.address())).isZero();
        }
    }

    @Test
    void anOpenerOfSomethingElseIsRefused() throws IOException {
        Path other = Files.createDirectory(directory.path().resolveSibling("other"));
        Files.createFile(other.resolve("file"));
        refuses(
                RegionException.Reason.CORRUPT,
                () -> Registry.open(other, Registry.PRIVATE).close());
        assertThat(other.resolve("regions")).doesNotExist();
        Path header = directory.path().resolve("registry");
        byte[] good = Files.readAllBytes(header);
        for (int at : new int[] {0, 12, 17}) {
            byte[] bad = good.clone();
            bad[at] ^= 4;
            Files.write(header, bad);
            refuses(RegionException.Reason.CORRUPT, () -> directory.open().close());
        }
        byte[] foreign = good.clone();
        foreign[8] = 9;
        Files.write(header, foreign);
        refuses(RegionException.Reason.VERSION, () -> directory.open().close());
        Files.write(header, good);
        directory.open().close();
    }

    @Test
    void closedRegistryLeavesRegionsForTheNextOne() {
        try (Registry first = directory.open()) {
            first.regions().create("a", RegionOptions.of(1));
        }
        try (Registry second = directory.open()) {
            assertThat(second.regions().names()).containsExactly("a");
            assertThat(second.participants().list()).hasSize(2);
        }
        assertThat(registry.participants().list()).hasSize(1);
    }
}
