package io.loam.heap;

import io.loam.memory.persistence.CrashImage;
import io.loam.memory.persistence.SimulatedMemory;
import io.loam.memory.persistence.SimulatedMemory.Finding;
import io.loam.memory.persistence.SimulatedMemory.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs a scenario and loses the power at each fence: tries images of each such moment, and looks at what is found. First the scenario is run undisturbed, to know the state after each step.
 *
 * <p>Of an image is asked: its state is that before or after the step under way; the heap is sound; used = reachable; recovered once more it is the same; a crash inside of its
 * recovery, recovered, gives the same; and it can be used, closed and opened.
 */
final class CrashTester {

    private final CrashScenario scenario;
    private final long seed;
    private final int steps;
    private final int imagesPerFence;
    private final @Nullable Step leftOut;
    private final List<Object> states = new ArrayList<>();
    private final TreeSet<Step> seen = new TreeSet<>();
    private final List<Finding> findings = new ArrayList<>();
    private int current;
    private long images;
    /** What a crash in the thread that makes groups durable has shown. */
    private volatile @Nullable Violation elsewhere;

    /** An oracle does not hold. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        Violation(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    CrashTester(CrashScenario scenario, long seed, int steps, int imagesPerFence, @Nullable Step leftOut) {
        this.scenario = scenario;
        this.seed = seed;
        this.steps = steps;
        this.imagesPerFence = imagesPerFence;
        this.leftOut = leftOut;
    }

    long images() {
        return images;
    }

    TreeSet<Step> stepsSeen() {
        return seen;
    }

    List<Finding> findings() {
        return findings;
    }

    /** @throws Violation if an oracle does not hold for an image */
    void run() {
        rehearse();
        perform();
    }

    private void rehearse() {
        var memory = new SimulatedMemory(0, scenario.options().maximumBytes());
        PersistentHeap heap = PersistentHeap.create(memory, scenario.options());
        scenario.prepare(heap);
        states.add(scenario.state(heap));
        for (int i = 0; i < steps; i++) {
            heap = step(heap, memory, i);
            states.add(scenario.state(heap));
        }
        heap.close();
    }

    private PersistentHeap step(PersistentHeap heap, SimulatedMemory memory, int i) {
        return scenario.step(
                heap,
                new SplittableRandom(seed * 1_000_003 + i),
                () -> PersistentHeap.open(memory, scenario.options()));
    }

    private SimulatedMemory watched(SimulatedMemory memory) {
        if (leftOut != null) {
            memory.leaveOut(leftOut);
        }
        return memory;
    }

    private void perform() {
        var memory = watched(new SimulatedMemory(0, scenario.options().maximumBytes()));
        if (leftOut == null) {
            memory.recordSteps();
            memory.lint();
        }
        memory.beforeFence(fence -> crash(memory, fence, this::verifyNew));
        PersistentHeap heap = PersistentHeap.create(memory, scenario.options());
        memory.beforeFence(null);
        scenario.prepare(heap);
        memory.beforeFence(fence -> crash(memory, fence, this::verify));
        for (current = 0; current < steps; current++) {
            heap = step(heap, memory, current);
        }
        heap.close();
        // after the last fence: what was acknowledged must be there whatever else survives
        crash(memory, memory.fences(), this::verify);
        if (elsewhere instanceof Violation violation) {
            throw violation;
        }
        memory.beforeFence(null);
        seen.addAll(memory.steps());
        findings.addAll(memory.findings());
    }

    private interface Verification {
        void of(CrashImage image, SplittableRandom random);
    }

    private void crash(SimulatedMemory memory, int fence, Verification verification) {
        var random = new SplittableRandom(seed * 31 + fence);
        for (CrashImage image : memory.crashes(random, imagesPerFence)) {
            images++;
            try {
                verification.of(image, random);
            } catch (RuntimeException | AssertionError e) {
                var violation = new Violation(
                        scenario.name() + ", seed " + seed + ", step " + current + ", fence " + fence + ", image '"
                                + image.choice() + "': " + e,
                        e);
                elsewhere = violation;
                throw violation;
            }
        }
    }

    /** A heap that is being made is none, or whole and empty. */
    private void verifyNew(CrashImage image, SplittableRandom random) {
        PersistentHeap heap;
        try {
            heap = PersistentHeap.open(watched(new SimulatedMemory(image)), scenario.options());
        } catch (HeapException e) {
            require(e.getMessage().contains("no heap"), "a heap half made: " + e.getMessage());
            return;
        }
        require(heap.allRoots().isEmpty(), "a new heap has roots");
        sound(heap);
        heap.close();
    }

    private void verify(CrashImage image, SplittableRandom random) {
        verify(image, random, 0);
    }

    private void verify(CrashImage image, SplittableRandom random, int depth) {
        var memory = watched(new SimulatedMemory(image));
        List<CrashImage> within = new ArrayList<>();
        if (depth < 2 && random.nextInt(4) == 0) {
            memory.beforeFence(fence -> {
                if (within.size() < 24) {
                    within.addAll(memory.crashes(random, depth == 0 ? 8 : 2));
                }
            });
        }
        if (leftOut == null && depth == 0) {
            memory.recordSteps();
        }
        PersistentHeap heap = PersistentHeap.open(memory, scenario.options());
        memory.beforeFence(null);
        seen.addAll(memory.steps());
        Object state = scenario.state(heap);
        Object before = states.get(Math.min(current, steps));
        Object after = states.get(Math.min(current + 1, steps));
        require(
                state.equals(before) || state.equals(after),
                "found " + state + "; allowed: " + before + " or " + after);
        sound(heap);
        for (CrashImage inner : within) {
            images++;
            verify(inner, random, depth + 1);
        }
        if (random.nextInt(4) == 0) {
            closeAtOnce(image, state);
        }
        if (random.nextInt(4) == 0) {
            PersistentHeap again =
                    PersistentHeap.open(watched(new SimulatedMemory(memory.processEnded())), scenario.options());
            require(
                    scenario.state(again).equals(state),
                    "recovered twice: " + scenario.state(again) + ", once: " + state);
            sound(again);
            use(heap, memory, state);
        }
    }

    /** Recovered, closed without any use, and opened: the same. */
    private void closeAtOnce(CrashImage image, Object state) {
        var memory = watched(new SimulatedMemory(image));
        PersistentHeap.open(memory, scenario.options()).close();
        PersistentHeap again = PersistentHeap.open(memory, scenario.options());
        require(!again.recovery().wasDirty(), "closed, and not clean");
        require(
                scenario.state(again).equals(state),
                "closed at once and opened: " + scenario.state(again) + ", before: " + state);
        sound(again);
    }

    private void sound(PersistentHeap heap) {
        CheckReport report = heap.check();
        require(report.isSound(), report.problems().toString());
        require(
                report.garbage() == 0 || !heap.recovery().wasDirty(),
                report.garbage() + " objects are in use and not reachable");
        require(heap.recovery().dangling() == 0, "dangling references");
        HeapStats stats = heap.stats();
        require(
                stats.tableBytes() + stats.freeBytes() + stats.runBytes() <= stats.fileBytes(),
                "more than the file's bytes are in use");
        require(!heap.recovery().wasDirty() || stats.liveObjects() == report.reachable(), "used and reachable differ");
    }

    /** The recovered heap must serve, and keep its content meanwhile. */
    private void use(PersistentHeap heap, SimulatedMemory memory, Object state) {
        for (int i = 0; i < 5; i++) {
            long offset = heap.allocate(heap.bytes(), 100 + 900 * i);
            heap.view(offset).fill((byte) -1);
        }
        require(scenario.state(heap).equals(state), "new objects overwrite old ones");
        heap.close();
        PersistentHeap again = PersistentHeap.open(memory, scenario.options());
        require(!again.recovery().wasDirty(), "closed, and not clean");
        require(
                scenario.state(again).equals(state),
                "closed and opened: " + scenario.state(again) + ", before: " + state);
        require(again.check().isSound(), again.check().problems().toString());
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    /** Runs scenarios with one seed after the other until so many images were tried. */
    static long run(List<CrashScenario> scenarios, long firstSeed, int steps, int imagesPerFence, long images) {
        var tried = new AtomicLong();
        var next = new AtomicLong(firstSeed);
        IntStream.range(0, Runtime.getRuntime().availableProcessors())
                .parallel()
                .forEach(worker -> {
                    while (tried.get() < images) {
                        long seed = next.getAndIncrement();
                        for (CrashScenario scenario : scenarios) {
                            var tester = new CrashTester(scenario, seed, steps, imagesPerFence, null);
                            tester.run();
                            tried.addAndGet(tester.images());
                        }
                    }
                });
        return tried.get();
    }

    /** Whether a missing flush or fence is noticed within so many seeds. */
    static boolean notices(CrashScenario scenario, Step step, int seeds, int steps, int imagesPerFence) {
        for (long seed = 1; seed <= seeds; seed++) {
            try {
                new CrashTester(scenario, seed, steps, imagesPerFence, Objects.requireNonNull(step)).run();
            } catch (AssertionError | RuntimeException e) {
                return true;
            }
        }
        return false;
    }
}
