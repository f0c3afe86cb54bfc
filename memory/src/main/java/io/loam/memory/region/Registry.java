package io.loam.memory.region;

import io.loam.memory.MemoryException;
import io.loam.memory.Reservation;
import io.loam.memory.SharedFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The directory in which regions and address spaces are found by name, opened by one participant.
 *
 * <p>Safe from any thread. A process normally opens a directory once; opening it again makes another participant. Creating the directory is
 * idempotent and survives creators that are killed: the file {@code registry} appears last and whole.
 */
public final class Registry implements AutoCloseable {

    /** The mode of a directory for one user. */
    public static final int PRIVATE = 0700;

    /** The mode of a directory that every user may take part in; regions have modes of their own. */
    public static final int PUBLIC = 01777;

    private static final Set<String> SUBDIRECTORIES = Set.of("regions", "spaces", "memory", "temporary");
    static final String HEADER = "registry";
    private static final String ATTACHED = "attached";

    private final Path directory;
    private final SharedFile file;
    private final SharedFile attached;
    /** Address of the file {@code registry} in this process. */
    private final long table;

    private final Participants participants;
    private final ReentrantLock mutex = new ReentrantLock();
    /** Number of a region or space to how often this participant has it attached; guarded by itself. */
    private final Map<Long, Integer> attachments = new HashMap<>();
    /** Guarded by {@link #attachments}. */
    private boolean closed;

    private final Regions regions;

    private Registry(Path directory, SharedFile file, SharedFile attached, long table) {
        this.directory = directory;
        this.file = file;
        this.attached = attached;
        this.table = table;
        this.participants =
                Participants.join(file, RegistryLayout.PARTICIPANT_BYTES, RegistryLayout.participants(table));
        this.regions = new Regions(this);
    }

    /** Where a user's regions are if nothing else is said: {@code /dev/shm/loam-USER}. */
    public static Path defaultDirectory() {
        return Path.of("/dev/shm/loam-" + System.getProperty("user.name", "unknown"));
    }

    /**
     * The user's own registry in {@link #defaultDirectory}, created if it is absent.
     *
     * @throws RegionException DENIED if somebody else has made that directory
     */
    public static Registry open() {
        Path directory = defaultDirectory();
        Registry registry = open(directory, PRIVATE);
        try {
            // anybody may make a directory in /dev/shm
            Object owner = Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            Object self = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            if (owner.equals(self) && !Files.isSymbolicLink(directory)) {
                return registry;
            }
            registry.close();
            throw new RegionException(
                    RegionException.Reason.DENIED,
                    directory + " belongs to user " + owner + ", not to " + self + "; name a directory of your own");
        } catch (IOException e) {
            registry.close();
            throw RegionException.of("opening the registry " + directory, e);
        }
    }

    /**
     * Takes part in the registry of a directory.
     *
     * @param mode permission bits for a directory that is created; one that exists keeps its own
     * @throws RegionException if it is no registry, of another version or damaged, if access is denied, or 256 participants are there
     */
    public static Registry open(Path directory, int mode) {
        Path absolute = directory.toAbsolutePath().normalize();
        try {
            if (!Files.exists(absolute.resolve(HEADER))) {
                make(absolute, mode);
            }
            return join(absolute);
        } catch (IOException e) {
            throw RegionException.of("opening the registry " + absolute, e);
        } catch (MemoryException e) {
            throw RegionException.of("opening the registry " + absolute, e);
        }
    }

    private static Registry join(Path directory) throws IOException {
        SharedFile file = SharedFile.open(directory.resolve(HEADER), true);
        try {
            long address =
                    ProcessMappings.mapForEver(file, RegistryLayout.BYTES).address();
            RegistryLayout.check(address, file.bytes(), file.path());
            SharedFile attached = SharedFile.open(directory.resolve(ATTACHED), false);
            try {
                return new Registry(directory, file, attached, address);
            } catch (Throwable t) {
                attached.close();
                throw t;
            }
        } catch (Throwable t) {
            file.close();
            throw t;
        }
    }

    private static void make(Path directory, int mode) throws IOException {
        makeDirectory(directory, mode);
        try (Stream<Path> content = Files.list(directory)) {
            content.map(path -> path.getFileName().toString())
                    .filter(name -> !SUBDIRECTORIES.contains(name) && !name.equals(ATTACHED) && !name.equals(HEADER))
                    .findAny()
                    .ifPresent(name -> {
                        throw new RegionException(
                                RegionException.Reason.CORRUPT,
                                directory + " is no registry: it holds " + name
                                        + "; name a directory that does not exist");
                    });
        }
        for (String name : SUBDIRECTORIES) {
            makeDirectory(directory.resolve(name), mode);
        }
        int fileMode = mode & 0666;
        Path temporary = directory.resolve("temporary").resolve(UUID.randomUUID() + ".registry");
        try (SharedFile file = SharedFile.create(temporary, fileMode)) {
            file.allocate(RegistryLayout.BYTES);
            writeStart(temporary, RegistryLayout.header(System.currentTimeMillis()));
            try (SharedFile ignored = SharedFile.create(directory.resolve(ATTACHED), fileMode)) {
                // empty for ever
            } catch (MemoryException e) {
                if (!Files.exists(directory.resolve(ATTACHED))) {
                    throw e;
                }
            }
            Files.createLink(directory.resolve(HEADER), temporary);
        } catch (FileAlreadyExistsException | NoSuchFileException e) {
            // somebody else was first, and may have cleaned up already
            if (!Files.exists(directory.resolve(HEADER))) {
                throw e;
            }
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void writeStart(Path path, byte[] bytes) throws IOException {
        try (var channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }
    }

    private static void makeDirectory(Path directory, int mode) throws IOException {
        Path parent = directory.getParent();
        if (parent != null && !Files.exists(parent)) {
            Files.createDirectories(parent);
        }
        try {
            Files.createDirectory(
                    directory,
                    PosixFilePermissions.asFileAttribute(Set.of(
                            PosixFilePermission.OWNER_READ,
                            PosixFilePermission.OWNER_WRITE,
                            PosixFilePermission.OWNER_EXECUTE)));
            Files.setAttribute(directory, "unix:mode", mode);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw e;
            }
        }
    }

    public Path directory() {
        return directory;
    }

    /** The regions registered here. */
    public Regions regions() {
        return regions;
    }

    /** Who takes part; this one included. */
    public Participants participants() {
        return participants;
    }

    /** Counts every change of a region's or space's definition by anybody: what was read before it moved may be out of date. */
    public long changes() {
        return RegistryLayout.changesVolatile(table);
    }

    /** To be called after a change of a definition, by who changed it. */
    public void addChange() {
        RegistryLayout.addChange(table);
    }

    /**
     * Runs something while no other participant and no other thread runs something here. Ends with the process, however it ends. Not
     * reentrant.
     */
    public <T> T exclusively(Supplier<T> action) {
        if (mutex.isHeldByCurrentThread()) {
            throw new IllegalStateException("this thread is changing the registry already");
        }
        mutex.lock();
        try {
            file.lockByte(RegistryLayout.MUTEX_BYTE, true);
            try {
                return action.get();
            } finally {
                file.unlockByte(RegistryLayout.MUTEX_BYTE);
            }
        } finally {
            mutex.unlock();
        }
    }

    /**
     * A number for a region or space, above {@code used}; only inside {@link #exclusively}.
     *
     * @param used the highest that a space has
     */
    public long nextNumber(long used) {
        long last = Math.max(used, RegistryLayout.lastNumber(table));
        for (Region region : regions.list()) {
            // the counter may be older than the regions if the machine crashed
            last = Math.max(last, region.number());
        }
        RegistryLayout.setLastNumber(table, last + 1);
        return last + 1;
    }

    /** Lets others see that this participant has a region or space attached. Counted. */
    public void markAttached(long number) {
        synchronized (attachments) {
            if (attachments.merge(number, 1, Integer::sum) == 1) {
                attached.lockByte(attachedByte(number, Liveness.slot(participants.self())), false);
            }
        }
    }

    /** Takes back one {@link #markAttached}. */
    public void unmarkAttached(long number) {
        synchronized (attachments) {
            // after close the kernel has forgotten them all
            if (!closed && attachments.merge(number, -1, Integer::sum) == 0) {
                attachments.remove(number);
                attached.unlockByte(attachedByte(number, Liveness.slot(participants.self())));
            }
        }
    }

    /** Who has a region or space attached now. */
    public List<Participants.Participant> attachedTo(long number) {
        List<Participants.Participant> found = new ArrayList<>();
        synchronized (attachments) {
            if (attachments.containsKey(number)) {
                participants.find(Liveness.slot(participants.self())).ifPresent(found::add);
            }
        }
        long end = attachedByte(number + 1, 0);
        long at = attachedByte(number, 0);
        while (at < end) {
            at = attached.firstLockedByte(at, end - at);
            if (at < end) {
                participants.find((int) (at % Liveness.MAX_SLOTS)).ifPresent(found::add);
            }
            at = at == Long.MAX_VALUE ? at : at + 1;
        }
        return found;
    }

    private static long attachedByte(long number, int slot) {
        return number * Liveness.MAX_SLOTS + slot;
    }

    /** A directory of the registry: regions, spaces, memory or temporary. */
    public Path subdirectory(String name) {
        return directory.resolve(name);
    }

    /** Reads a small file; empty if there is none. */
    static Optional<byte[]> read(Path path) {
        try {
            return Optional.of(Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw RegionException.of("reading " + path, e);
        }
    }

    /**
     * Leaves: locks that this participant holds count as those of a dead one. Mapped regions stay mapped until they are closed. Idempotent.
     */
    @Override
    public void close() {
        participants.leave();
        file.close();
        synchronized (attachments) {
            closed = true;
            attached.close();
        }
    }

    @Override
    public String toString() {
        return "Registry " + directory + " with pages of " + Reservation.pageBytes() + " bytes";
    }
}
