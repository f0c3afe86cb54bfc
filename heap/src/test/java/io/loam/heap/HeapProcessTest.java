package io.loam.heap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.loam.memory.persistence.Durability;
import java.io.IOException;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What needs another process: one that is killed, that has the heap already, whose file system is full, or that stores where it may not. */
class HeapProcessTest {

    private static final StructLayout NODE =
            MemoryLayout.structLayout(ValueLayout.JAVA_LONG.withName("next"), ValueLayout.JAVA_LONG.withName("value"));
    private static final ObjectLayout NODE_LAYOUT = ObjectLayout.of("node", NODE, "next");

    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("test.heap");
    }

    private static HeapOptions options() {
        return HeapOptions.defaults().withDurability(Durability.NONE).withSize(1 << 20, 64 << 20);
    }

    private Process start(List<String> before, String what, Path file) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + directory.resolve("hs_err.log"),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                HeapProcessTest.class.getName(),
                what,
                file.toString()));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private String outputOf(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        return output;
    }

    /** What the children do. */
    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[1]);
        switch (arguments[0]) {
            case "push" -> push(file);
            case "open" -> open(file);
            case "fill" -> fill(file);
            case "stray" -> stray(file);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void push(Path file) {
        try (PersistentHeap heap = PersistentHeap.create(file, options())) {
            HeapType node = heap.type(NODE_LAYOUT);
            Root list = heap.root("list", node);
            for (long value = 1; ; value++) {
                long pushed = value;
                list.set(heap.allocate(node, memory -> {
                    memory.set(ValueLayout.JAVA_LONG, 0, list.get());
                    memory.set(ValueLayout.JAVA_LONG, 8, pushed);
                }));
                heap.allocate(100);
                System.out.println(value);
            }
        }
    }

    @Test
    void whatAKilledProcessHasLinkedIsThere() throws Exception {
        Process child = start(List.of(), "push", file());
        long acknowledged = 0;
        try (var reader = child.inputReader()) {
            while (acknowledged < 20_000) {
                acknowledged = Long.parseLong(reader.readLine());
            }
            child.destroyForcibly().waitFor();
        }
        try (PersistentHeap heap = PersistentHeap.open(file(), options())) {
            assertThat(heap.recovery().wasDirty()).isTrue();
            long expected = -1;
            Root list = heap.findRoot("list");
            assertThat(list).isNotNull();
            for (long at = list.get(); at != 0; at = heap.getReference(at)) {
                long value = heap.getLong(at + 8);
                if (expected == -1) {
                    assertThat(value).isGreaterThanOrEqualTo(acknowledged);
                } else {
                    assertThat(value).isEqualTo(expected);
                }
                expected = value - 1;
            }
            assertThat(expected).isZero();
            assertThat(heap.check().problems()).isEmpty();
            assertThat(heap.check().garbage()).isZero();
        }
    }

    private static void open(Path file) {
        try (PersistentHeap heap = PersistentHeap.open(file, options())) {
            System.out.println("opened " + heap.name());
        } catch (RuntimeException e) {
            System.out.println(e.getMessage());
        }
    }

    @Test
    void aSecondProcessIsRefused() throws Exception {
        try (PersistentHeap heap = PersistentHeap.create(file(), options())) {
            assertThat(outputOf(start(List.of(), "open", file())))
                    .contains(heap.name())
                    .contains("is in use")
                    .contains("close it there first");
        }
        assertThat(outputOf(start(List.of(), "open", file()))).contains("opened");
    }

    private static void fill(Path file) {
        try (PersistentHeap heap = PersistentHeap.create(file, options())) {
            HeapType tables = heap.type(ObjectLayout.references("table"));
            Root root = heap.root("table", tables);
            root.set(heap.allocate(tables, 8000));
            int count = 0;
            String refusal = null;
            while (refusal == null) {
                try {
                    heap.setReference(root.get() + count * 8L, heap.allocate(heap.bytes(), 100_000, memory -> {}));
                    count++;
                } catch (HeapFullException e) {
                    refusal = e.getMessage();
                }
            }
            System.out.println(refusal);
            // it stays usable
            long last = root.get() + (count - 1) * 8L;
            heap.free(heap.getReference(last));
            heap.setReference(last, heap.allocate(heap.bytes(), 100_000, memory -> memory.fill((byte) 1)));
            System.out.println(heap.check().isSound() ? "sound" : heap.check().problems());
        }
        try (PersistentHeap heap = PersistentHeap.open(file, options())) {
            System.out.println(heap.recovery().wasDirty() ? "dirty" : "clean");
        }
    }

    @Test
    void aFullFileSystemIsAnErrorAndTheHeapStaysUsable() throws Exception {
        Process probe = new ProcessBuilder("unshare", "-rm", "true").start();
        assumeThat(probe.waitFor()).as("a namespace for mounting").isZero();
        Path mount = Files.createDirectory(directory.resolve("mount"));
        List<String> mounted = List.of(
                "unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=8m tmpfs " + mount + " && exec \"$0\" \"$@\"");
        assertThat(outputOf(start(mounted, "fill", mount.resolve("full.heap"))))
                .contains("can't grow")
                .contains("ENOSPC")
                .contains("sound")
                .contains("clean");
    }

    private static boolean isProtected(Path file) throws IOException {
        String name = file.toRealPath().toString();
        return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(line -> line.endsWith(name))
                .noneMatch(line -> line.contains(" rw"));
    }

    private static void awaitProtection(Path file) throws Exception {
        while (!isProtected(file)) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    private static void stray(Path file) throws Exception {
        PersistentHeap heap = PersistentHeap.create(file, options().withProtection(1));
        Root root = heap.root("bytes", heap.bytes());
        root.set(heap.allocate(heap.bytes(), 64, memory -> memory.fill((byte) 7)));
        MemorySegment stale = heap.operate(() -> heap.view(root.get()));
        awaitProtection(file);
        System.out.println("protected");
        System.out.flush();
        stale.set(ValueLayout.JAVA_BYTE, 0, (byte) 9);
        System.out.println("stored");
    }

    @Test
    void aStrayStoreToAProtectedHeapEndsTheJvmAndLeavesTheHeapAsItWas() throws Exception {
        Process child = start(List.of(), "stray", file());
        assertThat(outputOf(child)).contains("protected").contains("SIGSEGV").doesNotContain("stored");
        assertThat(child.exitValue()).isNotZero();
        try (PersistentHeap heap = PersistentHeap.open(file(), options())) {
            Root root = heap.findRoot("bytes");
            assertThat(root).isNotNull();
            assertThat(heap.getByte(root.get())).isEqualTo((byte) 7);
        }
    }

    @Test
    void aProtectedHeapServesSeveralThreads() throws Exception {
        try (PersistentHeap heap = PersistentHeap.create(file(), options().withProtection(1))) {
            HeapType node = heap.type(NODE_LAYOUT);
            List<Thread> team = new ArrayList<>();
            List<Throwable> failures = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                Root list = heap.root("list" + t, node);
                Thread thread = Thread.ofPlatform().unstarted(() -> {
                    for (long i = 0; i < 3000; i++) {
                        long value = i;
                        list.set(heap.allocate(node, memory -> {
                            memory.set(ValueLayout.JAVA_LONG, 0, list.get());
                            memory.set(ValueLayout.JAVA_LONG, 8, value);
                        }));
                        heap.atomic(() -> heap.putLong(list.get() + 8, value + 1));
                        heap.putLong(list.get() + 8, value);
                        heap.free(heap.allocate(70_000));
                    }
                });
                thread.setUncaughtExceptionHandler((ignored, e) -> {
                    synchronized (failures) {
                        failures.add(e);
                    }
                });
                team.add(thread);
                thread.start();
            }
            for (Thread thread : team) {
                thread.join();
            }
            assertThat(failures).isEmpty();
            awaitProtection(file());
            for (Root list : heap.allRoots()) {
                long expected = 2999;
                for (long at = list.get(); at != 0; at = heap.getReference(at)) {
                    assertThat(heap.getLong(at + 8)).isEqualTo(expected--);
                }
                assertThat(expected).isEqualTo(-1);
            }
            assertThat(heap.check().problems()).isEmpty();
        }
    }

    @Test
    void trimmedSuperblocksGiveTheirSpaceBackAndAreUsedAgain() throws Exception {
        try (PersistentHeap heap = PersistentHeap.create(file(), options())) {
            long object = heap.allocate(heap.bytes(), 8 << 20, memory -> memory.fill((byte) 1));
            heap.free(object);
            long before = blocksOf(file());
            assertThat(heap.trim()).isGreaterThanOrEqualTo(8 << 20);
            assumeThat(blocksOf(file()))
                    .as("a file system that can punch holes")
                    .isNotEqualTo(before);
            assertThat(blocksOf(file())).isLessThan(before - (7 << 11));
            long again = heap.allocate(heap.bytes(), 8 << 20);
            assertThat(blocksOf(file())).isGreaterThan(before - (1 << 11));
            assertThat(heap.getByte(again)).isZero();
            assertThat(heap.check().problems()).isEmpty();
        }
    }

    /** Units of 512 bytes. */
    private static long blocksOf(Path file) throws Exception {
        Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
        return Long.parseLong(new String(stat.getInputStream().readAllBytes()).trim());
    }
}
