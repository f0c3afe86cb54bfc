package io.loam.bench.server;

import io.loam.bench.WorkerFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel says about a process in /proc. */
final class ProcessStat {

    /** Fields of /proc/PID/stat, counted from the one after the name, which may hold blanks. */
    private static final int USER_TICKS = 11;

    private static final int SYSTEM_TICKS = 12;
    private static final int CHILDREN_USER_TICKS = 13;
    private static final int CHILDREN_SYSTEM_TICKS = 14;

    /** The kernel counts these times in hundredths of a second for user space, whatever it ticks by itself. */
    private static final long NANOS_PER_TICK = 10_000_000;

    private ProcessStat() {}

    /** CPU time of all its threads, those that ended too; in steps of 10 ms. */
    static long cpuNanos(long pid) {
        String[] fields = stat(String.valueOf(pid));
        return (Long.parseLong(fields[USER_TICKS]) + Long.parseLong(fields[SYSTEM_TICKS])) * NANOS_PER_TICK;
    }

    /** CPU time of the children of this process that have ended; in steps of 10 ms. */
    static long endedChildrenCpuNanos() {
        String[] fields = stat("self");
        return (Long.parseLong(fields[CHILDREN_USER_TICKS]) + Long.parseLong(fields[CHILDREN_SYSTEM_TICKS]))
                * NANOS_PER_TICK;
    }

    static long rssBytes(long pid) {
        return status(pid, "VmRSS:");
    }

    /** The largest its resident size has been. */
    static long peakRssBytes(long pid) {
        return status(pid, "VmHWM:");
    }

    private static String[] stat(String pid) {
        String text = read(Path.of("/proc", pid, "stat"));
        return text.substring(text.lastIndexOf(')') + 2).split(" ");
    }

    private static long status(long pid, String label) {
        return read(Path.of("/proc", String.valueOf(pid), "status"))
                .lines()
                .filter(line -> line.startsWith(label))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
                .findFirst()
                .orElseThrow(() -> new WorkerFailure("process " + pid + " has ended: no " + label + " in its status"));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new WorkerFailure("can't read " + file + ": the process has ended, or this is not Linux");
        }
    }
}
