package io.loam.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({"0,0", "4096,4096", "512k,524288", "64m,67108864", "64MiB,67108864", "1g,1073741824", "2T,2199023255552"
    })
    void readsNumbersWithUnits(String text, long bytes) {
        assertThat(ByteSize.parse(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "64x", "m", "1.5g", "99999999999999999999", "9999999999g"})
    void refusesWhatIsNoSize(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + text + "'");
    }

    @ParameterizedTest
    @CsvSource({"0,0 B", "1023,1023 B", "1024,1.0 KiB", "1048575,1.0 MiB", "138000000,131.6 MiB"})
    void writesForPeople(long bytes, String text) {
        assertThat(ByteSize.format(bytes)).isEqualTo(text);
    }

    @Test
    void screenHonoursTheEnvironment() {
        assertThat(Screen.of(Map.of("COLUMNS", "100"), true, true, true)).isEqualTo(new Screen(100, true, true, true));
        assertThat(Screen.of(Map.of("COLUMNS", "100", "NO_COLOR", "1"), true, true, true)
                        .colour())
                .isFalse();
        assertThat(Screen.of(Map.of("COLUMNS", "7"), false, false, true))
                .isEqualTo(new Screen(40, false, false, false));
        assertThat(Screen.of(Map.of("TERM", "dumb", "COLUMNS", "80"), true, true, true))
                .isEqualTo(new Screen(80, false, true, false));
    }
}
