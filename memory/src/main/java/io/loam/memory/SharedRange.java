package io.loam.memory;

/**
 * The addresses at which memory shared between processes is mapped, the same in every process: 0x2000_0000_0000 up to
 * 0x5000_0000_0000, 48 TiB that the heaps of G1, ZGC, Shenandoah, Serial and Parallel, the libraries and the stacks stay out of.
 *
 * <p>Other processes can shorten the files behind these addresses, so no native code is ever given one of them to read or write; only
 * the kernel is, which answers with an error. {@link RawMemory} keeps to that.
 */
public final class SharedRange {

    /** First address. */
    public static final long START = 0x2000_0000_0000L;

    /** First address after the part from which bases are given out; behind it lies what is mapped elsewhere than at its base. */
    public static final long BASES_END = 0x4000_0000_0000L;

    /** First address after the range. */
    public static final long END = 0x5000_0000_0000L;

    private SharedRange() {}

    public static boolean contains(long address) {
        return Long.compareUnsigned(address - START, END - START) < 0;
    }

    /** Whether {@code bytes} bytes from {@code address} on lie in the range. */
    public static boolean contains(long address, long bytes) {
        return contains(address) && bytes >= 0 && bytes <= END - address;
    }
}
