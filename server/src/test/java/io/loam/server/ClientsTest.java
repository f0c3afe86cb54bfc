package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanIterator;
import io.lettuce.core.SetArgs;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.net.BindException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.params.SetParams;

/** The clients that people use. */
final class ClientsTest {

    private static final int TIMEOUT_MILLIS = 60_000;

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
        try (Jedis jedis = new Jedis("127.0.0.1", server.port(), TIMEOUT_MILLIS)) {
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
                .timeoutMillis(TIMEOUT_MILLIS)
                .build();
        try (Jedis jedis = new Jedis(new HostAndPort("127.0.0.1", server.port()), config)) {
            assertThat(jedis.clientGetname()).isEqualTo("three");
            assertThat(jedis.get("absent")).isNull();
            assertThat(jedis.configGet("maxmemory-policy")).containsEntry("maxmemory-policy", "noeviction");
        }
    }

    private RedisClient lettuce() {
        RedisClient client = RedisClient.create(RedisURI.create("127.0.0.1", server.port()));
        client.setOptions(ClientOptions.builder()
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(Duration.ofMillis(TIMEOUT_MILLIS))
                        .build())
                .build());
        return client;
    }

    @Test
    void lettuceWorks() throws Exception {
        RedisClient client = lettuce();
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

    @Test
    void jedisPublishesAndSubscribes() throws Exception {
        for (RedisProtocol protocol : List.of(RedisProtocol.RESP2, RedisProtocol.RESP3)) {
            var config = DefaultJedisClientConfig.builder()
                    .protocol(protocol)
                    .timeoutMillis(TIMEOUT_MILLIS)
                    .build();
            HostAndPort address = new HostAndPort("127.0.0.1", server.port());
            BlockingQueue<String> got = new LinkedBlockingQueue<>();
            JedisPubSub listener = new JedisPubSub() {
                @Override
                public void onSubscribe(String channel, int count) {
                    got.add("subscribed " + channel);
                }

                @Override
                public void onMessage(String channel, String message) {
                    got.add(channel + " " + message);
                }
            };
            Thread thread = Thread.startVirtualThread(() -> {
                try (Jedis jedis = new Jedis(address, config)) {
                    jedis.subscribe(listener, "news");
                }
            });
            try (Jedis jedis = new Jedis(address, config)) {
                assertThat(got.take()).isEqualTo("subscribed news");
                assertThat(jedis.publish("news", "hello")).isEqualTo(1);
                assertThat(got.take()).isEqualTo("news hello");
                listener.unsubscribe();
                thread.join();
                assertThat(jedis.publish("news", "nobody")).isZero();
            }
        }
    }

    @Test
    void jedisRunsTransactions() {
        try (Jedis jedis = new Jedis("127.0.0.1", server.port(), TIMEOUT_MILLIS);
                Jedis other = new Jedis("127.0.0.1", server.port(), TIMEOUT_MILLIS)) {
            jedis.set("a", "1");
            jedis.watch("a");
            Transaction transaction = jedis.multi();
            transaction.incr("a");
            transaction.get("a");
            assertThat(transaction.exec()).containsExactly(2L, "2");
            jedis.watch("a");
            other.set("a", "9");
            Transaction late = jedis.multi();
            late.incr("a");
            assertThat(late.exec()).isNull();
            assertThat(jedis.get("a")).isEqualTo("9");
        }
    }

    @Test
    void lettucePublishesSubscribesAndRunsTransactions() throws Exception {
        RedisClient client = lettuce();
        try (StatefulRedisPubSubConnection<String, String> listening = client.connectPubSub();
                StatefulRedisConnection<String, String> connection = client.connect()) {
            BlockingQueue<String> got = new LinkedBlockingQueue<>();
            listening.addListener(new RedisPubSubAdapter<>() {
                @Override
                public void message(String channel, String message) {
                    got.add(channel + " " + message);
                }

                @Override
                public void message(String pattern, String channel, String message) {
                    got.add(pattern + " " + channel + " " + message);
                }
            });
            RedisCommands<String, String> commands = connection.sync();
            commands.configSet("notify-keyspace-events", "KEA");
            listening.sync().subscribe("news");
            listening.sync().psubscribe("__keyevent@0__:*");
            assertThat(commands.publish("news", "hello")).isEqualTo(1);
            assertThat(got.take()).isEqualTo("news hello");
            commands.multi();
            commands.set("a", "1");
            commands.del("a");
            assertThat(commands.exec().stream().toList()).containsExactly("OK", 1L);
            assertThat(got.take()).isEqualTo("__keyevent@0__:* __keyevent@0__:set a");
            assertThat(got.take()).isEqualTo("__keyevent@0__:* __keyevent@0__:del a");
        } finally {
            client.shutdown();
        }
    }
}
