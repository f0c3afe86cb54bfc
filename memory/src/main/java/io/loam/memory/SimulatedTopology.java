package io.loam.memory;

/** A made-up machine whose threads are dealt out by id: over the nodes first, then over a node's CPUs. */
record SimulatedTopology(int nodeCount, int cpusPerNode) implements Topology {

    SimulatedTopology {
        if (nodeCount < 1 || cpusPerNode < 1) {
            throw new IllegalArgumentException("a simulated machine needs at least 1 node with 1 CPU; " + nodeCount
                    + " nodes with " + cpusPerNode + " CPUs given");
        }
    }

    @Override
    public int cpuCount() {
        return nodeCount * cpusPerNode;
    }

    @Override
    public int cpuCount(int node) {
        if (node < 0 || node >= nodeCount) {
            throw new IndexOutOfBoundsException("node " + node + " of " + nodeCount);
        }
        return cpusPerNode;
    }

    @Override
    public int currentNode() {
        return (int) (Thread.currentThread().threadId() % nodeCount);
    }

    @Override
    public int currentCpuOfNode() {
        return (int) (Thread.currentThread().threadId() / nodeCount % cpusPerNode);
    }
}
