package io.loam.server.keyspace;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Which namespace is which database. */
final class KeyspaceOrderTest {

    private static byte[] bytes(int... places) {
        byte[] bytes = new byte[places.length];
        for (int i = 0; i < places.length; i++) {
            bytes[i] = (byte) places[i];
        }
        return bytes;
    }

    @Test
    void isAscendingWithoutARecord() {
        assertThat(Keyspace.order(null, 4)).isEqualTo(bytes(0, 1, 2, 3));
    }

    @Test
    void isWhatTheRecordSaysAndAscendingBeyond() {
        assertThat(Keyspace.order(bytes(2, 1, 0), 5)).isEqualTo(bytes(2, 1, 0, 3, 4));
    }

    @Test
    void keepsWhatThereIsNoRoomFor() {
        assertThat(Keyspace.order(bytes(3, 1, 2, 0), 2)).isEqualTo(bytes(3, 1, 2, 0));
    }

    @Test
    void hasEachPlaceOnceWhateverTheRecordSays() {
        assertThat(Keyspace.order(bytes(5, 1, 1, -7), 4)).isEqualTo(bytes(5, 1, 0, 2, 3, 4));
    }
}
