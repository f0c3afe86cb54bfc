package io.loam.server.hash;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A hash as a command reads it. */
public sealed interface HashValue permits SmallHash, LargeHash {

    /** How many fields. */
    long count();

    /** Bytes of names and values together, about. */
    long bytes();

    /** A field's value, or null if there is no such field. */
    byte @Nullable [] get(byte[] name);

    /** The length of a field's value, or {@link io.loam.store.Namespace#ABSENT}. */
    long length(byte[] name);

    /** Visits all fields, those of a small hash in the order of their insertion. */
    void forEach(boolean values, FieldVisitor visitor);

    /**
     * Visits some fields, {@code count} of a large hash, all of a small one.
     *
     * @param cursor 0 begins
     * @return the cursor to go on from, 0 at the end
     */
    long scan(long cursor, long count, boolean values, FieldVisitor visitor);

    /** Visits so many fields, each drawn from all of them. */
    void drawWithRepeats(long draws, RandomGenerator random, boolean values, FieldVisitor visitor);

    /** Visits so many different fields, or all if there are not more; each set of them is as likely as any other. */
    void draw(long most, RandomGenerator random, boolean values, FieldVisitor visitor);
}
