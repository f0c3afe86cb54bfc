package io.loam.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcessMemoryTest {

    @TempDir
    Path root = Path.of("unset");

    private void write(String path, String content) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.resolveSibling("."));
        Files.writeString(file, content);
    }

    @Test
    void thisProcessUsesLessThanTheMachineHas() {
        assertThat(ProcessMemory.rssBytes()).isBetween(10L << 20, ProcessMemory.physicalBytes());
        assertThat(ProcessMemory.peakRssBytes()).isBetween(10L << 20, ProcessMemory.physicalBytes());
        assertThat(ProcessMemory.availableBytes()).isBetween(1L, ProcessMemory.physicalBytes());
        assertThat(ProcessMemory.cgroupLimitBytes()).isPositive();
        assertThat(ProcessMemory.summary())
                .matches("the machine has \\d+ MiB, the cgroup allows .*, this process uses \\d+ MiB");
    }

    @Test
    void unifiedCgroupGivesTheSmallestLimitOfItsParents() throws IOException {
        write("proc/self/cgroup", "0::/a/b\n");
        write(
                "proc/self/mountinfo",
                "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
        write("sys/fs/cgroup/a/memory.max", "1000000\n");
        write("sys/fs/cgroup/a/memory.current", "900000\n");
        write("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 100000\nactive_file 50000\n");
        write("sys/fs/cgroup/a/b/memory.max", "max\n");
        Cgroup group = Cgroup.of(root).orElseThrow();
        assertThat(group.limitBytes()).isEqualTo(1_000_000);
        assertThat(group.availableBytes()).isEqualTo(250_000);
    }

    @Test
    void firstVersionOfCgroupsIsRead() throws IOException {
        write("proc/self/cgroup", "9:name=systemd:/\n4:memory,hugetlb:/job\n0::/\n");
        write(
                "proc/self/mountinfo",
                "24 1 0:5 / /dev rw - devtmpfs dev rw\n31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "5000000\n");
        write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "4000000\n");
        write("sys/fs/cgroup/memory/job/memory.stat", "inactive_file 1\ntotal_inactive_file 500000\n");
        Cgroup group = Cgroup.of(root).orElseThrow();
        assertThat(group.version()).isEqualTo(1);
        assertThat(group.limitBytes()).isEqualTo(5_000_000);
        assertThat(group.availableBytes()).isEqualTo(1_500_000);
    }

    @Test
    void containerThatSeesOnlyItsOwnGroupFindsItsLimit() throws IOException {
        write("proc/self/cgroup", "4:memory:/docker/abc\n");
        write("proc/self/mountinfo", "31 23 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "7000000\n");
        assertThat(Cgroup.of(root).orElseThrow().limitBytes()).isEqualTo(7_000_000);
    }

    @Test
    void withoutCgroupThereIsNoLimit() {
        assertThat(Cgroup.of(root)).isEmpty();
    }

    @Test
    void hugePageStateIsReadable() throws IOException {
        assertThat(HugePages.state()).startsWith("transparent huge pages: ");
        assertThat(HugePages.state(root)).contains("not offered");
        write("enabled", "always madvise [never]\n");
        assertThat(HugePages.state(root)).contains("never, defrag: unknown").contains("switch them on");
        write("enabled", "always [madvise] never\n");
        write("defrag", "always defer [madvise] never\n");
        write("hpage_pmd_size", "2097152\n");
        assertThat(HugePages.state(root))
                .isEqualTo("transparent huge pages: madvise, defrag: madvise, size: 2097152 bytes");
    }

    @Test
    void unknownPlatformIsRefusedByName() {
        assertThat(Platform.of("Linux", "amd64")).isEqualTo(Platform.X86_64);
        assertThat(Platform.of("Linux", "aarch64")).isEqualTo(Platform.AARCH64);
        assertThatThrownBy(() -> Platform.of("Windows 11", "amd64"))
                .isInstanceOf(MemoryException.class)
                .hasMessageContaining("Windows 11");
        assertThatThrownBy(() -> Platform.of("Linux", "riscv64"))
                .isInstanceOf(MemoryException.class)
                .hasMessageContaining("riscv64");
    }

    @Test
    void errnoIsNamedAndExplained() {
        assertThat(Errno.describe(12)).isEqualTo("ENOMEM (12, out of memory, of address space or of mappings)");
        assertThat(Errno.describe(96)).isEqualTo("errno 96 (see errno(3))");
    }
}
