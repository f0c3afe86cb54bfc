package io.loam.memory;

/**
 * Which CPU belongs to which NUMA node. Nodes and CPUs are numbered from 0 without gaps as seen here, whatever the kernel's numbers.
 */
public interface Topology {

    int nodeCount();

    /** All CPUs of the machine that may be used, at least 1. */
    int cpuCount();

    /** How many CPUs of the machine belong to {@code node}. */
    int cpuCount(int node);

    /** The node of the CPU that the calling thread runs on; a hint, since the thread may move at once. */
    int currentNode();

    /** A number that differs for threads on different CPUs of a node, from 0 to {@code cpuCount(node) - 1}; a hint. */
    int currentCpuOfNode();

    /** This machine, read once from sysfs; one node if that can't be read. */
    static Topology ofMachine() {
        Platform.check();
        return MachineTopology.INSTANCE;
    }

    /**
     * A made-up machine for tests: {@code nodes} nodes with {@code cpusPerNode} CPUs; each thread is placed by its id, so that
     * placement is stable.
     */
    static Topology simulated(int nodes, int cpusPerNode) {
        return new SimulatedTopology(nodes, cpusPerNode);
    }
}
