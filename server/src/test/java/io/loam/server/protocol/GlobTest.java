package io.loam.server.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GlobTest {

    @ParameterizedTest
    @CsvSource({
        "*,abc,true",
        "a*c,abbbc,true",
        "a*c,abbb,false",
        "a?c,abc,true",
        "a?c,ac,false",
        "[a-c]x,bx,true",
        "[^a-c]x,bx,false",
        "[^a-c]x,dx,true",
        "[c-a]x,bx,true",
        "a\\*,a*,true",
        "a\\*,ab,false",
        "**,x,true",
        "a*b*c,a1b2b3c,true",
        "[ab,a,true",
        "abc,abcd,false",
        "h[\\]]i,h]i,true"
    })
    void patternsMatchAsInRedis(String pattern, String text, boolean matches) {
        assertThat(Glob.matches(bytes(pattern), bytes(text))).isEqualTo(matches);
    }

    @Test
    void hostilePatternsTakeNoLongTime() {
        String pattern = "*a".repeat(500) + "b";
        assertThat(Glob.matches(bytes(pattern), bytes("a".repeat(5000)))).isFalse();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
