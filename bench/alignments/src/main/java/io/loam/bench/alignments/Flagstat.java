package io.loam.bench.alignments;

/** What samtools flagstat counts. */
final class Flagstat {

    static final int PAIRED = 0x1;
    static final int PROPER = 0x2;
    static final int UNMAPPED = 0x4;
    static final int MATE_UNMAPPED = 0x8;
    static final int REVERSE = 0x10;
    static final int FIRST = 0x40;
    static final int SECOND = 0x80;
    static final int SECONDARY = 0x100;
    static final int DUPLICATE = 0x400;
    static final int SUPPLEMENTARY = 0x800;

    private long total;
    private long secondary;
    private long supplementary;
    private long duplicates;
    private long mapped;
    private long paired;
    private long first;
    private long second;
    private long proper;
    private long bothMapped;
    private long singletons;
    private long apart;
    private long apartAndSure;

    void add(int flags, int reference, int mateReference, int mappingQuality) {
        total++;
        duplicates += has(flags, DUPLICATE);
        boolean isMapped = (flags & UNMAPPED) == 0;
        mapped += isMapped ? 1 : 0;
        if ((flags & SECONDARY) != 0) {
            secondary++;
        } else if ((flags & SUPPLEMENTARY) != 0) {
            supplementary++;
        } else if ((flags & PAIRED) != 0) {
            paired++;
            first += has(flags, FIRST);
            second += has(flags, SECOND);
            if (isMapped) {
                proper += has(flags, PROPER);
                if ((flags & MATE_UNMAPPED) != 0) {
                    singletons++;
                } else {
                    bothMapped++;
                    if (reference != mateReference) {
                        apart++;
                        apartAndSure += mappingQuality >= 5 ? 1 : 0;
                    }
                }
            }
        }
    }

    private static int has(int flags, int flag) {
        return (flags & flag) != 0 ? 1 : 0;
    }

    @Override
    public String toString() {
        return "total=" + total + ",secondary=" + secondary + ",supplementary=" + supplementary + ",duplicates="
                + duplicates + ",mapped=" + mapped + ",paired=" + paired + ",read1=" + first + ",read2=" + second
                + ",proper=" + proper + ",bothMapped=" + bothMapped + ",singletons=" + singletons + ",apart=" + apart
                + ",apartMapq5=" + apartAndSure;
    }
}
