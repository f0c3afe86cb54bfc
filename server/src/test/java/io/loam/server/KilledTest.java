package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.command.Link;
import io.loam.server.command.Session;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import io.loam.server.keyspace.KeyEvents;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Connections that the server ends. */
final class KilledTest {

    @RegisterExtension
    final Servers servers = new Servers();

    private static Link link(LoamServer server, RespClient client) throws IOException {
        long id = ((Number) client.call("CLIENT", "ID")).value();
        return server.service().sessions().stream()
                .filter(session -> session.id() == id)
                .map(Session::link)
                .findFirst()
                .orElseThrow();
    }

    static boolean isEnded(RespClient client) throws IOException {
        try {
            return client.isEnded();
        } catch (SocketException reset) {
            return true; // what it sent was not read
        }
    }

    /**
     * Forbidden: the event loop asks for a client's bytes, and before they come it ends that client; when they have come Netty asks for more, and over io_uring that request keeps the socket open although its file is
     * closed, so that the client never sees the end.
     */
    @Test
    void whoIsEndedWhileHeIsReadSeesIt() throws Exception {
        LoamServer server = servers.start("io-threads", "1");
        RespClient holder = servers.connect(server);
        RespClient killer = servers.connect(server);
        RespClient victim = servers.connect(server);
        Link link = link(server, victim);
        killer.call("PING");
        try (Hold hold = new Hold(server)) { // so that what follows comes to the event loop at once, in this order
            holder.send("SET", "key", "value");
            hold.await();
            server.service()
                    .keyspace()
                    .setEvents(
                            (kind, event, database, key) -> {
                                if (new String(key, StandardCharsets.US_ASCII).equals("last")) {
                                    link.close();
                                }
                            },
                            EnumSet.allOf(KeyEvents.Class.class));
            killer.send("SET", "last", "value");
            victim.send("ECHO", "1");
        }
        assertThat(holder.read()).isEqualTo(new Status("OK"));
        assertThat(killer.read()).isEqualTo(new Status("OK"));
        assertThat(isEnded(victim)).isTrue();
    }
}
