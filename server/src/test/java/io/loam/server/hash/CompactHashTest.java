package io.loam.server.hash;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CompactHashTest {

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void hasTheLayoutOfTheDocument() {
        CompactHash hash = new CompactHash(new byte[0]);
        hash.set(bytes("a"), bytes("xy"));
        hash.set(bytes(""), new byte[300]);
        byte[] encoded = hash.encoded();
        assertThat(encoded)
                .startsWith(1, 'a', 2, 'x', 'y', 0, (byte) 0xAC, 2, 0)
                .hasSize(8 + 300);
    }

    @Test
    void behavesAsAMapThatKeepsTheOrderOfInsertion() {
        Random random = new Random(7);
        Map<String, String> model = new LinkedHashMap<>();
        CompactHash hash = new CompactHash(new byte[0]);
        for (int step = 0; step < 20_000; step++) {
            String name = "f".repeat(random.nextInt(3)) + random.nextInt(20);
            if (random.nextInt(3) == 0) {
                assertThat(hash.remove(bytes(name))).isEqualTo(model.remove(name) != null);
            } else {
                String value = "v".repeat(random.nextInt(10) == 0 ? 120 + random.nextInt(20) : random.nextInt(9));
                assertThat(hash.set(bytes(name), bytes(value))).isEqualTo(model.put(name, value) == null);
            }
            if (step % 50 == 0) {
                hash = new CompactHash(hash.encoded().clone());
            }
            assertThat(hash.count()).isEqualTo(model.size());
            List<String> fields = new ArrayList<>();
            for (hash.reset(); hash.next(); ) {
                fields.add(new String(hash.name(), StandardCharsets.ISO_8859_1) + "="
                        + new String(hash.value(), StandardCharsets.ISO_8859_1));
            }
            List<String> expected = new ArrayList<>();
            model.forEach((key, value) -> expected.add(key + "=" + value));
            assertThat(fields).isEqualTo(expected);
        }
    }
}
