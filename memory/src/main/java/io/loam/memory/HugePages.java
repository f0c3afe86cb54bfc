package io.loam.memory;

import java.nio.file.Path;

/** The machine's transparent huge pages, which decide whether {@link Reservation#adviseHugePages} has an effect. */
public final class HugePages {

    private static final Path DIRECTORY = Path.of("/sys/kernel/mm/transparent_hugepage");

    private HugePages() {}

    /** One readable line: the mode (always, madvise, never), when the kernel compacts memory for them, and their size. */
    public static String state() {
        return state(DIRECTORY);
    }

    static String state(Path directory) {
        return ProcFile.text(directory.resolve("enabled"))
                .map(enabled -> "transparent huge pages: " + chosen(enabled) + ", defrag: "
                        + ProcFile.text(directory.resolve("defrag"))
                                .map(HugePages::chosen)
                                .orElse("unknown") + ", size: "
                        + ProcFile.text(directory.resolve("hpage_pmd_size")).orElse("unknown") + " bytes"
                        + (chosen(enabled).equals("never")
                                ? "; switch them on by: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"
                                : ""))
                .orElse("transparent huge pages: not offered by this kernel");
    }

    /** Sysfs lists the choices and puts brackets around the one that holds. */
    private static String chosen(String choices) {
        int open = choices.indexOf('[');
        int close = choices.indexOf(']');
        return open >= 0 && close > open ? choices.substring(open + 1, close) : choices;
    }
}
