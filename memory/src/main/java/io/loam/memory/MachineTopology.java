package io.loam.memory;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The nodes and CPUs this process may run on, from sysfs and procfs. The current CPU costs one critical downcall (3 ns) and one load
 * from a table indexed by the kernel's CPU number.
 *
 * <p>Nodes without a usable CPU (memory only, or outside the cpuset) are left out. A CPU that is not usable now but might run a
 * thread after a change of affinity or a hot plug falls on some usable place: places are hints.
 */
final class MachineTopology implements Topology {

    static final MachineTopology INSTANCE =
            read(Path.of("/"), Runtime.getRuntime().availableProcessors());

    private final int[] kernelNodes;
    private final int[] cpuCounts;
    private final int cpuCount;
    /** By the kernel's CPU number: node in the upper 16 bits, CPU within the node in the lower 16. */
    private final int[] places;

    private MachineTopology(TreeMap<Integer, BitSet> cpusByNode) {
        List<Integer> nodes = new ArrayList<>();
        BitSet all = new BitSet();
        cpusByNode.forEach((node, cpus) -> {
            nodes.add(node);
            all.or(cpus);
        });
        kernelNodes = nodes.stream().mapToInt(Integer::intValue).toArray();
        cpuCounts =
                nodes.stream().mapToInt(node -> cardinality(cpusByNode, node)).toArray();
        cpuCount = all.cardinality();
        places = new int[all.length()];
        for (int cpu = 0; cpu < places.length; cpu++) {
            places[cpu] = cpu % cpuCounts[0];
        }
        for (int node = 0; node < kernelNodes.length; node++) {
            BitSet cpus = cpusByNode.getOrDefault(kernelNodes[node], new BitSet());
            int index = 0;
            for (int cpu = cpus.nextSetBit(0); cpu >= 0; cpu = cpus.nextSetBit(cpu + 1)) {
                places[cpu] = node << 16 | index++;
            }
        }
    }

    private static int cardinality(TreeMap<Integer, BitSet> cpusByNode, Integer node) {
        return cpusByNode.getOrDefault(node, new BitSet()).cardinality();
    }

    /** Reads the trees {@code sys} and {@code proc} under {@code root}; one node with {@code processors} CPUs if they can't be read. */
    static MachineTopology read(Path root, int processors) {
        TreeMap<Integer, BitSet> cpusByNode = new TreeMap<>();
        Optional<BitSet> allowed = allowedCpus(root.resolve("proc/self/status"));
        try (DirectoryStream<Path> entries =
                Files.newDirectoryStream(root.resolve("sys/devices/system/node"), "node[0-9]*")) {
            for (Path entry : entries) {
                BitSet cpus = parseList(Files.readString(entry.resolve("cpulist")));
                allowed.ifPresent(cpus::and);
                online(root).ifPresent(cpus::and);
                if (!cpus.isEmpty()) {
                    cpusByNode.put(
                            Integer.parseInt(entry.getFileName().toString().substring("node".length())), cpus);
                }
            }
        } catch (IOException | RuntimeException e) {
            // no sysfs (containers may hide it) or an unknown form of it: one node is always a right answer
            cpusByNode.clear();
        }
        if (cpusByNode.isEmpty()) {
            BitSet cpus = new BitSet();
            cpus.set(0, Math.max(1, processors));
            cpusByNode.put(0, allowed.filter(set -> !set.isEmpty()).orElse(cpus));
        }
        return new MachineTopology(cpusByNode);
    }

    private static Optional<BitSet> online(Path root) {
        try {
            return Optional.of(parseList(Files.readString(root.resolve("sys/devices/system/cpu/online"))));
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    private static Optional<BitSet> allowedCpus(Path status) {
        return ProcFile.field(status, "Cpus_allowed_list").flatMap(list -> {
            try {
                return Optional.of(parseList(list));
            } catch (RuntimeException e) {
                return Optional.empty();
            }
        });
    }

    /** Parses the kernel's list form, {@code 0-3,8,10-11}. */
    static BitSet parseList(String list) {
        BitSet cpus = new BitSet();
        for (String part : list.strip().split(",")) {
            if (part.isBlank()) {
                continue;
            }
            int dash = part.indexOf('-');
            int first = Integer.parseInt(
                    dash < 0 ? part.strip() : part.substring(0, dash).strip());
            int last =
                    dash < 0 ? first : Integer.parseInt(part.substring(dash + 1).strip());
            if (first < 0 || last < first || last > 0xFFFF) {
                throw new IllegalArgumentException("CPU list " + list + " has an impossible range " + part);
            }
            cpus.set(first, last + 1);
        }
        return cpus;
    }

    /** The kernel's number of a node. */
    int kernelNode(int node) {
        return kernelNodes[node];
    }

    /** Place of a CPU by the kernel's number: node in the upper 16 bits, CPU within the node in the lower 16. */
    int place(int kernelCpu) {
        return kernelCpu >= 0 && kernelCpu < places.length
                ? places[kernelCpu]
                : (kernelCpu & Integer.MAX_VALUE) % cpuCounts[0];
    }

    @Override
    public int nodeCount() {
        return kernelNodes.length;
    }

    @Override
    public int cpuCount() {
        return cpuCount;
    }

    @Override
    public int cpuCount(int node) {
        return cpuCounts[node];
    }

    @Override
    public int currentNode() {
        return place(Native.schedGetcpu()) >>> 16;
    }

    @Override
    public int currentCpuOfNode() {
        return place(Native.schedGetcpu()) & 0xFFFF;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("machine with ").append(cpuCount).append(" CPUs");
        for (int node = 0; node < kernelNodes.length; node++) {
            text.append(node == 0 ? ": " : ", ")
                    .append("node ")
                    .append(kernelNodes[node])
                    .append(" has ")
                    .append(cpuCounts[node]);
        }
        return text.toString();
    }
}
