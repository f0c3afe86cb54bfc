package io.loam.cli.heap;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.heap.HeapOptions;
import io.loam.heap.PersistentHeap;
import io.loam.heap.structure.HeapCodec;
import io.loam.heap.structure.PersistentMap;
import io.loam.memory.persistence.Durability;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class HeapCommandTest {

    @TempDir
    Path directory;

    private StringWriter out = new StringWriter();

    private int run(String... arguments) {
        out = new StringWriter();
        return new CommandLine(new HeapCommand())
                .registerConverter(io.loam.cli.ByteSize.class, io.loam.cli.ByteSize::parse)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(out))
                .setExecutionExceptionHandler((failure, command, ignored) -> {
                    command.getErr().println(failure.getMessage());
                    return 1;
                })
                .execute(arguments);
    }

    private String file() {
        return directory.resolve("a.heap").toString();
    }

    private void fill() {
        HeapOptions options = HeapOptions.defaults().withDurability(Durability.NONE);
        try (PersistentHeap heap = PersistentHeap.open(Path.of(file()), options)) {
            var map = PersistentMap.open(heap, "people", HeapCodec.strings(), HeapCodec.strings());
            for (int i = 0; i < 1000; i++) {
                map.put("name" + i, "value" + i);
            }
            heap.allocate(heap.bytes(), 3_000_000);
        }
    }

    @Test
    void makesShowsListsChecksAndCollects() {
        assertThat(run("create", file(), "--size", "4m", "--maximum", "1g")).isZero();
        assertThat(out.toString()).contains("made");
        fill();
        assertThat(run("stat", file())).isZero();
        assertThat(out.toString()).contains("loam.map.node", "in use", "a cell:");
        assertThat(run("roots", file())).isZero();
        assertThat(out.toString()).contains("people", "loam.map", "1 roots");
        assertThat(run("check", file())).isZero();
        assertThat(out.toString()).contains("sound", "1 can not");
        assertThat(run("dump", file(), "--root", "people", "--limit", "3")).isZero();
        assertThat(out.toString()).contains("loam.map.buckets", "→ 0x", "and there are more");
        assertThat(run("collect", file(), "--compact")).isZero();
        assertThat(out.toString()).contains("collected: 1 objects freed", "compacted:");
        assertThat(run("check", file())).isZero();
        assertThat(out.toString()).contains(" 0 can not");
    }

    @Test
    void aHeapMayBeInARegion() {
        Path registry = directory.resolve("registry");
        String[] where = {"--region", "--directory", registry.toString()};
        assertThat(run("create", "stock", where[0], where[1], where[2])).isEqualTo(1);
        assertThat(out.toString()).contains("no registry").contains("loam space create");
        try (Registry made = Registry.open(registry, Registry.PRIVATE)) {
            made.regions().create("stock", RegionOptions.of(8 << 20).withRoom(1 << 30));
        }
        assertThat(run("create", "stock", where[0], where[1], where[2])).isZero();
        assertThat(out.toString()).contains("made region stock");
        assertThat(run("create", "stock", where[0], where[1], where[2])).isEqualTo(1);
        assertThat(out.toString()).contains("region stock holds something");
        assertThat(run("stat", "stock", where[0], where[1], where[2])).isZero();
        assertThat(out.toString()).contains("may grow to 1.0 G");
        assertThat(run("collect", "stock", where[0], where[1], where[2], "--recover"))
                .isZero();
        assertThat(out.toString()).contains("recovered: 0 objects");
        assertThat(run("check", "stock", where[0], where[1], where[2])).isZero();
        assertThat(out.toString()).contains("sound");
        assertThat(run("roots", "absent", where[0], where[1], where[2])).isEqualTo(1);
        assertThat(out.toString()).contains("no region absent");
    }

    @Test
    void badInputIsSaid() throws Exception {
        assertThat(run("create", file(), "--superblock", "5k")).isEqualTo(2);
        assertThat(out.toString()).contains("superblockBytes 5120");
        assertThat(run("stat", file())).isEqualTo(1);
        assertThat(out.toString()).contains("no such file");
        Files.write(Path.of(file()), new byte[5000]);
        assertThat(run("check", file())).isEqualTo(1);
        assertThat(out.toString()).contains("no heap");
        Files.delete(Path.of(file()));
        run("create", file(), "--size", "1m", "--maximum", "1g");
        assertThat(run("create", file())).isEqualTo(1);
        assertThat(out.toString()).contains("exists");
        assertThat(run("dump", file(), "--root", "nobody")).isEqualTo(2);
        assertThat(out.toString()).contains("no root 'nobody'");
        assertThat(run()).isEqualTo(2);
    }
}
