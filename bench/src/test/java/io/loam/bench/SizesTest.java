package io.loam.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SizesTest {

    @Test
    void bytesCountByPowersOfTwoAndThingsByPowersOfTen() {
        assertThat(Sizes.bytes("--x", "1.5k")).isEqualTo(1536);
        assertThat(Sizes.bytes("--x", "2G")).isEqualTo(2L << 30);
        assertThat(Sizes.count("--x", "1.5k")).isEqualTo(1500);
        assertThat(Sizes.count("--x", "10m")).isEqualTo(10_000_000);
        assertThat(Sizes.range("--x", "1k")).containsExactly(1024, 1024);
        assertThat(Sizes.range("--x", "75-125")).containsExactly(75, 125);
    }

    @Test
    void nonsenseIsRefusedByNameOfTheOption() {
        for (String text : new String[] {"", "k", "-1", "1-2-3", "nan", "1x"}) {
            assertThatThrownBy(() -> Sizes.range("--value-bytes", text))
                    .isInstanceOf(BadInput.class)
                    .hasMessageContaining("--value-bytes");
            assertThatThrownBy(() -> Sizes.count("--records", text))
                    .isInstanceOf(BadInput.class)
                    .hasMessageContaining("--records");
        }
    }
}
