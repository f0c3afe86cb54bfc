package io.loam.bench.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.bench.WorkerFailure;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Replies are counted however they are cut. */
class ReplyReaderTest {

    /** Reads the text in two pieces, as a connection does. */
    private static ReplyReader read(Protocol protocol, String text, int cut, int replies) {
        ReplyReader reader = protocol.replies();
        byte[] bytes = Protocol.bytes(text);
        ByteBuffer in = ByteBuffer.allocate(bytes.length);
        in.put(bytes, 0, cut).flip();
        int count = reader.read(in);
        in.compact().put(bytes, cut, bytes.length - cut).flip();
        count += reader.read(in);
        assertThat(count).as("replies, cut at %s", cut).isEqualTo(replies);
        assertThat(in.remaining()).isZero();
        return reader;
    }

    @Test
    void respIsReadWhereverItIsCut() {
        String text = "+OK\r\n:17\r\n$5\r\na\r\nbc\r\n$-1\r\n-ERR no\r\n$0\r\n\r\n+PONG\r\n";
        for (int cut = 0; cut <= text.length(); cut++) {
            ReplyReader reader = read(Protocol.RESP, text, cut, 7);
            assertThat(reader.misses()).isEqualTo(1);
            assertThat(reader.errors()).isEqualTo(1);
            assertThat(reader.firstError()).isEqualTo("-ERR no");
        }
    }

    @Test
    void memcachedsTextIsReadWhereverItIsCut() {
        String text = "STORED\r\nVALUE key:000000000001 0 5\r\nEND\r\n\r\nEND\r\nEND\r\nDELETED\r\nNOT_FOUND\r\n"
                + "SERVER_ERROR out of memory storing object\r\nVERSION 1.6.18\r\n";
        for (int cut = 0; cut <= text.length(); cut++) {
            ReplyReader reader = read(Protocol.MEMCACHED, text, cut, 7);
            assertThat(reader.misses()).isEqualTo(2);
            assertThat(reader.errors()).isEqualTo(1);
            assertThat(reader.firstError()).startsWith("SERVER_ERROR out");
        }
    }

    @Test
    void whatIsNoReplyIsToldAsItCame() {
        assertThatThrownBy(() -> read(Protocol.RESP, "HTTP/1.1 400 Bad Request\r\n", 0, 0))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("HTTP/1.1 400");
    }

    @Test
    void requestsCarryTheKeyInTwelveDigits() {
        ByteBuffer out = ByteBuffer.allocate(200);
        Protocol.RESP.request(Protocol.Command.SET, 3).write(42, out);
        Protocol.MEMCACHED.request(Protocol.Command.GET, 0).write(987_654_321_012L, out);
        assertThat(ReplyReader.text(out, 0, out.position()))
                .isEqualTo("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$3\r\nxxx\r\nget key:987654321012\r\n");
    }
}
