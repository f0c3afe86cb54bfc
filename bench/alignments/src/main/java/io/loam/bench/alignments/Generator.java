package io.loam.bench.alignments;

import htsjdk.samtools.CigarElement;
import htsjdk.samtools.CigarOperator;
import htsjdk.samtools.SAMFileHeader;
import htsjdk.samtools.SAMFileWriter;
import htsjdk.samtools.SAMFileWriterFactory;
import htsjdk.samtools.SAMReadGroupRecord;
import htsjdk.samtools.SAMRecord;
import htsjdk.samtools.SAMSequenceRecord;
import htsjdk.samtools.SamPairUtil;
import io.loam.memory.region.Access;
import io.loam.memory.region.RegionOptions;
import io.loam.memory.region.Registry;
import io.loam.memory.space.AddressSpaces;
import io.loam.memory.space.Attachment;
import io.loam.memory.space.Context;
import io.loam.memory.space.Switch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * Makes paired reads of 151 bases as a sequencer and an aligner would give them, {@code DIRECTORY COUNT SEED}: as {@code reads.bam}, and as
 * records in regions of the registry {@code DIRECTORY/registry}.
 */
public final class Generator implements AutoCloseable {

    static final int REFERENCES = 5;

    private static final int[] REFERENCE_BASES = {24_000_000, 19_000_000, 12_000_000, 8_000_000, 3_000_000};
    private static final int READ_BASES = 151;
    private static final long RECORD_BYTES_MAX = 640;

    private final SplittableRandom random;
    private final byte[][] genome = new byte[REFERENCES][];
    private final SAMFileHeader header = new SAMFileHeader();
    private final SAMFileWriter writer;
    private final Context context = Context.current();
    private final PointerVector input;
    private final int count;
    private long free;
    private int made;

    private Generator(Path bam, PointerVector input, long free, int count, long seed) {
        this.random = new SplittableRandom(seed);
        this.input = input;
        this.free = free;
        this.count = count;
        for (int i = 0; i < REFERENCES; i++) {
            header.addSequence(new SAMSequenceRecord("chr" + (i + 1), REFERENCE_BASES[i]));
            genome[i] = new byte[REFERENCE_BASES[i]];
            for (int at = 0; at < genome[i].length; at++) {
                genome[i][at] = (byte) "ACGT".charAt(random.nextInt(4));
            }
        }
        SAMReadGroupRecord group = new SAMReadGroupRecord("lane1");
        group.setSample("sample");
        header.addReadGroup(group);
        header.setSortOrder(SAMFileHeader.SortOrder.unsorted);
        writer = new SAMFileWriterFactory().makeBAMWriter(header, true, bam);
    }

    public static void main(String[] arguments) {
        run(Path.of(arguments[0]), Integer.parseInt(arguments[1]), Long.parseLong(arguments[2]));
    }

    static void run(Path directory, int count, long seed) {
        try (Registry registry = Registry.open(directory.resolve("registry"), Registry.PRIVATE)) {
            AddressSpaces spaces = AddressSpaces.of(registry);
            long base = registry.regions()
                    .create(
                            RegionTools.ALIGNMENTS,
                            RegionOptions.of(RECORD_BYTES_MAX * count).withHugePages())
                    .base();
            long vector = registry.regions()
                    .create(RegionTools.INPUT, RegionOptions.of(PointerVector.bytes(count)))
                    .base();
            spaces.create(RegionTools.SPACE, 0600);
            spaces.add(RegionTools.SPACE, RegionTools.ALIGNMENTS, Access.WRITE, false);
            spaces.add(RegionTools.SPACE, RegionTools.INPUT, Access.WRITE, false);
            try (Attachment attachment = spaces.attach(RegionTools.SPACE);
                    Switch in = Context.current().enter(attachment);
                    Generator generator = new Generator(
                            directory.resolve("reads.bam"),
                            new PointerVector(Context.current(), vector),
                            base,
                            count,
                            seed)) {
                generator.generate();
            }
        }
    }

    private void generate() {
        input.setSize(count);
        while (made + 2 <= count) {
            pair();
        }
    }

    /** The fragment of a pair: where it lies, and what became of its two ends. */
    private void pair() {
        String name = "A00123:17:HXY7DSX2:" + (1 + random.nextInt(4)) + ":" + (1101 + random.nextInt(578)) + ":"
                + (1000 + random.nextInt(31_000)) + ":" + (1000 + random.nextInt(36_000));
        int reference = random.nextInt(REFERENCES);
        int length = Math.max(READ_BASES + 20, 380 + (int) (random.nextGaussian() * 60));
        int start = 1 + random.nextInt(REFERENCE_BASES[reference] - length - 2 * READ_BASES);
        int fate = random.nextInt(1000);
        SAMRecord first = read(name, reference, start, false);
        int mateReference = fate >= 985 ? random.nextInt(REFERENCES) : reference;
        int mateStart = mateReference == reference
                ? start + length - READ_BASES
                : 1 + random.nextInt(REFERENCE_BASES[mateReference] - 2 * READ_BASES);
        SAMRecord second = read(name, mateReference, mateStart, true);
        first.setFirstOfPairFlag(true);
        second.setSecondOfPairFlag(true);
        if (fate < 8) {
            unmap(first);
            unmap(second);
        } else if (fate < 20) {
            unmap(second);
        }
        boolean duplicate = !first.getReadUnmappedFlag() && random.nextInt(100) < 7;
        first.setDuplicateReadFlag(duplicate);
        second.setDuplicateReadFlag(duplicate && !second.getReadUnmappedFlag());
        SamPairUtil.setMateInfo(first, second, false);
        boolean proper = fate >= 20 && mateReference == reference;
        first.setProperPairFlag(proper);
        second.setProperPairFlag(proper);
        write(first);
        write(second);
    }

    private SAMRecord read(String name, int reference, int start, boolean reverse) {
        SAMRecord record = new SAMRecord(header);
        record.setReadName(name);
        record.setReadPairedFlag(true);
        record.setReadNegativeStrandFlag(reverse);
        record.setReferenceIndex(reference);
        record.setAlignmentStart(start);
        int kind = random.nextInt(100);
        int at = 20 + random.nextInt(READ_BASES - 60);
        int part = 1 + random.nextInt(12);
        record.setCigarString(
                kind < 86
                        ? READ_BASES + "M"
                        : kind < 92
                                ? part + "S" + (READ_BASES - part) + "M"
                                : kind < 96
                                        ? at + "M" + part + "D" + (READ_BASES - at) + "M"
                                        : at + "M" + part + "I" + (READ_BASES - at - part) + "M");
        byte[] bases = new byte[READ_BASES];
        byte[] qualities = new byte[READ_BASES];
        System.arraycopy(genome[reference], start - 1, bases, 0, READ_BASES);
        int mismatches = 0;
        int quality = 37;
        for (int i = 0; i < READ_BASES; i++) {
            // as the binned qualities of today's machines: long runs that get worse towards the end
            if (random.nextInt(40) == 0) {
                int draw = random.nextInt(100 + i);
                quality = draw < 88 ? 37 : draw < 110 ? 25 : draw < 160 ? 11 : 2;
            }
            int of = reverse ? READ_BASES - 1 - i : i;
            qualities[of] = (byte) quality;
            if (random.nextInt(quality > 30 ? 2000 : quality > 20 ? 300 : 15) == 0) {
                bases[of] = (byte) "ACGTN".charAt(random.nextInt(5));
                mismatches++;
            }
        }
        record.setReadBases(bases);
        record.setBaseQualities(qualities);
        record.setMappingQuality(random.nextInt(20) == 0 ? random.nextInt(60) : 60);
        record.setAttribute("NM", mismatches);
        record.setAttribute("AS", READ_BASES - 5 * mismatches);
        record.setAttribute("RG", "lane1");
        return record;
    }

    /** Its mate's place stays its own, as aligners have it; two that are unmapped have none. */
    private static void unmap(SAMRecord record) {
        record.setReadUnmappedFlag(true);
        record.setReadNegativeStrandFlag(false);
        record.setMappingQuality(0);
        record.setCigarString("*");
        record.setReferenceIndex(-1);
        record.setAlignmentStart(0);
        record.setAttribute("NM", null);
        record.setAttribute("AS", null);
    }

    private void write(SAMRecord record) {
        writer.addAlignment(record);
        input.set(made++, store(record));
    }

    /** Puts a record and its parts one behind the other. */
    private long store(SAMRecord record) {
        long at = free;
        free += AlignmentLayout.BYTES;
        byte[] name = record.getReadName().getBytes(StandardCharsets.US_ASCII);
        byte[] tags = tags(record).getBytes(StandardCharsets.US_ASCII);
        int[] cigar = cigar(record);
        long cigarAt = free;
        for (int element : cigar) {
            context.putInt(free, element);
            free += 4;
        }
        long nameAt = put(name);
        long basesAt = put(record.getReadBases());
        long qualitiesAt = put(record.getBaseQualities());
        long tagsAt = put(tags);
        free = free + 7 & -8;
        AlignmentLayout.setParts(context, at, nameAt, basesAt, qualitiesAt, cigarAt, tagsAt);
        AlignmentLayout.setPlace(
                context,
                at,
                record.getReferenceIndex(),
                record.getAlignmentStart(),
                record.getMateReferenceIndex(),
                record.getMateAlignmentStart());
        AlignmentLayout.setNumbers(
                context, at, record.getInferredInsertSize(), record.getFlags(), record.getMappingQuality());
        AlignmentLayout.setLengths(context, at, name.length, cigar.length, tags.length, record.getReadLength());
        return at;
    }

    private long put(byte[] bytes) {
        long at = free;
        context.copyIn(bytes, 0, at, bytes.length);
        free += bytes.length;
        return at;
    }

    static int[] cigar(SAMRecord record) {
        return record.getCigar().getCigarElements().stream()
                .mapToInt(Generator::binary)
                .toArray();
    }

    private static int binary(CigarElement element) {
        return element.getLength() << 4 | CigarOperator.enumToBinary(element.getOperator());
    }

    static String tags(SAMRecord record) {
        StringBuilder text = new StringBuilder();
        for (SAMRecord.SAMTagAndValue tag : record.getAttributes()) {
            text.append(text.isEmpty() ? "" : "\t").append(tag.tag);
            text.append(tag.value instanceof String ? ":Z:" : ":i:").append(tag.value);
        }
        return text.toString();
    }

    @Override
    public void close() {
        writer.close();
    }
}
