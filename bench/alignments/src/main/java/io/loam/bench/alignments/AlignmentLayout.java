package io.loam.bench.alignments;

import io.loam.memory.space.Context;

/**
 * An alignment in a region; pointers are addresses, valid in every process.
 *
 * <pre>
 *   offset  size  name            meaning
 *        0     8  name            pointer to its bytes
 *        8     8  bases           pointer to one letter each
 *       16     8  qualities       pointer to one byte each
 *       24     8  cigar           pointer to ints, length &lt;&lt; 4 | operation as in BAM
 *       32     8  tags            pointer to their text as in SAM
 *       40     4  reference       index, -1 for none
 *       44     4  position        from 1, 0 for none
 *       48     4  mateReference   as above
 *       52     4  matePosition    as above
 *       56     4  templateLength
 *       60     4  flags           and mapping quality &lt;&lt; 16
 *       64     4  lengths         of the name; of the cigar in ints &lt;&lt; 8; of the tags &lt;&lt; 16
 *       68     4  readLength
 * </pre>
 */
final class AlignmentLayout {

    static final int BYTES = 72;

    private AlignmentLayout() {}

    static long name(Context context, long record) {
        return context.getLong(record);
    }

    static long bases(Context context, long record) {
        return context.getLong(record + 8);
    }

    static long qualities(Context context, long record) {
        return context.getLong(record + 16);
    }

    static long cigar(Context context, long record) {
        return context.getLong(record + 24);
    }

    static long tags(Context context, long record) {
        return context.getLong(record + 32);
    }

    static int reference(Context context, long record) {
        return context.getInt(record + 40);
    }

    static int position(Context context, long record) {
        return context.getInt(record + 44);
    }

    static int mateReference(Context context, long record) {
        return context.getInt(record + 48);
    }

    static int matePosition(Context context, long record) {
        return context.getInt(record + 52);
    }

    static int templateLength(Context context, long record) {
        return context.getInt(record + 56);
    }

    static int flags(Context context, long record) {
        return context.getInt(record + 60) & 0xffff;
    }

    static int mappingQuality(Context context, long record) {
        return context.getInt(record + 60) >>> 16;
    }

    static int nameBytes(Context context, long record) {
        return context.getInt(record + 64) & 0xff;
    }

    static int cigarLength(Context context, long record) {
        return context.getInt(record + 64) >>> 8 & 0xff;
    }

    static int tagsBytes(Context context, long record) {
        return context.getInt(record + 64) >>> 16;
    }

    static int readLength(Context context, long record) {
        return context.getInt(record + 68);
    }

    /** The last position on the reference that it covers. */
    static int end(Context context, long record) {
        int length = 0;
        long cigar = cigar(context, record);
        for (int i = cigarLength(context, record); i > 0; i--, cigar += 4) {
            int element = context.getInt(cigar);
            // M, D, N, = and X of MIDNSHP=X
            if ((0b1_1000_1101 >>> (element & 15) & 1) != 0) {
                length += element >>> 4;
            }
        }
        return position(context, record) + Math.max(1, length) - 1;
    }

    static void setPlace(
            Context context, long record, int reference, int position, int mateReference, int matePosition) {
        context.putInt(record + 40, reference);
        context.putInt(record + 44, position);
        context.putInt(record + 48, mateReference);
        context.putInt(record + 52, matePosition);
    }

    static void setNumbers(Context context, long record, int templateLength, int flags, int mappingQuality) {
        context.putInt(record + 56, templateLength);
        context.putInt(record + 60, flags | mappingQuality << 16);
    }

    static void setParts(Context context, long record, long name, long bases, long qualities, long cigar, long tags) {
        context.putLong(record, name);
        context.putLong(record + 8, bases);
        context.putLong(record + 16, qualities);
        context.putLong(record + 24, cigar);
        context.putLong(record + 32, tags);
    }

    static void setLengths(
            Context context, long record, int nameBytes, int cigarLength, int tagsBytes, int readLength) {
        context.putInt(record + 64, nameBytes | cigarLength << 8 | tagsBytes << 16);
        context.putInt(record + 68, readLength);
    }
}
