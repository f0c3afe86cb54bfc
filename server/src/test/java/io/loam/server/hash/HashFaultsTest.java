package io.loam.server.hash;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.keyspace.ValueType;
import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each write of a command on a large hash is the last one: because the process dies, or because memory has run out. Forbidden: a state that is neither the one before the command nor
 * the one after it, fields that are found by name and not by ordinal or the other way round, and elements that nobody reclaims.
 */
@Timeout(600)
final class HashFaultsTest {

    private static final String FULL = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    private static final String SEVERAL = "HSET h a 1 b 2 f3 other7 f4 longer-than-it-was c 3";
    private static final int SOME = 12;

    private static Store open() {
        return Store.builder()
                .capacityBytes(16 << 20)
                .updatePolicy(UpdatePolicy.IN_PLACE)
                .open();
    }

    private static CommandRunner start(Store store) {
        return new CommandRunner(store, InstantSource.system(), "hash-max-listpack-entries", "4");
    }

    /** Fields f0 … of a hash. */
    private static void fill(CommandRunner runner, String key, int fields) {
        for (int i = 0; i < fields; i++) {
            assertThat(runner.run("HSET", key, "f" + i, "value" + i)).isEqualTo(":1\r\n");
        }
    }

    static Stream<Arguments> commands() {
        return Stream.of(
                        "HSET h new 1",
                        "HSET h f3 other7",
                        "HSET h f3 other-and-longer",
                        "HSET h a 1 b 2 c 3",
                        SEVERAL,
                        "HDEL h f3",
                        "HDEL h f11",
                        "HDEL h f0",
                        "HINCRBY h n 5",
                        "HSET small a 1 b 2 c 3",
                        "HSET fresh a 1 b 2 c 3 d 4 e 5",
                        "DEL h",
                        "SET h x",
                        "RENAME h other",
                        "RENAME h large",
                        "RENAME large h",
                        "COPY h other",
                        "COPY h large REPLACE",
                        "MOVE h 3",
                        "PEXPIRE h 10000000")
                .map(Arguments::of);
    }

    private static void prepare(CommandRunner runner) {
        fill(runner, "h", SOME);
        fill(runner, "large", 6);
        fill(runner, "small", 3);
        assertThat(runner.run("HDEL", "h", "f5")).isEqualTo(":1\r\n");
        runner.elements().drain();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void deathAtAnyWriteLeavesTheStateBeforeOrAfter(String command) {
        boolean completed = false;
        int write = 0;
        while (!completed) {
            write++;
            try (Store store = open()) {
                MortalStore mortal = new MortalStore(store);
                CommandRunner runner = start(mortal.store());
                prepare(runner);
                TreeMap<String, String> before = contents(store);
                mortal.dieAtWrite(write);
                try {
                    runner.run((Object[]) command.split(" "));
                } catch (MortalStore.Death e) {
                    assertThat(mortal.isDead()).isTrue();
                }
                completed = !mortal.isDead();
                mortal.die();
                CommandRunner next = start(store);
                settle(next);
                TreeMap<String, String> after = contents(store);
                // a command that changes several fields that were there may be cut off between them: nobody was told
                // that it was done
                if (!after.equals(before) && !command.equals(SEVERAL)) {
                    assertThat(after)
                            .as("%s, death at write %d", command, write)
                            .isEqualTo(expected(command));
                }
                checkElements(next, store, false, command + ", death at write " + write);
                // what was left does not come to light later
                next.run("HSET", "h", "late1", "1", "late2", "2", "late3", "3", "late4", "4", "late5", "5");
                next.run("HDEL", "h", "f1", "late2");
                settle(next);
                checkElements(next, store, false, command + ", death at write " + write + ", written to again");
            }
        }
        assertThat(write).as("writes of the command, and one").isGreaterThan(1);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void noMemoryAtAnyPutLeavesTheStateBefore(String command) {
        boolean completed = false;
        for (int put = 1; !completed; put++) {
            try (Store store = open()) {
                MortalStore mortal = new MortalStore(store);
                CommandRunner runner = start(mortal.store());
                prepare(runner);
                TreeMap<String, String> before = contents(store);
                mortal.refuseFromPut(put);
                String reply = runner.run((Object[]) command.split(" "));
                mortal.refuseFromPut(Integer.MAX_VALUE);
                completed = !reply.startsWith("-");
                settle(runner);
                if (completed) {
                    assertThat(contents(store))
                            .as("%s, no memory from put %d", command, put)
                            .isEqualTo(expected(command));
                } else {
                    assertThat(reply).isEqualTo(FULL);
                    assertThat(contents(store))
                            .as("%s, no memory from put %d", command, put)
                            .isEqualTo(before);
                }
                checkElements(runner, store, true, command + ", no memory from put " + put);
                mortal.die();
            }
        }
    }

    private static TreeMap<String, String> expected(String command) {
        try (Store store = open()) {
            CommandRunner runner = start(store);
            prepare(runner);
            runner.run((Object[]) command.split(" "));
            return contents(store);
        }
    }

    private static void settle(CommandRunner runner) {
        HashElements elements = runner.elements();
        elements.restore();
        elements.drain();
        elements.sweep();
    }

    /** All keys of all databases with their fields. */
    private static TreeMap<String, String> contents(Store store) {
        TreeMap<String, String> contents = new TreeMap<>();
        try (Reader reader = new Reader(store)) {
            for (int database = 0; database < 4; database++) {
                int number = database;
                reader.runner.run("SELECT", database);
                reader.entries(database).forEach((key, view) -> {
                    String name = new String(key, StandardCharsets.ISO_8859_1);
                    boolean isHash = ValueType.of(view.type()).typeName().equals("hash");
                    contents.put(
                            number + " " + name,
                            (view.expiresAtMillis() == 0 ? "" : "expires ")
                                    + (isHash
                                            ? sorted(reader.runner.run("HGETALL", name))
                                            : reader.runner.run("GET", name)));
                });
            }
        }
        return contents;
    }

    /** A look at a store that does not close it. */
    private static final class Reader implements AutoCloseable {
        private final MortalStore mortal;
        private final CommandRunner runner;

        Reader(Store store) {
            mortal = new MortalStore(store);
            runner = start(mortal.store());
        }

        Namespace entries(int database) {
            return runner.service().keyspace().database(database).entries();
        }

        @Override
        public void close() {
            mortal.die();
        }
    }

    private static List<String> words(String reply) {
        List<String> words = new ArrayList<>();
        String[] lines = reply.split("\r\n", -1);
        for (int i = 2; i < lines.length; i += 2) {
            words.add(lines[i]);
        }
        return words;
    }

    private static String sorted(String reply) {
        List<String> words = words(reply);
        List<String> pairs = new ArrayList<>();
        for (int i = 0; i + 1 < words.size(); i += 2) {
            pairs.add(words.get(i) + "=" + words.get(i + 1));
        }
        pairs.sort(null);
        return pairs.toString();
    }

    /** Counts agree, each field is found in every way, and no element is left over. */
    private static void checkElements(CommandRunner runner, Store store, boolean exactBytes, String what) {
        long[] expected = {0};
        for (int database = 0; database < 4; database++) {
            runner.run("SELECT", database);
            Namespace entries = runner.service().keyspace().database(database).entries();
            entries.forEach((key, view) -> {
                if (view.type() != ValueType.LARGE_HASH.bits()) {
                    return;
                }
                String name = new String(key, StandardCharsets.ISO_8859_1);
                HashHeader header = HashHeader.of(view.toByteArray());
                expected[0] += 1 + 2 * header.count();
                List<String> all = words(runner.run("HGETALL", name));
                assertThat(all).as(what).hasSize((int) (2 * header.count()));
                long bytes = 0;
                for (int i = 0; i < all.size(); i += 2) {
                    bytes += all.get(i).length() + all.get(i + 1).length();
                    assertThat(runner.run("HGET", name, all.get(i)))
                            .as(what)
                            .isEqualTo("$" + all.get(i + 1).length() + "\r\n" + all.get(i + 1) + "\r\n");
                }
                if (exactBytes) { // else the value of a field may have been put, and its length not yet counted
                    assertThat(header.bytes()).as(what).isEqualTo(bytes);
                }
                assertThat(runner.run("HLEN", name)).as(what).isEqualTo(":" + header.count() + "\r\n");
            });
        }
        runner.run("SELECT", 0);
        dropLeftovers(store, runner);
        assertThat(store.namespace("server.elements").size())
                .as("elements, " + what)
                .isEqualTo(expected[0]);
    }

    /** Makes the next insertion clear what a write that failed has left beyond the limit, as it does anyway. */
    private static void dropLeftovers(Store store, CommandRunner runner) {
        Namespace elements = store.namespace("server.elements");
        List<byte[]> left = new ArrayList<>();
        for (int database = 0; database < 4; database++) {
            runner.service().keyspace().database(database).entries().forEach((key, view) -> {
                if (view.type() == ValueType.LARGE_HASH.bits()) {
                    HashHeader header = HashHeader.of(view.toByteArray());
                    elements.forEach((element, value) -> {
                        boolean isField = element[8] == HashElements.FIELD;
                        boolean isOrdinal = element[8] == HashElements.ORDINAL;
                        if (ByteBuffer.wrap(element).getLong() != header.id() || !(isField || isOrdinal)) {
                            return;
                        }
                        long ordinal = isField
                                ? ByteBuffer.wrap(value.toByteArray())
                                        .order(ByteOrder.LITTLE_ENDIAN)
                                        .getLong()
                                : ByteBuffer.wrap(element).getLong(9);
                        byte[] named = isOrdinal
                                ? elements.get(HashElements.fieldKey(header.id(), value.toByteArray()))
                                : null;
                        boolean stale = isOrdinal
                                && (named == null
                                        || ByteBuffer.wrap(named)
                                                        .order(ByteOrder.LITTLE_ENDIAN)
                                                        .getLong()
                                                != ordinal);
                        if (!header.covers(ordinal) || stale) {
                            left.add(element);
                        }
                    });
                }
            });
        }
        left.forEach(elements::delete);
    }

    @Test
    void aHashThatIsDeletedIsReclaimedByTheNextProcess() throws InterruptedException {
        try (Store store = open()) {
            MortalStore mortal = new MortalStore(store);
            CommandRunner runner = start(mortal.store());
            fill(runner, "h", 1000);
            store.delete("h".getBytes(StandardCharsets.US_ASCII)); // the header only, as if the process died then
            mortal.die();
            assertThat(store.namespace("server.elements").size()).isPositive();
            CommandRunner next = start(store);
            assertThat(next.elements().sweep()).isLessThanOrEqualTo(1);
            awaitEmpty(store);
        }
    }

    @Test
    void whatWasPutDownIsReclaimedByTheNextProcess() throws InterruptedException {
        try (Store store = open()) {
            MortalStore mortal = new MortalStore(store);
            CommandRunner runner = start(mortal.store());
            fill(runner, "h", 1000);
            byte[] header = store.get("h".getBytes(StandardCharsets.US_ASCII));
            mortal.die(); // its reclaimer ends
            store.delete("h".getBytes(StandardCharsets.US_ASCII));
            byte[] id =
                    Arrays.copyOf(HashElements.ownerKey(HashHeader.of(header).id()), 8);
            store.namespace("server.abandoned").put(id, header);
            store.namespace("server.elements")
                    .delete(HashElements.ownerKey(HashHeader.of(header).id())); // no sweep finds it
            CommandRunner next = start(store);
            next.elements().restore();
            next.elements().drain();
            awaitEmpty(store);
        }
    }

    static void awaitEmpty(Store store) throws InterruptedException {
        while (store.namespace("server.elements").size() > 0
                || store.namespace("server.abandoned").size() > 0) {
            Thread.onSpinWait();
        }
    }
}
