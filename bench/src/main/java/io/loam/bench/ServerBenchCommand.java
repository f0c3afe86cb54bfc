package io.loam.bench;

import io.loam.bench.server.FragmentationPattern;
import io.loam.bench.server.Load;
import io.loam.bench.server.OfferedLoad;
import io.loam.bench.server.Protocol;
import io.loam.bench.server.ServerSystem;
import io.loam.bench.server.Setting;
import io.loam.bench.server.Stalls;
import io.loam.bench.server.StartTime;
import io.loam.bench.server.Throughput;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench server}. */
@Command(
        name = "server",
        mixinStandardHelpOptions = true,
        description = "Loam's server beside redis-server and memcached, all under one external load.",
        footer = {
            "",
            "throughput     as many requests as come: operations per second, the server's CPU time for each",
            "latency        percentiles at a fixed rate, --share of what redis does at most, from when each request was due",
            "fragmentation  resident size per live byte: 100-byte values, nine tenths deleted, refilled with --refill",
            "stalls         the longest PING while overwriting at 90 % of --memory, during DEL and UNLINK of a hash of --fields",
            "start          from the start of the process to the first reply",
            "",
            "Needs Debian's packages redis-server, redis-tools, memcached for what is compared. loadgen, our own generator, speaks",
            "memcached's protocol too, makes mixes and zipfian keys, and is used for all systems when redis-benchmark can't be for one.",
        })
final class ServerBenchCommand extends Measurement {

    private static final long GIBIBYTE = 1L << 30;

    @Option(
            names = "--experiment",
            paramLabel = "NAME",
            defaultValue = "throughput",
            description = "throughput, latency, fragmentation, stalls, start (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // picocli sets options
    private String experiment;

    @Option(
            names = "--compare",
            paramLabel = "SYSTEM,…",
            split = ",",
            defaultValue = "loam,redis",
            description = "loam, redis, redis-io-threads, redis-evicting, memcached (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<String> compared;

    @Option(
            names = "--command",
            paramLabel = "NAME",
            defaultValue = "get",
            description = "set, get, mixed, hset: fields of one hash (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String command;

    @Option(
            names = "--reads",
            defaultValue = "0.9",
            description = "mixed: the share of GETs (default: ${DEFAULT-VALUE}).")
    private double reads;

    @Option(
            names = "--value-bytes",
            paramLabel = "SIZE",
            defaultValue = "100",
            description = "(default: ${DEFAULT-VALUE})")
    @SuppressWarnings("NullAway.Init")
    private String valueBytes;

    @Option(
            names = "--keys",
            defaultValue = "1m",
            description = "Keys, or fields of the hash (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String keys;

    @Option(
            names = "--distribution",
            defaultValue = "uniform",
            description = "uniform, zipfian (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String distribution;

    @Option(names = "--connections", defaultValue = "50", description = "(default: ${DEFAULT-VALUE})")
    private int connections;

    @Option(
            names = "--pipeline",
            defaultValue = "1",
            description = "Requests that a connection sends at once (default: ${DEFAULT-VALUE}).")
    private int pipeline;

    @Option(names = "--seconds", defaultValue = "5", description = "Length of a slice (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--warmup", defaultValue = "5", description = "(default: ${DEFAULT-VALUE})")
    private double warmup;

    @Option(names = "--rounds", defaultValue = "5", description = "(default: ${DEFAULT-VALUE})")
    private int rounds;

    @Option(
            names = "--cores",
            paramLabel = "split|shared",
            defaultValue = "split",
            description =
                    "split: CPU 0 for the server, 1 for the generator; shared: both for both (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String cores;

    @Option(
            names = "--generator",
            paramLabel = "NAME",
            defaultValue = "auto",
            description =
                    "redis-benchmark, loadgen; auto: redis-benchmark where it can do what is asked (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String generator;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description =
                    "Each server's budget; default: what the data need, 1g for stalls, twice --bytes for fragmentation"
                            + " (there redis has double).")
    private @Nullable String memory;

    @Option(
            names = "--rate",
            paramLabel = "N",
            description = "Requests per second, in latency (default: by --share) and stalls (default: 50k).")
    private @Nullable String rate;

    @Option(
            names = "--share",
            defaultValue = "0.5",
            description = "latency: the rate, as a share of what redis does at most (default: ${DEFAULT-VALUE}).")
    private double share;

    @Option(
            names = "--bytes",
            paramLabel = "SIZE",
            defaultValue = "1g",
            description = "fragmentation: of values, in each fill (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String bytes;

    @Option(
            names = "--refill",
            paramLabel = "SIZE,…",
            split = ",",
            defaultValue = "130,1000",
            description =
                    "fragmentation: value sizes to refill with, each a run of its own (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private List<String> refills;

    @Option(
            names = "--settle",
            paramLabel = "SECONDS",
            defaultValue = "3",
            description = "fragmentation: wait before a resident size is read again (default: ${DEFAULT-VALUE}).")
    private double settle;

    @Option(
            names = "--fields",
            paramLabel = "N",
            defaultValue = "3m",
            description = "stalls: of the hash that is deleted (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String fields;

    @Option(names = "--seed", defaultValue = "1", description = "(default: ${DEFAULT-VALUE})")
    private long seed;

    @Override
    Map<String, Object> measure() {
        oneOf("--experiment", experiment, "throughput", "latency", "fragmentation", "stalls", "start");
        List<ServerSystem> systems =
                compared.stream().map(ServerSystem::of).distinct().toList();
        oneOf("--cores", cores, "split", "shared");
        between("--rounds", rounds, 1, 100);
        between("--seconds", seconds, 0.05, 3600);
        between("--warmup", warmup, 0.05, 3600);
        Load load = load(systems);
        Map<String, Object> result = Figures.create();
        result.put("benchmark", "server");
        result.put("experiment", experiment);
        result.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        result.put("processors", Runtime.getRuntime().availableProcessors());
        result.put("cores", cores);
        switch (experiment) {
            case "throughput" -> throughput(systems, load, result);
            case "latency" -> latency(systems, load, result);
            case "fragmentation" -> fragmentation(systems, result);
            case "stalls" -> stalls(systems, load, result);
            default -> start(systems, result);
        }
        return result;
    }

    private Load load(List<ServerSystem> systems) {
        oneOf("--command", command, "set", "get", "mixed", "hset");
        oneOf("--distribution", distribution, "uniform", "zipfian");
        between("--reads", reads, 0, 1);
        between("--connections", connections, 1, 10_000);
        between("--pipeline", pipeline, 1, 10_000);
        long size = Sizes.bytes("--value-bytes", valueBytes);
        if (size < 1 || size > 64 << 20 || (size + 100) * pipeline * connections > GIBIBYTE / 2) {
            throw new BadInput(
                    "--value-bytes '" + valueBytes
                            + "'; allowed: from 1, as long as --value-bytes times --pipeline times --connections is below 512m");
        }
        if (command.equals("hset") && systems.contains(ServerSystem.MEMCACHED)) {
            throw new BadInput("--command hset: memcached has no hashes; leave it out of --compare");
        }
        return new Load(
                command, reads, (int) size, Sizes.count("--keys", keys), distribution, connections, pipeline, seed);
    }

    private Setting setting(List<ServerSystem> systems, long memoryBytes) {
        return new Setting(
                systems,
                Setting.Cores.valueOf(cores.toUpperCase(Locale.ROOT)),
                memory == null ? memoryBytes : memoryBytes("--memory", memory),
                rounds,
                progress());
    }

    private static long memoryBytes(String option, String text) {
        long size = Sizes.bytes(option, text);
        if (size < 64 << 20) {
            throw new BadInput(option + " '" + text + "'; allowed: at least 64m");
        }
        return size;
    }

    /** Three times the data, so that no budget is felt. */
    private static long roomFor(Load load) {
        return Math.max(GIBIBYTE, 3 * load.keys() * (load.valueBytes() + 100));
    }

    private boolean byRedisBenchmark(List<ServerSystem> systems, Load load) {
        oneOf("--generator", generator, "auto", "redis-benchmark", "loadgen");
        boolean possible = load.isPlain() && systems.stream().allMatch(system -> system.protocol() == Protocol.RESP);
        if (generator.equals("redis-benchmark") && !possible) {
            throw new BadInput(
                    "--generator redis-benchmark: it sends one command with uniform keys, and not to memcached;"
                            + " say --generator loadgen");
        }
        return possible && !generator.equals("loadgen");
    }

    private void throughput(List<ServerSystem> systems, Load load, Map<String, Object> result) {
        boolean byRedisBenchmark = byRedisBenchmark(systems, load);
        describe(load, byRedisBenchmark, result);
        addSystems(
                new Throughput(setting(systems, roomFor(load)), load, seconds, warmup, byRedisBenchmark).run(), result);
    }

    private void latency(List<ServerSystem> systems, Load load, Map<String, Object> result) {
        if (cores.equals("shared")) {
            throw new BadInput(
                    "--cores shared; allowed in latency: split, since the generator needs a core to be on time");
        }
        if (generator.equals("redis-benchmark")) {
            throw new BadInput("--generator redis-benchmark keeps to no rate; latency is measured by loadgen");
        }
        between("--share", share, 0.01, 1.5);
        if (rate == null && !systems.contains(ServerSystem.REDIS)) {
            throw new BadInput("latency needs redis in --compare, for --share of what it does at most; or --rate");
        }
        Setting setting = setting(systems, roomFor(load));
        describe(load, false, result);
        double offered;
        if (rate == null) {
            Setting once = new Setting(
                    List.of(ServerSystem.REDIS), setting.cores(), setting.memoryBytes(), 3, setting.progress());
            double most = Figures.number(
                    new Throughput(once, load, seconds, warmup, false)
                            .run()
                            .getOrDefault(ServerSystem.REDIS.toString(), Map.of()),
                    "opsPerSecond");
            result.put("redisMostPerSecond", most);
            result.put("share", share);
            offered = share * most;
        } else {
            offered = Sizes.count("--rate", rate);
        }
        result.put("offeredPerSecond", offered);
        addSystems(new OfferedLoad(setting, load, seconds, warmup, offered).run(), result);
    }

    private void fragmentation(List<ServerSystem> systems, Map<String, Object> result) {
        long size = Sizes.bytes("--bytes", bytes);
        if (size < 1 << 20) {
            throw new BadInput("--bytes '" + bytes + "'; allowed: at least 1m");
        }
        between("--settle", settle, 0, 600);
        Setting setting = setting(systems, Math.max(64 << 20, 2 * size));
        List<Integer> sizes = new ArrayList<>();
        for (String refill : refills) {
            long one = Sizes.bytes("--refill", refill);
            if (one < 1 || one > 64 << 20) {
                throw new BadInput("--refill '" + refill + "'; allowed: 1 to 64m");
            }
            sizes.add((int) one);
        }
        result.put("generator", "loadgen");
        result.put("bytes", size);
        List<Map<String, Object>> runs = new ArrayList<>();
        for (int one : sizes) {
            Map<String, Object> run = Figures.create();
            run.put("workload", String.valueOf(one));
            run.put("benchmark", "100 to " + one + " bytes");
            addSystems(new FragmentationPattern(setting, size, one, settle).run(), run);
            runs.add(run);
        }
        result.put("runs", runs);
    }

    private void stalls(List<ServerSystem> systems, Load load, Map<String, Object> result) {
        if (cores.equals("shared")) {
            throw new BadInput(
                    "--cores shared; allowed in stalls: split, since the generator needs a core to be on time");
        }
        if (systems.contains(ServerSystem.MEMCACHED)) {
            throw new BadInput("stalls: not memcached, which has no PING and no hashes; leave it out of --compare");
        }
        long offered = Sizes.count("--rate", rate == null ? "50k" : rate);
        long hashFields = fields.equals("0") ? 0 : Sizes.count("--fields", fields);
        describe(load, false, result);
        result.put("requests", "set");
        result.put("offeredPerSecond", offered);
        result.put("fields", hashFields);
        addSystems(new Stalls(setting(systems, GIBIBYTE), load, offered, seconds, warmup, hashFields).run(), result);
    }

    private void start(List<ServerSystem> systems, Map<String, Object> result) {
        addSystems(new StartTime(setting(systems, GIBIBYTE)).run(), result);
    }

    private void describe(Load load, boolean byRedisBenchmark, Map<String, Object> result) {
        result.put("generator", byRedisBenchmark ? "redis-benchmark" : "loadgen");
        Map<String, Object> parameters = Json.toMap(load);
        result.put("requests", parameters.remove("command")); // "command" is the whole command line's
        result.putAll(parameters);
        result.put("seconds", seconds);
        result.put("rounds", rounds);
    }

    private static void addSystems(Map<String, Map<String, Object>> systems, Map<String, Object> result) {
        result.put("systems", systems);
        Map<String, Object> ratios = new LinkedHashMap<>();
        Map<String, Object> ours = systems.get(ServerSystem.LOAM.toString());
        if (ours != null) {
            systems.forEach((name, figures) -> {
                if (figures != ours) {
                    ratios.put(name, Statistics.ratios(ours, figures));
                }
            });
        }
        result.put("ratios", ratios);
    }
}
