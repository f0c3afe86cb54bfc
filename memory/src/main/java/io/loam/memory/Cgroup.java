package io.loam.memory;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The control group that limits this process's memory. Limits of all groups from its own up to the mount count, because a parent's
 * limit binds as well.
 *
 * <p>Source: the kernel's admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst; fields of mountinfo by proc(5).
 *
 * @param mount directory where the hierarchy is mounted
 * @param directory this process's own group, within {@code mount}
 * @param version 1 or 2
 */
record Cgroup(Path mount, Path directory, int version) {

    /** Version 1 says "no limit" by a number near 2⁶³, rounded down to pages. */
    private static final long UNLIMITED_V1 = 1L << 60;

    /** By the trees {@code proc} and {@code sys} under {@code root}; empty if no memory controller is mounted. */
    static Optional<Cgroup> of(Path root) {
        List<String> memberships = ProcFile.lines(root.resolve("proc/self/cgroup"));
        List<String> mounts = ProcFile.lines(root.resolve("proc/self/mountinfo"));
        Optional<Cgroup> first = memberships.stream()
                .map(line -> line.split(":", 3))
                .filter(fields -> fields.length == 3
                        && Arrays.asList(fields[1].split(",")).contains("memory"))
                .findFirst()
                .flatMap(fields -> find(root, mounts, 1, fields[2]));
        return first.or(() -> memberships.stream()
                .filter(line -> line.startsWith("0::"))
                .findFirst()
                .flatMap(line -> find(root, mounts, 2, line.substring("0::".length()))));
    }

    /** Finds the mount of the hierarchy, and the group in it: a container may see only the lower part of the path. */
    private static Optional<Cgroup> find(Path root, List<String> mounts, int version, String path) {
        for (String line : mounts) {
            int dash = line.indexOf(" - ");
            if (dash < 0) {
                continue;
            }
            String[] where = line.substring(0, dash).split(" ");
            String[] what = line.substring(dash + 3).split(" ");
            if (where.length < 5 || what.length < 3) {
                continue;
            }
            boolean matches = version == 2
                    ? what[0].equals("cgroup2")
                    : what[0].equals("cgroup")
                            && Arrays.asList(what[2].split(",")).contains("memory");
            if (matches) {
                Path mount = under(root, where[4]);
                return Optional.of(new Cgroup(mount, below(mount, where[3], path), version));
            }
        }
        return Optional.empty();
    }

    private static Path below(Path mount, String mountedPart, String path) {
        String prefix = mountedPart.equals("/") ? "" : mountedPart;
        if (path.equals(prefix) || !path.startsWith(prefix + "/")) {
            return mount;
        }
        Path directory = under(mount, path.substring(prefix.length())).normalize();
        return directory.startsWith(mount) && Files.isDirectory(directory) ? directory : mount;
    }

    private static Path under(Path root, String absolute) {
        return root.resolve(absolute.substring(1));
    }

    /** {@code Long.MAX_VALUE} if no group limits memory. */
    long limitBytes() {
        long least = Long.MAX_VALUE;
        for (Path group = directory; group != null && group.startsWith(mount); group = group.getParent()) {
            least = Math.min(least, limitOf(group));
        }
        return least;
    }

    /** The smallest distance to a limit, file cache not counted since the kernel drops it; {@code Long.MAX_VALUE} without limits. */
    long availableBytes() {
        long least = Long.MAX_VALUE;
        for (Path group = directory; group != null && group.startsWith(mount); group = group.getParent()) {
            long limit = limitOf(group);
            if (limit != Long.MAX_VALUE) {
                least = Math.min(least, Math.max(0, limit - usageOf(group)));
            }
        }
        return least;
    }

    private long limitOf(Path group) {
        long limit = number(group.resolve(version == 2 ? "memory.max" : "memory.limit_in_bytes"), Long.MAX_VALUE);
        return limit >= UNLIMITED_V1 ? Long.MAX_VALUE : limit;
    }

    private long usageOf(Path group) {
        long usage = number(group.resolve(version == 2 ? "memory.current" : "memory.usage_in_bytes"), 0);
        String prefix = version == 2 ? "" : "total_";
        for (String line : ProcFile.lines(group.resolve("memory.stat"))) {
            if (line.startsWith(prefix + "active_file ") || line.startsWith(prefix + "inactive_file ")) {
                usage -= ProcFile.number(line.substring(line.indexOf(' '))).orElse(0);
            }
        }
        return Math.max(0, usage);
    }

    private static long number(Path file, long otherwise) {
        return ProcFile.text(file)
                .map(text -> ProcFile.number(text).orElse(otherwise))
                .orElse(otherwise);
    }
}
