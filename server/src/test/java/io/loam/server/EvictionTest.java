package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Number;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each maxmemory-policy lets go when memory is full, and what not. */
final class EvictionTest {

    private static final String VALUE = "v".repeat(1000);
    private static final Status OK = new Status("OK");

    @RegisterExtension
    final Servers servers = new Servers();

    private RespClient connect(String policy) throws IOException {
        return servers.connect(servers.start("maxmemory", "16mb", "maxmemory-policy", policy));
    }

    /** Sets so many keys; the last reply. */
    private static Value fill(RespClient client, String prefix, int count, String... options) throws IOException {
        Value last = OK;
        for (int i = 0; i < count && last.equals(OK); i++) {
            String[] words = new String[3 + options.length];
            words[0] = "SET";
            words[1] = prefix + i;
            words[2] = VALUE;
            System.arraycopy(options, 0, words, 3, options.length);
            last = client.call(words);
        }
        return last;
    }

    private static int present(RespClient client, String prefix, int count) throws IOException {
        int present = 0;
        for (int i = 0; i < count; i++) {
            present += (int) ((Number) client.call("EXISTS", prefix + i)).value();
        }
        return present;
    }

    private static long evicted(RespClient client) throws IOException {
        String text = ((Bulk) client.call("INFO", "stats")).text();
        return Long.parseLong(text.replaceAll("(?s).*\r\nevicted_keys:(\\d+)\r\n.*", "$1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"})
    void onlyKeysThatExpireGo(String policy) throws IOException {
        RespClient client = connect(policy);
        assertThat(fill(client, "kept", 3_000)).isEqualTo(OK);
        assertThat(fill(client, "mortal", 40_000, "EX", "100000")).isEqualTo(OK);
        assertThat(present(client, "kept", 3_000)).isEqualTo(3_000);
        assertThat(evicted(client)).isPositive();
        assertThat(present(client, "mortal", 40_000)).isLessThan(16_000).isGreaterThan(1_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "noeviction"})
    void withoutKeysThatExpireWritesAreRefused(String policy) throws IOException {
        RespClient client = connect(policy);
        assertThat(fill(client, "kept", 40_000))
                .isEqualTo(new Failure("OOM command not allowed when used memory > 'maxmemory'."));
        assertThat(evicted(client)).isZero();
        assertThat(client.call("GET", "kept0")).isEqualTo(new Bulk(VALUE));
        assertThat(client.call("DEL", "kept0")).isEqualTo(new Number(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"allkeys-lru", "allkeys-lfu", "allkeys-random"})
    void anyKeyMayGo(String policy) throws IOException {
        RespClient client = connect(policy);
        assertThat(fill(client, "key", 40_000)).isEqualTo(OK);
        assertThat(evicted(client)).isPositive();
        assertThat(present(client, "key", 40_000)).isLessThan(16_000).isGreaterThan(1_000);
    }

    /** Keys that expire soon and late come in turns; there is room for all of the late ones, with what came last. */
    @Test
    void whatExpiresSoonestGoesFirst() throws IOException {
        RespClient client = connect("volatile-ttl");
        for (int i = 0; i < 5; i++) {
            assertThat(fill(client, "soon" + i + ":", 900, "EX", "1000")).isEqualTo(OK);
            assertThat(fill(client, "late" + i + ":", 900, "EX", "1000000")).isEqualTo(OK);
        }
        assertThat(fill(client, "more", 6_000, "EX", "1000000")).isEqualTo(OK);
        int soon = 0;
        int late = 0;
        for (int i = 0; i < 5; i++) {
            soon += present(client, "soon" + i + ":", 900);
            late += present(client, "late" + i + ":", 900);
        }
        assertThat(evicted(client)).isPositive();
        assertThat(late).as("late ones present, soon ones: %d", soon).isGreaterThan(soon);
    }
}
