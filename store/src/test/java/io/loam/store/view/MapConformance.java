package io.loam.store.view;

import com.google.common.collect.testing.ConcurrentMapTestSuiteBuilder;
import com.google.common.collect.testing.TestStringMapGenerator;
import com.google.common.collect.testing.features.CollectionFeature;
import com.google.common.collect.testing.features.CollectionSize;
import com.google.common.collect.testing.features.MapFeature;
import io.loam.store.Codec;
import io.loam.store.Store;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import junit.framework.AssertionFailedError;
import junit.framework.TestCase;
import junit.framework.TestFailure;
import junit.framework.TestResult;
import junit.framework.TestSuite;
import org.junit.jupiter.api.DynamicTest;

/** guava-testlib's suite for concurrent maps over views of stores: each of its JUnit 3 tests as a dynamic test, with stores of its own. */
public final class MapConformance {

    private final Supplier<Store> stores;
    private final List<Store> opened = new ArrayList<>();

    private MapConformance(Supplier<Store> stores) {
        this.stores = stores;
    }

    /** For a method annotated TestFactory; {@code stores} opens an empty store, which is closed after the test. */
    public static Stream<DynamicTest> tests(String name, Supplier<Store> stores) {
        MapConformance conformance = new MapConformance(stores);
        return leaves(conformance.suite(name))
                .map(test -> DynamicTest.dynamicTest(test.toString(), () -> conformance.run(test)));
    }

    private TestSuite suite(String name) {
        return ConcurrentMapTestSuiteBuilder.using(new TestStringMapGenerator() {
                    @Override
                    protected Map<String, String> create(Map.Entry<String, String>[] entries) {
                        Map<String, String> map = new MapView<>(open(), Codec.STRING, Codec.STRING);
                        for (Map.Entry<String, String> each : entries) {
                            map.put(each.getKey(), each.getValue());
                        }
                        return map;
                    }
                })
                .named(name)
                .withFeatures(
                        CollectionSize.ANY, MapFeature.GENERAL_PURPOSE, CollectionFeature.SUPPORTS_ITERATOR_REMOVE)
                .createTestSuite();
    }

    private Store open() {
        Store store = stores.get();
        opened.add(store);
        return store;
    }

    private static Stream<TestCase> leaves(junit.framework.Test test) {
        return test instanceof TestSuite suite
                ? Collections.list(suite.tests()).stream().flatMap(MapConformance::leaves)
                : Stream.of((TestCase) test);
    }

    private void run(TestCase test) throws Throwable {
        TestResult result = new TestResult();
        try {
            test.run(result);
        } finally {
            opened.forEach(Store::close);
            opened.clear();
        }
        List<TestFailure> failures = new ArrayList<>(Collections.list(result.errors()));
        failures.addAll(Collections.list(result.failures()));
        if (!failures.isEmpty()) {
            throw failures.getFirst().thrownException();
        }
        if (result.runCount() != 1) {
            throw new AssertionFailedError(test + " did not run");
        }
    }
}
