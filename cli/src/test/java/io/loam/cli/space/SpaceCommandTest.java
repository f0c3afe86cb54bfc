package io.loam.cli.space;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.region.Access;
import io.loam.memory.region.MappedLock;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.RegionLock;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.store.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class SpaceCommandTest {

    @TempDir
    private Path parent;

    private String output = "";

    private Path directory() {
        return parent.resolve("registry");
    }

    private int run(String... arguments) {
        StringWriter out = new StringWriter();
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--directory", directory().toString()));
        int code = new CommandLine(new SpaceCommand())
                .registerConverter(io.loam.cli.ByteSize.class, io.loam.cli.ByteSize::parse)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(out))
                .setExecutionExceptionHandler((failure, command, ignored) -> {
                    command.getErr().println(failure.getMessage());
                    return 1;
                })
                .execute(all.toArray(String[]::new));
        output = out.toString();
        return code;
    }

    @Test
    void regionsAndSpacesAreCreatedShownCopiedAndDeleted() {
        assertThat(run("create", "orders", "--size", "1m", "--mode", "640", "--lockable", "--acl", "u:7:r"))
                .as("%s", output)
                .isZero();
        assertThat(output).contains("region orders", "rw r-", "u:7:r", "lockable", "1.0 MiB of 1.0 GiB", "nobody");
        assertThat(run("create", "stock", "--size", "2m", "--room", "3g", "--base", "0x210000000000"))
                .isZero();
        assertThat(output).contains("0x210000000000");
        assertThat(run("create", "shop", "--with", "orders:rw,stock")).isZero();
        assertThat(output).contains("address space shop", "2 regions", "orders", "stock", "rw, lockable");
        assertThat(run("stat", "shop")).isZero();
        assertThat(output.indexOf("orders")).isLessThan(output.indexOf("stock"));
        assertThat(run("stat", "stock")).isZero();
        assertThat(output).contains("in address spaces shop");
        assertThat(run("attach", "shop", "stock:rw")).isZero();
        assertThat(run("attach", "shop", "--remove", "orders")).isZero();
        assertThat(output).contains("1 regions").doesNotContain("orders");
        assertThat(run("clone", "shop", "shop2")).isZero();
        assertThat(run("clone", "stock", "stock2")).isZero();
        assertThat(run("ls")).isZero();
        assertThat(output).contains("3 regions, 2 address spaces", "shop2", "stock2");
        assertThat(run("rm", "orders", "stock", "stock2", "shop2")).isZero();
        assertThat(run("stat", "shop")).isZero();
        assertThat(output).contains("stock (deleted or damaged)");
        assertThat(run("gc")).isZero();
        assertThat(output).contains("nothing to clean up");
    }

    @Test
    void aStoreIsShownWithWhoHasItAttachedAndDeleted() {
        try (Store store = Store.builder()
                .capacityBytes(16 << 20)
                .hugePages(false)
                .region(directory().resolve("cache"))
                .open()) {
            store.put(new byte[] {1}, new byte[100]);
            assertThat(run("stat", "cache")).isZero();
            assertThat(output).contains("store cache", "cache.control", "16.0 MiB", "1 keys");
        }
        assertThat(run("rm", "cache")).isZero();
        assertThat(run("ls")).isZero();
        assertThat(output).contains("0 regions");
    }

    @Test
    void lookingMakesNoRegistry() {
        for (String command : List.of("ls", "gc", "watch")) {
            assertThat(run(command)).isEqualTo(1);
            assertThat(output).contains("there is no registry " + directory(), "loam space create");
        }
        assertThat(directory()).doesNotExist();
    }

    @Test
    void aNameOfBothIsAskedAbout() {
        run("create", "a", "--size", "1m");
        run("create", "a");
        assertThat(run("rm", "a")).isEqualTo(2);
        assertThat(output).contains("--region or --space");
        assertThat(run("stat", "a")).isZero();
        assertThat(output).contains("region a", "address space a");
        assertThat(run("rm", "--region", "a")).isZero();
        assertThat(run("stat", "a")).isZero();
        assertThat(output).contains("address space a").doesNotContain("region a");
    }

    @Test
    void badInputIsToldWithWhatIsAllowed() {
        run("create", "a", "--size", "1m");
        for (String[] wrong : new String[][] {
            {"2", "what? one of"},
            {"2", "write three octal digits", "create", "b", "--size", "1m", "--mode", "9"},
            {"2", "is not a size", "create", "b", "--size", "1x"},
            {"2", "--size makes a region", "create", "b", "--size", "1m", "--with", "a"},
            {"2", "a region needs --size", "create", "b", "--lockable"},
            {"2", "REGION:rw", "create", "b", "--with", "a:x"},
            {"1", "a name has", "create", "../b", "--size", "1m"},
            {"1", "a name has", "create", "b".repeat(300)},
            {"1", "exists", "create", "a", "--size", "1m"},
            {"1", "no region c", "create", "b", "--with", "c"},
            {"1", "neither a region nor", "stat", "b"},
            {"1", "neither a region nor", "rm", "b"},
            {"1", "no address space b", "attach", "b", "a"},
            {"1", "access list", "create", "b", "--size", "1m", "--acl", "x"},
            {"2", "is no address", "create", "b", "--size", "1m", "--base", "here"},
            {"1", "a base is", "create", "b", "--size", "1m", "--base", "0x1000"},
        }) {
            String[] arguments = java.util.Arrays.copyOfRange(wrong, 2, wrong.length);
            assertThat(run(arguments))
                    .as("%s: %s", String.join(" ", arguments), output)
                    .isEqualTo(Integer.parseInt(wrong[0]));
            assertThat(output).contains(wrong[1]);
        }
        assertThat(run("ls")).isZero();
        assertThat(output).contains("1 regions, 0 address spaces");
    }

    @Test
    void damagedThingsAreListedWithWhatIsWrong() throws IOException {
        run("create", "a", "--size", "1m");
        run("create", "s", "--with", "a");
        Files.write(directory().resolve("regions/a"), new byte[10]);
        Files.write(directory().resolve("spaces/s"), new byte[10]);
        assertThat(run("ls")).isZero();
        assertThat(output).contains("regions/a is damaged", "spaces/s is damaged");
        assertThat(run("rm", "a", "s")).isZero();
        assertThat(run("gc")).isZero();
        assertThat(output).contains("deleted memory/", "1 files deleted");
    }

    @Test
    void whoHoldsALockIsShown() {
        run("create", "a", "--size", "1m", "--lockable");
        try (Registry registry = Registry.open(directory(), Registry.PRIVATE);
                MappedLock mapped =
                        registry.regions().mapLock(registry.regions().get("a"))) {
            RegionLock lock = mapped.lock();
            assertThat(run("stat", "a")).isZero();
            assertThat(output).contains("lock not held");
            RegionLock.Grant grant = lock.acquire(false);
            assertThat(run("stat", "a")).isZero();
            assertThat(output).contains("lock held for reading 1 times");
            lock.release(false, grant);
            grant = lock.acquire(true);
            assertThat(run("stat", "a")).isZero();
            assertThat(output)
                    .contains("lock held for writing by pid "
                            + ProcessHandle.current().pid());
            lock.release(true, grant);
            assertThat(lock.acquire(true)).isEqualTo(RegionLock.Grant.HELD);
        }
        assertThat(run("stat", "a")).isZero();
        assertThat(output).contains("held for writing by a process that died");
    }

    @Test
    void whoIsAttachedIsShownAndWatched() {
        try (Registry registry = Registry.open(directory(), Registry.PRIVATE)) {
            // a store that another test has closed stays mapped until it is collected, at the first base there is
            registry.regions().create("a", RegionOptions.of(1).at(0x2200_0000_0000L));
            Snapshot before = Snapshot.of(registry);
            try (MappedRegion mapped = registry.regions().map("a", Access.READ)) {
                String pid = "pid " + ProcessHandle.current().pid();
                assertThat(run("ls")).isZero();
                assertThat(output).contains("attached by " + pid);
                Snapshot during = Snapshot.of(registry);
                assertThat(before.changesTo(during)).containsExactly("+ region a and " + pid + " are attached");
                assertThat(during.changesTo(before)).containsExactly("- region a and " + pid + " are attached");
                registry.regions().resize("a", 1 << 20);
                assertThat(during.changesTo(Snapshot.of(registry))).containsExactly("* region a has 1.0 MiB");
                assertThat(mapped.delta()).isZero();
            }
            assertThat(run("watch", "--seconds", "0.03", "--interval", "0.01")).isZero();
            assertThat(output).contains("watching", "region a has 1.0 MiB");
        }
    }
}
