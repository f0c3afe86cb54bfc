package io.loam.cli.space;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.memory.region.Access;
import io.loam.memory.region.AccessList;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionException;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.memory.space.AddressSpace;
import io.loam.memory.space.AddressSpaces;
import io.loam.memory.space.Attachment;
import io.loam.store.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code loam space}. */
@Command(
        name = "space",
        mixinStandardHelpOptions = true,
        description = {
            "Regions (named memory that outlives processes and is shared between them) and address spaces (named sets of regions)."
        },
        footer = {
            "",
            "Regions and spaces have names of their own: where both have one, stat shows both, and clone and rm want --region or --space."
        })
public final class SpaceCommand implements Runnable {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            scope = ScopeType.INHERIT,
            description = "The registry. Default: /dev/shm/loam-USER, made if it is absent.")
    @Nullable
    Path directory;

    @Option(
            names = "--public",
            scope = ScopeType.INHERIT,
            description = "If the registry is made: let other users take part. Default: this user only.")
    boolean open;

    @Option(names = "--no-color", scope = ScopeType.INHERIT, description = "No colours; NO_COLOR does the same.")
    boolean noColour;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "what? one of " + String.join(", ", spec.subcommands().keySet()));
    }

    private Path where() {
        return directory == null ? Registry.defaultDirectory() : directory;
    }

    /** The registry, which is not made for the sake of looking at it. */
    private Registry registry() {
        if (!Files.exists(where())) {
            throw new RegionException(
                    RegionException.Reason.NOT_FOUND,
                    "there is no registry " + where() + "; loam space create makes it");
        }
        return made();
    }

    private Registry made() {
        return directory == null && !open
                ? Registry.open()
                : Registry.open(where(), open ? Registry.PUBLIC : Registry.PRIVATE);
    }

    /** What the subcommands print on. */
    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private SpacePicture picture(Registry registry) {
        return new SpacePicture(registry, Screen.of(System.out, !noColour));
    }

    @Command(description = "Lists regions and address spaces.", mixinStandardHelpOptions = true)
    int ls() {
        try (Registry registry = registry()) {
            out().print(picture(registry).all());
            out().flush();
            return 0;
        }
    }

    @Command(
            description = "Shows a region, an address space or a store: its layout, and who is attached.",
            mixinStandardHelpOptions = true)
    int stat(@Parameters(paramLabel = "NAME") String name) {
        try (Registry registry = registry()) {
            AddressSpaces spaces = AddressSpaces.of(registry);
            Optional<Region> region = registry.regions().find(name);
            Optional<AddressSpace> space = spaces.find(name);
            boolean store = Store.exists(registry, name);
            if (region.isEmpty() && space.isEmpty() && !store) {
                throw absent(registry, name);
            }
            if (store) {
                try (Store read = Store.attachReadOnly(registry, name)) {
                    out().print(picture(registry).of(name, read.stats()));
                }
            }
            space.ifPresent(found -> out().print(picture(registry).of(found)));
            region.ifPresent(found -> out().print(picture(registry).of(found)));
            out().flush();
            return 0;
        }
    }

    private static RegionException absent(Registry registry, String name) {
        return new RegionException(
                RegionException.Reason.NOT_FOUND,
                "neither a region nor an address space is named " + name + " in " + registry.directory()
                        + "; see: loam space ls");
    }

    @Command(
            description = "Creates a region (with --size), or an address space (without).",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    int create(
            @Parameters(paramLabel = "NAME") String name,
            @Option(names = "--size", paramLabel = "SIZE", description = "Of a region, as 64m or 1g.") @Nullable
                    ByteSize size,
            @Option(
                            names = "--room",
                            paramLabel = "SIZE",
                            description = "How far it may grow. Default: 1g, or its size.")
                    @Nullable
                    ByteSize room,
            @Option(names = "--base", paramLabel = "ADDRESS", description = "As 0x200000000000. Default: chosen.")
                    @Nullable
                    String base,
            @Option(names = "--mode", paramLabel = "OCTAL", defaultValue = "600", description = "Default: 600.")
                    String mode,
            @Option(names = "--acl", paramLabel = "LIST", description = "Who else, as u:1000:rw,g:50:r.") @Nullable
                    String acl,
            @Option(names = "--lockable", description = "Entering a space locks it.") boolean lockable,
            @Option(names = "--huge-pages", description = "2 MiB pages, as far as the kernel can.") boolean hugePages,
            @Option(names = "--in", paramLabel = "DIR", description = "Where its file lies, such as a DAX file system.")
                    @Nullable
                    Path in,
            @Option(
                            names = "--with",
                            paramLabel = "REGION[:rw]",
                            split = ",",
                            description = "Of a space: its regions, for reading or for reading and writing.")
                    @Nullable
                    List<String> with) {
        int bits = octal(mode);
        List<Member> members = members(with);
        if (size != null && with != null) {
            throw new ParameterException(spec.commandLine(), "--size makes a region, --with a space; not both");
        }
        boolean forRegions = room != null || base != null || acl != null || lockable || hugePages || in != null;
        if (size == null && forRegions) {
            throw new ParameterException(
                    spec.commandLine(), "a region needs --size; the other options are for regions");
        }
        try (Registry registry = made()) {
            if (size == null) {
                AddressSpaces spaces = AddressSpaces.of(registry);
                members.forEach(member -> registry.regions().get(member.region));
                spaces.create(name, bits);
                members.forEach(member -> spaces.add(name, member.region, member.access, false));
                out().print(picture(registry).of(spaces.get(name)));
            } else {
                RegionOptions options = RegionOptions.of(size.bytes())
                        .withMode(bits)
                        .withAcl(acl == null ? null : AccessList.parse(acl))
                        .at(base == null ? 0 : address(base))
                        .withRoom(room == null ? 0 : room.bytes())
                        .inDirectory(in == null ? null : in.toAbsolutePath());
                options = lockable ? options.withLock() : options;
                options = hugePages ? options.withHugePages() : options;
                out().print(picture(registry).of(registry.regions().create(name, options)));
            }
            out().flush();
            return 0;
        }
    }

    private int octal(String mode) {
        if (!mode.matches("0?[0-7]{3}")) {
            throw new ParameterException(
                    spec.commandLine(), "'" + mode + "' is no mode; write three octal digits, as 640");
        }
        return Integer.parseInt(mode, 8);
    }

    private long address(String base) {
        try {
            return Long.decode(base);
        } catch (NumberFormatException e) {
            throw new ParameterException(
                    spec.commandLine(), "'" + base + "' is no address; write it as 0x200000000000", e);
        }
    }

    /** A region as it is written on the command line. */
    private record Member(String region, Access access) {}

    private List<Member> members(@Nullable List<String> texts) {
        List<Member> members = new ArrayList<>();
        for (String text : texts == null ? List.<String>of() : texts) {
            int colon = text.indexOf(':');
            String access = colon < 0 ? "r" : text.substring(colon + 1);
            if (!access.equals("r") && !access.equals("rw")) {
                throw new ParameterException(spec.commandLine(), "'" + text + "': write REGION, REGION:r or REGION:rw");
            }
            members.add(new Member(
                    colon < 0 ? text : text.substring(0, colon), access.equals("rw") ? Access.WRITE : Access.READ));
        }
        return members;
    }

    @Command(
            description = {
                "Adds regions to an address space, for all who have it or will have it attached.",
                "Without regions: attaches the space to this process until its input ends."
            },
            mixinStandardHelpOptions = true)
    int attach(
            @Parameters(index = "0", paramLabel = "SPACE") String name,
            @Parameters(index = "1..*", arity = "0..*", paramLabel = "REGION[:rw]") @Nullable List<String> regions,
            @Option(names = "--elsewhere", description = "They may be mapped elsewhere if their base is taken.")
                    boolean elsewhere,
            @Option(names = "--remove", description = "Takes them out of the space instead.") boolean remove)
            throws IOException {
        List<Member> members = members(regions);
        try (Registry registry = registry()) {
            AddressSpaces spaces = AddressSpaces.of(registry);
            if (members.isEmpty()) {
                try (Attachment attachment = spaces.attach(name)) {
                    out().print(picture(registry).of(attachment.space()));
                    out().flush();
                    while (System.in.read() >= 0) {
                        // until its end
                    }
                }
                return 0;
            }
            for (Member member : members) {
                if (remove) {
                    spaces.remove(name, member.region);
                } else {
                    spaces.add(name, member.region, member.access, elsewhere);
                }
            }
            out().print(picture(registry).of(spaces.get(name)));
            out().flush();
            return 0;
        }
    }

    @Command(
            name = "clone",
            description = "Copies a region with its content, or an address space with the same regions.",
            mixinStandardHelpOptions = true)
    int copy(
            @Parameters(paramLabel = "SOURCE") String source,
            @Parameters(paramLabel = "NAME") String name,
            @Option(names = "--region", description = "The source is a region.") boolean region,
            @Option(names = "--space", description = "The source is an address space.") boolean space) {
        try (Registry registry = registry()) {
            AddressSpaces spaces = AddressSpaces.of(registry);
            if (isSpace(registry, source, region, space)) {
                spaces.copy(source, name);
                out().print(picture(registry).of(spaces.get(name)));
            } else {
                out().print(picture(registry).of(registry.regions().copy(source, name)));
            }
            out().flush();
            return 0;
        }
    }

    /** What a name means; damaged regions and spaces have their names, too. */
    private boolean isSpace(Registry registry, String name, boolean region, boolean space) {
        boolean isRegion = !space && registry.regions().names().contains(name);
        boolean isSpace = !region && AddressSpaces.of(registry).names().contains(name);
        if (isRegion && isSpace) {
            throw new ParameterException(
                    spec.commandLine(), name + " is a region and an address space; say --region or --space");
        }
        if (!isRegion && !isSpace) {
            throw absent(registry, name);
        }
        return isSpace;
    }

    @Command(
            description = {
                "Deletes regions, address spaces or stores. The memory of a region goes when the last process has unmapped it;"
                        + " the regions of a space stay."
            },
            mixinStandardHelpOptions = true)
    int rm(
            @Parameters(arity = "1..*", paramLabel = "NAME") List<String> names,
            @Option(names = "--region", description = "They are regions.") boolean region,
            @Option(names = "--space", description = "They are address spaces.") boolean space) {
        try (Registry registry = registry()) {
            for (String name : names) {
                if (!region && !space && Store.exists(registry, name)) {
                    Store.delete(registry, name);
                } else if (isSpace(registry, name, region, space)) {
                    AddressSpaces.of(registry).delete(name);
                } else {
                    registry.regions().delete(name);
                }
            }
            return 0;
        }
    }

    @Command(
            description = "Deletes what creators and deleters that were killed have left.",
            mixinStandardHelpOptions = true)
    int gc() {
        try (Registry registry = registry()) {
            List<Path> deleted = new ArrayList<>(registry.regions().cleanUp());
            deleted.addAll(AddressSpaces.of(registry).cleanUp());
            deleted.forEach(
                    path -> out().println("deleted " + registry.directory().relativize(path)));
            out().println(deleted.isEmpty() ? "nothing to clean up" : deleted.size() + " files deleted");
            out().flush();
            return 0;
        }
    }

    @Command(
            description =
                    "Tells what changes: regions and spaces that come, go and change, and who attaches and detaches.",
            mixinStandardHelpOptions = true)
    int watch(
            @Option(names = "--seconds", defaultValue = "0", description = "Stop after this long. Default: never.")
                    double seconds,
            @Option(names = "--interval", defaultValue = "0.2", description = "Seconds between looks. Default: 0.2.")
                    double interval)
            throws InterruptedException {
        if (interval < 0.01) {
            throw new ParameterException(spec.commandLine(), "--interval is at least 0.01");
        }
        try (Registry registry = registry()) {
            Snapshot before = Snapshot.of(registry);
            out().println("watching " + where());
            before.lines().forEach(out()::println);
            out().flush();
            long end = System.nanoTime() + (long) (seconds * 1e9);
            while (Files.exists(where()) && (seconds <= 0 || System.nanoTime() < end)) {
                Thread.sleep((long) (interval * 1000));
                Snapshot now = Snapshot.of(registry);
                before.changesTo(now).forEach(out()::println);
                out().flush();
                before = now;
            }
            return 0;
        }
    }
}
