package io.loam.memory.region;

import io.loam.memory.MemoryException;
import io.loam.memory.SharedFile;
import io.loam.memory.SharedMapping;
import io.loam.memory.SharedRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Which regions this process has mapped where: one mapping for each region, shared by all who map it, because a base can be taken only
 * once in a process. Static, as the process's addresses are.
 */
final class ProcessMappings {

    private static final int EXISTS = 17;
    private static final long HUGE_PAGE_BYTES = 2L << 20;

    private static final Map<UUID, Shared> MAPPED = new HashMap<>();

    /** The tables of registries by their files, which stay mapped: nobody needs to know when the last thread has looked at one. */
    private static final Map<Object, SharedMapping> FOR_EVER = new HashMap<>();

    /** Where to look next for room among what is not at its base. */
    private static long nextAnywhere = SharedRange.BASES_END;

    private ProcessMappings() {}

    private static final class Shared {
        final Region region;
        final SharedMapping mapping;
        int users;

        Shared(Region region, SharedMapping mapping) {
            this.region = region;
            this.mapping = mapping;
        }
    }

    /**
     * Maps a region with its room, or finds it mapped.
     *
     * @param elsewhere whether another place will do if the base is taken
     */
    static synchronized SharedMapping acquire(Region region, SharedFile file, Access access, boolean elsewhere) {
        Shared shared = MAPPED.get(region.uuid());
        if (shared == null) {
            shared = new Shared(region, map(region, file, access == Access.WRITE, elsewhere));
            MAPPED.put(region.uuid(), shared);
        } else if (shared.mapping.address() != region.base() && !elsewhere) {
            throw new RegionException(
                    RegionException.Reason.BASE_TAKEN,
                    region + " is mapped at 0x" + Long.toHexString(shared.mapping.address())
                            + " by a part of this process that accepts that; accept it too, or let that part end first");
        } else if (access == Access.WRITE) {
            shared.mapping.makeWritable(file);
        }
        shared.users++;
        return shared.mapping;
    }

    private static SharedMapping map(Region region, SharedFile file, boolean forWriting, boolean elsewhere) {
        try {
            return file.map(region.base(), region.roomBytes(), forWriting);
        } catch (MemoryException e) {
            if (e.errno() != EXISTS) {
                throw e;
            }
            if (elsewhere) {
                return mapAnywhere(file, region.roomBytes(), forWriting);
            }
            throw new RegionException(
                    RegionException.Reason.BASE_TAKEN,
                    region + " can't be mapped at its base: " + occupant(region)
                            + " is there; detach that first, or accept another place",
                    e);
        }
    }

    private static String occupant(Region region) {
        for (Shared shared : MAPPED.values()) {
            long start = shared.mapping.address();
            if (start < region.base() + region.roomBytes() && region.base() < start + shared.mapping.bytes()) {
                return shared.region.toString();
            }
        }
        return "another mapping of this process";
    }

    /** Maps a file in the part of the shared range that no base is in. */
    static synchronized SharedMapping mapAnywhere(SharedFile file, long bytes, boolean forWriting) {
        long step = (bytes + HUGE_PAGE_BYTES - 1) & -HUGE_PAGE_BYTES;
        long places = (SharedRange.END - SharedRange.BASES_END) / step;
        for (long tried = 0; tried < places; tried++) {
            if (!SharedRange.contains(nextAnywhere, step)) {
                nextAnywhere = SharedRange.BASES_END;
            }
            long address = nextAnywhere;
            nextAnywhere += step;
            try {
                return file.map(address, bytes, forWriting);
            } catch (MemoryException e) {
                if (e.errno() != EXISTS) {
                    throw e;
                }
            }
        }
        throw new RegionException(
                RegionException.Reason.NO_SPACE,
                "no " + bytes + " addresses are free for " + file.path() + "; detach something");
    }

    /** Maps a small file for as long as this process lives. */
    static synchronized SharedMapping mapForEver(SharedFile file, long bytes) throws IOException {
        Object key =
                Files.readAttributes(file.path(), BasicFileAttributes.class).fileKey();
        SharedMapping mapping = FOR_EVER.get(key);
        if (mapping == null) {
            mapping = mapAnywhere(file, bytes, true);
            FOR_EVER.put(key, mapping);
        }
        return mapping;
    }

    /** Takes back one {@link #acquire}; the last one unmaps. */
    static synchronized void release(Region region) {
        Shared shared = MAPPED.get(region.uuid());
        if (shared != null && --shared.users == 0) {
            MAPPED.remove(region.uuid());
            shared.mapping.close();
        }
    }
}
