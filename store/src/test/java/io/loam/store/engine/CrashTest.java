package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.Store;
import io.loam.store.StoreStats.Opening;
import io.loam.store.UpdatePolicy;
import io.loam.store.log.SegmentTable;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A process dies at each step of each protocol: nothing acknowledged is lost, nothing torn is returned, nobody waits for ever, and the store is sound. */
@Timeout(3000)
final class CrashTest {

    private static final int REPETITIONS = Integer.getInteger("loam.crash.repetitions", 1);
    /** At random; half of them for each way to overwrite. */
    private static final int KILLS = Integer.getInteger("loam.crash.kills", 4);

    private static final List<String> POINTS = List.of(
            "home-locked",
            "alternate-locked",
            "alternate-filled",
            "word-without-tag",
            "tag-removed",
            "removed",
            "moving-home",
            "key-moved",
            "home-moved",
            "linking",
            "upper-set",
            "half-linked",
            "linked",
            "publishing",
            "published",
            "block-taken",
            "block-linked",
            "head-moved",
            "filler-laid",
            "taken",
            "large-head-moved",
            "large-linked",
            "oversized-chained",
            "counting-dead",
            "counted-dead",
            "freeing-segment",
            "blocks-freed",
            "segment-retired",
            "block-chosen",
            "block-freed",
            "reserved",
            "entry-written",
            "publishing-entry",
            "entry-published",
            "overwriting",
            "overwritten",
            "committing",
            "survivor-reserved",
            "entry-moved");

    /** Steps of those who do not lead. */
    private static final Set<String> FOLLOWERS_POINTS = Set.of(
            "home-locked",
            "alternate-locked",
            "alternate-filled",
            "word-without-tag",
            "tag-removed",
            "removed",
            "block-taken",
            "block-linked",
            "head-moved",
            "filler-laid",
            "taken",
            "large-head-moved",
            "large-linked",
            "oversized-chained",
            "counting-dead",
            "counted-dead",
            "block-chosen",
            "reserved",
            "entry-written",
            "publishing-entry",
            "entry-published",
            "overwriting",
            "overwritten",
            "committing");

    @TempDir
    Path records;

    private final SharedDirectory directory = new SharedDirectory();

    @AfterEach
    void delete() {
        directory.close();
    }

    static Stream<String> points() {
        String only = System.getProperty("loam.crash.points", "");
        List<String> chosen = only.isEmpty() ? POINTS : List.of(only.split(","));
        return Stream.iterate(0, i -> i < REPETITIONS, i -> i + 1)
                .flatMap(i -> chosen.stream().map(point -> point + ":" + (1 + 2 * i)));
    }

    private void create(boolean inPlace) {
        Store.builder()
                .capacityBytes(16 << 20)
                .hugePages(false)
                .writeTimeoutMillis(30_000)
                .updatePolicy(inPlace ? UpdatePolicy.IN_PLACE : UpdatePolicy.APPEND)
                .create(directory.registry, "s")
                .close();
    }

    private Path record(int worker) {
        return records.resolve("record" + worker);
    }

    private ChildJvm child(List<String> options, int worker, long seed) {
        ChildJvm child = ChildJvm.start(
                options,
                CrashWork.class,
                directory.path().toString(),
                record(worker).toString(),
                Integer.toString(worker),
                Long.toString(seed));
        if (!options.toString().contains("repair")) {
            assertThat(child.line()).isEqualTo("attached");
        }
        return child;
    }

    private void assertRight(CrashWork... workers) {
        for (CrashWork worker : workers) {
            assertThat(worker.complaints()).isEmpty();
        }
    }

    /** The process that leads, and writes, dies; another one that writes goes on. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("points")
    void leaderDiesAt(String point) throws Exception {
        create(point.startsWith("overwrit"));
        long seed = point.hashCode();
        try (ChildJvm child = child(List.of("-Dloam.crash=" + point), 1, seed);
                Store store = Store.attach(directory.registry, "s")) {
            CrashWork own = new CrashWork(store, 2, record(2), seed + 1);
            while (child.process.isAlive()) {
                own.step();
            }
            assertThat(child.exit()).as("the point was reached").isEqualTo(137);
            for (int i = 0; i < 2_000; i++) {
                own.step();
            }
            awaitRepair(store);
            assertRight(own, new CrashWork(store, 1, record(1), seed));
            assertSound(store);
            assertThat(store.stats().participants()).hasSize(1);
        }
        try (Store store = Store.attach(directory.registry, "s")) {
            assertThat(store.stats().opening()).isEqualTo(Opening.CLEAN);
            assertRight(new CrashWork(store, 1, record(1), seed), new CrashWork(store, 2, record(2), seed));
        }
    }

    /** A process that does not lead dies; the leader goes on. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("followersPoints")
    void followerDiesAt(String point) throws Exception {
        create(point.startsWith("overwrit"));
        long seed = point.hashCode();
        try (Store store = Store.attach(directory.registry, "s");
                ChildJvm child = child(List.of("-Dloam.crash=" + point), 1, seed)) {
            CrashWork own = new CrashWork(store, 2, record(2), seed + 1);
            while (child.process.isAlive()) {
                own.step();
            }
            assertThat(child.exit()).as("the point was reached").isEqualTo(137);
            for (int i = 0; i < 500; i++) {
                own.step();
            }
            awaitRepair(store);
            assertRight(own, new CrashWork(store, 1, record(1), seed));
            assertSound(store);
        }
    }

    static Stream<String> followersPoints() {
        return points().filter(point -> FOLLOWERS_POINTS.contains(point.substring(0, point.indexOf(':'))));
    }

    /** Until then what a dead process had begun may still take effect: a transaction that it was about to publish. */
    private static void awaitRepair(Store store) {
        Sharing sharing = Objects.requireNonNull(((LogStore) store).engine.sharing);
        while (sharing.hasDead() || sharing.isPaused()) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** All invariants hold, and, when what was left in doubt has been cleaned, all counts are exact. */
    private static void assertSound(Store store) {
        assertThat(StoreChecker.check(store)).isEmpty();
        SegmentTable segments = ((LogStore) store).engine.segments;
        for (int tries = 0;
                tries < 100 && (tries == 0 || doubtful(segments).findAny().isPresent());
                tries++) {
            store.clean(); // it leaves out what somebody is pinned in, and one without a CPU is for long
        }
        assertThat(doubtful(segments)).isEmpty();
        assertThat(StoreChecker.check(store)).isEmpty();
    }

    private static IntStream doubtful(SegmentTable segments) {
        return IntStream.range(0, segments.slots())
                .filter(segment -> segments.state(segment) == SegmentTable.SEALED)
                .filter(segments::isDoubtful);
    }

    /** The only process dies while it resizes; who attaches next leads, and goes on with it while the subtable is resized no second time. */
    @RepeatedTest(4)
    void whoAttachesGoesOnWithWhatIsBeingResized() throws Exception {
        create(false);
        try (ChildJvm child = child(List.of("-Dloam.crash=key-moved:1"), 1, 5)) {
            assertThat(child.exit()).isEqualTo(137);
            try (Store store = Store.attach(directory.registry, "s")) {
                assertThat(StoreChecker.check(store)).isEmpty(); // at once: it is still being resized
                assertThat(store.stats().opening()).isEqualTo(Opening.REPAIRED);
                CrashWork own = new CrashWork(store, 2, record(2), 6);
                for (int i = 0; i < 2_000; i++) {
                    own.step();
                }
                assertRight(own, new CrashWork(store, 1, record(1), 7));
                assertSound(store);
            }
        }
    }

    /** Whoever repairs dies, too; the next one begins again. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("repairPoints")
    void repairerDiesAt(String point) throws Exception {
        create(false);
        try (ChildJvm leader = child(List.of("-Dloam.crash=key-moved:100"), 1, 5);
                ChildJvm follower = child(List.of("-Dloam.crash=" + point + ":1"), 2, 6)) {
            assertThat(leader.exit()).isEqualTo(137);
            assertThat(follower.exit()).isEqualTo(137);
            try (Store store = Store.attach(directory.registry, "s")) {
                assertThat(store.stats().opening()).isEqualTo(Opening.REPAIRED);
                assertRight(new CrashWork(store, 1, record(1), 7), new CrashWork(store, 2, record(2), 8));
                assertThat(StoreChecker.check(store)).isEmpty();
            }
        }
    }

    static Stream<String> repairPoints() {
        return Stream.of("repairing-indexes", "repairing-segments", "repaired");
    }

    /** Leaders and followers are killed at random while all write; some take a dead one's number. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void processesAreKilledAtRandom(boolean inPlace) throws Exception {
        long seed = Long.getLong("loam.crash.seed", 42);
        Random random = new Random(seed);
        create(inPlace);
        ChildJvm[] children = {child(List.of(), 1, seed), child(List.of(), 3, seed + 1)};
        try (Store store = Store.attach(directory.registry, "s")) {
            CrashWork own = new CrashWork(store, 2, record(2), seed + 2);
            for (int kill = 0; kill < KILLS / 2; kill++) {
                long end = System.nanoTime() + random.nextInt(500_000_000);
                while (System.nanoTime() < end) {
                    own.step();
                }
                int victim = random.nextInt(2);
                int worker = 1 + 2 * victim;
                children[victim].kill();
                for (int i = 0; i < 200; i++) {
                    own.step();
                }
                awaitRepair(store);
                assertRight(own, new CrashWork(store, worker, record(worker), 0));
                children[victim] = child(List.of(), worker, random.nextLong());
            }
            children[0].kill();
            children[1].kill();
            for (int i = 0; i < 200; i++) {
                own.step();
            }
            awaitRepair(store);
            assertRight(own, new CrashWork(store, 1, record(1), 0), new CrashWork(store, 3, record(3), 0));
            assertSound(store);
        } finally {
            children[0].close();
            children[1].close();
        }
    }
}
