package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.bench.system.Setup;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** JSON out and in. */
class JsonTest {

    @Test
    void whatIsWrittenIsReadBack() {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("text", "a \"quoted\" \\ line\nand a tab\tand \u0001 and ü");
        object.put("whole", -12L);
        object.put("real", 0.125);
        object.put("flag", true);
        object.put("none", null);
        object.put("list", Arrays.asList(1L, null, "x", List.of(), Map.of()));
        String text = Json.write(object);
        assertThat(text).doesNotContain("\n");
        assertThat(Json.parse(text)).isEqualTo(object);
    }

    @Test
    void numbersThatJsonLacksAreNull() {
        assertThat(Json.write(List.of(Double.NaN, Double.POSITIVE_INFINITY, 1e20, 1234567.0)))
                .isEqualTo("[null,null,1.0E20,1234567]");
    }

    @Test
    void brokenTextIsRefusedWithItsPlace() {
        for (String text :
                List.of("", "{", "{\"a\"}", "[1,]", "\"open", "nul", "1 2", "{\"a\":1}}", "\"\\u12\"", "\"\\")) {
            assertThatThrownBy(() -> Json.parse(text))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("JSON");
        }
    }

    @Test
    void recordsGoThroughMapsUnchanged() {
        Setup setup = new Setup(
                "loam", 5_000_000_000L, 8, 75, 125, 1L << 33, 1L << 34, 2, "append", 0, 1 << 20, 0, "fast", true, 100);
        String text = Json.write(Json.toMap(setup));
        assertThat(Json.toRecord(Json.parseObject(text), Setup.class)).isEqualTo(setup);
    }

    @Test
    void aRecordWithAMissingPartIsRefused() {
        assertThatThrownBy(() -> Json.toRecord(Map.of("system", "loam"), Setup.class))
                .hasMessageContaining("records");
    }
}
