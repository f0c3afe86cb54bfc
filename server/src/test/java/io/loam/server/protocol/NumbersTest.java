package io.loam.server.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NumbersTest {

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "-1", "10", "9223372036854775807", "-9223372036854775808"})
    void numbersInTheirOnlyFormAreRead(String text) {
        byte[] bytes = bytes(text);
        assertThat(Numbers.isLong(bytes, 0, bytes.length)).isTrue();
        assertThat(Numbers.parseLong(bytes, 0, bytes.length)).isEqualTo(Long.parseLong(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-",
                "-0",
                "00",
                "01",
                "+1",
                " 1",
                "1 ",
                "1.0",
                "a",
                "9223372036854775808",
                "-9223372036854775809",
                "99999999999999999999",
                "92233720368547758070"
            })
    void otherTextsAreNoNumbers(String text) {
        byte[] bytes = bytes(text);
        assertThat(Numbers.isLong(bytes, 0, bytes.length)).isFalse();
    }

    /** Sums that redis-server 7.0.15 gave. */
    @ParameterizedTest
    @CsvSource({
        "0.1,0.2,0.3",
        "5,.5,5.5",
        "1e3,-1e3,0",
        "10.5,0.1,10.6",
        "3.0e3,1,3001",
        "-0.5,0.5,0",
        "0x10,15,31",
        "0x1.8p1,0,3"
    })
    void extendedSumsAreThoseOfRedis(String a, String b, String sum) {
        assertThat(Numbers.addExtended(a, b)).isEqualTo(sum);
    }

    @Test
    void whatIsNotFiniteIsRefused() {
        assertThatThrownBy(() -> Numbers.addExtended("inf", "1")).hasMessageContaining("NaN or Infinity");
        assertThatThrownBy(() -> Numbers.addExtended("x", "1")).isSameAs(RedisError.NOT_A_FLOAT);
        assertThatThrownBy(() -> Numbers.addExtended("1e99999", "1")).isSameAs(RedisError.NOT_A_FLOAT);
    }
}
