package io.loam.server;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Settings of {@code redis.conf} that are no parameters here. Where leaving one out would break what its operator counts on, it is refused; else it is noted. */
final class Unsupported {

    private static final String LATER = " comes with a later version";

    /** Why a setting is refused unless it has the value that turns it off. */
    private record Refused(String off, String why) {}

    private static final Map<String, Refused> REFUSED = Map.ofEntries(
            Map.entry("replicaof", new Refused("no one", "replication" + LATER)),
            Map.entry("slaveof", new Refused("no one", "replication" + LATER)),
            Map.entry("cluster-enabled", new Refused("no", "the cluster" + LATER)),
            Map.entry("loadmodule", new Refused("", "modules of Redis are machine code for Redis and can't be loaded")),
            Map.entry("enable-module-command", new Refused("no", "modules of Redis can't be loaded")),
            Map.entry(
                    "unixsocket", new Refused("", "the server listens at TCP ports only; Unix sockets: that" + LATER)),
            Map.entry(
                    "tls-ciphers",
                    new Refused(
                            "",
                            "the ciphers are those that the Java platform allows; its security property jdk.tls.disabledAlgorithms forbids more of them, tls-protocols versions")),
            Map.entry(
                    "tls-ciphersuites",
                    new Refused(
                            "",
                            "the ciphers are those that the Java platform allows; its security property jdk.tls.disabledAlgorithms forbids more of them, tls-protocols versions")),
            Map.entry(
                    "tls-ca-cert-dir",
                    new Refused(
                            "",
                            "write the certificates of the directory into one file, one after the other, and name it by tls-ca-cert-file")));

    /** Why settings have no effect, by name or, ending in a star, by its beginning. */
    private static final Map<String, String> NOTED = noted();

    private Unsupported() {}

    private static Map<String, String> noted() {
        Map<String, String> map = new LinkedHashMap<>();
        String disk = "nothing is written to disk yet";
        for (String name : List.of(
                "save",
                "stop-writes-on-bgsave-error",
                "rdb*",
                "dbfilename",
                "dir",
                "appendfilename",
                "appenddirname",
                "appendfsync",
                "no-appendfsync-on-rewrite",
                "auto-aof-*",
                "aof-*",
                "sanitize-dump-payload",
                "shutdown-*")) {
            map.put(name, disk);
        }
        for (String name : List.of(
                "replica-*",
                "slave-*",
                "repl-*",
                "min-replicas-*",
                "min-slaves-*",
                "masterauth",
                "masteruser",
                "bind-source-addr",
                "propagation-error-behavior")) {
            map.put(name, "there is no replication yet");
        }
        map.put("cluster-*", "there is no cluster yet");
        for (String name : List.of(
                "lazyfree-*",
                "activedefrag",
                "active-defrag-*",
                "jemalloc-bg-thread",
                "activerehashing",
                "hz",
                "dynamic-hz",
                "maxmemory-samples",
                "maxmemory-eviction-tenacity",
                "lfu-*",
                "active-expire-effort",
                "replica-ignore-maxmemory")) {
            map.put(name, "the store needs no such setting");
        }
        for (String name : List.of(
                "daemonize",
                "supervised",
                "pidfile",
                "always-show-logo",
                "set-proc-title",
                "proc-title-template",
                "oom-score-adj*",
                "disable-thp",
                "syslog-*",
                "crash-*",
                "locale-collate",
                "*_cpulist",
                "io-threads-do-reads",
                "ignore-warnings")) {
            map.put(name, "the process stays in the foreground; systemd or whatever starts it does this");
        }
        for (String name : List.of(
                "list-*",
                "set-max-*",
                "zset-max-*",
                "hll-sparse-max-bytes",
                "stream-node-*",
                "lua-time-limit",
                "busy-reply-threshold")) {
            map.put(name, "there are no such values yet");
        }
        for (String name : List.of(
                "tls-replication",
                "tls-cluster",
                "tls-session-*",
                "tls-prefer-server-ciphers",
                "tls-client-*",
                "tls-dh-params-file")) {
            map.put(name, "TLS is that of the Java platform, for clients only");
        }
        map.put("tracking-table-max-keys", "clients are not told which keys they have cached change");
        map.put("enable-protected-configs", "a setting that CONFIG SET may not change can't be changed by it here");
        map.put("unixsocketperm", "the server listens at TCP ports only");
        map.put("socket-mark-id", "sockets are not marked");
        return map;
    }

    /**
     * A word on a setting that has no effect; null if it is not one of those.
     *
     * @throws IllegalArgumentException if it is one that must not be left out
     */
    static @Nullable String note(String name, String text) {
        Refused refused = REFUSED.get(name);
        if (refused != null) {
            if (text.isEmpty() || text.equalsIgnoreCase(refused.off)) {
                return name + " is off, as it always is here";
            }
            throw new IllegalArgumentException(name + " " + text + ": " + refused.why);
        }
        if (name.equals("save") && text.isEmpty()) {
            return null;
        }
        for (Map.Entry<String, String> entry : NOTED.entrySet()) {
            String pattern = entry.getKey();
            boolean same = pattern.endsWith("*")
                    ? name.startsWith(pattern.substring(0, pattern.length() - 1))
                    : pattern.startsWith("*") ? name.endsWith(pattern.substring(1)) : name.equals(pattern);
            if (same) {
                return name + " has no effect: " + entry.getValue();
            }
        }
        return null;
    }
}
