package io.loam.memory;

import java.lang.foreign.MemorySegment;
import java.util.Locale;

/** The machines this module runs on: Linux on x86-64 and AArch64, and what differs between them. */
enum Platform {
    X86_64(324, 237, 0x20000),
    AARCH64(283, 235, 0x8000);

    /** Number of the system call membarrier(2), which libc does not wrap. */
    final long membarrierCall;

    /** Number of the system call mbind(2), which libc does not wrap. */
    final long mbindCall;

    /** The flag of open(2) that refuses a symbolic link. */
    final int openNoFollow;

    Platform(long membarrierCall, long mbindCall, int openNoFollow) {
        this.membarrierCall = membarrierCall;
        this.mbindCall = mbindCall;
        this.openNoFollow = openNoFollow;
    }

    /** The platform by the system properties {@code os.name} and {@code os.arch}. */
    static Platform of(String osName, String architecture) {
        if (osName.toLowerCase(Locale.ROOT).equals("linux")) {
            switch (architecture.toLowerCase(Locale.ROOT)) {
                case "amd64", "x86_64", "x86-64" -> {
                    return X86_64;
                }
                case "aarch64", "arm64" -> {
                    return AARCH64;
                }
                default -> {
                    // refused below
                }
            }
        }
        throw new MemoryException("Loam's memory needs Linux on x86-64 or AArch64 and a 64-bit JVM; this is " + osName
                + " on " + architecture + "; run it in a Linux container or virtual machine");
    }

    /** This process's platform; refuses an unknown one, and a JVM that denies native access, before any native call is tried. */
    static Platform check() {
        Platform platform = of(System.getProperty("os.name", "?"), System.getProperty("os.arch", "?"));
        try {
            MemorySegment probe = MemorySegment.NULL.reinterpret(1);
            assert probe.byteSize() == 1;
        } catch (IllegalCallerException e) {
            MemoryException refusal = new MemoryException("native access is denied to module io.loam.memory;"
                    + " start the JVM with --enable-native-access=io.loam.memory (ALL-UNNAMED on the class path)");
            refusal.initCause(e);
            throw refusal;
        }
        return platform;
    }
}
