package io.loam.bench.alignments;

import htsjdk.samtools.BAMIndexMetaData;
import htsjdk.samtools.BAMIndexer;
import htsjdk.samtools.SAMFileHeader;
import htsjdk.samtools.SAMFileWriter;
import htsjdk.samtools.SAMFileWriterFactory;
import htsjdk.samtools.SAMRecord;
import htsjdk.samtools.SamReader;
import htsjdk.samtools.SamReaderFactory;
import htsjdk.samtools.ValidationStringency;
import java.io.IOException;
import java.nio.file.Path;

/** One tool in one process, from one BAM file to the next: {@code DIRECTORY flagstat|name RECORDS|coordinate RECORDS|index|digest FILE}. */
public final class BamTools {

    private BamTools() {}

    public static void main(String[] arguments) throws IOException {
        System.out.println(run(Path.of(arguments[0]), arguments[1], arguments.length > 2 ? arguments[2] : ""));
    }

    static String run(Path directory, String tool, String argument) throws IOException {
        Path reads = directory.resolve("reads.bam");
        Path byName = directory.resolve("by-name.bam");
        Path byCoordinate = directory.resolve("by-coordinate.bam");
        return switch (tool) {
            case "flagstat" -> flagstat(reads);
            case "name" -> sort(reads, byName, SAMFileHeader.SortOrder.queryname, argument);
            case "coordinate" -> sort(byName, byCoordinate, SAMFileHeader.SortOrder.coordinate, argument);
            case "index" -> index(byCoordinate, directory.resolve("by-coordinate.bam.bai"));
            case "digest" -> digest(directory.resolve(argument));
            default -> throw new IllegalArgumentException("no tool " + tool);
        };
    }

    private static SamReaderFactory readers() {
        return SamReaderFactory.makeDefault().validationStringency(ValidationStringency.SILENT);
    }

    private static String flagstat(Path bam) throws IOException {
        Flagstat counts = new Flagstat();
        try (SamReader reader = readers().open(bam)) {
            for (SAMRecord record : reader) {
                counts.add(
                        record.getFlags(),
                        record.getReferenceIndex(),
                        record.getMateReferenceIndex(),
                        record.getMappingQuality());
            }
        }
        return counts.toString();
    }

    private static String sort(Path from, Path to, SAMFileHeader.SortOrder order, String records) throws IOException {
        long count = 0;
        try (SamReader reader = readers().open(from)) {
            SAMFileHeader header = reader.getFileHeader().clone();
            header.setSortOrder(order);
            // all in memory: no spilling to pay for
            try (SAMFileWriter writer = new SAMFileWriterFactory()
                    .setMaxRecordsInRam(Integer.parseInt(records) + 1)
                    .makeBAMWriter(header, false, to)) {
                for (SAMRecord record : reader) {
                    writer.addAlignment(record);
                    count++;
                }
            }
        }
        return "records=" + count;
    }

    private static String index(Path bam, Path index) throws IOException {
        SamReaderFactory factory = readers().enable(SamReaderFactory.Option.INCLUDE_SOURCE_IN_RECORDS);
        try (SamReader reader = factory.open(bam)) {
            BAMIndexer.createIndex(reader, index);
        }
        StringBuilder counts = new StringBuilder();
        try (SamReader reader = readers().open(bam)) {
            for (int reference = 0; reference < Generator.REFERENCES; reference++) {
                BAMIndexMetaData data = reader.indexing().getIndex().getMetaData(reference);
                counts.append(counts.isEmpty() ? "" : ",")
                        .append(data.getAlignedRecordCount())
                        .append('+')
                        .append(data.getUnalignedRecordCount());
            }
        }
        return counts.toString();
    }

    /** Of the order of a file; not one of the tools that are measured. */
    private static String digest(Path bam) throws IOException {
        Digest digest = new Digest();
        try (SamReader reader = readers().open(bam)) {
            for (SAMRecord record : reader) {
                digest.add(record.getReferenceIndex());
                digest.add(record.getAlignmentStart());
                digest.add(record.getFlags());
            }
        }
        return "order=" + digest;
    }
}
