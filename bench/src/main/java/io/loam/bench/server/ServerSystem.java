package io.loam.bench.server;

import io.loam.bench.BadInput;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** A server that can be measured, and the one place that says how it is started. */
public enum ServerSystem {
    LOAM("loam", Protocol.RESP, "bin/loam", "start this by bin/loam bench, which knows where that is") {
        @Override
        List<String> arguments(int port, long memoryBytes, int cpus) {
            return List.of("serve", "--port", String.valueOf(port), "--memory", mebibytes(memoryBytes) + "m");
        }
    },
    REDIS("redis", Protocol.RESP, "redis-server", "install Debian's package redis-server") {
        @Override
        List<String> arguments(int port, long memoryBytes, int cpus) {
            return redis(port, memoryBytes, "noeviction");
        }
    },
    /** Redis when its budget is kept by eviction: what its memory takes beyond it. */
    REDIS_EVICTING("redis-evicting", Protocol.RESP, "redis-server", "install Debian's package redis-server") {
        @Override
        List<String> arguments(int port, long memoryBytes, int cpus) {
            return redis(port, memoryBytes, "allkeys-lru");
        }
    },
    REDIS_IO_THREADS("redis-io-threads", Protocol.RESP, "redis-server", "install Debian's package redis-server") {
        @Override
        List<String> arguments(int port, long memoryBytes, int cpus) {
            List<String> arguments = new java.util.ArrayList<>(redis(port, memoryBytes, "noeviction"));
            // One is the main thread, so a single core has none to add.
            arguments.addAll(
                    List.of("--io-threads", String.valueOf(Math.max(1, cpus)), "--io-threads-do-reads", "yes"));
            return arguments;
        }
    },
    MEMCACHED("memcached", Protocol.MEMCACHED, "memcached", "install Debian's package memcached") {
        @Override
        List<String> arguments(int port, long memoryBytes, int cpus) {
            return List.of(
                    "-l",
                    "127.0.0.1",
                    "-p",
                    String.valueOf(port),
                    "-m",
                    mebibytes(memoryBytes),
                    "-t",
                    String.valueOf(cpus),
                    "-c",
                    "20000",
                    "-u",
                    System.getProperty("user.name"));
        }
    };

    private final String text;
    private final Protocol protocol;
    private final String program;
    private final String remedy;

    ServerSystem(String text, Protocol protocol, String program, String remedy) {
        this.text = text;
        this.protocol = protocol;
        this.program = program;
        this.remedy = remedy;
    }

    /** @throws BadInput if there is none of this name */
    public static ServerSystem of(String name) {
        return Arrays.stream(values())
                .filter(system -> system.text.equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInput("unknown server '" + name + "'; there are " + names()));
    }

    private static String names() {
        return Arrays.stream(values()).map(ServerSystem::toString).collect(Collectors.joining(", "));
    }

    abstract List<String> arguments(int port, long memoryBytes, int cpus);

    public Protocol protocol() {
        return protocol;
    }

    /**
     * The program and its arguments.
     *
     * @throws BadInput if the program is not there; says what to install
     */
    List<String> command(int port, long memoryBytes, int cpus) {
        List<String> command = new java.util.ArrayList<>();
        command.add(this == LOAM ? launcher() : onPath(text, program, remedy));
        command.addAll(arguments(port, memoryBytes, cpus));
        return command;
    }

    private String launcher() {
        Path launcher = Path.of(System.getProperty("loam.home", "."), program);
        if (!Files.isExecutable(launcher)) {
            throw new BadInput("loam: no " + program + " in "
                    + launcher.toAbsolutePath().normalize().getParent() + "; " + remedy);
        }
        return launcher.toString();
    }

    /** Where the program is, by the PATH. */
    static String onPath(String wanted, String program, String remedy) {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            Path file = Path.of(directory, program);
            if (Files.isExecutable(file)) {
                return file.toString();
            }
        }
        throw new BadInput(wanted + ": no " + program + " on the PATH; " + remedy);
    }

    private static List<String> redis(int port, long memoryBytes, String policy) {
        return List.of(
                "--bind",
                "127.0.0.1",
                "--port",
                String.valueOf(port),
                "--save",
                "",
                "--appendonly",
                "no",
                "--loglevel",
                "warning",
                "--maxclients",
                "20000",
                "--maxmemory",
                String.valueOf(memoryBytes),
                "--maxmemory-policy",
                policy);
    }

    private static String mebibytes(long bytes) {
        return String.valueOf(bytes >> 20);
    }

    @Override
    public String toString() {
        return text;
    }
}
