package io.loam.memory;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** What this process uses and may use of the machine's memory, from procfs and the cgroup; all in bytes. */
public final class ProcessMemory {

    private static final Path ROOT = Path.of("/");

    private ProcessMemory() {}

    /**
     * Memory present for this process, shared pages included; 0 if it can't be read. Quick; the kernel's counters lag by up to some
     * hundred KiB per CPU.
     */
    public static long rssBytes() {
        Platform.check();
        return ProcFile.text(ROOT.resolve("proc/self/statm"))
                .map(text -> text.split(" "))
                .filter(fields -> fields.length > 1)
                .map(fields -> ProcFile.number(fields[1]).orElse(0) * Native.pageBytes())
                .orElse(0L);
    }

    /** Highest {@link #rssBytes} so far; 0 if it can't be read. */
    public static long peakRssBytes() {
        return ProcFile.kilobyteField(ROOT.resolve("proc/self/status"), "VmHWM").orElse(0);
    }

    /** The smallest memory limit of this process's cgroup and those above it (v2 or v1); {@code Long.MAX_VALUE} if there is none. */
    public static long cgroupLimitBytes() {
        return Cgroup.of(ROOT).map(Cgroup::limitBytes).orElse(Long.MAX_VALUE);
    }

    /** Memory of the machine; {@code Long.MAX_VALUE} if it can't be read. */
    public static long physicalBytes() {
        return ProcFile.kilobyteField(ROOT.resolve("proc/meminfo"), "MemTotal").orElse(Long.MAX_VALUE);
    }

    /**
     * What can still be made present without swapping or an out-of-memory kill, by the kernel's estimate and the cgroup's limit;
     * {@code Long.MAX_VALUE} if neither can be read.
     */
    public static long availableBytes() {
        OptionalLong machine = ProcFile.kilobyteField(ROOT.resolve("proc/meminfo"), "MemAvailable");
        Optional<Cgroup> group = Cgroup.of(ROOT);
        return Math.min(
                machine.orElse(Long.MAX_VALUE),
                group.map(Cgroup::availableBytes).orElse(Long.MAX_VALUE));
    }

    /** One line for error messages. */
    static String summary() {
        long limit = cgroupLimitBytes();
        return "the machine has " + mebibytes(physicalBytes()) + ", the cgroup allows "
                + (limit == Long.MAX_VALUE ? "all of it" : mebibytes(limit)) + ", available are "
                + mebibytes(availableBytes())
                + ", this process uses " + mebibytes(rssBytes());
    }

    private static String mebibytes(long bytes) {
        return bytes == Long.MAX_VALUE ? "an unknown amount" : (bytes >> 20) + " MiB";
    }
}
