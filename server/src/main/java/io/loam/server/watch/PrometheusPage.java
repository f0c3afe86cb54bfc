package io.loam.server.watch;

import io.loam.server.command.Service;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/** The page {@code /metrics}: a registry of Micrometer that holds the server's meters alone. Made when it is first asked for, so that a server that nobody scrapes does not load Micrometer. */
final class PrometheusPage implements AutoCloseable {

    static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final ServerMeters meters;

    PrometheusPage(Service service, Figures figures) {
        registry.throwExceptionOnRegistrationFailure();
        meters = ServerMeters.bind(service, figures, registry);
    }

    /** The figures of this moment. */
    String text() {
        meters.renew();
        return registry.scrape(TYPE);
    }

    @Override
    public void close() {
        meters.close();
        registry.close();
    }
}
