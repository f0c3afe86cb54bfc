package io.loam.server.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.loam.server.protocol.InlineRequest;
import io.loam.server.protocol.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** The parser of requests: the same requests and the same fault however the bytes are cut. */
final class RequestFuzzing {

    private static final long[] LIMITS = {1 << 20, 512 << 20, 40 << 10, 100};

    /** @param data limits, lengths of pieces, a seed of cuts; then what a client sends */
    @FuzzTest
    void requests(byte[] data) {
        if (data.length < 3) {
            return;
        }
        ParserRun run = new ParserRun(LIMITS[data[0] & 3], (data[0] & 4) != 0);
        byte[] stream = Arrays.copyOfRange(data, 3, data.length);
        List<String> whole = run.parse(stream, stream.length);
        assertThat(run.parse(stream, equalPieces(stream.length, 1))).isEqualTo(whole);
        assertThat(run.parse(stream, equalPieces(stream.length, 2 + (data[1] & 0xFF))))
                .isEqualTo(whole);
        Random random = new Random(data[2]);
        assertThat(run.parse(
                        stream,
                        random.ints(stream.length + 1L, 0, 40)
                                .collect(() -> new Pieces(stream.length), Pieces::add, (a, b) -> {})
                                .lengths()))
                .isEqualTo(whole);
        checkInline(run, stream);
    }

    /** Lengths that add up to a total; the last takes what is left. */
    private static final class Pieces {
        private final int[] lengths;
        private int count;
        private int left;

        private Pieces(int total) {
            lengths = new int[total + 1];
            left = total;
        }

        private void add(int length) {
            if (left > 0 && count < lengths.length - 1) {
                int piece = Math.min(left, length);
                lengths[count++] = piece;
                left -= piece;
            }
        }

        private int[] lengths() {
            lengths[count++] = left;
            return Arrays.copyOf(lengths, count);
        }
    }

    private static int[] equalPieces(int total, int length) {
        Pieces pieces = new Pieces(total);
        for (int i = 0; i < total; i += length) {
            pieces.add(length);
        }
        return pieces.lengths();
    }

    /** The first line as words, by the parser and by what reads a configuration file: the same, and quoted they are read as the same again. */
    private static void checkInline(ParserRun run, byte[] stream) {
        String text = new String(stream, StandardCharsets.ISO_8859_1);
        String line = text.substring(0, text.indexOf('\n') < 0 ? text.length() : text.indexOf('\n'));
        if (line.startsWith("*") || line.endsWith("\r")) {
            return;
        }
        byte[] sent = (line + "\n").getBytes(StandardCharsets.ISO_8859_1);
        List<String> parsed = run.parse(sent, sent.length);
        List<String> words;
        try {
            words = InlineRequest.words(line);
        } catch (ProtocolException e) {
            assertThat(parsed).containsExactly(e.getMessage());
            return;
        }
        assertThat(words).hasSizeLessThanOrEqualTo((line.length() + 1) / 2);
        assertThat(words.stream().mapToInt(String::length).sum()).isLessThanOrEqualTo(line.length());
        assertThat(parsed).hasSize(words.isEmpty() ? 0 : 1);
        StringBuilder quoted = new StringBuilder();
        for (String word : words) {
            quoted.append('"');
            word.chars().forEach(each -> quoted.append(String.format("\\x%02X", each)));
            quoted.append("\" ");
        }
        byte[] again = (quoted + "\n").getBytes(StandardCharsets.ISO_8859_1);
        assertThat(run.parse(again, again.length)).isEqualTo(parsed);
    }
}
