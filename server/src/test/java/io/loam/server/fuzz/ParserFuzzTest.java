package io.loam.server.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.ProtocolException;
import io.loam.server.protocol.RequestParser;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Hostile bytes to the parser: however they are cut into pieces it finds the same requests and the same fault, it goes on with each call, and it holds no more than it was given. Seeded: a failure names its
 * seed, {@code -Dloam.fuzz.seed=N} runs that one first. {@code -Dloam.fuzz.factor=N} runs N times as many.
 */
final class ParserFuzzTest {

    static final int FACTOR = Integer.getInteger("loam.fuzz.factor", 1);
    static final long FIRST_SEED = Long.getLong("loam.fuzz.seed", 1);
    private static final int INPUTS = 6_000 * FACTOR;
    /** What the parser may hold beyond four times what it was given: the first piece of a large argument, and room for a line. */
    private static final long SPARE_BYTES = 256 << 10;

    private final byte[] spare = new byte[64 << 10];

    @Test
    void theSameRequestsHoweverTheBytesAreCut() {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + INPUTS; seed++) {
            long named = seed;
            HostileInput input = new HostileInput(seed);
            byte[] stream = input.stream();
            long limit = input.of(1 << 20, 512 << 20, 64 << 10);
            boolean restricted = input.below(5) == 0;
            List<String> whole = parse(stream, new int[] {stream.length}, limit, restricted, seed);
            for (int i = 0; i < 3; i++) {
                assertThat(parse(stream, input.cuts(stream.length), limit, restricted, seed))
                        .as(() -> "seed " + named + ", of " + HostileInput.shown(stream))
                        .isEqualTo(whole);
            }
        }
    }

    /** What the parser finds: each request in hexadecimal digits, then the fault if there is one. */
    private List<String> parse(byte[] stream, int[] cuts, long limit, boolean restricted, long seed) {
        List<String> found = new ArrayList<>();
        RequestParser parser = new RequestParser();
        parser.limits(limit, 1 << 20);
        parser.restrict(restricted);
        int given = 0;
        try {
            for (int cut : cuts) {
                ByteBuf piece = Unpooled.wrappedBuffer(stream, given, cut);
                given += cut;
                while (piece.isReadable()) {
                    int before = piece.readableBytes();
                    int requests = found.size();
                    parser.feed(piece, spare, ByteBufAllocator.DEFAULT);
                    while (parser.next(ByteBufAllocator.DEFAULT)) {
                        found.add(shown(parser.arguments()));
                        parser.arguments().release();
                    }
                    if (piece.readableBytes() == before && found.size() == requests) {
                        throw new AssertionError(
                                "seed " + seed + ": the parser does not go on, of " + HostileInput.shown(stream));
                    }
                }
                parser.keep();
                if (parser.heldBytes() > 4L * given + SPARE_BYTES) {
                    throw new AssertionError("seed " + seed + ": " + parser.heldBytes() + " bytes held of " + given
                            + ", of " + HostileInput.shown(stream));
                }
            }
        } catch (ProtocolException e) {
            found.add(String.valueOf(e.getMessage()));
        } finally {
            parser.release();
        }
        return found;
    }

    private static String shown(Arguments arguments) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < arguments.count(); i++) {
            byte[] bytes = arguments.bytes(i);
            text.append(i == 0 ? "" : " ")
                    .append(
                            bytes.length > 64
                                    ? bytes.length + "#" + Arrays.hashCode(bytes)
                                    : HexFormat.of().formatHex(bytes));
        }
        return text.toString();
    }
}
