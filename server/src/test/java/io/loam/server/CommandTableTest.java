package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RealRedis;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Number;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the table says of each command is what Redis says of it. */
final class CommandTableTest {

    /** Of Redis 7.2, which has them too, and this server's own. */
    private static final Set<String> LATER = Set.of("client|setinfo", "client|no-touch", "loam");

    @Test
    void commandsAreDescribedAsByRedis() throws IOException {
        try (RealRedis redis = RealRedis.start();
                LoamServer server =
                        LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "16mb"));
                RespClient expected = new RespClient(redis.port());
                RespClient actual = new RespClient(server.port())) {
            expected.call("HELLO", "3");
            actual.call("HELLO", "3");
            Many all = (Many) actual.call("COMMAND");
            assertThat(actual.call("COMMAND", "COUNT"))
                    .isEqualTo(new Number(all.values().size()));
            assertThat(all.values()).hasSizeGreaterThan(70);
            for (Value ours : all.values()) {
                compare(expected, (Many) ours);
            }
        }
    }

    private static void compare(RespClient redis, Many ours) throws IOException {
        String name = ((Bulk) ours.values().getFirst()).text();
        if (LATER.contains(name)) {
            return;
        }
        Many reply = (Many) redis.call("COMMAND", "INFO", name);
        assertThat(reply.values().getFirst()).as("Redis knows %s", name).isInstanceOf(Many.class);
        Many theirs = (Many) reply.values().getFirst();
        for (int i = 0; i < 9; i++) {
            assertThat(ours.values().get(i).canonical())
                    .as("%s, element %d", name, i)
                    .isEqualTo(withoutNotes(theirs.values().get(i)).canonical());
        }
        for (Value subcommand : ((Many) ours.values().get(9)).values()) {
            compare(redis, (Many) subcommand);
        }
    }

    /** Without the remarks that Redis makes on some keys. */
    private static Value withoutNotes(Value value) {
        if (!(value instanceof Many many)) {
            return value;
        }
        List<Value> values = many.values();
        List<Value> kept = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            if (many.kind() == '%' && values.get(i).equals(new Bulk("notes"))) {
                i++;
            } else {
                kept.add(withoutNotes(values.get(i)));
            }
        }
        return new Many(many.kind(), kept);
    }

    @Test
    void everyCommandHasDocumentation() throws IOException {
        try (LoamServer server =
                        LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "16mb"));
                RespClient client = new RespClient(server.port())) {
            List<Value> docs = ((Many) client.call("COMMAND", "DOCS")).values();
            assertThat(docs).isNotEmpty();
            for (int i = 1; i < docs.size(); i += 2) {
                List<Value> words = ((Many) docs.get(i)).values();
                assertThat(words.get(0)).isEqualTo(new Bulk("summary"));
                assertThat(((Bulk) words.get(1)).text())
                        .as("summary of %s", docs.get(i - 1))
                        .isNotBlank();
            }
        }
    }
}
