package io.loam.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.cli.FakeStore;
import io.loam.cli.Screen;
import io.loam.cli.StoreOpener;
import io.loam.store.UpdatePolicy;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DemoTest {
    private final StringWriter out = new StringWriter();

    /** Objects of 0 to 20,000 bytes. */
    private static final ObjectSource SMALL = new ObjectSource() {
        @Override
        public List<Listing> list() {
            return IntStream.range(0, 1200)
                    .mapToObj(i -> new Listing("object/" + i, i * 17 % 20_000))
                    .toList();
        }

        @Override
        public byte[] read(String name) {
            int i = Integer.parseInt(name.substring(name.indexOf('/') + 1));
            byte[] bytes = new byte[i * 17 % 20_000];
            new Random(i).nextBytes(bytes);
            return bytes;
        }

        @Override
        public String description() {
            return "small objects";
        }
    };

    private boolean run(Long capacity, StoreOpener opener) throws Exception {
        var options = new DemoOptions(capacity, 3, 2, 60, UpdatePolicy.APPEND);
        return new Demo(options, SMALL, opener, Screen.PLAIN, new PrintWriter(out)).run();
    }

    @Test
    void fitsTheCapacityToTheObjectsAndVerifiesThem() throws Exception {
        assertThat(run(null, FakeStore.opener())).as(out.toString()).isTrue();
        assertThat(out.toString())
                .contains("Loaded 1,200 objects", "Verified:", "ConcurrentHashMap", "100 %")
                .containsPattern(": (89\\.[5-9]|90\\.[0-5]) % utilised of");
    }

    @Test
    void fillsAGivenCapacityWithFewerObjectsOrWithCopies() throws Exception {
        assertThat(run(4L << 20, FakeStore.opener())).isTrue();
        assertThat(run(32L << 20, FakeStore.opener())).isTrue();
        assertThat(out.toString()).contains("scaled by");
    }

    @Test
    void aDamagedByteFailsTheDemo() throws Exception {
        assertThat(run(4L << 20, FakeStore.damagingOpener(100))).isFalse();
        assertThat(out.toString()).contains("MISMATCH: object/");
    }

    @Test
    void everyByteDependsOnTheGeneration() {
        byte[] source = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
        byte[] stored = new byte[source.length];
        Generation.encode(source, 7, stored);
        assertThat(Generation.mismatch(source, 7, stored, 11)).isEqualTo(-1);
        assertThat(Generation.mismatch(source, 8, stored, 11)).isZero();
        assertThat(Generation.mismatch(source, 7, stored, 10)).isEqualTo(10);
        stored[9] ^= 4;
        assertThat(Generation.mismatch(source, 7, stored, 11)).isEqualTo(9);
    }

    @Test
    void readsTheRuntimesOwnObjects() throws Exception {
        var jdk = new JdkObjects();
        ObjectSource.Listing object = jdk.list().stream()
                .filter(o -> o.name().endsWith("java/lang/Object.class"))
                .findFirst()
                .orElseThrow();
        assertThat(jdk.read(object.name())).hasSize((int) object.bytes()).startsWith(0xCA, 0xFE, 0xBA, 0xBE);
    }
}
