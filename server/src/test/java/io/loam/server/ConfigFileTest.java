package io.loam.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.server.differential.RealRedis;
import io.loam.server.differential.RespClient;
import io.loam.server.differential.Value;
import io.loam.server.differential.Value.Bulk;
import io.loam.server.differential.Value.Failure;
import io.loam.server.differential.Value.Many;
import io.loam.server.differential.Value.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configuration files: what they may say, what is said of those that can't be taken, and how they are rewritten. */
final class ConfigFileTest {

    @TempDir
    Path directory;

    private Path file(String name, String... lines) throws IOException {
        return Files.write(directory.resolve(name), List.of(lines), StandardCharsets.UTF_8);
    }

    private ServerOptions read(String... lines) throws IOException {
        ServerOptions options = new ServerOptions();
        options.read(file("loam.conf", lines));
        return options;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "maxmemory 100mb | maxmemory | 104857600",
                "maxmemory 100m | maxmemory | 100000000",
                "MaxMemory 2GB | maxmemory | 2147483648",
                "maxmemory 7 | maxmemory | 7",
                "maxmemory-policy allkeys-lru | maxmemory-policy | allkeys-lru",
                "bind 127.0.0.1 -::1 | bind | 127.0.0.1 -::1",
                "requirepass \"a b\\x21\" | requirepass | a b!",
                "requirepass 'its' | requirepass | its",
                "   timeout    30   | timeout | 30",
                "protected-mode NO | protected-mode | no",
                "port 7000 | port | 7000",
                "tls-protocols \"TLSv1.2 TLSv1.3\" | tls-protocols | TLSv1.2 TLSv1.3",
                "appendonly no | appendonly | no",
                "save \"\" | save | ''",
                "loglevel verbose | loglevel | verbose",
            })
    void aLineSetsAParameter(String line, String name, String value) throws IOException {
        assertThat(read("# a remark", "", line).get(name)).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "maxmemry 1gb | no setting is named 'maxmemry'; near it: maxmemory",
                "requirepas x | no setting is named 'requirepas'; near it: requirepass",
                "tls-cert x | no setting is named 'tls-cert'; near it: tls-cert-file",
                "zzzzzz x | no setting is named 'zzzzzz'",
                "maxmemory lots | maxmemory lots: argument must be a memory value",
                "timeout -1 | timeout -1: argument must be between 0 and 2147483647 inclusive",
                "protected-mode maybe | protected-mode maybe: argument must be 'yes' or 'no'",
                "maxmemory-policy fifo | maxmemory-policy fifo: argument(s) must be one of the following: ",
                "port | port: a value is missing",
                "requirepass \"open | a quote is not closed, or not followed by a blank",
                "rename-command config | rename-command takes a command and another name, or \"\" for none",
                "appendonly yes | appendonly yes: nothing is written to disk yet, that comes with a later version; the only value is 'no'",
                "replicaof localhost 6379 | replicaof localhost 6379: replication comes with a later version",
                "tls-ciphers HIGH | tls-ciphers HIGH: the ciphers are those that the Java platform allows",
                "tls-ca-cert-dir /etc/ssl | tls-ca-cert-dir /etc/ssl: write the certificates of the directory into one file",
                "cluster-enabled yes | cluster-enabled yes: the cluster comes with a later version",
                "loadmodule /lib/x.so | loadmodule /lib/x.so: modules of Redis are machine code for Redis and can't be loaded",
            })
    void anErrorSaysWhereAndWhat(String line, String error) {
        assertThatThrownBy(() -> read("timeout 1", "# remark", line))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(directory.resolve("loam.conf") + ":3: " + error);
    }

    /** Every setting that redis-server has is known by name, and what it is there by default is taken. */
    @Test
    void theSettingsOfRedisAreKnown() throws IOException {
        try (RealRedis redis = RealRedis.start();
                RespClient client = new RespClient(redis.port())) {
            List<Value> settings = ((Many) client.call("CONFIG", "GET", "*")).values();
            assertThat(settings).hasSizeGreaterThan(300);
            ServerOptions options = new ServerOptions();
            for (int i = 0; i < settings.size(); i += 2) {
                String name = ((Bulk) settings.get(i)).text();
                String value = ((Bulk) settings.get(i + 1)).text();
                assertThatCode(() -> options.directive(name, List.of(value)))
                        .as("%s %s", name, value)
                        .doesNotThrowAnyException();
            }
        }
    }

    @Test
    void noLimitOfMemoryIsTheDefaultOne() throws IOException {
        ServerOptions options = new ServerOptions().setDefaultMaxMemory(100 << 20);
        assertThat(options.directive("maxmemory", List.of("0"))).contains("no limit to Redis", "104857600 bytes");
        assertThat(options.maxMemory()).isEqualTo(100 << 20);
        assertThatThrownBy(() -> options.set("maxmemory", "0")).hasMessageContaining("give a size");
        Path file = file("loam.conf", "maxmemory 64mb", "maxmemory 0kb");
        assertThat(options.read(file)).singleElement().asString().startsWith(file + ":2: maxmemory 0 is no limit");
        assertThat(options.maxMemory()).isEqualTo(100 << 20);
    }

    @Test
    void whatHasNoEffectIsNoted() throws IOException {
        Path file = file("loam.conf", "save 900 1", "rdbcompression yes", "hz 10", "cluster-enabled no", "timeout 5");
        ServerOptions options = new ServerOptions();
        assertThat(options.read(file))
                .containsExactly(
                        file + ":1: save has no effect: nothing is written to disk yet",
                        file + ":2: rdbcompression has no effect: nothing is written to disk yet",
                        file + ":3: hz has no effect: the store needs no such setting",
                        file + ":4: cluster-enabled is off, as it always is here");
        assertThat(options.timeoutSeconds()).isEqualTo(5);
    }

    @Test
    void filesIncludeOthers() throws IOException {
        file("more.conf", "timeout 7", "maxclients 100");
        assertThat(read("timeout 1", "include more.conf", "maxclients 50").get("timeout"))
                .isEqualTo("7");
        assertThat(read("include more.conf", "maxclients 50").get("maxclients")).isEqualTo("50");
        file("more.conf", "", "timeot 7");
        assertThatThrownBy(() -> read("include more.conf"))
                .hasMessage(directory.resolve("more.conf") + ":2: no setting is named 'timeot'; near it: timeout");
        assertThatThrownBy(() -> read("include absent.conf"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("absent.conf");
        file("more.conf", "include more.conf");
        assertThatThrownBy(() -> read("include more.conf")).hasMessageContaining("include each other");
    }

    /** Every setting of the file that Debian's Redis starts with is known: it has a meaning, or a note says that it has none. */
    @Test
    void theFileOfRedisIsTaken() throws IOException {
        List<String> notes = new ServerOptions()
                .read(file(
                        "redis.conf",
                        "bind 127.0.0.1 -::1",
                        "protected-mode yes",
                        "port 6379",
                        "tcp-backlog 511",
                        "timeout 0",
                        "tcp-keepalive 300",
                        "daemonize yes",
                        "pidfile /run/redis/redis-server.pid",
                        "loglevel notice",
                        "logfile /var/log/redis/redis-server.log",
                        "databases 16",
                        "always-show-logo no",
                        "set-proc-title yes",
                        "proc-title-template \"{title} {listen-addr} {server-mode}\"",
                        "stop-writes-on-bgsave-error yes",
                        "dbfilename dump.rdb",
                        "dir /var/lib/redis",
                        "replica-serve-stale-data yes",
                        "repl-diskless-sync yes",
                        "acllog-max-len 128",
                        "lazyfree-lazy-eviction no",
                        "oom-score-adj no",
                        "oom-score-adj-values 0 200 800",
                        "disable-thp yes",
                        "appendonly no",
                        "appendfilename \"appendonly.aof\"",
                        "appenddirname \"appendonlydir\"",
                        "auto-aof-rewrite-min-size 64mb",
                        "slowlog-log-slower-than 10000",
                        "list-max-listpack-size -2",
                        "set-max-intset-entries 512",
                        "zset-max-listpack-entries 128",
                        "hll-sparse-max-bytes 3000",
                        "stream-node-max-bytes 4096",
                        "activerehashing yes",
                        "client-output-buffer-limit normal 0 0 0",
                        "client-output-buffer-limit replica 256mb 64mb 60",
                        "client-output-buffer-limit pubsub 32mb 8mb 60",
                        "hz 10",
                        "dynamic-hz yes",
                        "aof-rewrite-incremental-fsync yes",
                        "rdb-save-incremental-fsync yes",
                        "jemalloc-bg-thread yes"));
        assertThat(notes).hasSize(28).allMatch(note -> note.contains(" has no effect: "));
    }

    @Test
    void aFileIsRewrittenWithItsRemarks() throws IOException {
        Path file = file(
                "loam.conf",
                "# mine",
                "port 0",
                "maxmemory 32mb",
                "",
                "timeout 500",
                "hz 10",
                "timeout 600",
                "hash-max-listpack-entries 512",
                "client-output-buffer-limit normal 0 0 0",
                "client-output-buffer-limit pubsub 64mb 16mb 60",
                "user alice on nopass ~a* +@read");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        ServerOptions options = new ServerOptions();
        options.read(file);
        try (LoamServer server = LoamServer.start(options);
                RespClient client = new RespClient(server.port())) {
            assertThat(client.call("CONFIG", "SET", "timeout", "60", "requirepass", "a \"b\""))
                    .isEqualTo(new Status("OK"));
            assertThat(client.call("ACL", "SETUSER", "bob", "on", "nopass", "+get"))
                    .isEqualTo(new Status("OK"));
            assertThat(client.call("CONFIG", "REWRITE")).isEqualTo(new Status("OK"));
        }
        List<String> lines = Files.readAllLines(file);
        assertThat(lines)
                .startsWith(
                        "# mine",
                        "port 0",
                        "maxmemory 32mb",
                        "",
                        "timeout 60",
                        "hz 10",
                        "hash-max-listpack-entries 512",
                        "client-output-buffer-limit normal 0 0 0",
                        "client-output-buffer-limit pubsub 64mb 16mb 60",
                        "# Generated by CONFIG REWRITE")
                .contains(
                        "requirepass \"a \\\"b\\\"\"",
                        "user alice on nopass ~a* resetchannels -@all +@read",
                        "user bob on nopass resetchannels -@all +get")
                .doesNotContain("hash-max-ziplist-entries 512");
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
        assertThat(Files.list(directory)).containsExactly(file);

        ServerOptions again = new ServerOptions();
        again.read(file);
        assertThat(again.requirePass()).isEqualTo("a \"b\"");
        try (LoamServer server = LoamServer.start(again);
                RespClient client = new RespClient(server.port())) {
            assertThat(client.call("PING")).isEqualTo(new Failure("NOAUTH Authentication required."));
            assertThat(client.call("AUTH", "bob", "")).isEqualTo(new Status("OK"));
            assertThat(client.call("AUTH", "default", "a \"b\"")).isEqualTo(new Status("OK"));
            assertThat(client.call("CONFIG", "REWRITE")).isEqualTo(new Status("OK"));
            assertThat(client.call("ACL", "WHOAMI")).isEqualTo(new Bulk("default"));
        }
        assertThat(Files.readAllLines(file))
                .as("nothing is written twice")
                .hasSameElementsAs(lines)
                .hasSameSizeAs(lines);
    }

    @Test
    void commandsAreRenamedAndDisabled() throws IOException {
        ServerOptions options =
                read("port 0", "maxmemory 16mb", "rename-command FLUSHALL \"\"", "rename-command config hidden");
        try (LoamServer server = LoamServer.start(options);
                RespClient client = new RespClient(server.port())) {
            assertThat(client.call("FLUSHALL"))
                    .isEqualTo(new Failure("ERR unknown command 'FLUSHALL', with args beginning with: "));
            assertThat(client.call("CONFIG", "GET", "timeout")).isInstanceOf(Failure.class);
            assertThat(client.call("HIDDEN", "SET", "timeout", "900")).isEqualTo(new Status("OK"));
            assertThat(client.call("ACL", "SETUSER", "a", "-config", "+flushall"))
                    .isEqualTo(new Status("OK"));
        }
        assertThatThrownBy(() -> LoamServer.start(read("port 0", "maxmemory 16mb", "rename-command nosuch x")))
                .hasMessage("rename-command nosuch: there is no command of this name");
        assertThatThrownBy(() -> LoamServer.start(read("port 0", "maxmemory 16mb", "rename-command get set")))
                .hasMessage("rename-command get: another command is called set");
    }

    @Test
    void severalSettingsAreChangedTogetherOrNot() throws IOException {
        try (LoamServer server = LoamServer.start(read("port 0", "maxmemory 16mb"));
                RespClient client = new RespClient(server.port())) {
            assertThat(client.call("CONFIG", "SET", "timeout", "5", "maxmemory", "1", "maxclients", "7"))
                    .isInstanceOf(Failure.class);
            assertThat(server.options().timeoutSeconds()).isZero();
            assertThat(server.options().maxClients()).isNotEqualTo(7);
            assertThat(server.options().maxMemory()).isEqualTo(16 << 20);
        }
    }
}
