package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanIterator;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import java.net.BindException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.params.SetParams;

/** The clients that people use. */
final class ClientsTest {

    private LoamServer server;

    @BeforeEach
    void start() throws BindException {
        server = LoamServer.start(new ServerOptions().set("port", "0").set("maxmemory", "64mb"));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void jedisWorks() {
        try (Jedis jedis = new Jedis("127.0.0.1", server.port())) {
            assertThat(jedis.ping()).isEqualTo("PONG");
            assertThat(jedis.set("a", "1", SetParams.setParams().nx().ex(100))).isEqualTo("OK");
            assertThat(jedis.incrBy("a", 41)).isEqualTo(42);
            assertThat(jedis.ttl("a")).isBetween(90L, 100L);
            assertThat(jedis.mset("b", "2", "c", "3")).isEqualTo("OK");
            assertThat(jedis.mget("a", "b", "c", "d")).containsExactly("42", "2", "3", null);
            byte[] dump = jedis.dump("b");
            assertThat(jedis.restore("e", 0, dump)).isEqualTo("OK");
            assertThat(jedis.get("e")).isEqualTo("2");
            Pipeline pipeline = jedis.pipelined();
            for (int i = 0; i < 10_000; i++) {
                pipeline.set("p" + i, "v" + i);
            }
            assertThat(pipeline.syncAndReturnAll()).hasSize(10_000).containsOnly("OK");
            assertThat(jedis.dbSize()).isEqualTo(10_004);
            assertThat(jedis.flushAll()).isEqualTo("OK");
        }
    }

    @Test
    void jedisWorksWithVersionThree() {
        var config = DefaultJedisClientConfig.builder()
                .protocol(RedisProtocol.RESP3)
                .clientName("three")
                .build();
        try (Jedis jedis = new Jedis(new HostAndPort("127.0.0.1", server.port()), config)) {
            assertThat(jedis.clientGetname()).isEqualTo("three");
            assertThat(jedis.get("absent")).isNull();
            assertThat(jedis.configGet("maxmemory-policy")).containsEntry("maxmemory-policy", "noeviction");
        }
    }

    @Test
    void lettuceWorks() throws Exception {
        RedisClient client = RedisClient.create(RedisURI.create("127.0.0.1", server.port()));
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            RedisCommands<String, String> commands = connection.sync();
            assertThat(commands.set("a", "1", SetArgs.Builder.px(100_000))).isEqualTo("OK");
            assertThat(commands.get("a")).isEqualTo("1");
            assertThat(commands.setGet("a", "2")).isEqualTo("1");
            assertThat(commands.info("server")).contains("redis_version:");
            RedisAsyncCommands<String, String> async = connection.async();
            List<Future<String>> replies = new ArrayList<>();
            for (int i = 0; i < 10_000; i++) {
                replies.add(async.set("k" + i, "v" + i));
            }
            for (Future<String> reply : replies) {
                assertThat(reply.get()).isEqualTo("OK");
            }
            List<String> keys = new ArrayList<>();
            ScanIterator.scan(commands).forEachRemaining(keys::add);
            assertThat(keys).contains("a", "k0", "k9999").hasSizeGreaterThanOrEqualTo(10_001);
        } finally {
            client.shutdown();
        }
    }
}
