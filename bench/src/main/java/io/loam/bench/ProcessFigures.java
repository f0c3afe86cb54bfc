package io.loam.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel and the JVM say about this process. */
final class ProcessFigures {

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final OperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private ProcessFigures() {}

    /** CPU time of the calling thread. */
    static long threadCpuNanos() {
        return THREADS.getCurrentThreadCpuTime();
    }

    /** How long the calling thread was ready to run and had no CPU; 0 if the kernel does not say. */
    static long threadQueuedNanos() {
        try {
            return Long.parseLong(
                    Files.readString(Path.of("/proc/thread-self/schedstat")).split(" ")[1]);
        } catch (IOException e) {
            return 0; // not Linux, or no such file in this kernel
        }
    }

    /** CPU time of all threads of the process: workers, cleaner, collector, compiler. */
    static long processCpuNanos() {
        return SYSTEM.getProcessCpuTime();
    }

    static long rssBytes() {
        return kilobytes(Path.of("/proc/self/status"), "VmRSS:");
    }

    /** How much of the resident memory is in huge pages. */
    static long hugePageBytes() {
        return kilobytes(Path.of("/proc/self/smaps_rollup"), "AnonHugePages:");
    }

    static double loadAverage() {
        return SYSTEM.getSystemLoadAverage();
    }

    static long physicalBytes() {
        return SYSTEM.getTotalMemorySize();
    }

    static long heapUsedBytes() {
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long kilobytes(Path file, String label) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(label)) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
                }
            }
        } catch (IOException e) {
            return -1; // not Linux, or no such file in this kernel: the figure is then -1 for "unknown"
        }
        return -1;
    }
}
