package io.loam.cli.space;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.cli.picture.MemoryPicture;
import io.loam.memory.region.Access;
import io.loam.memory.region.AccessList;
import io.loam.memory.region.MappedLock;
import io.loam.memory.region.Participants;
import io.loam.memory.region.Participants.Participant;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.Registry;
import io.loam.memory.space.AddressSpace;
import io.loam.memory.space.AddressSpaces;
import io.loam.memory.space.Member;
import io.loam.store.StoreStats;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Regions and spaces as text. A bar shows how much of a region's room is in use. */
final class SpacePicture {

    private static final int BAR_CELLS = 20;
    private static final String BOLD = "\033[1m";
    private static final String GREEN = "\033[32m";
    private static final String PLAIN = "\033[0m";

    private final Registry registry;
    private final AddressSpaces spaces;
    private final Screen screen;

    SpacePicture(Registry registry, Screen screen) {
        this.registry = registry;
        this.spaces = AddressSpaces.of(registry);
        this.screen = screen;
    }

    String all() {
        StringBuilder text = new StringBuilder();
        List<String> regions = registry.regions().names();
        List<String> names = spaces.names();
        text.append(registry.directory()).append(": ").append(regions.size()).append(" regions, ");
        text.append(names.size()).append(" address spaces, taking part: ");
        text.append(registry.participants().list().size()).append(" with this one\n");
        for (String name : names) {
            text.append(whole(name, () -> spaces.find(name).map(this::line)));
        }
        for (String name : regions) {
            text.append(whole(name, () -> registry.regions().find(name).map(this::line)));
        }
        return text.toString();
    }

    /** A line about something, or about what is wrong with it. */
    private static String whole(String name, java.util.function.Supplier<Optional<String>> line) {
        try {
            return line.get().orElse("");
        } catch (RegionException e) {
            return String.format(Locale.ROOT, "  %-20s %s%n", name, e.getMessage());
        }
    }

    private String line(AddressSpace space) {
        return String.format(
                Locale.ROOT,
                "  %-20s space   %10s  %s  attached by %s%n",
                space.name(),
                space.members().size() + " regions",
                mode(space.mode()),
                who(spaces.attachedTo(space)));
    }

    private String line(Region region) {
        return String.format(
                Locale.ROOT,
                "  %-20s region  %10s  %s  0x%012x  attached by %s%n",
                region.name(),
                ByteSize.format(region.bytes()),
                mode(region.mode()),
                region.base(),
                who(registry.regions().attachedTo(region)));
    }

    String of(AddressSpace space) {
        StringBuilder text = new StringBuilder();
        text.append(bold("address space " + space.name()))
                .append(String.format(
                        Locale.ROOT,
                        "  %s  %d regions, changed %d times, created %s%n",
                        mode(space.mode()),
                        space.members().size(),
                        space.generation() - 1,
                        time(space.createdMillis())));
        space.members().stream()
                .sorted(Comparator.comparingLong(
                        member -> region(member).map(Region::base).orElse(Long.MAX_VALUE)))
                .forEach(member -> text.append(
                        region(member).map(region -> row(member, region)).orElseGet(() -> gone(member))));
        text.append("  attached by ").append(who(spaces.attachedTo(space))).append('\n');
        return text.toString();
    }

    private Optional<Region> region(Member member) {
        try {
            return registry.regions()
                    .find(member.region())
                    .filter(region -> region.uuid().equals(member.uuid()));
        } catch (RegionException e) {
            return Optional.empty();
        }
    }

    private String row(Member member, Region region) {
        return String.format(
                Locale.ROOT,
                "  0x%012x %s %-20s %10s of %-10s %-2s%s%s%s%n",
                region.base(),
                bar(region),
                region.name(),
                ByteSize.format(region.bytes()),
                ByteSize.format(region.roomBytes()),
                member.access() == Access.WRITE ? "rw" : "r",
                region.lockable() ? ", lockable" : "",
                region.hugePages() ? ", huge pages" : "",
                member.elsewhere() ? ", or elsewhere" : "");
    }

    private static String gone(Member member) {
        return String.format(Locale.ROOT, "  %-14s %s (deleted or damaged)%n", "?", member.region());
    }

    private String bar(Region region) {
        int used = (int) Math.clamp(Math.ceilDiv(region.bytes() * BAR_CELLS, region.roomBytes()), 1, BAR_CELLS);
        String full = (screen.unicode() ? "█" : "#").repeat(used);
        String empty = (screen.unicode() ? "░" : ".").repeat(BAR_CELLS - used);
        return "[" + (screen.colour() ? GREEN + full + PLAIN : full) + empty + "]";
    }

    String of(String name, StoreStats stats) {
        String who = stats.participants().stream()
                .filter(found -> found.pid() != ProcessHandle.current().pid())
                .map(found -> "pid " + found.pid() + (found.leader() ? ", which cleans" : ""))
                .collect(Collectors.joining("; "));
        return bold("store " + name) + ", in regions " + name + ".data and " + name + ".control\n"
                + new MemoryPicture(screen).capacity(stats).indent(2)
                + "  attached by " + (who.isEmpty() ? "nobody" : who) + "\n";
    }

    String of(Region region) {
        AccessList acl = registry.regions().acl(region);
        return bold("region " + region.name())
                + String.format(
                        Locale.ROOT,
                        "  %s%s%s%s%n  0x%012x %s %s of %s%n  file %s, created %s%n  attached by %s%n",
                        mode(region.mode()),
                        acl == null ? "" : " + " + acl,
                        region.lockable() ? ", lockable" : "",
                        region.hugePages() ? ", huge pages" : "",
                        region.base(),
                        bar(region),
                        ByteSize.format(region.bytes()),
                        ByteSize.format(region.roomBytes()),
                        region.file(),
                        time(region.createdMillis()),
                        who(registry.regions().attachedTo(region)))
                + lockOf(region)
                + usedBy(region);
    }

    /** Who holds the lock at this moment; needs the right to use it. */
    private String lockOf(Region region) {
        if (!region.lockable()) {
            return "";
        }
        try (MappedLock mapped = registry.regions().mapLock(region)) {
            long writer = mapped.lock().writer();
            long readers = mapped.lock().readers();
            String holders = readers == 0 ? "not held" : "held for reading " + readers + " times";
            if (writer != 0) {
                Participants participants = registry.participants();
                String who = participants.isAlive(writer)
                        ? "pid " + participants.pid(writer)
                        : "a process that died, until somebody enters";
                holders = "held for writing by " + who;
            }
            return "  lock " + holders + "\n";
        } catch (RegionException e) {
            return "  lock not readable: " + e.getMessage() + "\n";
        }
    }

    private String usedBy(Region region) {
        String names = spaces.list().stream()
                .filter(space -> space.members().stream()
                        .anyMatch(member -> member.uuid().equals(region.uuid())))
                .map(AddressSpace::name)
                .collect(Collectors.joining(", "));
        return "  in " + (names.isEmpty() ? "no address space" : "address spaces " + names) + "\n";
    }

    private static String who(List<Participant> participants) {
        return participants.isEmpty()
                ? "nobody"
                : participants.stream().map(p -> "pid " + p.pid()).collect(Collectors.joining(", "));
    }

    private static String mode(int mode) {
        StringBuilder text = new StringBuilder();
        for (int shift = 6; shift >= 0; shift -= 3) {
            text.append(text.isEmpty() ? "" : " ");
            text.append((mode >> shift & 4) != 0 ? 'r' : '-').append((mode >> shift & 2) != 0 ? 'w' : '-');
        }
        return text.toString();
    }

    private static String time(long millis) {
        return Instant.ofEpochMilli(millis).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private String bold(String text) {
        return screen.colour() ? BOLD + text + PLAIN : text;
    }
}
