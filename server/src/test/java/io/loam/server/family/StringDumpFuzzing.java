package io.loam.server.family;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;

/** What RESTORE is given: read or refused, and never makes more than its size allows. */
final class StringDumpFuzzing {

    private static final int FOOTER_BYTES = 10;
    /** A compressed byte stands for at most some 90. */
    private static final int MOST_FOR_A_BYTE = 300;

    @FuzzTest
    void payload(byte[] data) {
        if (StringDump.isIntact(data)) {
            StringDump.read(data);
        }
        // a version that is known and the checksum that means: don't look
        byte[] payload = Arrays.copyOf(data, data.length + FOOTER_BYTES);
        payload[data.length] = 10;
        assertThat(StringDump.isIntact(payload)).isTrue();
        byte[] value = StringDump.read(payload);
        if (value != null) {
            assertThat(value.length).isLessThanOrEqualTo(MOST_FOR_A_BYTE * payload.length);
            byte[] written = StringDump.write(value);
            assertThat(StringDump.isIntact(written)).isTrue();
            assertThat(StringDump.read(written)).isEqualTo(value);
            written[written.length - 9] ^= 1; // the version is part of what is summed up
            assertThat(StringDump.isIntact(written)).isFalse();
        }
        byte[] written = StringDump.write(data);
        assertThat(StringDump.read(written)).isEqualTo(data);
    }
}
