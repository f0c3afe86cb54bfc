package io.loam.server.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RequestParserTest {

    private static final ByteBufAllocator ALLOCATOR = ByteBufAllocator.DEFAULT;
    /** The size of the pieces of a very large argument. */
    private static final int PIECE = 1 << 20;

    private final RequestParser parser = new RequestParser();
    private final byte[] spare = new byte[1 << 16];

    /** Feeds pieces as a connection does, and returns the requests as lists of texts. */
    private List<List<String>> parse(List<byte[]> pieces) throws ProtocolException {
        List<List<String>> requests = new ArrayList<>();
        for (byte[] piece : pieces) {
            ByteBuf input = Unpooled.wrappedBuffer(piece);
            while (input.isReadable()) {
                parser.feed(input, spare, ALLOCATOR);
                while (parser.next(ALLOCATOR)) {
                    requests.add(parser.arguments().texts(0));
                    parser.arguments().release();
                }
            }
            parser.keep();
        }
        return requests;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] encode(List<String> words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(bytes("*" + words.size() + "\r\n"));
        for (String word : words) {
            out.writeBytes(bytes("$" + word.length() + "\r\n" + word + "\r\n"));
        }
        return out.toByteArray();
    }

    /** It takes the memory of what has come, a piece at most more, and never copies what has come before. */
    @Test
    void aVeryLargeArgumentIsKeptInPieces() throws ProtocolException {
        byte[] value = new byte[5 * PIECE / 2];
        new Random(3).nextBytes(value);
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        stream.writeBytes(bytes("*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + value.length + "\r\n"));
        stream.writeBytes(value);
        stream.writeBytes(bytes("\r\n$5\r\nafter\r\nPING\r\n"));
        byte[] all = stream.toByteArray();
        for (int step : List.of(all.length, PIECE, 64 << 10, 999)) {
            Arguments found = null;
            for (int at = 0; at < all.length; at += step) {
                ByteBuf input = Unpooled.wrappedBuffer(all, at, Math.min(step, all.length - at));
                while (input.isReadable()) {
                    parser.feed(input, spare, ALLOCATOR);
                    while (parser.next(ALLOCATOR)) {
                        if (found == null) {
                            found = parser.detach();
                        } else {
                            assertThat(parser.arguments().text(0)).isEqualTo("PING");
                        }
                    }
                }
                parser.keep();
                assertThat(parser.heldBytes()).isLessThanOrEqualTo(at + step + 2L * PIECE);
            }
            assertThat(found).isNotNull();
            assertThat(found.isHeavy()).isTrue();
            assertThat(found.text(0)).isEqualTo("SET");
            assertThat(found.bytes(2)).isEqualTo(value);
            assertThat(found.text(2, 4)).isEqualTo(new String(value, 0, 4, StandardCharsets.ISO_8859_1));
            assertThat(found.segment(2).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(value);
            assertThat(found.at(2, value.length - 1)).isEqualTo(value[value.length - 1]);
            assertThat(found.text(3)).isEqualTo("after");
            assertThat(parser.heldBytes()).isZero();
            found.release();
        }
    }

    @Test
    void aRequestOfManyArgumentsIsDetachedWithItsArray() throws ProtocolException {
        List<String> words = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            words.add("argument" + i);
        }
        byte[] all = encode(words);
        byte[] stream = Arrays.copyOf(all, all.length + 6);
        System.arraycopy(bytes("PING\r\n"), 0, stream, all.length, 6);
        Arguments found = null;
        for (int at = 0; at < stream.length; at += 10_000) {
            ByteBuf input = Unpooled.wrappedBuffer(stream, at, Math.min(10_000, stream.length - at));
            while (input.isReadable()) {
                parser.feed(input, spare, ALLOCATOR);
                if (parser.next(ALLOCATOR)) {
                    assertThat(found).isNull();
                    found = parser.detach();
                    assertThat(parser.heldBytes()).isLessThan(64 << 10);
                    assertThat(parser.next(ALLOCATOR)).isTrue();
                    assertThat(parser.arguments().texts(0)).containsExactly("PING");
                }
            }
            parser.keep();
        }
        assertThat(found).isNotNull();
        assertThat(found.isHeavy()).isTrue();
        assertThat(found.texts(0)).isEqualTo(words);
    }

    @Test
    void requestsAreTheSameHoweverTheyAreCut() throws ProtocolException {
        String large = "v".repeat(RequestParser.LARGE_BYTES + 5);
        List<List<String>> requests = List.of(
                List.of("SET", "key", "value"),
                List.of("GET", ""),
                List.of("SET", "large", large, "after"),
                List.of("ECHO", "\r\n$3\r\n"),
                List.of("MSET", "a", large, "b", large));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        requests.forEach(request -> all.writeBytes(encode(request)));
        all.writeBytes(bytes("PING \"a b\"\r\n"));
        byte[] stream = all.toByteArray();
        List<List<String>> expected = new ArrayList<>(requests);
        expected.add(List.of("PING", "a b"));

        assertThat(parse(List.of(stream))).isEqualTo(expected);
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            List<byte[]> pieces = new ArrayList<>();
            for (int at = 0; at < stream.length; ) {
                int length = Math.min(stream.length - at, 1 + random.nextInt(1 + random.nextInt(40_000)));
                pieces.add(Arrays.copyOfRange(stream, at, at + length));
                at += length;
            }
            assertThat(parse(pieces)).as("round %d", round).isEqualTo(expected);
        }
    }

    @Test
    void everyByteBoundaryIsAPlaceToCut() throws ProtocolException {
        byte[] stream = bytes("*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n*1\r\n$4\r\nPING\r\nSET a 'b c'\r\n");
        List<List<String>> expected = List.of(List.of("ECHO", "hi"), List.of("PING"), List.of("SET", "a", "b c"));
        for (int first = 0; first <= stream.length; first++) {
            for (int second = first; second <= stream.length; second++) {
                List<byte[]> pieces = List.of(
                        Arrays.copyOfRange(stream, 0, first),
                        Arrays.copyOfRange(stream, first, second),
                        Arrays.copyOfRange(stream, second, stream.length));
                assertThat(parse(pieces)).as("cut at %d and %d", first, second).isEqualTo(expected);
            }
        }
    }

    @Test
    void memoryIsTakenForBytesThatComeNotForThoseAnnounced() throws ProtocolException {
        parse(List.of(bytes("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc")));
        assertThat(parser.heldBytes()).isLessThan(1 << 20);
        parser.release();
        parse(List.of(bytes("*1048576\r\n$3\r\nDEL\r\n")));
        assertThat(parser.heldBytes()).isLessThan(1 << 20);
    }

    @Test
    void nothingIsHeldBetweenRequests() throws ProtocolException {
        parse(List.of(encode(List.of("SET", "k", "v".repeat(20_000)))));
        assertThat(parser.heldBytes()).isZero();
        byte[] whole = encode(List.of("SET", "k", "v".repeat(20_000)));
        parse(List.of(Arrays.copyOf(whole, 10_000)));
        assertThat(parser.heldBytes()).isPositive();
        parse(List.of(Arrays.copyOfRange(whole, 10_000, whole.length)));
        assertThat(parser.heldBytes()).isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    *a\\r\\n                    | invalid multibulk length
                    *99999999999\\r\\n          | invalid multibulk length
                    *1\\r\\n!3\\r\\n              | expected '$', got '!'
                    *1\\r\\n$-1\\r\\n             | invalid bulk length
                    *1\\r\\n$x\\r\\n              | invalid bulk length
                    *1\\r\\n$536870913\\r\\n      | invalid bulk length
                    SET "a\\r\\n                | unbalanced quotes in request
                    SET 'a'b\\r\\n              | unbalanced quotes in request
                    """)
    void whatIsNoRequestIsRefused(String input, String message) {
        byte[] raw = bytes(input.strip().replace("\\r", "\r").replace("\\n", "\n"));
        assertThatThrownBy(() -> parse(List.of(raw)))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining(message);
    }

    @Test
    void linesWithoutEndAreRefused() {
        byte[] endless = new byte[200_000];
        Arrays.fill(endless, (byte) 'a');
        assertThatThrownBy(() -> parse(List.of(endless)))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("too big inline request");
    }

    @Test
    void unauthenticatedClientsHaveSmallLimits() {
        parser.restrict(true);
        assertThatThrownBy(() -> parse(List.of(bytes("*11\r\n"))))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("unauthenticated multibulk length");
        assertThatThrownBy(() -> new RequestParserTest().parseRestricted("*1\r\n$16385\r\n"))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("unauthenticated bulk length");
    }

    private void parseRestricted(String input) throws ProtocolException {
        parser.restrict(true);
        parse(List.of(bytes(input)));
    }

    @Test
    void requestsOfManySmallArgumentsHaveALimit() {
        parser.limits(1 << 20, 1 << 20);
        byte[] chunk = bytes("$20000\r\n" + "x".repeat(20_000) + "\r\n");
        assertThatThrownBy(() -> {
                    parse(List.of(bytes("*1000\r\n")));
                    for (int i = 0; i < 1000; i++) {
                        parse(List.of(chunk));
                    }
                })
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("request of more than 1048576 bytes");
    }

    @Test
    void garbageIsParsedOrRefusedButNothingElse() {
        String alphabet = "*$0123456789\r\n\r\n\r\n'\"\\x-abc ";
        for (int seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            StringBuilder input = new StringBuilder();
            for (int i = random.nextInt(200); i >= 0; i--) {
                input.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            RequestParserTest fresh = new RequestParserTest();
            try {
                for (List<String> request : fresh.parse(List.of(bytes(input.toString())))) {
                    assertThat(request).as("seed %d", seed).isNotEmpty();
                }
            } catch (ProtocolException e) {
                assertThat(e).as("seed %d", seed).hasMessageStartingWith("Protocol error: ");
            }
            assertThat(fresh.parser.heldBytes()).as("seed %d", seed).isLessThan(1 << 20);
            fresh.parser.release();
        }
    }

    @Test
    void detachedArgumentsOutliveTheInput() throws ProtocolException {
        ByteBuf input =
                Unpooled.wrappedBuffer(encode(List.of("SET", "k", "v".repeat(RequestParser.LARGE_BYTES + 1), "x")));
        List<Arguments> detached = new ArrayList<>();
        while (input.isReadable()) {
            parser.feed(input, spare, ALLOCATOR);
            while (parser.next(ALLOCATOR)) {
                detached.add(parser.arguments().detach());
            }
        }
        Arrays.fill(spare, (byte) 0);
        Arguments request = detached.getFirst();
        assertThat(request.isLarge(2)).isTrue();
        assertThat(request.texts(0)).isEqualTo(List.of("SET", "k", "v".repeat(RequestParser.LARGE_BYTES + 1), "x"));
        request.release();
    }
}
