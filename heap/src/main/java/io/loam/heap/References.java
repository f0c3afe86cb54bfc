package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;

/** Which words of an object are references. */
final class References {

    interface Visitor {
        /** A reference, or what may be one in an opaque object. */
        void word(long at, long value);
    }

    private References() {}

    /** Visits the words of an object from byte {@code from} to {@code to} of it; several calls with parts visit each word once if parts are multiples of 8. */
    static void each(PersistentMemory memory, HeapType type, long object, long from, long to, Visitor visitor) {
        if (type.isOpaque()) {
            each(memory, object + from, object + (to & -Long.BYTES), visitor);
            return;
        }
        for (int reference : type.prefixReferences) {
            if (reference >= from && reference < to) {
                visitor.word(object + reference, memory.getLong(object + reference));
            }
        }
        int[] references = type.elementReferences;
        int stride = type.elementBytes;
        if (references.length == 0) {
            return;
        }
        long first = Math.max(from, type.prefixBytes);
        if (stride == Long.BYTES) {
            each(memory, object + first, object + (to & -Long.BYTES), visitor);
            return;
        }
        // an element belongs to the part that it begins in
        long element = type.prefixBytes + (first - type.prefixBytes + stride - 1) / stride * stride;
        for (; element < to; element += stride) {
            for (int reference : references) {
                visitor.word(object + element + reference, memory.getLong(object + element + reference));
            }
        }
    }

    private static void each(PersistentMemory memory, long from, long to, Visitor visitor) {
        for (long at = from; at < to; at += Long.BYTES) {
            long value = memory.getLong(at);
            if (value != 0) {
                visitor.word(at, value);
            }
        }
    }
}
