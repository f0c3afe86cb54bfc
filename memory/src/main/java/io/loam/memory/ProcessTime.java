package io.loam.memory;

import java.nio.file.Path;

/**
 * Processor time that this process has had, from procfs; in steps of the kernel's clock.
 *
 * @param userSeconds in its own code
 * @param systemSeconds in the kernel
 */
public record ProcessTime(double userSeconds, double systemSeconds) {

    /** Of {@code proc/self/stat}, counted from the field after the process's name: times are its 12th and 13th. */
    private static final int USER_FIELD = 11;

    private static final int SYSTEM_FIELD = 12;
    /** What the kernel calls USER_HZ, the same on all machines that are supported. */
    private static final double TICKS_PER_SECOND = 100;

    /** Until now; 0 if it can't be read. */
    public static ProcessTime now() {
        Platform.check();
        String text = ProcFile.text(Path.of("/proc/self/stat")).orElse("");
        String[] fields = text.substring(text.lastIndexOf(')') + 1).strip().split(" "); // a name may hold blanks
        return fields.length <= SYSTEM_FIELD
                ? new ProcessTime(0, 0)
                : new ProcessTime(seconds(fields[USER_FIELD]), seconds(fields[SYSTEM_FIELD]));
    }

    private static double seconds(String ticks) {
        return ProcFile.number(ticks).orElse(0) / TICKS_PER_SECOND;
    }
}
