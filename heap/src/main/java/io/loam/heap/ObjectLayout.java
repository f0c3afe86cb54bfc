package io.loam.heap;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an object of a type looks like to the collector: which of its words are references. A prefix, and then elements up to the object's end, each of
 * one size; either may be missing. References are words of 8 bytes at offsets that are multiples of 8.
 *
 * @param name with the version, names the type in the heap for ever; at most 112 bytes of UTF-8
 * @param version 0 to 65,535: another layout of the same name
 * @param prefixBytes at most 4096, a multiple of 8
 * @param prefixReferences bit i: the word at 8 × i is a reference
 * @param elementBytes at most 4096; 0: no elements
 * @param elementReferences the same within an element
 */
public record ObjectLayout(
        String name,
        int version,
        int prefixBytes,
        long[] prefixReferences,
        int elementBytes,
        long[] elementReferences) {

    static final int MOST_BYTES = 4096;
    static final int BITMAP_WORDS = MOST_BYTES / Long.BYTES / Long.SIZE;
    static final int MOST_NAME_BYTES = 112;

    public ObjectLayout {
        int nameBytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (nameBytes == 0 || nameBytes > MOST_NAME_BYTES || version < 0 || version > 0xFFFF) {
            throw new IllegalArgumentException("type '" + name + "' version " + version + "; allowed: a name of 1 to "
                    + MOST_NAME_BYTES + " bytes, a version of 0 to 65535");
        }
        check(name, "prefix", prefixBytes, prefixReferences);
        check(name, "element", elementBytes, elementReferences);
    }

    private static void check(String name, String part, int bytes, long[] references) {
        if (bytes < 0 || bytes > MOST_BYTES || references.length > BITMAP_WORDS) {
            throw new IllegalArgumentException(
                    "type '" + name + "': " + part + " of " + bytes + " bytes; allowed: 0 to " + MOST_BYTES);
        }
        for (int i = 0; i < references.length * Long.SIZE; i++) {
            if (holds(references, i) && (bytes % Long.BYTES != 0 || i * Long.BYTES >= bytes)) {
                throw new IllegalArgumentException(
                        "type '" + name + "': a reference at offset " + i * Long.BYTES + " of a " + part + " of "
                                + bytes + " bytes; with references its size must be a multiple of 8");
            }
        }
    }

    /**
     * One struct, whose named members are references: {@code of("node", layout, "next", "value")}. A member that is a sequence is as many references; one of a struct inside is named {@code "inner.next"}.
     *
     * @throws IllegalArgumentException if a member is missing, or no aligned word of 8 bytes
     */
    public static ObjectLayout of(String name, StructLayout layout, String... references) {
        return new ObjectLayout(name, 0, bytes(name, layout), bitmap(name, layout, references), 0, new long[0]);
    }

    /**
     * A struct, then as many elements as the object has room for; each of {@code references} is a member of the one, the other, or both.
     *
     * @throws IllegalArgumentException as {@link #of}
     */
    public static ObjectLayout array(String name, StructLayout prefix, GroupLayout element, String... references) {
        Set<String> names = Set.of(references);
        for (String reference : names) {
            if (present(prefix, Set.of(reference)).length + present(element, Set.of(reference)).length == 0) {
                throw new IllegalArgumentException("type '" + name + "' has no member '" + reference
                        + "'; its layouts are " + prefix + " and " + element);
            }
        }
        return new ObjectLayout(
                name,
                0,
                bytes(name, prefix),
                bitmap(name, prefix, present(prefix, names)),
                bytes(name, element),
                bitmap(name, element, present(element, names)));
    }

    /** References and nothing else. */
    public static ObjectLayout references(String name) {
        return new ObjectLayout(name, 0, 0, new long[0], Long.BYTES, new long[] {1});
    }

    /** A struct whose named members are references, then bytes that hold none. */
    public static ObjectLayout bytes(String name, StructLayout prefix, String... references) {
        return of(name, prefix, references);
    }

    public ObjectLayout withVersion(int wanted) {
        return new ObjectLayout(name, wanted, prefixBytes, prefixReferences, elementBytes, elementReferences);
    }

    private static String[] present(GroupLayout layout, Set<String> names) {
        return names.stream()
                .filter(name -> member(layout, name) != null || member(layout, firstOf(name)) != null)
                .toArray(String[]::new);
    }

    private static int bytes(String name, MemoryLayout layout) {
        if (layout.byteSize() > MOST_BYTES) {
            throw new IllegalArgumentException("type '" + name + "': a struct of " + layout.byteSize()
                    + " bytes; allowed: " + MOST_BYTES + "; split it, or put what is no reference behind");
        }
        return (int) layout.byteSize();
    }

    private static long[] bitmap(String name, GroupLayout layout, String... references) {
        long[] bitmap = new long[BITMAP_WORDS];
        for (String reference : references) {
            mark(bitmap, name, reference, layout, 0, reference);
        }
        return bitmap;
    }

    /** Sets the words of what {@code path} names in a group that begins at {@code offset}. */
    private static void mark(
            long[] bitmap, String name, String reference, GroupLayout group, long offset, String path) {
        String first = member(group, path) == null ? firstOf(path) : path;
        MemoryLayout member = member(group, first);
        if (member == null) {
            throw new IllegalArgumentException(
                    "type '" + name + "' has no member '" + reference + "'; its layout is " + group);
        }
        long at = offset + group.byteOffset(PathElement.groupElement(first));
        if (!first.equals(path) && member instanceof GroupLayout inner) {
            mark(bitmap, name, reference, inner, at, path.substring(first.length() + 1));
        } else if (!first.equals(path) || !markWords(bitmap, member, at)) {
            throw new IllegalArgumentException("type '" + name + "', member '" + reference
                    + "': a reference must be a JAVA_LONG at a multiple of 8, or a sequence of such");
        }
    }

    private static boolean markWords(long[] bitmap, MemoryLayout layout, long offset) {
        if (layout instanceof SequenceLayout sequence) {
            boolean all = true;
            for (long i = 0; i < sequence.elementCount(); i++) {
                MemoryLayout element = sequence.elementLayout();
                all &= markWords(bitmap, element, offset + i * element.byteSize());
            }
            return all;
        }
        if (!(layout instanceof ValueLayout.OfLong) || offset % Long.BYTES != 0) {
            return false;
        }
        int word = (int) (offset / Long.BYTES);
        bitmap[word >>> 6] |= 1L << word;
        return true;
    }

    private static @Nullable MemoryLayout member(GroupLayout group, String name) {
        return group.memberLayouts().stream()
                .filter(member -> member.name().equals(Optional.of(name)))
                .findFirst()
                .orElse(null);
    }

    private static String firstOf(String path) {
        int dot = path.indexOf('.');
        return dot < 0 ? path : path.substring(0, dot);
    }

    static boolean holds(long[] bitmap, int word) {
        return word >>> 6 < bitmap.length && (bitmap[word >>> 6] & 1L << word) != 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ObjectLayout layout
                && name.equals(layout.name)
                && version == layout.version
                && prefixBytes == layout.prefixBytes
                && elementBytes == layout.elementBytes
                && sameBits(prefixReferences, layout.prefixReferences)
                && sameBits(elementReferences, layout.elementReferences);
    }

    private static boolean sameBits(long[] a, long[] b) {
        return Arrays.equals(Arrays.copyOf(a, BITMAP_WORDS), Arrays.copyOf(b, BITMAP_WORDS));
    }

    @Override
    public int hashCode() {
        return name.hashCode() * 31 + version;
    }

    @Override
    public String toString() {
        return name + (version == 0 ? "" : " version " + version);
    }
}
