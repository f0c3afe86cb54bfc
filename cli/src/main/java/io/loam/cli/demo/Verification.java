package io.loam.cli.demo;

import io.loam.store.Store;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the store holds against what it must hold.
 *
 * @param present how many objects were compared byte for byte
 * @param absent how many deleted ones were looked for
 * @param wrong what was not as it must be, at most {@link #MOST_SHOWN}
 * @param wrongCount how many were not
 */
record Verification(long present, long absent, List<String> wrong, long wrongCount) {
    static final int MOST_SHOWN = 20;

    /** Reads every object from the source anew and compares it with the store; no writes may run. */
    static Verification of(Store store, List<DemoObject> objects, ObjectSource source) throws IOException {
        var wrong = new ArrayList<String>();
        long wrongCount = 0;
        long present = 0;
        for (DemoObject object : objects) {
            byte[] bytes = source.read(object.name);
            String message = check(store, object, bytes, new byte[bytes.length]);
            present += object.stored == DemoObject.ABSENT ? 0 : 1;
            if (message != null && wrongCount++ < MOST_SHOWN) {
                wrong.add(message);
            }
        }
        if (store.size() != present) {
            wrong.add("MISMATCH: the store has " + store.size() + " keys, " + present + " were stored");
            wrongCount++;
        }
        return new Verification(present, objects.size() - present, wrong, wrongCount);
    }

    /** What is wrong with an object in the store, or null. {@code scratch} has room for its bytes. */
    static @Nullable String check(Store store, DemoObject object, byte[] source, byte[] scratch) {
        long length = store.get(object.key, scratch, 0);
        if (object.stored == DemoObject.ABSENT) {
            return length == Store.ABSENT
                    ? null
                    : "MISMATCH: " + object.keyText() + " was deleted but has " + length + " bytes";
        }
        if (length == Store.ABSENT) {
            return "MISMATCH: " + object.keyText() + " is missing; it has " + source.length + " bytes";
        }
        if (length > scratch.length) {
            return "MISMATCH: " + object.keyText() + " has " + length + " bytes instead of " + source.length;
        }
        int at = Generation.mismatch(source, object.stored, scratch, length);
        return at < 0
                ? null
                : "MISMATCH: " + object.keyText() + " (generation " + object.stored + "): byte " + at + " differs; "
                        + length + " bytes stored, " + source.length + " expected";
    }
}
