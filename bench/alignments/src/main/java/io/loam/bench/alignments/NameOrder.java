package io.loam.bench.alignments;

import io.loam.memory.space.Context;

/** The orders in which htsjdk puts records, by pointers. */
final class NameOrder {

    private NameOrder() {}

    /** By name, then first of a pair, then as {@code SAMRecordQueryNameComparator} has it. */
    static int compare(Context context, long a, long b) {
        int names = compareNames(context, a, b);
        if (names != 0) {
            return names;
        }
        int flagsA = AlignmentLayout.flags(context, a);
        int flagsB = AlignmentLayout.flags(context, b);
        int first = rank(flagsA) - rank(flagsB);
        if (first != 0) {
            return first;
        }
        int strand = Boolean.compare((flagsA & Flagstat.REVERSE) != 0, (flagsB & Flagstat.REVERSE) != 0);
        return strand != 0 ? strand : flagsA - flagsB;
    }

    private static int rank(int flags) {
        return (flags & Flagstat.PAIRED) == 0 ? 3 : (flags & Flagstat.FIRST) != 0 ? 1 : 2;
    }

    static int compareNames(Context context, long a, long b) {
        int lengthA = AlignmentLayout.nameBytes(context, a);
        int lengthB = AlignmentLayout.nameBytes(context, b);
        long nameA = AlignmentLayout.name(context, a);
        long nameB = AlignmentLayout.name(context, b);
        for (int i = 0, length = Math.min(lengthA, lengthB); i < length; i++) {
            int difference = context.getByte(nameA + i) - context.getByte(nameB + i);
            if (difference != 0) {
                return difference;
            }
        }
        return lengthA - lengthB;
    }

    /** As {@code SAMRecordCoordinateComparator} has it for records of the same place. */
    static int compareAtSamePlace(Context context, long a, long b) {
        int flagsA = AlignmentLayout.flags(context, a);
        int flagsB = AlignmentLayout.flags(context, b);
        int strand = Boolean.compare((flagsA & Flagstat.REVERSE) != 0, (flagsB & Flagstat.REVERSE) != 0);
        if (strand != 0) {
            return strand;
        }
        int names = compareNames(context, a, b);
        return names != 0 ? names : flagsA - flagsB;
    }
}
