package io.loam.memory.region;

import io.loam.memory.MemoryException;
import io.loam.memory.ProcessMemory;
import io.loam.memory.Reservation;
import io.loam.memory.SharedFile;
import io.loam.memory.SharedMapping;
import io.loam.memory.SharedRange;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The regions of a {@link Registry}: create, find, map, clone, resize, delete.
 *
 * <p><b>Creating</b> goes: descriptor in {@code temporary}, its byte 0 locked; memory and lock, wholly allocated; base and number, inside
 * {@link Registry#exclusively}; link into {@code regions}; unlink in {@code temporary}. Killed before the link, it leaves what {@link
 * #cleanUp} deletes; killed after it, a region and a second name of its descriptor.
 *
 * <p><b>Deleting</b> goes: rename into {@code temporary}; delete memory and lock; delete the descriptor. Mapped pages stay until they are
 * unmapped.
 *
 * <p>Safe from any thread.
 */
public final class Regions {

    /** Bytes of the descriptor's lock in {@code temporary}. */
    private static final long ALIVE_BYTE = 0;

    /** What no name begins with: a descriptor that is about to take another one's place. */
    private static final String REPLACEMENT = ".";

    private static final int DESCRIPTOR_MODE = 0644;

    private final Registry registry;

    Regions(Registry registry) {
        this.registry = registry;
    }

    /**
     * Creates a region with all its space allocated and zero.
     *
     * @throws IllegalArgumentException if the name can't be one
     * @throws RegionException EXISTS if the name is taken (one of several creators wins), NO_SPACE if the file system or the memory is
     *     full, BASE_TAKEN if another region has addresses of the asked ones, DENIED; nothing is left behind then
     */
    public Region create(String name, RegionOptions options) {
        return create(Names.check(name), options, null);
    }

    /**
     * Creates a region with the content, size, room and permissions of another; shares blocks with it until one of the two changes where
     * the file system can, and copies where it can't. Of a region that is being written to meanwhile, the copy may hold some of the
     * writes and not others: hold its lock.
     *
     * @throws RegionException as {@link #create}, and NOT_FOUND
     */
    public Region copy(String source, String name) {
        Region region = get(source);
        RegionOptions options = new RegionOptions(
                region.bytes(),
                region.roomBytes(),
                0,
                region.mode(),
                acl(region),
                region.lockable(),
                region.hugePages(),
                region.file().startsWith(memory()) ? null : region.file().getParent());
        return create(Names.check(name), options, region);
    }

    private Region create(String name, RegionOptions options, @Nullable Region source) {
        UUID uuid = UUID.randomUUID();
        Path directory = options.directory() == null ? memory() : options.directory();
        long page = Reservation.pageBytes();
        long bytes = (options.bytes() + page - 1) & -page;
        long room = (Math.max(bytes, options.roomBytes()) + Region.GRANULE_BYTES - 1) & -Region.GRANULE_BYTES;
        Region draft = new Region(
                name,
                uuid,
                0,
                options.base(),
                bytes,
                room,
                options.mode(),
                options.lockable(),
                options.hugePages(),
                directory.resolve(uuid.toString()),
                System.currentTimeMillis());
        if (Files.exists(descriptor(name))) {
            throw exists(name);
        }
        try {
            byte[] bare = RegionLayout.encode(draft, ownFile(uuid));
            SharedFile alive = registry.exclusively(() -> lockedTemporary(uuid));
            try (alive) {
                Files.write(temporary(uuid), bare);
                makeMemory(draft, options, source);
                return registry.exclusively(() -> publish(draft));
            } catch (Throwable t) {
                deleteFiles(draft);
                throw t;
            } finally {
                Files.deleteIfExists(temporary(uuid));
            }
        } catch (IOException e) {
            throw RegionException.of("creating region " + name, e);
        } catch (MemoryException e) {
            throw RegionException.of("creating region " + name, e);
        }
    }

    private SharedFile lockedTemporary(UUID uuid) {
        SharedFile file = SharedFile.create(temporary(uuid), DESCRIPTOR_MODE);
        file.lockByte(ALIVE_BYTE, true);
        return file;
    }

    private void makeMemory(Region draft, RegionOptions options, @Nullable Region source) throws IOException {
        boolean inMemory = Files.getFileStore(draft.file().getParent()).type().equals("tmpfs");
        if (inMemory && draft.bytes() > ProcessMemory.availableBytes()) {
            throw new RegionException(
                    RegionException.Reason.NO_SPACE,
                    "creating region " + draft.name() + " of " + draft.bytes() + " bytes: only "
                            + ProcessMemory.availableBytes()
                            + " bytes of memory are available; free some or ask for less");
        }
        // writable for its creator while it is filled; then as asked
        try (SharedFile file = SharedFile.create(draft.file(), draft.mode() | 0600)) {
            if (source != null) {
                fillFrom(source, file);
            }
            if (draft.hugePages() && inMemory && source == null) {
                populateHuge(file, draft);
            }
            file.allocate(draft.bytes());
            file.setMode(draft.mode());
            if (options.acl() != null) {
                file.setAcl(options.acl().encode(draft.mode(), false));
            }
        }
        if (draft.lockable()) {
            // who may read takes the lock, too, and writes to it for that
            int mode = draft.mode() | (draft.mode() & 0444) >> 1;
            try (SharedFile lock = SharedFile.create(lockFile(draft), mode)) {
                lock.allocate(RegionLock.BYTES);
                if (options.acl() != null) {
                    lock.setAcl(options.acl().encode(mode, true));
                }
            }
        }
    }

    /** Pages that become present in an advised mapping are huge from the start; making huge ones of small ones costs much more. */
    private static void populateHuge(SharedFile file, Region draft) {
        file.truncate(draft.bytes());
        try (SharedMapping mapping = ProcessMappings.mapAnywhere(file, draft.bytes(), true)) {
            boolean ignored = mapping.makeHuge(0);
            // what this can't do, allocating will do or refuse
            ignored = mapping.populate(draft.bytes());
            ignored = mapping.makeHuge(draft.bytes());
        }
    }

    private static void fillFrom(Region source, SharedFile file) throws IOException {
        try (SharedFile from = SharedFile.open(source.file(), false)) {
            if (file.tryCloneFrom(from)) {
                return;
            }
        }
        file.allocate(source.bytes());
        try (FileChannel from = FileChannel.open(source.file(), StandardOpenOption.READ);
                FileChannel to = FileChannel.open(file.path(), StandardOpenOption.WRITE)) {
            long done = 0;
            while (done < source.bytes()) {
                long step = from.transferTo(done, source.bytes() - done, to);
                if (step <= 0) {
                    throw shortened(source, from.size());
                }
                done += step;
            }
        }
    }

    /** Gives the region its place and its name. */
    private Region publish(Region draft) {
        if (Files.exists(descriptor(draft.name()))) {
            throw exists(draft.name());
        }
        Region region = new Region(
                draft.name(),
                draft.uuid(),
                registry.nextNumber(0),
                draft.base() == 0 ? freeBase(draft.roomBytes()) : draft.base(),
                draft.bytes(),
                draft.roomBytes(),
                draft.mode(),
                draft.lockable(),
                draft.hugePages(),
                draft.file(),
                draft.createdMillis());
        if (!SharedRange.contains(region.base(), region.roomBytes())
                || region.base() + region.roomBytes() > SharedRange.BASES_END) {
            throw new RegionException(
                    RegionException.Reason.NO_SPACE,
                    "region " + region.name() + " with room for " + region.roomBytes() + " bytes does not fit at 0x"
                            + Long.toHexString(region.base()) + ": bases end at 0x"
                            + Long.toHexString(SharedRange.BASES_END));
        }
        try {
            Files.write(temporary(region.uuid()), RegionLayout.encode(region, ownFile(region.uuid())));
            Files.createLink(descriptor(region.name()), temporary(region.uuid()));
        } catch (FileAlreadyExistsException e) {
            throw exists(region.name());
        } catch (IOException e) {
            throw RegionException.of("creating region " + region.name(), e);
        }
        registry.addChange();
        return region;
    }

    /** The lowest addresses that no region has. */
    private long freeBase(long room) {
        long base = SharedRange.START;
        for (Region region :
                list().stream().sorted(Comparator.comparingLong(Region::base)).toList()) {
            if (region.base() - base >= room) {
                break;
            }
            base = Math.max(base, region.base() + region.roomBytes());
        }
        return base;
    }

    private static RegionException exists(String name) {
        return new RegionException(
                RegionException.Reason.EXISTS, "region " + name + " exists; delete it first, or choose another name");
    }

    /** The region of a name; empty if there is none. */
    public Optional<Region> find(String name) {
        Path path = descriptor(Names.check(name));
        return Registry.read(path).map(bytes -> RegionLayout.decodeNamed(bytes, path, memory()));
    }

    /**
     * The region of a name.
     *
     * @throws RegionException NOT_FOUND if there is none, CORRUPT or VERSION if its descriptor can't be read
     */
    public Region get(String name) {
        return find(name)
                .orElseThrow(() -> new RegionException(
                        RegionException.Reason.NOT_FOUND,
                        "there is no region " + name + " in " + registry.directory() + "; create it"));
    }

    /** All regions that can be read, by name. */
    public List<Region> list() {
        List<Region> found = new ArrayList<>();
        for (String name : names()) {
            try {
                find(name).ifPresent(found::add);
            } catch (RegionException e) {
                // damaged or foreign: get(name) says so
            }
        }
        return found;
    }

    /** All names, those of damaged regions included, sorted. */
    public List<String> names() {
        return fileNames(registry.subdirectory("regions")).stream()
                .filter(name -> !name.startsWith(REPLACEMENT))
                .sorted()
                .toList();
    }

    private static List<String> fileNames(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        } catch (IOException e) {
            throw RegionException.of("listing " + directory, e);
        }
    }

    /**
     * Maps a region at its base.
     *
     * @throws RegionException NOT_FOUND, DENIED, BASE_TAKEN if something else of this process is there, CORRUPT if its file is shorter
     *     than its descriptor says
     */
    public MappedRegion map(String name, Access access) {
        return map(get(name), access, false);
    }

    /**
     * Maps a region as it was found.
     *
     * @param elsewhere whether another place will do if its base is taken: addresses in it then differ by {@link MappedRegion#delta}
     */
    public MappedRegion map(Region region, Access access, boolean elsewhere) {
        try {
            SharedFile file = SharedFile.open(region.file(), access == Access.WRITE);
            try {
                long bytes = file.bytes();
                if (bytes < region.bytes()) {
                    throw shortened(region, bytes);
                }
                registry.markAttached(region.number());
                try {
                    return new MappedRegion(
                            registry, region, access, file, ProcessMappings.acquire(region, file, access, elsewhere));
                } catch (Throwable t) {
                    registry.unmarkAttached(region.number());
                    throw t;
                }
            } catch (Throwable t) {
                file.close();
                throw t;
            }
        } catch (MemoryException e) {
            throw RegionException.of("mapping " + region, e);
        }
    }

    private static RegionException shortened(Region region, long bytes) {
        return new RegionException(
                RegionException.Reason.CORRUPT,
                region + " is damaged: its file " + region.file() + " has only " + bytes
                        + " bytes; restore it or delete the region");
    }

    /**
     * Maps the lock of a lockable region.
     *
     * @throws RegionException DENIED, NOT_FOUND if the region was deleted, CORRUPT if the lock is damaged
     */
    public MappedLock mapLock(Region region) {
        if (!region.lockable()) {
            throw new IllegalArgumentException(region + " is not lockable");
        }
        try (SharedFile file = SharedFile.open(lockFile(region), true)) {
            if (file.bytes() < RegionLock.BYTES) {
                throw new RegionException(
                        RegionException.Reason.CORRUPT,
                        "the lock of " + region + " has only " + file.bytes() + " bytes; delete the region");
            }
            return new MappedLock(file, registry.participants());
        } catch (MemoryException e) {
            throw RegionException.of("opening the lock of " + region, e);
        }
    }

    /**
     * Makes a region longer, up to its room; new bytes are zero. Who has it mapped has the new bytes at once, at the addresses that follow.
     *
     * @param bytes the new size; rounded up to whole pages; less than it has changes nothing
     * @throws RegionException NOT_FOUND, NO_SPACE, or DENIED; the region is as before then
     */
    public Region resize(String name, long bytes) {
        Names.check(name);
        return registry.exclusively(() -> lengthen(get(name), bytes));
    }

    /**
     * As {@link #resize(String, long)}, of the region that was found before.
     *
     * @throws RegionException NOT_FOUND if it was deleted, whatever has its name now
     */
    public Region resize(Region found, long bytes) {
        return registry.exclusively(() -> {
            Region region = get(found.name());
            if (!region.uuid().equals(found.uuid())) {
                throw new RegionException(
                        RegionException.Reason.NOT_FOUND,
                        found + " was deleted, and another has its name; find that one, or copy what is still mapped");
            }
            return lengthen(region, bytes);
        });
    }

    private Region lengthen(Region region, long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("a region needs more than 0 bytes, " + bytes + " given");
        }
        long page = Reservation.pageBytes();
        long whole = (bytes + page - 1) & -page;
        if (whole <= region.bytes() && whole > 0) {
            return region;
        }
        if (whole > region.roomBytes() || whole <= 0) {
            throw new RegionException(
                    RegionException.Reason.NO_SPACE,
                    region + " has room for " + region.roomBytes() + " bytes, " + bytes
                            + " asked; copy it into a region with more room");
        }
        Region longer = region.withBytes(whole);
        try (SharedFile file = SharedFile.open(region.file(), true)) {
            // what it has is allocated already
            file.allocate(region.bytes(), whole - region.bytes());
            replace(longer);
        } catch (MemoryException e) {
            throw RegionException.of("resizing " + region, e);
        } catch (IOException e) {
            throw RegionException.of("resizing " + region, e);
        }
        registry.addChange();
        return longer;
    }

    private void replace(Region region) throws IOException {
        // not in temporary, where it would say that the region is going; a leftover is overwritten or cleaned up
        Path next = descriptor(REPLACEMENT + region.name());
        Files.deleteIfExists(next);
        Files.write(
                next,
                RegionLayout.encode(region, ownFile(region.uuid())),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE);
        Files.setAttribute(next, "unix:mode", DESCRIPTOR_MODE);
        Files.move(next, descriptor(region.name()), StandardCopyOption.ATOMIC_MOVE);
    }

    /** The users and groups that may access a region beside its mode. */
    public @Nullable AccessList acl(Region region) {
        try (SharedFile file = SharedFile.open(region.file(), false)) {
            byte[] acl = file.acl();
            return acl.length == 0 ? null : AccessList.decode(acl);
        } catch (MemoryException e) {
            throw RegionException.of("reading the access list of " + region, e);
        }
    }

    /** Who has a region mapped now. */
    public List<Participants.Participant> attachedTo(Region region) {
        return registry.attachedTo(region.number());
    }

    /**
     * Deletes a region: its name at once, its memory when the last process has unmapped it. A damaged descriptor is deleted, too;
     * {@link #cleanUp} then deletes its memory.
     *
     * @throws RegionException NOT_FOUND (one of several deleters wins), DENIED
     */
    public void delete(String name) {
        Path path = descriptor(Names.check(name));
        try {
            Path doomed = registry.exclusively(() -> rename(name, path));
            try {
                deleteFiles(RegionLayout.decode(Files.readAllBytes(doomed), doomed, memory()));
            } catch (RegionException e) {
                // damaged: which files were its own is not known
            }
            Files.deleteIfExists(doomed);
        } catch (IOException e) {
            throw RegionException.of("deleting region " + name, e);
        }
    }

    private Path rename(String name, Path path) {
        Path doomed = temporary(UUID.randomUUID());
        try {
            if (!Files.exists(path)) {
                throw new RegionException(
                        RegionException.Reason.NOT_FOUND, "there is no region " + name + " in " + registry.directory());
            }
            Files.move(path, doomed, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw RegionException.of("deleting region " + name, e);
        }
        registry.addChange();
        return doomed;
    }

    private void deleteFiles(Region region) {
        try {
            Files.deleteIfExists(region.file());
            Files.deleteIfExists(lockFile(region));
        } catch (IOException e) {
            throw RegionException.of("deleting the memory of region " + region.name(), e);
        }
    }

    /**
     * Deletes what killed creators and deleters have left.
     *
     * @return what was deleted, as paths
     */
    public List<Path> cleanUp() {
        return registry.exclusively(() -> {
            List<Path> deleted = new ArrayList<>();
            try {
                for (String name : fileNames(registry.subdirectory("temporary"))) {
                    cleanUpTemporary(registry.subdirectory("temporary").resolve(name), deleted);
                }
                for (String name : fileNames(registry.subdirectory("regions"))) {
                    if (name.startsWith(REPLACEMENT)) {
                        deleteInto(registry.subdirectory("regions").resolve(name), deleted);
                    }
                }
                cleanUpMemory(deleted);
            } catch (IOException e) {
                throw RegionException.of("cleaning up " + registry.directory(), e);
            }
            return deleted;
        });
    }

    private void cleanUpTemporary(Path path, List<Path> deleted) throws IOException {
        try (SharedFile file = SharedFile.open(path, true)) {
            if (!file.tryLockByte(ALIVE_BYTE, true)) {
                return;
            }
            try {
                Region region = RegionLayout.decode(Files.readAllBytes(path), path, memory());
                boolean alive = find(region.name())
                        .map(found -> found.uuid().equals(region.uuid()))
                        .orElse(false);
                if (!alive) {
                    deleteInto(region.file(), deleted);
                    deleteInto(lockFile(region), deleted);
                }
            } catch (RegionException e) {
                // not written yet when its creator died: nothing else was made. Or damaged: cleanUpMemory finds its
                // files
            }
            deleteInto(path, deleted);
        } catch (MemoryException e) {
            if (e.errno() != 2) {
                throw e;
            }
        }
    }

    /** Files in {@code memory} that no descriptor names. If one can't be read, it may be the one that does. */
    private void cleanUpMemory(List<Path> deleted) throws IOException {
        Set<String> named = new HashSet<>();
        for (String name : names()) {
            try {
                find(name).ifPresent(region -> named.add(region.uuid().toString()));
            } catch (RegionException e) {
                return;
            }
        }
        for (String name : fileNames(registry.subdirectory("temporary"))) {
            named.add(name);
        }
        for (String name : fileNames(memory())) {
            if (!named.contains(name.replace(".lock", ""))) {
                deleteInto(memory().resolve(name), deleted);
            }
        }
    }

    private static void deleteInto(Path path, List<Path> deleted) throws IOException {
        if (Files.deleteIfExists(path)) {
            deleted.add(path);
        }
    }

    private Path descriptor(String name) {
        return registry.subdirectory("regions").resolve(name);
    }

    private Path temporary(UUID uuid) {
        return registry.subdirectory("temporary").resolve(uuid.toString());
    }

    private Path memory() {
        return registry.subdirectory("memory");
    }

    private Path ownFile(UUID uuid) {
        return memory().resolve(uuid.toString());
    }

    private Path lockFile(Region region) {
        return region.file().resolveSibling(region.uuid() + ".lock");
    }
}
