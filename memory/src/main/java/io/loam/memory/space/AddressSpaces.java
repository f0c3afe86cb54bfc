package io.loam.memory.space;

import io.loam.memory.region.Access;
import io.loam.memory.region.Names;
import io.loam.memory.region.Participants;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.Registry;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The address spaces of a {@link Registry}: create, find, copy, define, delete, attach. Safe from any thread.
 *
 * <p>A definition is a small file that appears by link(2), changes by rename(2) and disappears whole, all inside {@link
 * Registry#exclusively}; it is read without a lock.
 */
public final class AddressSpaces {

    /** What no name begins with: a definition on its way. */
    private static final String UNFINISHED = ".";

    private final Registry registry;
    private final @Nullable Windows windows;

    private AddressSpaces(Registry registry, @Nullable Windows windows) {
        this.registry = registry;
        this.windows = windows;
    }

    /** All regions of an attached space are mapped all the time. */
    public static AddressSpaces of(Registry registry) {
        return new AddressSpaces(registry, null);
    }

    /**
     * Regions are mapped when they are first used and unmapped again, those used longest ago first, so that at most {@code budgetBytes}
     * of them are mapped at a time, over all attachments of this object. A space may so hold more than the range of addresses or a limit
     * of the process; regions of different spaces may have the same base.
     *
     * @param budgetBytes must hold what the threads that are inside at the same time use between entering and leaving
     */
    public static AddressSpaces inWindows(Registry registry, long budgetBytes) {
        if (budgetBytes <= 0) {
            throw new IllegalArgumentException("a budget of windows is more than 0 bytes, " + budgetBytes + " given");
        }
        return new AddressSpaces(registry, new Windows(budgetBytes));
    }

    public Registry registry() {
        return registry;
    }

    @Nullable
    Windows windows() {
        return windows;
    }

    /**
     * Creates a space without regions.
     *
     * @param mode permission bits as chmod(2) takes them: who may read the definition may attach the space; its regions have modes of
     *     their own
     * @throws IllegalArgumentException if the name can't be one
     * @throws RegionException EXISTS if the name is taken; one of several creators wins
     */
    public AddressSpace create(String name, int mode) {
        return create(name, mode, List.of());
    }

    /** Creates a space with the regions of another: the same regions, not copies of them. */
    public AddressSpace copy(String source, String name) {
        AddressSpace from = get(source);
        return create(name, from.mode(), from.members());
    }

    private AddressSpace create(String name, int mode, List<Member> members) {
        Path path = path(Names.check(name));
        checkMode(mode);
        return registry.exclusively(() -> {
            if (Files.exists(path)) {
                throw exists(name);
            }
            AddressSpace space = new AddressSpace(
                    name,
                    UUID.randomUUID(),
                    registry.nextNumber(highestNumber()),
                    1,
                    mode,
                    System.currentTimeMillis(),
                    List.copyOf(members));
            Path unfinished = write(space);
            try {
                Files.createLink(path, unfinished);
                Files.delete(unfinished);
            } catch (FileAlreadyExistsException e) {
                throw exists(name);
            } catch (IOException e) {
                throw RegionException.of("creating address space " + name, e);
            }
            registry.addChange();
            return space;
        });
    }

    private long highestNumber() {
        return list().stream().mapToLong(AddressSpace::number).max().orElse(0);
    }

    private static void checkMode(int mode) {
        if ((mode & ~0666) != 0 || (mode & 0400) == 0) {
            throw new IllegalArgumentException(
                    "a mode is octal 400 to 666, without execution, and lets the owner read; "
                            + Integer.toOctalString(mode) + " given");
        }
    }

    private static RegionException exists(String name) {
        return new RegionException(
                RegionException.Reason.EXISTS,
                "address space " + name + " exists; delete it first, or choose another name");
    }

    /** Writes a definition under a name that is none; a leftover of a killed writer is overwritten. */
    private Path write(AddressSpace space) {
        Path unfinished = path(UNFINISHED + space.name());
        try {
            Files.deleteIfExists(unfinished);
            Files.write(unfinished, SpaceLayout.encode(space), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            Files.setAttribute(unfinished, "unix:mode", space.mode());
            return unfinished;
        } catch (IOException e) {
            discard(unfinished);
            throw RegionException.of("writing the definition of " + space, e);
        }
    }

    private static void discard(Path unfinished) {
        try {
            Files.deleteIfExists(unfinished);
        } catch (IOException e) {
            // the next writer overwrites it
        }
    }

    /** The space of a name; empty if there is none. */
    public Optional<AddressSpace> find(String name) {
        Path path = path(Names.check(name));
        try {
            return Optional.of(SpaceLayout.decode(Files.readAllBytes(path), path));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw RegionException.of("reading address space " + name, e);
        }
    }

    /**
     * The space of a name.
     *
     * @throws RegionException NOT_FOUND if there is none, CORRUPT or VERSION if its definition can't be read, DENIED
     */
    public AddressSpace get(String name) {
        return find(name)
                .orElseThrow(() -> new RegionException(
                        RegionException.Reason.NOT_FOUND,
                        "there is no address space " + name + " in " + registry.directory() + "; create it"));
    }

    /** All spaces that can be read, by name. */
    public List<AddressSpace> list() {
        List<AddressSpace> found = new ArrayList<>();
        for (String name : names()) {
            try {
                find(name).ifPresent(found::add);
            } catch (RegionException e) {
                // damaged or foreign: get(name) says so
            }
        }
        return found;
    }

    /** All names, those of damaged spaces included, sorted. */
    public List<String> names() {
        Path directory = registry.subdirectory("spaces");
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith(UNFINISHED))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw RegionException.of("listing " + directory, e);
        }
    }

    /**
     * Adds a region to a space for all who attach it, or changes how it has it. Who has it attached sees that when next entering.
     *
     * @param elsewhere see {@link Member}
     * @throws RegionException NOT_FOUND, or OVERLAP if a region of the space has addresses of this one
     */
    public AddressSpace add(String name, String region, Access access, boolean elsewhere) {
        return change(name, space -> {
            Region added = registry.regions().get(region);
            List<Member> members = new ArrayList<>(space.members());
            members.removeIf(member -> member.uuid().equals(added.uuid()));
            for (Member member : members) {
                registry.regions()
                        .find(member.region())
                        .filter(other -> other.uuid().equals(member.uuid()))
                        .ifPresent(other -> checkApart(name, other, added));
            }
            if (members.size() == SpaceLayout.MAX_MEMBERS) {
                throw new RegionException(
                        RegionException.Reason.NO_SPACE,
                        space + " has " + members.size() + " regions, the most it can");
            }
            members.add(new Member(region, added.uuid(), access, elsewhere));
            return space.withMembers(members);
        });
    }

    static void checkApart(String space, Region one, Region other) {
        if (one.base() < other.base() + other.roomBytes() && other.base() < one.base() + one.roomBytes()) {
            throw new RegionException(
                    RegionException.Reason.OVERLAP,
                    one + " with room for " + one.roomBytes() + " bytes and " + other + " with room for "
                            + other.roomBytes() + " can't both be in address space " + space
                            + ": they have addresses in common");
        }
    }

    /**
     * Takes a region out of a space. Who has the space attached sees that when next entering.
     *
     * @throws RegionException NOT_FOUND if there is no such space, NOT_ATTACHED if it does not have the region
     */
    public AddressSpace remove(String name, String region) {
        Names.check(region);
        return change(name, space -> {
            List<Member> members = new ArrayList<>(space.members());
            if (!members.removeIf(member -> member.region().equals(region))) {
                throw new RegionException(
                        RegionException.Reason.NOT_ATTACHED, space + " does not have region " + region);
            }
            return space.withMembers(members);
        });
    }

    /** Changes who may attach a space. */
    public AddressSpace setMode(String name, int mode) {
        checkMode(mode);
        return change(name, space -> space.withMode(mode));
    }

    private AddressSpace change(String name, UnaryOperator<AddressSpace> change) {
        Path path = path(Names.check(name));
        return registry.exclusively(() -> {
            AddressSpace changed = change.apply(get(name));
            Path unfinished = write(changed);
            try {
                Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                throw RegionException.of("changing address space " + name, e);
            }
            registry.addChange();
            return changed;
        });
    }

    /**
     * Deletes a space; its regions stay. Who has it attached keeps it until it closes its attachment.
     *
     * @throws RegionException NOT_FOUND (one of several deleters wins), DENIED
     */
    public void delete(String name) {
        Path path = path(Names.check(name));
        registry.exclusively(() -> {
            try {
                if (!Files.deleteIfExists(path)) {
                    throw new RegionException(
                            RegionException.Reason.NOT_FOUND,
                            "there is no address space " + name + " in " + registry.directory());
                }
            } catch (IOException e) {
                throw RegionException.of("deleting address space " + name, e);
            }
            registry.addChange();
            return path;
        });
    }

    /** Deletes what killed writers have left, as paths. */
    public List<Path> cleanUp() {
        Path directory = registry.subdirectory("spaces");
        return registry.exclusively(() -> {
            List<Path> deleted = new ArrayList<>();
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    if (file.getFileName().toString().startsWith(UNFINISHED) && Files.deleteIfExists(file)) {
                        deleted.add(file);
                    }
                }
            } catch (IOException e) {
                throw RegionException.of("cleaning up " + directory, e);
            }
            return deleted;
        });
    }

    /** Who has a space attached now. */
    public List<Participants.Participant> attachedTo(AddressSpace space) {
        return registry.attachedTo(space.number());
    }

    /**
     * Attaches a space to this process: a private view of it.
     *
     * @throws RegionException NOT_FOUND, DENIED, BASE_TAKEN if something else of this process is at a region's base, CORRUPT
     */
    public Attachment attach(String name) {
        return new Attachment(this, get(name));
    }

    private Path path(String name) {
        return registry.subdirectory("spaces").resolve(name);
    }
}
