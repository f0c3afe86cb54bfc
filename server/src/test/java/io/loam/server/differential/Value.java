package io.loam.server.differential;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A reply, as a client sees it. Records compare, and print what they are. */
public sealed interface Value {

    record Status(String text) implements Value {}

    record Failure(String text) implements Value {}

    record Number(long value) implements Value {}

    /** A string, one character a byte. */
    record Bulk(String text) implements Value {}

    record Verbatim(String text) implements Value {}

    record Decimal(String text) implements Value {}

    record Truth(boolean value) implements Value {}

    /** No value; {@code array} as version 2 has two of them. */
    record Nothing(boolean array) implements Value {}

    record Many(char kind, List<Value> values) implements Value {

        /** Without the order of elements, those of inner ones included, pairs of a map being kept. */
        Many sorted() {
            List<Value> all = new ArrayList<>();
            if (kind == '%') {
                for (int i = 0; i < values.size(); i += 2) {
                    all.add(new Many(
                            '*',
                            List.of(values.get(i).canonical(), values.get(i + 1).canonical())));
                }
            } else {
                values.forEach(value -> all.add(value.canonical()));
            }
            all.sort(Comparator.comparing(Object::toString));
            return new Many(kind, all);
        }
    }

    /** A form that is the same for any order of elements. */
    default Value canonical() {
        return this instanceof Many many ? many.sorted() : this;
    }
}
