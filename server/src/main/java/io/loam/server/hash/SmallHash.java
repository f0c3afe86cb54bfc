package io.loam.server.hash;

import io.loam.store.Namespace;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A hash that is one entry. */
final class SmallHash implements HashValue {

    private static final byte[] NO_VALUE = {};

    private final CompactHash fields;
    private final long version;

    SmallHash(byte[] bytes, long version) {
        this.fields = new CompactHash(bytes);
        this.version = version;
    }

    CompactHash fields() {
        return fields;
    }

    /** The entry's. */
    long version() {
        return version;
    }

    @Override
    public long count() {
        return fields.count();
    }

    @Override
    public long bytes() {
        return fields.encoded().length;
    }

    @Override
    public byte @Nullable [] get(byte[] name) {
        return fields.find(name) ? fields.value() : null;
    }

    @Override
    public long length(byte[] name) {
        return fields.find(name) ? fields.valueLength() : Namespace.ABSENT;
    }

    @Override
    public void forEach(boolean values, FieldVisitor visitor) {
        for (fields.reset(); fields.next(); ) {
            visitor.field(fields.name(), values ? fields.value() : NO_VALUE);
        }
    }

    @Override
    public long scan(long cursor, long count, boolean values, FieldVisitor visitor) {
        forEach(values, visitor);
        return 0;
    }

    private record Field(byte[] name, byte[] value) {}

    private List<Field> all(boolean values) {
        List<Field> all = new ArrayList<>();
        forEach(values, (name, value) -> all.add(new Field(name, value)));
        return all;
    }

    @Override
    public void drawWithRepeats(long draws, RandomGenerator random, boolean values, FieldVisitor visitor) {
        List<Field> all = all(values);
        for (long i = 0; i < draws; i++) {
            Field field = all.get(random.nextInt(all.size()));
            visitor.field(field.name, field.value);
        }
    }

    @Override
    public void draw(long most, RandomGenerator random, boolean values, FieldVisitor visitor) {
        List<Field> all = all(values);
        boolean some = most < all.size();
        for (int i = 0; i < Math.min(most, all.size()); i++) {
            Field field = all.get(i);
            if (some) {
                int other = random.nextInt(i, all.size());
                field = all.set(other, field);
            }
            visitor.field(field.name, field.value);
        }
    }
}
