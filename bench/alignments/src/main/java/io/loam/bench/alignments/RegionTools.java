package io.loam.bench.alignments;

import io.loam.memory.region.Access;
import io.loam.memory.region.Region;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.memory.space.AddressSpaces;
import io.loam.memory.space.Attachment;
import io.loam.memory.space.Context;
import io.loam.memory.space.Switch;
import java.nio.file.Path;

/** One tool in one process: {@code REGISTRY flagstat|name|coordinate|index}. Prints what it found, or a digest of the order it made. */
public final class RegionTools {

    static final String SPACE = "pipeline";
    static final String ALIGNMENTS = "alignments";
    static final String INPUT = "input";
    static final String BY_NAME = "by-name";
    static final String BY_COORDINATE = "by-coordinate";
    static final String INDEX = "index";

    /** Bins of a reference, numbered as in BAM's index. */
    private static final int BINS = 37450;

    private final Registry registry;
    private final AddressSpaces spaces;

    private RegionTools(Registry registry) {
        this.registry = registry;
        this.spaces = AddressSpaces.of(registry);
    }

    public static void main(String[] arguments) {
        System.out.println(run(Path.of(arguments[0]), arguments[1]));
    }

    static String run(Path directory, String tool) {
        try (Registry registry = Registry.open(directory, Registry.PRIVATE)) {
            RegionTools tools = new RegionTools(registry);
            int count = (int) (registry.regions().get(INPUT).bytes() / 8);
            if (!tool.equals("flagstat")) {
                long bytes = tool.equals("index") ? 24L * count : PointerVector.bytes(count);
                tools.make(nameOf(tool), bytes + (tool.equals("index") ? Generator.REFERENCES * 8L * (BINS + 4) : 0));
            }
            try (Attachment attachment = tools.spaces.attach(SPACE)) {
                Context context = Context.current();
                try (Switch in = context.enter(attachment)) {
                    return switch (tool) {
                        case "flagstat" -> tools.flagstat(context);
                        case "name" -> tools.sortByName(context);
                        case "coordinate" -> tools.sortByCoordinate(context);
                        case "index" -> tools.index(context);
                        default -> throw new IllegalArgumentException("no tool " + tool);
                    };
                }
            }
        }
    }

    private static String nameOf(String tool) {
        return tool.equals("index") ? INDEX : tool.equals("name") ? BY_NAME : BY_COORDINATE;
    }

    private void make(String name, long bytes) {
        if (registry.regions().find(name).isPresent()) {
            registry.regions().delete(name);
        }
        Region region = registry.regions().create(name, RegionOptions.of(bytes));
        spaces.add(SPACE, region.name(), Access.WRITE, false);
    }

    private PointerVector vector(Context context, String region) {
        return new PointerVector(context, registry.regions().get(region).base());
    }

    private String flagstat(Context context) {
        PointerVector input = vector(context, INPUT);
        Flagstat counts = new Flagstat();
        for (int i = 0, size = input.size(); i < size; i++) {
            long record = input.get(i);
            counts.add(
                    AlignmentLayout.flags(context, record),
                    AlignmentLayout.reference(context, record),
                    AlignmentLayout.mateReference(context, record),
                    AlignmentLayout.mappingQuality(context, record));
        }
        return counts.toString();
    }

    /** By the bytes behind the prefix that all have; among equal names the first of a pair comes first. */
    private String sortByName(Context context) {
        long[] records = vector(context, INPUT).toArray();
        long[] keys = new long[records.length];
        int common = commonPrefix(context, records);
        for (int i = 0; i < records.length; i++) {
            keys[i] = nameKey(context, records[i], common);
        }
        PairSort.sort(keys, records);
        PairSort.sortRuns(keys, records, (a, b) -> NameOrder.compare(context, a, b));
        return store(context, BY_NAME, records);
    }

    private static int commonPrefix(Context context, long[] records) {
        int common = records.length == 0 ? 0 : AlignmentLayout.nameBytes(context, records[0]);
        for (long record : records) {
            common = Math.min(common, AlignmentLayout.nameBytes(context, record));
            long a = AlignmentLayout.name(context, records[0]);
            long b = AlignmentLayout.name(context, record);
            int same = 0;
            while (same < common && context.getByte(a + same) == context.getByte(b + same)) {
                same++;
            }
            common = same;
        }
        return common;
    }

    /** Eight bytes of the name from an offset on, the first one the highest, missing ones 0. Names are ASCII, so a key is not negative. */
    private static long nameKey(Context context, long record, int from) {
        int length = AlignmentLayout.nameBytes(context, record);
        long name = AlignmentLayout.name(context, record);
        if (length - from >= 8) {
            return Long.reverseBytes(context.getLong(name + from));
        }
        long key = 0;
        for (int i = from; i < from + 8; i++) {
            key = key << 8 | (i < length ? context.getByte(name + i) : 0);
        }
        return key;
    }

    /** From the order by name, by reference and position, those without a reference last. */
    private String sortByCoordinate(Context context) {
        long[] records = vector(context, BY_NAME).toArray();
        long[] keys = new long[records.length];
        for (int i = 0; i < records.length; i++) {
            int reference = AlignmentLayout.reference(context, records[i]);
            long high = reference < 0 ? Integer.MAX_VALUE : reference;
            keys[i] = high << 32 | AlignmentLayout.position(context, records[i]);
        }
        PairSort.sort(keys, records);
        PairSort.sortRuns(keys, records, (a, b) -> NameOrder.compareAtSamePlace(context, a, b));
        return store(context, BY_COORDINATE, records);
    }

    private String store(Context context, String region, long[] records) {
        PointerVector order = vector(context, region);
        Digest digest = new Digest();
        for (int i = 0; i < records.length; i++) {
            order.set(i, records[i]);
            digest.add(AlignmentLayout.reference(context, records[i]));
            digest.add(AlignmentLayout.position(context, records[i]));
            digest.add(AlignmentLayout.flags(context, records[i]));
        }
        order.setSize(records.length);
        return "order=" + digest;
    }

    /**
     * For each reference: how many are mapped, how many unmapped, and for each bin the first of a list of chunks {first, last, next}, places
     * in the order by coordinate that follow each other.
     */
    private String index(Context context) {
        PointerVector order = vector(context, BY_COORDINATE);
        long base = registry.regions().get(INDEX).base();
        long free = base + Generator.REFERENCES * 8L * (BINS + 4);
        long chunk = 0;
        long lastBin = 0;
        for (int i = 0, size = order.size(); i < size; i++) {
            long record = order.get(i);
            int reference = AlignmentLayout.reference(context, record);
            if (reference < 0) {
                break;
            }
            long table = base + reference * 8L * (BINS + 4);
            boolean mapped = (AlignmentLayout.flags(context, record) & Flagstat.UNMAPPED) == 0;
            long counter = table + (mapped ? 0 : 8);
            context.putLong(counter, context.getLong(counter) + 1);
            int start = AlignmentLayout.position(context, record) - 1;
            int end = mapped ? AlignmentLayout.end(context, record) : start + 1;
            long bin = table + 8L * (4 + bin(start, end));
            if (bin != lastBin) {
                chunk = free;
                free += 24;
                context.putLong(chunk, i);
                context.putLong(chunk + 16, context.getLong(bin));
                context.putLong(bin, chunk);
                lastBin = bin;
            }
            context.putLong(chunk + 8, i);
        }
        StringBuilder counts = new StringBuilder();
        for (int reference = 0; reference < Generator.REFERENCES; reference++) {
            long table = base + reference * 8L * (BINS + 4);
            counts.append(counts.isEmpty() ? "" : ",")
                    .append(context.getLong(table))
                    .append('+')
                    .append(context.getLong(table + 8));
        }
        return counts.toString();
    }

    /** The smallest bin that holds [start, end): SAM specification, 5.3. */
    private static int bin(int start, int end) {
        int last = end - 1;
        for (int level = 5, shift = 14; level > 0; level--, shift += 3) {
            if (start >> shift == last >> shift) {
                return ((1 << 3 * level) - 1) / 7 + (start >> shift);
            }
        }
        return 0;
    }
}
