package io.loam.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.region.ChildJvm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file that is shortened under a mapping: every accessor throws, in interpreted and in compiled code, and the JVM lives on. */
final class ShrunkFileTest {

    private static final long BYTES = 1 << 20;
    private static final int WARM_UP = 30_000;
    private static final boolean INTERPRETS_ONLY =
            System.getProperty("java.vm.info", "").contains("interpreted");
    private static final RawMemory MEMORY = RawMemory.ofProcess();

    @ParameterizedTest
    @ValueSource(strings = {"-XX:+TieredCompilation", "-XX:TieredStopAtLevel=1", "-Xint", "-XX:UseAVX=0"})
    void everyAccessorThrowsAndTheJvmLivesOn(String option) throws IOException {
        Path directory = Files.createTempDirectory(Path.of("/dev/shm"), "loam-test-");
        Path path = directory.resolve("file");
        List<String> accessors = List.copyOf(accessors(0).keySet());
        List<String> wrong = new ArrayList<>();
        int next = 0;
        while (next < accessors.size()) {
            // a child that has crashed is followed by one that goes on behind what it did
            try (ChildJvm child = ChildJvm.start(
                    List.of("-XX:+IgnoreUnrecognizedVMOptions", option),
                    ShrunkFileTest.class,
                    path.toString(),
                    "" + next)) {
                boolean alive = true;
                while (alive && next < accessors.size()) {
                    String accessor = accessors.get(next++);
                    for (String mode : List.of("interpreted", "compiled")) {
                        String line = alive ? child.line() : "";
                        if (alive && !line.equals(accessor + " " + mode + " java.lang.InternalError")) {
                            wrong.add(accessor + " " + mode + ": " + line);
                            alive = line.startsWith(accessor);
                        }
                    }
                }
            } finally {
                Files.deleteIfExists(path);
            }
        }
        Files.delete(directory);
        assertThat(wrong).isEmpty();
    }

    /** The child: shortens the file before each access, and makes it whole again. */
    public static void main(String[] arguments) {
        Path path = Path.of(arguments[0]);
        try (SharedFile file = SharedFile.create(path, 0600);
                SharedMapping mapping = mapped(file)) {
            List<String> names = List.copyOf(accessors(0).keySet());
            Map<String, LongConsumer> accessors = accessors(mapping.address());
            names.subList(Integer.parseInt(arguments[1]), names.size()).forEach(name -> {
                LongConsumer accessor = accessors.get(name);
                System.out.println(name + " interpreted " + outcome(file, accessor));
                for (int i = 0; i < (INTERPRETS_ONLY ? 0 : WARM_UP); i++) {
                    accessor.accept(i);
                }
                System.out.println(name + " compiled " + outcome(file, accessor));
            });
        }
    }

    private static SharedMapping mapped(SharedFile file) {
        file.allocate(BYTES);
        return file.map(SharedRange.BASES_END, BYTES, true);
    }

    private static String outcome(SharedFile file, LongConsumer accessor) {
        file.truncate(0);
        try {
            for (int i = 0; i < 1000; i++) {
                accessor.accept(i);
            }
            return "nothing";
        } catch (Throwable t) {
            return t.getClass().getName();
        } finally {
            file.allocate(BYTES);
        }
    }

    private static Map<String, LongConsumer> accessors(long address) {
        byte[] small = new byte[7];
        byte[] bytes = new byte[100];
        byte[] large = new byte[5000];
        long other = address + BYTES / 2;
        MemorySegment heap = MemorySegment.ofArray(new byte[5000]);
        MemorySegment outside = Arena.global().allocate(5000);
        Map<String, LongConsumer> accessors = new LinkedHashMap<>();
        accessors.put("getByte", i -> use(MEMORY.getByte(address + i)));
        accessors.put("putByte", i -> MEMORY.putByte(address + i, (byte) i));
        accessors.put("getByteOpaque", i -> use(MEMORY.getByteOpaque(address + i)));
        accessors.put("putByteOpaque", i -> MEMORY.putByteOpaque(address + i, (byte) i));
        accessors.put("getInt", i -> use(MEMORY.getInt(address + i)));
        accessors.put("putInt", i -> MEMORY.putInt(address + i, (int) i));
        accessors.put("getIntAcquire", i -> use(MEMORY.getIntAcquire(address + 4 * i)));
        accessors.put("putIntRelease", i -> MEMORY.putIntRelease(address + 4 * i, (int) i));
        accessors.put("getLong", i -> use(MEMORY.getLong(address + i)));
        accessors.put("putLong", i -> MEMORY.putLong(address + i, i));
        accessors.put("getLongOpaque", i -> use(MEMORY.getLongOpaque(address + 8 * i)));
        accessors.put("putLongOpaque", i -> MEMORY.putLongOpaque(address + 8 * i, i));
        accessors.put("getLongAcquire", i -> use(MEMORY.getLongAcquire(address + 8 * i)));
        accessors.put("putLongRelease", i -> MEMORY.putLongRelease(address + 8 * i, i));
        accessors.put("getLongVolatile", i -> use(MEMORY.getLongVolatile(address + 8 * i)));
        accessors.put("putLongVolatile", i -> MEMORY.putLongVolatile(address + 8 * i, i));
        accessors.put("compareAndSetLong", i -> use(MEMORY.compareAndSetLong(address + 8 * i, 0, 1) ? 1 : 0));
        accessors.put("getAndAddLong", i -> use(MEMORY.getAndAddLong(address + 8 * i, 1)));
        accessors.put("copyOut of 7", i -> MEMORY.copyOut(address, small, 0, small.length));
        accessors.put("copyOut of 100", i -> MEMORY.copyOut(address, bytes, 0, bytes.length));
        accessors.put("copyOut of 90 into the middle", i -> MEMORY.copyOut(address, bytes, 5, 90));
        accessors.put("copyOut of 5000", i -> MEMORY.copyOut(address, large, 0, large.length));
        accessors.put("copyIn of 7", i -> MEMORY.copyIn(small, 0, address, small.length));
        accessors.put("copyIn of 100", i -> MEMORY.copyIn(bytes, 0, address, bytes.length));
        accessors.put("copyIn of 90 from the middle", i -> MEMORY.copyIn(bytes, 5, address, 90));
        accessors.put("copyIn of 5000", i -> MEMORY.copyIn(large, 0, address, large.length));
        accessors.put("copyOut to a heap segment", i -> MEMORY.copyOut(address, heap, 0, 5000));
        accessors.put("copyOut to a native segment", i -> MEMORY.copyOut(address, outside, 0, 100));
        accessors.put("copyIn from a heap segment", i -> MEMORY.copyIn(heap, 0, address, 5000));
        accessors.put("copyIn from a native segment", i -> MEMORY.copyIn(outside, 0, address, 100));
        accessors.put("copy of 100", i -> MEMORY.copy(address, other, 100));
        accessors.put("copy of 100 from outside", i -> MEMORY.copy(outside.address(), other, 100));
        accessors.put("copy of 100 to outside", i -> MEMORY.copy(address, outside.address(), 100));
        accessors.put("copy of 5000", i -> MEMORY.copy(address, other, 5000));
        accessors.put("fill of 7", i -> MEMORY.fill(address, 7, (byte) 1));
        accessors.put("fill of 5000", i -> MEMORY.fill(address, 5000, (byte) 1));
        accessors.put("matches 8 bytes", i -> use(MEMORY.matches(address, bytes, 0, 8) ? 1 : 0));
        accessors.put("matches bytes", i -> use(MEMORY.matches(address, bytes, 0, 100) ? 1 : 0));
        accessors.put("matches memory", i -> use(MEMORY.matches(address, other, 5000) ? 1 : 0));
        accessors.put("matches memory outside", i -> use(MEMORY.matches(outside.address(), address, 5000) ? 1 : 0));
        return accessors;
    }

    private static volatile long used;

    private static void use(long value) {
        used = value;
    }
}
