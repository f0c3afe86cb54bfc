package io.loam.store.engine;

import io.loam.memory.RawMemory;
import io.loam.memory.region.RegionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Whether what the files of a store hold is what was written to them. As long as the machine runs it is, whatever died: all see the same pages. When it stops, pages that have not reached the medium are lost, each by itself, so
 * a store is whole only if the last who left it in order has waited until all of it was there. {@code /dev/shm} is empty then, and the question does not come up.
 *
 * <p><b>Forbidden:</b> a store is served of whose pages the machine has lost some. The mark SETTLED reaches the medium after all that it speaks of, and its removal before anything changes: each is waited for by fsync(2). The boot
 * id changes with every start of the machine; a store without the mark is open to those only who find the id of their own in it. All of it happens at the door.
 */
final class Settlement {

    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private final RawMemory memory = RawMemory.ofProcess();
    private final SharedMemory store;
    private final long control;

    Settlement(SharedMemory store) {
        this.store = store;
        this.control = store.control().address();
    }

    /** Nil where the kernel does not tell. */
    private static UUID bootId() {
        try {
            return UUID.fromString(Files.readString(BOOT_ID).strip());
        } catch (IOException | IllegalArgumentException e) {
            return new UUID(0, 0);
        }
    }

    /**
     * Nobody else has the store.
     *
     * @throws RegionException if it may have been torn
     */
    void check(String name) {
        UUID boot = bootId();
        boolean same = memory.getLongOpaque(control + SharedLayout.BOOT) == boot.getMostSignificantBits()
                && memory.getLongOpaque(control + SharedLayout.BOOT + 8) == boot.getLeastSignificantBits();
        if (!same && memory.getLongOpaque(control + SharedLayout.SETTLED) != 1) {
            throw new RegionException(
                    RegionException.Reason.CORRUPT,
                    "store " + name
                            + " was open when the machine stopped, or was copied while it was open: some of its pages may be"
                            + " older than others; delete it and create it anew");
        }
    }

    /** Before anything of the store is changed. */
    void begin() {
        UUID boot = bootId();
        memory.putLongOpaque(control + SharedLayout.SETTLED, 0);
        store.control().file().sync();
        memory.putLongOpaque(control + SharedLayout.BOOT, boot.getMostSignificantBits());
        memory.putLongOpaque(control + SharedLayout.BOOT + 8, boot.getLeastSignificantBits());
    }

    /** After everybody has left in order. */
    void end() {
        store.data().file().sync();
        store.control().file().sync();
        memory.putLongVolatile(control + SharedLayout.SETTLED, 1);
        store.control().file().sync();
    }
}
