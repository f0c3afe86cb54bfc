package io.loam.server.differential;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.LoamServer;
import io.loam.server.ServerOptions;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What one server dumps the other restores, and they refuse the same. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DumpDifferentialTest {

    private static final Status OK = new Status("OK");

    private RealRedis redis;
    private LoamServer server;
    private RespClient right;
    private RespClient ours;

    @BeforeAll
    void start() throws IOException {
        redis = RealRedis.start();
        server = LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "64mb"));
        right = new RespClient(redis.port());
        ours = new RespClient(server.port());
    }

    @AfterAll
    void stop() throws IOException {
        if (server != null) {
            right.close();
            ours.close();
            server.close();
        }
        if (redis != null) {
            redis.close();
        }
    }

    /** Strings for every form that a string has there: numbers of 1, 2 and 4 bytes, lengths of 6, 14 and 32 bits, compressed ones. */
    private static List<byte[]> values() {
        List<String> texts =
                new ArrayList<>(List.of("", "0", "-0", "00", "1.5", "+1", " 1", "abc", "12345678901", "123456789012"));
        for (long border : List.of(1L << 7, 1L << 8, 1L << 15, 1L << 16, 1L << 31, 1L << 32, 1L << 63)) {
            for (long number : List.of(border - 1, border, border + 1, -border - 1, -border, -border + 1)) {
                texts.add(Long.toString(number));
            }
        }
        for (int length : List.of(19, 20, 21, 63, 64, 65, 200, 16_383, 16_384, 100_000)) {
            texts.add("a".repeat(length));
            texts.add("abcdefg".repeat(length / 7 + 1).substring(0, length));
        }
        List<byte[]> values = new ArrayList<>();
        texts.forEach(text -> values.add(text.getBytes(StandardCharsets.ISO_8859_1)));
        Random random = new Random(11);
        for (int round = 0; round < 150; round++) {
            byte[] value = new byte[random.nextInt(1 << random.nextInt(1, 17))];
            int letters = 1 << random.nextInt(9);
            for (int i = 0; i < value.length; i++) {
                boolean again = i > 300 && random.nextInt(8) != 0;
                value[i] = again ? value[i - 1 - random.nextInt(2) * 256] : (byte) random.nextInt(letters);
            }
            values.add(value);
        }
        return values;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] dump(RespClient client) throws IOException {
        return bytes(((Bulk) client.call("DUMP", "k")).text());
    }

    private static void restore(RespClient client, byte[] payload, byte[] value) throws IOException {
        assertThat(client.call(List.of(bytes("RESTORE"), bytes("k"), bytes("0"), payload, bytes("REPLACE"))))
                .isEqualTo(OK);
        assertThat(client.call("GET", "k")).isEqualTo(new Bulk(new String(value, StandardCharsets.ISO_8859_1)));
    }

    @Test
    void whatOneDumpsTheOtherRestores() throws IOException {
        for (byte[] value : values()) {
            for (RespClient client : List.of(right, ours)) {
                assertThat(client.call(List.of(bytes("SET"), bytes("k"), value)))
                        .isEqualTo(OK);
            }
            byte[] theirs = dump(right);
            byte[] own = dump(ours);
            restore(right, own, value);
            restore(ours, theirs, value);
            restore(ours, own, value);
        }
    }

    @Test
    void aPayloadThatWasChangedIsRefusedByBoth() throws IOException {
        Random random = new Random(5);
        for (byte[] value : List.of(bytes("some text"), bytes("12"), bytes("ab".repeat(500)))) {
            for (RespClient from : List.of(right, ours)) {
                from.call(List.of(bytes("SET"), bytes("k"), value));
                byte[] payload = dump(from);
                for (int round = 0; round < 200; round++) {
                    byte[] changed = payload.clone();
                    int at = random.nextInt(changed.length);
                    changed[at] ^= (byte) (1 << random.nextInt(8));
                    byte[] sent = round % 4 == 0 ? Arrays.copyOf(payload, at) : changed;
                    List<byte[]> request = List.of(bytes("RESTORE"), bytes("r"), bytes("0"), sent, bytes("REPLACE"));
                    Value refusal = right.call(request);
                    assertThat(refusal).isInstanceOf(Failure.class);
                    assertThat(ours.call(request)).as("round %d", round).isEqualTo(refusal);
                }
            }
        }
    }

    @Test
    void optionsAreTakenAlike() throws IOException {
        right.call("SET", "k", "some text");
        byte[] payload = dump(right);
        long later = System.currentTimeMillis() + 10_000_000;
        List<List<String>> tails = List.of(
                List.of(),
                List.of("REPLACE"),
                List.of("replace", "absttl"),
                List.of("IDLETIME", "10", "REPLACE"),
                List.of("FREQ", "10", "REPLACE"),
                List.of("IDLETIME", "-1", "REPLACE"),
                List.of("FREQ", "256", "REPLACE"),
                List.of("FREQ", "x", "REPLACE"),
                List.of("FREQ"),
                List.of("IDLETIME", "1", "FREQ", "1", "REPLACE"),
                List.of("NOSUCH"),
                List.of("REPLACE", "REPLACE"),
                List.of("ABSTTL"));
        for (String ttl : List.of("0", "1000000", Long.toString(later), "1", "-1", "x", "")) {
            for (List<String> tail : tails) {
                for (boolean present : List.of(false, true)) {
                    List<byte[]> request = new ArrayList<>(List.of(bytes("RESTORE"), bytes("r"), bytes(ttl), payload));
                    tail.forEach(word -> request.add(bytes(word)));
                    String what = ttl + " " + tail + (present ? ", present" : "");
                    boolean absolute = tail.contains("absttl") || tail.contains("ABSTTL");
                    boolean passes = ttl.equals("1") && !absolute; // too soon to be compared
                    for (RespClient client : List.of(right, ours)) {
                        client.call("DEL", "r");
                        if (present) {
                            client.call("SET", "r", "before");
                        }
                    }
                    Value reply = right.call(request);
                    assertThat(ours.call(request)).as(what).isEqualTo(reply);
                    if (passes) {
                        continue;
                    }
                    assertThat(ours.call("GET", "r")).as(what).isEqualTo(right.call("GET", "r"));
                    long expected = ((Value.Number) right.call("PEXPIRETIME", "r")).value();
                    long actual = ((Value.Number) ours.call("PEXPIRETIME", "r")).value();
                    assertThat(Math.abs(expected - actual))
                            .as(what)
                            .isLessThanOrEqualTo(expected < 0 || absolute ? 0 : 60_000);
                }
            }
        }
    }
}
