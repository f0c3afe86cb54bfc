package io.loam.bench.alignments;

import static org.assertj.core.api.Assertions.assertThat;

import htsjdk.samtools.SAMRecord;
import htsjdk.samtools.SamReader;
import htsjdk.samtools.SamReaderFactory;
import htsjdk.samtools.ValidationStringency;
import io.loam.memory.region.Registry;
import io.loam.memory.space.AddressSpaces;
import io.loam.memory.space.Attachment;
import io.loam.memory.space.Context;
import io.loam.memory.space.Switch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both forms hold the same records, and every tool comes to the same result with both. */
final class AlignmentsTest {

    private static final int COUNT = 6000;

    @TempDir
    private Path directory;

    @Test
    void bothFormsHoldTheSameAndValidRecords() throws IOException {
        Generator.run(directory, COUNT, 7);
        SamReaderFactory strict = SamReaderFactory.makeDefault().validationStringency(ValidationStringency.STRICT);
        try (Registry registry = Registry.open(directory.resolve("registry"), Registry.PRIVATE);
                Attachment attachment = AddressSpaces.of(registry).attach(RegionTools.SPACE);
                Switch in = Context.current().enter(attachment);
                SamReader reader = strict.open(directory.resolve("reads.bam"))) {
            Context context = Context.current();
            PointerVector input = new PointerVector(
                    context, registry.regions().get(RegionTools.INPUT).base());
            assertThat(input.size()).isEqualTo(COUNT);
            int i = 0;
            for (SAMRecord expected : reader) {
                assertThat(expected.isValid()).isNull();
                long record = input.get(i++);
                assertThat(text(
                                context,
                                AlignmentLayout.name(context, record),
                                AlignmentLayout.nameBytes(context, record)))
                        .isEqualTo(expected.getReadName());
                assertThat(AlignmentLayout.flags(context, record)).isEqualTo(expected.getFlags());
                assertThat(AlignmentLayout.reference(context, record)).isEqualTo(expected.getReferenceIndex());
                assertThat(AlignmentLayout.position(context, record)).isEqualTo(expected.getAlignmentStart());
                assertThat(AlignmentLayout.mateReference(context, record)).isEqualTo(expected.getMateReferenceIndex());
                assertThat(AlignmentLayout.matePosition(context, record)).isEqualTo(expected.getMateAlignmentStart());
                assertThat(AlignmentLayout.templateLength(context, record)).isEqualTo(expected.getInferredInsertSize());
                assertThat(AlignmentLayout.mappingQuality(context, record)).isEqualTo(expected.getMappingQuality());
                int length = AlignmentLayout.readLength(context, record);
                assertThat(text(context, AlignmentLayout.bases(context, record), length))
                        .isEqualTo(expected.getReadString());
                byte[] qualities = new byte[length];
                context.copyOut(AlignmentLayout.qualities(context, record), qualities, 0, length);
                assertThat(qualities).isEqualTo(expected.getBaseQualities());
                int[] cigar = new int[AlignmentLayout.cigarLength(context, record)];
                for (int n = 0; n < cigar.length; n++) {
                    cigar[n] = context.getInt(AlignmentLayout.cigar(context, record) + 4L * n);
                }
                assertThat(cigar).isEqualTo(Generator.cigar(expected));
                if (!expected.getReadUnmappedFlag()) {
                    assertThat(AlignmentLayout.end(context, record)).isEqualTo(expected.getAlignmentEnd());
                }
                assertThat(text(
                                context,
                                AlignmentLayout.tags(context, record),
                                AlignmentLayout.tagsBytes(context, record)))
                        .isEqualTo(Generator.tags(expected));
            }
            assertThat(i).isEqualTo(COUNT);
        }
    }

    private static String text(Context context, long pointer, int length) {
        byte[] bytes = new byte[length];
        context.copyOut(pointer, bytes, 0, length);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Test
    void everyToolComesToTheSameResult() throws IOException {
        Generator.run(directory, COUNT, 11);
        Path registry = directory.resolve("registry");
        assertThat(RegionTools.run(registry, "flagstat"))
                .isEqualTo(BamTools.run(directory, "flagstat", ""))
                .contains("total=" + COUNT);
        assertThat(BamTools.run(directory, "name", "" + COUNT)).isEqualTo("records=" + COUNT);
        assertThat(RegionTools.run(registry, "name")).isEqualTo(BamTools.run(directory, "digest", "by-name.bam"));
        assertThat(BamTools.run(directory, "coordinate", "" + COUNT)).isEqualTo("records=" + COUNT);
        assertThat(RegionTools.run(registry, "coordinate"))
                .isEqualTo(BamTools.run(directory, "digest", "by-coordinate.bam"));
        assertThat(RegionTools.run(registry, "index")).isEqualTo(BamTools.run(directory, "index", ""));
    }
}
