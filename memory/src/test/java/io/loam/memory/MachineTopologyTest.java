package io.loam.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MachineTopologyTest {

    @TempDir
    Path root = Path.of("unset");

    private void node(int number, String cpulist) throws IOException {
        write("sys/devices/system/node/node" + number + "/cpulist", cpulist + "\n");
    }

    private void write(String path, String content) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.resolveSibling("."));
        Files.writeString(file, content);
    }

    private void allow(String list) throws IOException {
        write(
                "proc/self/status",
                "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t" + list + "\nMems_allowed_list:\t0\n");
    }

    private MachineTopology read() {
        return MachineTopology.read(root, 3);
    }

    @Test
    void twoNodesShareTheCpus() throws IOException {
        node(0, "0-3");
        node(1, "4-7");
        allow("0-7");
        MachineTopology machine = read();
        assertThat(machine.nodeCount()).isEqualTo(2);
        assertThat(machine.cpuCount()).isEqualTo(8);
        assertThat(machine.cpuCount(0)).isEqualTo(4);
        assertThat(machine.cpuCount(1)).isEqualTo(4);
        assertThat(machine.place(0)).isEqualTo(0);
        assertThat(machine.place(3)).isEqualTo(3);
        assertThat(machine.place(4)).isEqualTo(1 << 16);
        assertThat(machine.place(7)).isEqualTo(1 << 16 | 3);
        assertThat(machine).hasToString("machine with 8 CPUs: node 0 has 4, node 1 has 4");
    }

    @Test
    void interleavedCpusAreNumberedWithinTheirNode() throws IOException {
        node(0, "0,2,4,6");
        node(1, "1,3,5,7");
        allow("0-7");
        assertThat(read().place(6)).isEqualTo(3);
        assertThat(read().place(5)).isEqualTo(1 << 16 | 2);
    }

    @Test
    void offlineAndForbiddenCpusAreLeftOut() throws IOException {
        node(0, "0-3");
        node(1, "4-7");
        write("sys/devices/system/cpu/online", "0-2,4-6\n");
        allow("1-7");
        MachineTopology machine = read();
        assertThat(machine.cpuCount()).isEqualTo(5);
        assertThat(machine.cpuCount(0)).isEqualTo(2);
        assertThat(machine.cpuCount(1)).isEqualTo(3);
        assertThat(machine.place(1)).isEqualTo(0);
        assertThat(machine.place(2)).isEqualTo(1);
    }

    @Test
    void nodeWithMemoryOnlyIsLeftOut() throws IOException {
        node(0, "0-1");
        node(1, "");
        node(2, "2-3");
        allow("0-3");
        MachineTopology machine = read();
        assertThat(machine.nodeCount()).isEqualTo(2);
        assertThat(machine.kernelNode(1)).isEqualTo(2);
    }

    @Test
    void holesInTheNumberingAreClosed() throws IOException {
        node(0, "0-1");
        node(8, "16-17");
        node(10, "32,40");
        write("sys/devices/system/node/has_cpu", "0,8,10\n");
        allow("0-63");
        MachineTopology machine = read();
        assertThat(machine.nodeCount()).isEqualTo(3);
        assertThat(machine.kernelNode(2)).isEqualTo(10);
        assertThat(machine.place(17)).isEqualTo(1 << 16 | 1);
        assertThat(machine.place(40)).isEqualTo(2 << 16 | 1);
    }

    @Test
    void everyCpuHasAPlaceEvenIfNotKnown() throws IOException {
        node(0, "1,5");
        node(1, "3");
        allow("0-7");
        MachineTopology machine = read();
        for (int cpu = -1; cpu < 100; cpu++) {
            int place = machine.place(cpu);
            assertThat(place >>> 16).isBetween(0, 1);
            assertThat(place & 0xFFFF).isLessThan(machine.cpuCount(place >>> 16));
        }
    }

    @Test
    void withoutSysfsThereIsOneNode() throws IOException {
        assertThat(read().nodeCount()).isEqualTo(1);
        assertThat(read().cpuCount()).isEqualTo(3);
        allow("2,4");
        assertThat(read().cpuCount()).isEqualTo(2);
        node(0, "rubbish");
        assertThat(read().cpuCount(0)).isEqualTo(2);
    }

    @Test
    void listsOfTheKernelAreParsed() {
        assertThat(MachineTopology.parseList("0-2,7, 9-9\n").stream()).containsExactly(0, 1, 2, 7, 9);
        assertThat(MachineTopology.parseList("\n").isEmpty()).isTrue();
        assertThatIllegalArgumentException().isThrownBy(() -> MachineTopology.parseList("3-1"));
        assertThatIllegalArgumentException().isThrownBy(() -> MachineTopology.parseList("0-999999999"));
    }

    @Test
    void thisMachinePlacesTheCallingThread() {
        Topology machine = Topology.ofMachine();
        assertThat(machine.cpuCount()).isBetween(1, 1 << 16);
        assertThat(machine.currentNode()).isBetween(0, machine.nodeCount() - 1);
        assertThat(machine.currentCpuOfNode()).isBetween(0, machine.cpuCount(0) - 1);
    }

    @Test
    void simulatedMachineDealsThreadsOverNodesAndCpus() throws InterruptedException {
        Topology machine = Topology.simulated(2, 3);
        assertThat(machine.cpuCount()).isEqualTo(6);
        assertThat(machine.cpuCount(1)).isEqualTo(3);
        int node = machine.currentNode();
        int cpu = machine.currentCpuOfNode();
        assertThat(machine.currentNode()).isEqualTo(node);
        assertThat(machine.currentCpuOfNode()).isEqualTo(cpu);
        Set<String> places = new HashSet<>();
        for (int i = 0; i < 6; i++) {
            Thread thread = Thread.ofPlatform()
                    .start(() -> places.add(machine.currentNode() + "/" + machine.currentCpuOfNode()));
            thread.join();
        }
        assertThat(places).hasSizeGreaterThan(2).allMatch(place -> place.matches("[01]/[012]"));
        assertThatIllegalArgumentException().isThrownBy(() -> Topology.simulated(0, 1));
    }
}
