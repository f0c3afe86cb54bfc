package io.loam.cli.shell;

import io.loam.cli.ByteSize;
import io.loam.cli.picture.MemoryPicture;
import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.StoreStats;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;

/** The commands of the shell. */
final class Operations {
    private static final int MANY = Integer.MAX_VALUE;
    private static final int SCAN_LIMIT = 100;
    private static final int SCAN_STEP = 64;
    /** Of a value shown by scan. */
    private static final int SHOWN_BYTES = 60;

    static final Map<String, Operation> ALL = byName(
            new Operation("get KEY", "show a value", 1, 1, Operations::get),
            new Operation(
                    "put KEY VALUE",
                    "store a value",
                    2,
                    2,
                    (s, a) -> s.say("version %d", s.space.put(a.bytes(0), a.bytes(1)))),
            new Operation("putex KEY SECONDS VALUE", "store a value that expires", 3, 3, Operations::putExpiring),
            new Operation("del KEY...", "delete keys", 1, MANY, Operations::delete),
            new Operation(
                    "incr KEY [DELTA]",
                    "add to a 64-bit number",
                    1,
                    2,
                    (s, a) -> s.say("%d", s.space.add(a.bytes(0), a.integer(1, 1)))),
            new Operation(
                    "append KEY VALUE",
                    "append to a value",
                    2,
                    2,
                    (s, a) -> s.say("%,d bytes", s.space.append(a.bytes(0), a.bytes(1)))),
            new Operation("scan [PREFIX [LIMIT]]", "show keys and values, 100 unless told", 0, 2, Operations::scan),
            new Operation(
                    "size", "count the keys of the namespace", 0, 0, (s, ignored) -> s.say("%,d", s.space.size())),
            new Operation(
                    "stats",
                    "what the memory holds",
                    0,
                    0,
                    (s, ignored) -> s.print(new MemoryPicture(s.screen).summary(s.store.stats()))),
            new Operation("map", "the capacity and the segments", 0, 0, Operations::map),
            new Operation("fill N BYTES", "store N generated values", 2, 2, Operations::fill),
            new Operation("clean", "clean until nothing is worth cleaning", 0, 0, Operations::clean),
            new Operation(
                    "export FILE",
                    "write all entries to a file",
                    1,
                    1,
                    (s, a) -> s.say("%,d entries written", s.store.exportTo(a.path(0)))),
            new Operation(
                    "import FILE",
                    "put all entries of a file",
                    1,
                    1,
                    (s, a) -> s.say("%,d entries put", s.store.importFrom(a.path(0)))),
            new Operation(
                    "ns [NAME]",
                    "use a namespace, \"\" for the default one; or list them",
                    0,
                    1,
                    Operations::namespace),
            new Operation("drop NAME", "remove a namespace and its keys", 1, 1, Operations::drop),
            new Operation("help", "this", 0, 0, Operations::help),
            new Operation("exit", "leave", 0, 0, (s, ignored) -> s.ended = true));

    private Operations() {}

    private static Map<String, Operation> byName(Operation... operations) {
        var all = new LinkedHashMap<String, Operation>();
        for (Operation operation : operations) {
            all.put(operation.name(), operation);
        }
        return all;
    }

    private static void get(Session session, Arguments arguments) {
        byte[] value = session.space.get(arguments.bytes(0));
        session.say("%s", value == null ? "(absent)" : session.shown(value) + asNumber(value));
    }

    /** What {@code incr} left is no text. */
    private static String asNumber(byte[] value) {
        boolean text =
                value.length != Long.BYTES || new String(value, StandardCharsets.US_ASCII).matches("\\p{Print}+");
        return text
                ? ""
                : "  (as a number: "
                        + ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong() + ")";
    }

    private static void putExpiring(Session session, Arguments arguments) {
        long millis = Math.multiplyExact(arguments.atLeast(1, 1, 1), 1000L);
        long expiry = Math.addExact(System.currentTimeMillis(), millis);
        session.say("version %d", session.space.put(arguments.bytes(0), arguments.bytes(2), expiry));
    }

    private static void delete(Session session, Arguments arguments) {
        long deleted = arguments.words().stream().filter(session.space::delete).count();
        session.say("%,d deleted", deleted);
    }

    private static void scan(Session session, Arguments arguments) {
        byte[] prefix = arguments.count() > 0 ? arguments.bytes(0) : new byte[0];
        long limit = arguments.atLeast(1, 1, SCAN_LIMIT);
        var shown = new long[1];
        long position = 0;
        do {
            position = session.space.scan(position, SCAN_STEP, (key, value) -> {
                if (startsWith(key, prefix) && shown[0]++ < limit) {
                    byte[] bytes = value.length() > SHOWN_BYTES ? new byte[0] : value.toByteArray();
                    String text = value.length() > SHOWN_BYTES ? ByteSize.format(value.length()) : session.shown(bytes);
                    session.say("%s  %s", session.shown(key), text);
                }
            });
        } while (position != 0 && shown[0] <= limit);
        if (shown[0] > limit) {
            session.say("and more; raise the limit: scan PREFIX LIMIT");
        }
    }

    private static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    private static void map(Session session, Arguments arguments) {
        var picture = new MemoryPicture(session.screen);
        StoreStats stats = session.store.stats();
        session.print(picture.capacity(stats));
        session.print("\n" + picture.segmentMap(stats));
    }

    private static void fill(Session session, Arguments arguments) {
        long count = arguments.atLeast(1, 0, 1);
        byte[] value = new byte[arguments.length(1)];
        var random = new SplittableRandom(value.length);
        long start = System.nanoTime();
        for (long i = 0; i < count; i++) {
            random.nextBytes(value);
            try {
                session.space.put(("fill:" + i).getBytes(StandardCharsets.US_ASCII), value);
            } catch (StoreFullException e) {
                throw new IllegalStateException(i + " of " + count + " values stored; " + e.getMessage(), e);
            }
        }
        double seconds = Math.max(1, System.nanoTime() - start) / 1e9;
        session.say("%,d values of %s stored, %,.0f per second", count, ByteSize.format(value.length), count / seconds);
    }

    private static void clean(Session session, Arguments arguments) {
        StoreStats before = session.store.stats();
        session.store.clean();
        StoreStats after = session.store.stats();
        session.say(
                "%,d segments cleaned, %s copied, %s freed",
                after.cleanedSegments() - before.cleanedSegments(),
                ByteSize.format(after.cleanerCopiedBytes() - before.cleanerCopiedBytes()),
                ByteSize.format(Math.max(0, after.freeBytes() - before.freeBytes())));
    }

    private static void namespace(Session session, Arguments arguments) {
        if (arguments.count() == 0) {
            session.say(
                    "using %s; all: %s",
                    named(session.space), String.join(" ", new TreeSet<>(session.store.namespaces())));
            return;
        }
        String name = arguments.text(0);
        session.space = name.isEmpty() ? session.store : session.store.namespace(name);
        session.say("using %s", named(session.space));
    }

    private static String named(Namespace space) {
        return space.name().isEmpty() ? "the default namespace" : "namespace " + space.name();
    }

    private static void drop(Session session, Arguments arguments) {
        Store store = session.store;
        String name = arguments.text(0);
        if (!store.dropNamespace(name)) {
            throw new IllegalArgumentException("there is no namespace " + name);
        }
        if (session.space.name().equals(name)) {
            session.space = store;
        }
        session.say("dropped %s", name);
    }

    private static void help(Session session, Arguments arguments) {
        for (Operation operation : ALL.values()) {
            session.say("  %-26s %s", operation.usage(), operation.help());
        }
        session.say("Words may be quoted: \"a b\" 'a b'; \\xHH is any byte. Lines that start with # are skipped.");
    }
}
