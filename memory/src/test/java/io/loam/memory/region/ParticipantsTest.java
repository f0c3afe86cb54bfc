package io.loam.memory.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.SharedFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ParticipantsTest {

    private final RegistryDirectory directory = new RegistryDirectory();
    private final Registry registry = directory.open();
    private final Participants participants = registry.participants();

    @AfterEach
    void end() {
        registry.close();
        directory.close();
    }

    /** The child: joins, says its identity, and waits; or races to create regions. */
    public static void main(String[] arguments) throws IOException {
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE)) {
            System.out.println(registry.participants().self());
            int ignored = System.in.read();
            if (arguments.length > 1) {
                System.out.println(create(registry, Integer.parseInt(arguments[1])));
            }
        }
    }

    /** How many of the contested names this participant has won, with 25 threads at each. */
    private static int create(Registry registry, int names) {
        List<Thread> threads = new ArrayList<>();
        int[] won = new int[1];
        for (int i = 0; i < 25; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                for (int name = 0; name < names; name++) {
                    try {
                        registry.regions().create("contested" + name, RegionOptions.of(1));
                        synchronized (won) {
                            won[0]++;
                        }
                    } catch (RegionException e) {
                        if (e.reason() != RegionException.Reason.EXISTS) {
                            throw e;
                        }
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return won[0];
    }

    @Test
    void oneIsAliveUntilItIsKilledAndItsIdentityIsNeverUsedAgain() {
        Set<Long> seen = new HashSet<>();
        for (int round = 0; round < 3; round++) {
            try (ChildJvm child =
                    ChildJvm.start(ParticipantsTest.class, directory.path().toString())) {
                long identity = Long.parseLong(child.line());
                assertThat(seen.add(identity)).isTrue();
                assertThat(participants.isAlive(identity)).isTrue();
                assertThat(participants.pid(identity)).isEqualTo(child.pid());
                assertThat(participants.list())
                        .extracting(Participants.Participant::pid)
                        .containsExactly(ProcessHandle.current().pid(), child.pid());
                child.kill();
                while (participants.isAlive(identity)) {
                    Thread.onSpinWait();
                }
                assertThat(participants.list()).hasSize(1);
            }
        }
        for (long identity : seen) {
            assertThat(participants.isAlive(identity)).isFalse();
        }
        assertThat(participants.isAlive(participants.self())).isTrue();
        assertThat(participants.isAlive(0)).isFalse();
        assertThat(participants.isAlive(Liveness.identity(1, 300))).isFalse();
        assertThat(participants.usedSlots()).isEqualTo(2);
    }

    /** Forbidden: a dead one passes for alive because its successor has locked the slot's byte and not yet written its own identity. */
    @Test
    void deadOneIsNotAliveWhileItsSuccessorJoins() throws InterruptedException {
        long identity;
        try (ChildJvm child =
                ChildJvm.start(ParticipantsTest.class, directory.path().toString())) {
            identity = Long.parseLong(child.line());
            child.kill();
        }
        AtomicReference<Boolean> answer = new AtomicReference<>();
        Thread asking = Thread.ofPlatform().unstarted(() -> answer.set(participants.isAlive(identity)));
        try (SharedFile successor = SharedFile.open(directory.path().resolve(Registry.HEADER), true)) {
            long slot = RegistryLayout.PARTICIPANT_BYTES + Liveness.slot(identity);
            while (!successor.tryLockByte(slot, true)) {
                Thread.onSpinWait();
            }
            assertThat(successor.tryLockByte(slot + Liveness.MAX_SLOTS, true)).isTrue();
            asking.start();
            asking.join(50);
            assertThat(answer.get()).isNull();
        }
        asking.join();
        assertThat(answer.get()).isFalse();
    }

    @Test
    void tooManyAreRefusedAndAFreedSlotIsTakenAgain() {
        List<Registry> others = new ArrayList<>();
        try {
            for (int i = 1; i < Liveness.MAX_SLOTS; i++) {
                others.add(directory.open());
            }
            assertThatThrownBy(directory::open)
                    .isInstanceOf(RegionException.class)
                    .hasMessageContaining("256 participants' slots");
            Registry last = others.removeLast();
            long gone = last.participants().self();
            last.close();
            last.close();
            assertThat(participants.isAlive(gone)).isFalse();
            Registry next = directory.open();
            others.add(next);
            assertThat(Liveness.slot(next.participants().self())).isEqualTo(Liveness.slot(gone));
            assertThat(next.participants().self()).isNotEqualTo(gone);
            assertThat(participants.isAlive(gone)).isFalse();
            assertThat(participants.isAlive(next.participants().self())).isTrue();
        } finally {
            others.forEach(Registry::close);
        }
    }

    @Test
    void hundredsOfCreatorsInSeveralJvmsMakeEachRegionOnce() {
        int names = 20;
        List<ChildJvm> children = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            children.add(ChildJvm.start(ParticipantsTest.class, directory.path().toString(), "" + names));
        }
        children.forEach(ChildJvm::line);
        children.forEach(child -> child.say("go"));
        int won = create(registry, names);
        for (ChildJvm child : children) {
            won += Integer.parseInt(child.line());
            assertThat(child.exit()).isZero();
        }
        assertThat(won).isEqualTo(names);
        assertThat(registry.regions().list()).hasSize(names);
        assertThat(registry.regions().list().stream().map(Region::base).distinct())
                .hasSize(names);
        assertThat(registry.regions().list().stream().map(Region::number).distinct())
                .hasSize(names);
        assertThat(registry.regions().cleanUp()).isEmpty();
    }

    @Test
    void creatorsKilledAtAnyMomentLeaveWholeRegionsOrNothing() throws Exception {
        for (int round = 0; round < 6; round++) {
            List<ChildJvm> children = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                children.add(
                        ChildJvm.start(ParticipantsTest.class, directory.path().toString(), "100000"));
            }
            children.forEach(ChildJvm::line);
            children.forEach(child -> child.say("go"));
            Thread.sleep(40 + 30 * round);
            children.forEach(ChildJvm::kill);
            registry.regions().cleanUp();
            for (String name : registry.regions().names()) {
                try (MappedRegion mapped = registry.regions().map(name, Access.READ)) {
                    assertThat(mapped.bytes()).isPositive();
                }
                registry.regions().delete(name);
            }
            assertThat(registry.regions().cleanUp()).isEmpty();
            try (var files = java.nio.file.Files.list(directory.path().resolve("memory"))) {
                assertThat(files).isEmpty();
            }
        }
    }
}
