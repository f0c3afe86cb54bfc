package io.loam.store.sequence;

import io.loam.store.Entry;
import io.loam.store.Eviction;
import io.loam.store.FullPolicy;
import io.loam.store.Guard;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import io.loam.store.RemovalListener.Cause;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.TryPut;
import io.loam.store.ValueView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One execution of a sequence on a fresh store, each result compared with a map's.
 *
 * <p>What the store may decide for itself is learned from it and checked for sense: versions must grow; a refused write must have changed
 * nothing and must not happen in a store that is mostly empty; an absent key must have been reported evicted. Everything else must be
 * exactly so.
 */
final class SequenceRun implements AutoCloseable {

    /** A result that the model does not allow. */
    static final class Mismatch extends AssertionError {
        private static final long serialVersionUID = 1;
        private final transient List<String> listing;

        Mismatch(String message, List<String> listing, @Nullable Throwable cause) {
            super(message, cause);
            this.listing = List.copyOf(listing);
        }

        List<String> listing() {
            return listing;
        }
    }

    /** What a key holds; {@code version} 0 until it is learned. */
    private record Held(byte[] value, long version, long expiresAt, int type) {
        @Override
        public String toString() {
            return SequenceRun.show(value) + " version " + version + " expires " + expiresAt + " type " + type;
        }
    }

    /** What the model expects of an operation: its result, and what the key holds after it. */
    private record Expected(
            @Nullable Object result, @Nullable Held after, boolean writes, boolean needsRoom) {
        static Expected read(@Nullable Object result, @Nullable Held held) {
            return new Expected(result, held, false, false);
        }

        static Expected unchanged(@Nullable Object result, @Nullable Held held) {
            return read(result, held);
        }

        static Expected stored(@Nullable Object result, Held after) {
            return new Expected(result, after, true, true);
        }

        static Expected removed(@Nullable Object result) {
            return new Expected(result, null, true, false);
        }
    }

    /** Stands for a version that the store chooses. */
    private static final Object NEW_VERSION = "a new version";

    private record Event(String space, ByteBuffer key, byte[] value, Cause cause) {
        boolean is(String otherSpace, byte[] otherKey, byte[] otherValue) {
            return space.equals(otherSpace) && Arrays.equals(key.array(), otherKey) && Arrays.equals(value, otherValue);
        }

        @Override
        public String toString() {
            return cause + " " + space + "/" + SequenceRun.show(key.array()) + " = " + SequenceRun.show(value);
        }
    }

    /** The model of one namespace. */
    private static final class Space {
        final String name;
        Namespace handle;
        final Map<Integer, Held> held = new HashMap<>();
        final Map<Integer, Long> highestVersion = new HashMap<>();

        Space(String name, Namespace handle) {
            this.name = name;
            this.handle = handle;
        }
    }

    private record OpenGuard(Guard guard, List<ValueView> views, List<byte[]> expected) {}

    private static final int SPACES = 3;

    /** Whether a conditional write whose condition does not hold must say so even when there is no room. */
    private static final boolean STRICT = Boolean.getBoolean("loam.sequence.strict");

    private final Setup setup;
    private final long patienceMillis;
    private final ManualClock clock = new ManualClock();
    private final Store store;
    private final @Nullable Space[] spaces = new @Nullable Space[SPACES];
    private final List<OpenGuard> guards = new ArrayList<>();
    private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final List<Event> evictions = new ArrayList<>();
    private final List<Event> removals = new ArrayList<>();
    private final List<Event> expectedRemovals = new ArrayList<>();
    private final List<String> listing = new ArrayList<>();
    private long capacityBytes;

    private SequenceRun(Setup setup, Setup.Opener opener, long seed, long patienceMillis) {
        this.setup = setup;
        this.patienceMillis = patienceMillis;
        store = opener.open(setup, clock, seed);
        capacityBytes = setup.capacityBytes();
        store.addListener(
                (space, key, value, cause) -> events.add(new Event(space, ByteBuffer.wrap(key), value, cause)));
        spaces[0] = new Space("", store);
    }

    static void run(Setup setup, Setup.Opener opener, List<Step> steps, long seed, long patienceMillis) {
        try (SequenceRun run = new SequenceRun(setup, opener, seed, patienceMillis)) {
            for (Step step : steps) {
                run.step(step);
            }
            run.attempt("the final reading", run::finish);
        }
    }

    private void step(Step step) {
        listing.add("");
        attempt(step.toJava(), () -> {
            perform(step);
            verifyGuards();
            verifyRemovals();
        });
    }

    private void attempt(String what, Runnable action) {
        try {
            action.run();
        } catch (Mismatch e) {
            throw e;
        } catch (RuntimeException | AssertionError e) {
            throw new Mismatch(what + " threw " + e, listing, e);
        }
    }

    @Override
    public void close() {
        guards.forEach(open -> open.guard.close());
        store.close();
    }

    private void finish() {
        guards.forEach(open -> open.guard.close());
        guards.clear();
        for (Space space : spaces) {
            if (space != null) {
                for (int key = 0; key < Step.KEYS; key++) {
                    note("final get %s", name(space, key));
                    get(space, key, key);
                }
                scan(space, 7);
            }
        }
        List<String> complaints = Setup.complaints(store);
        if (!complaints.isEmpty()) {
            throw mismatch("the checker complains: " + complaints);
        }
    }

    // ---- the model's rules

    private @Nullable Held live(Space space, int key) {
        Held held = space.held.get(key);
        return held == null || (held.expiresAt != Namespace.NEVER && held.expiresAt <= clock.millis()) ? null : held;
    }

    /** Runs a call on one key, compares its result with what {@code rule} makes of the key's state, and takes over the state after it. */
    private void check(Space space, int key, int neededBytes, Function<@Nullable Held, Expected> rule, Callback call) {
        Held before = live(space, key);
        Expected expected = rule.apply(before);
        boolean evicted = false;
        Object actual;
        try {
            actual = call.call();
        } catch (StoreFullException e) {
            // A store may look for room before it looks at the condition.
            boolean mayNeedRoom = STRICT
                    ? expected.needsRoom || (evicts() && rule.apply(null).needsRoom)
                    : expected.needsRoom || neededBytes > 0;
            if (!mayNeedRoom) {
                throw mismatch("refused, but it needs no memory: " + e.getMessage());
            }
            refused(space, key, neededBytes, e);
            return;
        } catch (IllegalStateException | ArithmeticException | IllegalArgumentException e) {
            actual = e.getClass();
            if (!e.getClass().equals(expected.result) && !(before != null && evicts())) {
                throw mismatch("expected " + showResult(expected.result) + ", thrown " + e);
            }
        }
        if (!matches(expected.result, actual, space, key)) {
            if (before == null
                    || !evicts()
                    || !matches(rule.apply(null).result, actual, space, key)
                    || !wasEvicted(space, key, before)) {
                throw mismatch("expected " + showResult(expected.result) + ", got " + showResult(actual)
                        + "; the key held " + before);
            }
            before = null;
            evicted = true;
            expected = rule.apply(null);
        }
        note("%s", showResult(actual));
        if (expected.writes) {
            if (before != null) {
                expectedRemovals.add(new Event(
                        space.name,
                        ByteBuffer.wrap(Step.key(key)),
                        before.value,
                        expected.after == null ? Cause.DELETED : Cause.REPLACED));
            }
            learn(
                    space,
                    key,
                    expected.after,
                    actual instanceof Long version && expected.result == NEW_VERSION ? version : 0);
        } else if (evicted) {
            space.held.remove(key);
        }
    }

    @FunctionalInterface
    private interface Callback {
        @Nullable
        Object call();
    }

    private boolean evicts() {
        return setup.full() == FullPolicy.EVICT;
    }

    private boolean matches(@Nullable Object expected, @Nullable Object actual, Space space, int key) {
        if (expected == NEW_VERSION) {
            return actual instanceof Long version && version > space.highestVersion.getOrDefault(key, 0L);
        }
        if (expected instanceof byte[] bytes) {
            return actual instanceof byte[] other && Arrays.equals(bytes, other);
        }
        return Objects.equals(expected, actual);
    }

    /** Takes over what a key holds now, with the version that the store gave it. */
    private void learn(Space space, int key, @Nullable Held after, long returnedVersion) {
        if (after == null) {
            space.held.remove(key);
            return;
        }
        long highest = space.highestVersion.getOrDefault(key, 0L);
        long version = returnedVersion;
        boolean expired = after.expiresAt != Namespace.NEVER && after.expiresAt <= clock.millis();
        if (version == 0 && !expired) {
            version = space.handle.version(Step.key(key));
            if (version == Namespace.ABSENT && evicts() && wasEvicted(space, key, after)) {
                space.held.remove(key);
                return;
            }
        }
        if (!expired || version != 0) {
            if (version <= highest) {
                throw mismatch("version " + version + " after version " + highest + " of the key");
            }
            space.highestVersion.put(key, version);
        }
        space.held.put(key, new Held(after.value, version, after.expiresAt, after.type));
    }

    /** A refusal is right only when the store holds much or is told to hold on to memory. */
    private void refused(@Nullable Space space, int key, int neededBytes, RuntimeException refusal) {
        note("refused");
        long live = 0;
        for (Space other : spaces) {
            if (other != null) {
                for (int k = 0; k < Step.KEYS; k++) {
                    Held held = live(other, k);
                    live += held == null ? 0 : held.value.length + Step.key(k).length + 64;
                }
            }
        }
        boolean mustFit =
                neededBytes + (space == null ? 0 : Step.key(key).length) <= capacityBytes / 16 && guards.isEmpty();
        boolean fewLive =
                live <= capacityBytes / 4 || (evicts() && setup.eviction().domain() == Eviction.Domain.ALL);
        if (mustFit && fewLive) {
            throw mismatch("refused " + neededBytes + " bytes with " + live + " live of " + capacityBytes + ": "
                    + refusal.getMessage());
        }
    }

    /** Waits for the listener's word: it comes after the fact, from another thread. */
    private boolean wasEvicted(Space space, int key, Held held) {
        return wasEvicted(space.name, Step.key(key), held.value);
    }

    private boolean wasEvicted(String space, byte[] key, byte[] value) {
        while (true) {
            for (Event event : evictions) {
                if (event.is(space, key, value)) {
                    evictions.remove(event);
                    return true;
                }
            }
            try {
                Event event = events.poll(patienceMillis, TimeUnit.MILLISECONDS);
                if (event == null) {
                    return false;
                }
                sort(event);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private void sort(Event event) {
        switch (event.cause) {
            case EVICTED -> evictions.add(event);
            case DELETED, REPLACED -> removals.add(event);
            case EXPIRED -> {}
        }
    }

    private void verifyRemovals() {
        for (Event event = events.poll(); event != null; event = events.poll()) {
            sort(event);
        }
        for (Event expected : expectedRemovals) {
            byte[] key = expected.key.array();
            boolean told = removals.removeIf(new java.util.function.Predicate<>() {
                private boolean found;

                @Override
                public boolean test(Event event) {
                    boolean hit =
                            !found && event.cause == expected.cause && event.is(expected.space, key, expected.value);
                    found |= hit;
                    return hit;
                }
            });
            if (!told && !(evicts() && wasEvicted(expected.space, key, expected.value))) {
                throw mismatch("the listener was not told: " + expected + "; it was told " + removals);
            }
        }
        expectedRemovals.clear();
        if (!removals.isEmpty()) {
            throw mismatch("the listener was told what did not happen: " + removals);
        }
    }

    private void verifyGuards() {
        for (OpenGuard open : guards) {
            for (int i = 0; i < open.views.size(); i++) {
                if (!Arrays.equals(open.views.get(i).toByteArray(), open.expected.get(i))) {
                    throw mismatch("bytes under a guard changed from " + show(open.expected.get(i)) + " to "
                            + show(open.views.get(i).toByteArray()));
                }
            }
        }
    }

    private Mismatch mismatch(String what) {
        note("!!! %s", what);
        return new Mismatch(what, listing, null);
    }

    // ---- the listing

    private void note(String format, Object... arguments) {
        String text = String.format(format, arguments);
        String last = listing.isEmpty() ? "" : listing.removeLast();
        listing.add(last.isEmpty() ? text : last.endsWith("-> " + text) ? last : last + " -> " + text);
    }

    private static String name(Space space, int key) {
        return (space.name.isEmpty() ? "store" : space.name) + "[key " + key + "]";
    }

    static String show(byte @Nullable [] bytes) {
        return bytes == null ? "null" : bytes.length + " bytes #" + Integer.toHexString(Arrays.hashCode(bytes));
    }

    private static String showResult(@Nullable Object result) {
        return result instanceof byte[] bytes ? show(bytes) : String.valueOf(result);
    }

    // ---- the operations

    private @Nullable Space space(Step step) {
        int index = step.space();
        Space space = spaces[index];
        if (space == null) {
            String name = "space-" + index;
            try {
                space = new Space(name, store.namespace(name));
                spaces[index] = space;
            } catch (StoreFullException e) {
                note("namespace %s refused", name);
            }
        }
        return space;
    }

    private void perform(Step step) {
        switch (step.action()) {
            case CLOCK -> {
                long by = 2L * (step.choice() % 40);
                note("clock.advanceMillis(%d)", by);
                clock.advanceMillis(by);
            }
            case CLEAN -> {
                note("store.clean()");
                store.clean();
            }
            case CAPACITY -> setCapacity(step);
            case DROP_NAMESPACE -> dropNamespace(step);
            case GUARD_CLOSE -> closeGuard(step);
            default -> {
                Space space = space(step);
                if (space != null) {
                    note(
                            "%s %s %s form %d",
                            step.action(),
                            name(space, step.key()),
                            step.action().takesValue() ? show(step.value()) : "",
                            step.form(60));
                    perform(step, space, step.key());
                }
            }
        }
    }

    private void perform(Step step, Space space, int key) {
        Namespace handle = space.handle;
        byte[] k = Step.key(key);
        byte[] value = step.value();
        Held stored = new Held(value, 0, Namespace.NEVER, 0);
        switch (step.action()) {
            case GET -> get(space, key, step.choice());
            case PUT ->
                check(space, key, value.length, held -> Expected.stored(NEW_VERSION, stored), () -> switch (step.form(
                        4)) {
                    case 0 -> handle.put(MemorySegment.ofArray(k), MemorySegment.ofArray(value));
                    case 1 -> handle.put(ByteBuffer.wrap(k), ByteBuffer.wrap(value));
                    default -> handle.put(k, value);
                });
            case PUT_EXPIRING -> putExpiring(step, space, key);
            case PUT_IF_ABSENT ->
                check(
                        space,
                        key,
                        value.length,
                        held -> held != null
                                ? Expected.unchanged(Namespace.ABSENT, held)
                                : Expected.stored(NEW_VERSION, stored),
                        () -> handle.putIfAbsent(k, value));
            case REPLACE ->
                check(
                        space,
                        key,
                        value.length,
                        held -> held == null
                                ? Expected.unchanged(Namespace.ABSENT, null)
                                : Expected.stored(NEW_VERSION, stored),
                        () -> handle.replace(k, value));
            case REPLACE_VERSION -> {
                long version = guessVersion(step, space, key);
                check(
                        space,
                        key,
                        value.length,
                        held -> held == null || held.version != version
                                ? Expected.unchanged(Namespace.ABSENT, held)
                                : Expected.stored(NEW_VERSION, stored),
                        () -> handle.replace(k, version, value));
            }
            case DELETE ->
                check(
                        space,
                        key,
                        0,
                        held -> held == null ? Expected.unchanged(false, null) : Expected.removed(true),
                        () -> switch (step.form(3)) {
                            case 0 -> handle.delete(MemorySegment.ofArray(k));
                            case 1 -> handle.delete(ByteBuffer.wrap(k));
                            default -> handle.delete(k);
                        });
            case DELETE_VERSION -> {
                long version = guessVersion(step, space, key);
                check(
                        space,
                        key,
                        0,
                        held -> held == null || held.version != version
                                ? Expected.unchanged(false, held)
                                : Expected.removed(true),
                        () -> handle.delete(k, version));
            }
            case GET_AND_DELETE ->
                check(
                        space,
                        key,
                        0,
                        held -> held == null ? Expected.unchanged(null, null) : Expected.removed(held.value),
                        () -> handle.getAndDelete(k));
            case COMPUTE -> compute(step, space, key);
            case ADD -> add(step, space, key);
            case APPEND ->
                check(
                        space,
                        key,
                        lengthOf(space, key) + value.length,
                        held -> {
                            byte[] after = concatenate(held == null ? new byte[0] : held.value, value);
                            return Expected.stored((long) after.length, keeping(held, after));
                        },
                        () -> handle.append(k, value));
            case LOAD ->
                check(
                        space,
                        key,
                        value.length,
                        held -> held != null
                                ? Expected.unchanged(held.value, held)
                                : step.form(5) == 0 ? Expected.unchanged(null, null) : Expected.stored(value, stored),
                        () -> handle.getOrLoad(k, ignored -> step.form(5) == 0 ? null : value));
            case EXPIRE_AT -> expireAt(step, space, key);
            case TRANSACT -> transact(step, space, key);
            case PUT_ALL -> putAll(step, space, key);
            case GET_ALL -> getAll(space, key);
            case TRY_PUT -> tryPut(step, space, key);
            case SCAN -> scan(space, 1 + step.form(50));
            case SIZE -> size(space);
            case CLEAR -> clear(step, space);
            case GUARD_OPEN -> openGuard(step, space, key);
            case CLOCK, CLEAN, CAPACITY, DROP_NAMESPACE, GUARD_CLOSE -> throw new AssertionError(step.action());
        }
    }

    private static Held keeping(@Nullable Held held, byte[] value) {
        return held == null ? new Held(value, 0, Namespace.NEVER, 0) : new Held(value, 0, held.expiresAt, held.type);
    }

    private int lengthOf(Space space, int key) {
        Held held = live(space, key);
        return held == null ? 0 : held.value.length;
    }

    private static byte[] concatenate(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** The right version more often than not, else one it had or will have. */
    private long guessVersion(Step step, Space space, int key) {
        Held held = live(space, key);
        long known = held == null ? space.highestVersion.getOrDefault(key, 1L) : held.version;
        return Math.max(1, step.form(4) == 0 ? known - 1 : step.form(4) == 1 ? known + 1 : known);
    }

    private void get(Space space, int key, int choice) {
        byte[] k = Step.key(key);
        Namespace handle = space.handle;
        switch (choice % 8) {
            case 0 -> check(space, key, 0, held -> Expected.read(held != null, held), () -> handle.contains(k));
            case 1 ->
                check(
                        space,
                        key,
                        0,
                        held -> Expected.read(held == null ? Namespace.ABSENT : held.version, held),
                        () -> handle.version(k));
            case 2 ->
                check(
                        space,
                        key,
                        0,
                        held -> Expected.read(
                                held == null
                                        ? null
                                        : List.of(show(held.value), held.version, held.expiresAt, held.type),
                                held),
                        () -> {
                            Entry entry = handle.getEntry(k);
                            return entry == null
                                    ? null
                                    : List.of(
                                            show(entry.value()),
                                            entry.version(),
                                            entry.expiresAtMillis(),
                                            entry.type());
                        });
            case 3 ->
                check(
                        space,
                        key,
                        0,
                        held -> Expected.read(held == null ? null : held.value, held),
                        () -> handle.read(k, SequenceRun::pieces));
            case 4 ->
                check(space, key, 0, held -> Expected.read(held == null ? null : held.value, held), () -> {
                    byte[] destination = new byte[2000];
                    int length = k.length % 2 == 0
                            ? handle.get(k, destination, 3)
                            : getOfType(handle, k, destination, live(space, key));
                    return length < 0
                            ? null
                            : length <= 1997
                                    ? Arrays.copyOfRange(destination, 3, 3 + length)
                                    : onlyIf(handle.get(k), length);
                });
            case 5 ->
                check(space, key, 0, held -> Expected.read(held == null ? null : held.value, held), () -> {
                    try (Arena arena = Arena.ofConfined()) {
                        MemorySegment destination = arena.allocate(Step.MAX_SIZE * 4);
                        long length = handle.get(MemorySegment.ofArray(k), destination);
                        return length < 0
                                ? null
                                : length <= destination.byteSize()
                                        ? destination.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE)
                                        : onlyIf(handle.get(k), length);
                    }
                });
            case 6 ->
                check(space, key, 0, held -> Expected.read(held == null ? null : held.value, held), () -> {
                    ByteBuffer destination = ByteBuffer.allocate(5000).position(1);
                    long length = handle.get(ByteBuffer.wrap(k), destination);
                    return length < 0
                            ? null
                            : length <= 4999
                                    ? Arrays.copyOfRange(destination.array(), 1, destination.position())
                                    : onlyIf(handle.get(k), length);
                });
            default ->
                check(
                        space,
                        key,
                        0,
                        held -> Expected.read(held == null ? null : held.value, held),
                        () -> handle.get(k));
        }
    }

    /** Asks for another type than the key has, then for the right one. */
    private static int getOfType(Namespace handle, byte[] key, byte[] destination, @Nullable Held held) {
        int type = held == null ? 0 : held.type;
        int other = handle.getOfType(key, type ^ 1, destination, 3);
        if (other >= 0) {
            throw new IllegalStateException("a value of type " + type + " was handed out as one of type " + (type ^ 1));
        }
        return handle.getOfType(key, type, destination, 3);
    }

    private static byte @Nullable [] onlyIf(byte @Nullable [] value, long length) {
        if (value != null && value.length != length) {
            throw new IllegalStateException("a value of " + value.length + " bytes was said to have " + length);
        }
        return value;
    }

    /** A view's value, piece by piece. */
    private static byte[] pieces(ValueView view) {
        byte[] value = new byte[(int) view.length()];
        int at = 0;
        for (int i = 0; i < view.segmentCount(); i++) {
            MemorySegment piece = view.segment(i);
            MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, value, at, (int) piece.byteSize());
            at += (int) piece.byteSize();
        }
        if (at != value.length) {
            throw new IllegalStateException(
                    view.segmentCount() + " pieces of " + at + " bytes for a value of " + value.length);
        }
        return value;
    }

    /** Expiries are odd, the clock even: the boundary itself is not tested here. */
    private long expiry(Step step) {
        return clock.millis() + 1 + 2L * (step.form(40) - 4);
    }

    private void putExpiring(Step step, Space space, int key) {
        byte[] value = step.value();
        int type = step.form(16);
        long expiresAt = expiry(step);
        boolean keep = step.form(3) == 0;
        PutOptions options = PutOptions.DEFAULT.expiringAt(expiresAt).withType(type);
        PutOptions chosen = keep ? options.keepingExpiry() : options;
        check(
                space,
                key,
                value.length,
                held -> Expected.stored(
                        NEW_VERSION,
                        new Held(value, 0, keep ? (held == null ? Namespace.NEVER : held.expiresAt) : expiresAt, type)),
                () -> space.handle.put(Step.key(key), value, chosen));
    }

    private void compute(Step step, Space space, int key) {
        byte[] value = step.value();
        Function<byte @Nullable [], byte @Nullable []> function = old -> switch (step.form(4)) {
            case 0 -> null;
            case 1 -> old == null ? value : Arrays.copyOf(old, old.length / 2);
            default -> value;
        };
        check(
                space,
                key,
                Math.max(value.length, lengthOf(space, key)),
                held -> {
                    byte[] next = function.apply(held == null ? null : held.value);
                    return next == null
                            ? (held == null ? Expected.unchanged(null, null) : Expected.removed(null))
                            : Expected.stored(next, keeping(held, next));
                },
                () -> space.handle.compute(Step.key(key), function::apply));
    }

    private void add(Step step, Space space, int key) {
        long delta = step.form(9) == 0 ? Long.MAX_VALUE : step.choice() - (1L << 30);
        check(
                space,
                key,
                8,
                held -> {
                    if (held != null && held.value.length != 8) {
                        return Expected.unchanged(IllegalStateException.class, held);
                    }
                    long old = held == null
                            ? 0
                            : ByteBuffer.wrap(held.value)
                                    .order(ByteOrder.LITTLE_ENDIAN)
                                    .getLong();
                    long sum = old + delta;
                    if (((old ^ sum) & (delta ^ sum)) < 0) {
                        return Expected.unchanged(ArithmeticException.class, held);
                    }
                    return Expected.stored(
                            sum,
                            keeping(
                                    held,
                                    ByteBuffer.allocate(8)
                                            .order(ByteOrder.LITTLE_ENDIAN)
                                            .putLong(sum)
                                            .array()));
                },
                () -> space.handle.add(Step.key(key), delta));
    }

    private void expireAt(Step step, Space space, int key) {
        long expiresAt = step.form(5) == 0 ? Namespace.NEVER : expiry(step);
        check(
                space,
                key,
                lengthOf(space, key),
                held -> held == null
                        ? Expected.unchanged(false, null)
                        : Expected.stored(true, new Held(held.value, 0, expiresAt, held.type)),
                () -> space.handle.expireAt(Step.key(key), expiresAt));
        // Whether the listener hears of it is left open: the value stays.
        verifyOptionalRemoval();
    }

    private void verifyOptionalRemoval() {
        for (Event event = events.poll(); event != null; event = events.poll()) {
            sort(event);
        }
        expectedRemovals.clear();
        removals.removeIf(event -> event.cause == Cause.REPLACED);
    }

    private void tryPut(Step step, Space space, int key) {
        byte[] value = step.value();
        AtomicInteger hooks = new AtomicInteger();
        check(
                space,
                key,
                value.length,
                held -> Expected.stored(NEW_VERSION, new Held(value, 0, Namespace.NEVER, 0)),
                () -> {
                    long version = space.handle.tryPut(
                            MemorySegment.ofArray(Step.key(key)),
                            MemorySegment.ofArray(value),
                            PutOptions.DEFAULT,
                            hooks::incrementAndGet);
                    // It may have to wait although a blocking put would succeed.
                    return version == TryPut.WOULD_WAIT ? space.handle.put(Step.key(key), value) : version;
                });
    }

    /** Reads three keys, moves the first's value to the second, deletes or writes the third. */
    private void transact(Step step, Space space, int key) {
        int[] keys = {key, (key + 1) % Step.KEYS, (key + 5) % Step.KEYS};
        List<byte[]> named = Arrays.stream(keys).mapToObj(Step::key).toList();
        byte[] value = step.value();
        boolean deletes = step.form(2) == 0;
        List<@Nullable Held> read = new ArrayList<>();
        try {
            space.handle.transact(named, transaction -> {
                read.clear();
                for (byte[] k : named) {
                    Entry entry = transaction.getEntry(k);
                    read.add(
                            entry == null
                                    ? null
                                    : new Held(entry.value(), entry.version(), entry.expiresAtMillis(), entry.type()));
                    if (!Arrays.equals(entry == null ? null : entry.value(), transaction.get(k))) {
                        throw new IllegalStateException("get and getEntry differ in a transaction");
                    }
                }
                byte[] first = transaction.get(named.get(0));
                if (first != null) {
                    transaction.put(named.get(1), first);
                }
                if (deletes) {
                    transaction.delete(named.get(2));
                } else {
                    transaction.put(named.get(2), value);
                }
                if (!Arrays.equals(transaction.get(named.get(2)), deletes ? null : value)) {
                    throw new IllegalStateException("a transaction does not see its own write");
                }
                return true;
            });
        } catch (StoreFullException e) {
            int needed = value.length + lengthOf(space, keys[0]);
            if (deletes && live(space, keys[0]) == null && !evicts()) {
                throw mismatch("refused a transaction that only deletes: " + e.getMessage());
            }
            refused(space, keys[2], needed, e);
            return;
        }
        for (int i = 0; i < 3; i++) {
            Held seen = read.get(i);
            int at = keys[i];
            check(
                    space,
                    at,
                    0,
                    held -> Expected.read(
                            held == null ? null : List.of(show(held.value), held.version, held.expiresAt, held.type),
                            held),
                    () -> seen == null ? null : List.of(show(seen.value), seen.version, seen.expiresAt, seen.type));
        }
        Held first = read.get(0);
        wroteInTransaction(
                space,
                keys[1],
                read.get(1),
                first == null ? read.get(1) : new Held(first.value, 0, Namespace.NEVER, 0),
                first != null);
        wroteInTransaction(
                space,
                keys[2],
                read.get(2),
                deletes ? null : new Held(value, 0, Namespace.NEVER, 0),
                !deletes || read.get(2) != null);
    }

    private void wroteInTransaction(
            Space space, int key, @Nullable Held before, @Nullable Held after, boolean written) {
        if (written) {
            if (before != null) {
                expectedRemovals.add(new Event(
                        space.name,
                        ByteBuffer.wrap(Step.key(key)),
                        before.value,
                        after == null ? Cause.DELETED : Cause.REPLACED));
            }
            learn(space, key, after, 0);
        }
    }

    private void putAll(Step step, Space space, int key) {
        List<byte[]> keys = new ArrayList<>();
        List<byte[]> values = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            keys.add(Step.key((key + i) % Step.KEYS));
            values.add(Step.bytes(step.size() / (i + 1), step.choice() + i));
        }
        boolean refused = false;
        try {
            space.handle.putAll(keys, values);
        } catch (StoreFullException e) {
            refused(space, key, step.size(), e);
            refused = true;
        }
        for (int i = 0; i < 3; i++) {
            int at = (key + i) % Step.KEYS;
            long version = space.handle.version(keys.get(i));
            if (refused && version <= space.highestVersion.getOrDefault(at, 0L)) {
                // This one and those after it were not stored; each get later checks that they hold what they held.
                return;
            }
            Held before = live(space, at);
            if (before != null) {
                expectedRemovals.add(new Event(space.name, ByteBuffer.wrap(keys.get(i)), before.value, Cause.REPLACED));
            }
            learn(space, at, new Held(values.get(i), 0, Namespace.NEVER, 0), 0);
        }
    }

    private void getAll(Space space, int key) {
        List<byte[]> keys = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            keys.add(Step.key((key + i) % Step.KEYS));
        }
        List<byte @Nullable []> values = space.handle.getAll(keys);
        byte[][] destinations = new byte[5][300];
        int[] lengths = new int[5];
        space.handle.getAll(keys.toArray(byte[][]::new), destinations, lengths, 5);
        for (int i = 0; i < 5; i++) {
            byte[] value = values.get(i);
            int length = lengths[i];
            byte[] start = Arrays.copyOf(destinations[i], Math.max(0, Math.min(length, 300)));
            check(
                    space,
                    (key + i) % Step.KEYS,
                    0,
                    held -> Expected.read(held == null ? null : held.value, held),
                    () -> value);
            check(
                    space,
                    (key + i) % Step.KEYS,
                    0,
                    held -> Expected.read(
                            held == null
                                    ? List.of(-1, "")
                                    : List.of(held.value.length, held.value.length <= 300 ? show(held.value) : ""),
                            held),
                    () -> List.of(length, length >= 0 && length <= 300 ? show(start) : ""));
        }
    }

    private void scan(Space space, int count) {
        Map<ByteBuffer, List<Object>> seen = new HashMap<>();
        long position = 0;
        int calls = 0;
        do {
            position = space.handle.scan(
                    position,
                    count,
                    (key, view) -> seen.put(
                            ByteBuffer.wrap(key),
                            List.of(show(pieces(view)), view.version(), view.expiresAtMillis(), view.type())));
            if (++calls > 100_000) {
                throw mismatch("a scan does not end");
            }
        } while (position != 0);
        for (int key = 0; key < Step.KEYS; key++) {
            List<Object> found = seen.remove(ByteBuffer.wrap(Step.key(key)));
            check(
                    space,
                    key,
                    0,
                    held -> Expected.read(
                            held == null ? null : List.of(show(held.value), held.version, held.expiresAt, held.type),
                            held),
                    () -> found);
        }
        if (!seen.isEmpty()) {
            throw mismatch("a scan shows keys that were never put: " + seen);
        }
    }

    private void size(Space space) {
        long size = space.handle.size();
        int live = 0;
        for (int key = 0; key < Step.KEYS; key++) {
            live += live(space, key) == null ? 0 : 1;
        }
        note("%d", size);
        if ((size < live && !evicts()) || size > space.held.size() || size < 0) {
            throw mismatch(
                    "size " + size + " with " + live + " live keys and " + space.held.size() + " with those expired");
        }
    }

    private void clear(Step step, Space space) {
        Collection<@Nullable Space> cleared;
        try {
            if (step.form(3) == 0) {
                store.clearAll();
                cleared = Arrays.asList(spaces);
            } else {
                space.handle.clear();
                cleared = List.of(space);
            }
        } catch (StoreFullException e) {
            refused(null, 0, 0, e);
            return;
        }
        for (Space each : cleared) {
            if (each != null) {
                each.held.clear();
                scan(each, 100);
                if (each.handle.size() != 0) {
                    throw mismatch("size " + each.handle.size() + " after clearing " + each.name);
                }
            }
        }
    }

    private void dropNamespace(Step step) {
        int index = 1 + step.form(SPACES - 1);
        Space space = spaces[index];
        note("store.dropNamespace(\"space-%d\")", index);
        boolean existed = store.dropNamespace("space-" + index);
        if (existed != (space != null)) {
            throw mismatch("dropNamespace returned " + existed);
        }
        spaces[index] = null;
        if (space != null) {
            try {
                space.handle.get(Step.key(step.key()));
                throw mismatch("a dropped namespace can be read");
            } catch (IllegalStateException expected) {
                // as documented
            }
        }
        Set<String> names = new HashSet<>();
        for (Space each : spaces) {
            if (each != null && !each.name.isEmpty()) {
                names.add(each.name);
            }
        }
        if (!store.namespaces().equals(names)) {
            throw mismatch("namespaces " + store.namespaces() + " instead of " + names);
        }
    }

    private void setCapacity(Step step) {
        int least = 112 * Math.max(1, setup.nodes());
        int steps = 1 + (setup.maximumBlocks() - least) / 16;
        long bytes = (least + 16L * step.form(steps)) * setup.blockBytes();
        note("store.setCapacityBytes(%d)", bytes);
        long before = capacityBytes;
        try {
            store.setCapacityBytes(bytes);
            capacityBytes = bytes;
        } catch (StoreFullException e) {
            capacityBytes = bytes;
            refused(null, 0, 0, e);
            capacityBytes = before;
        }
        if (store.capacityBytes() != capacityBytes) {
            throw mismatch("the capacity is " + store.capacityBytes() + " instead of " + capacityBytes);
        }
    }

    private void openGuard(Step step, Space space, int key) {
        if (guards.size() == 2) {
            return;
        }
        OpenGuard open = new OpenGuard(store.guard(), new ArrayList<>(), new ArrayList<>());
        guards.add(open);
        for (int i = 0; i < 4; i++) {
            int at = (key + i) % Step.KEYS;
            ValueView view = open.guard.get(space.handle, Step.key(at));
            check(
                    space,
                    at,
                    0,
                    held -> Expected.read(held == null ? null : held.value, held),
                    () -> view == null ? null : view.toByteArray());
            if (view != null) {
                open.views.add(view);
                open.expected.add(view.toByteArray());
            }
        }
    }

    private void closeGuard(Step step) {
        if (guards.isEmpty()) {
            return;
        }
        Guard guard = guards.removeFirst().guard;
        note("guard.close()");
        if (step.form(2) == 0) {
            guard.close();
        } else {
            Thread other = Thread.ofPlatform().start(guard::close);
            try {
                other.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
