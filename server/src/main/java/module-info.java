/** The Redis protocol over log-structured memory. */
module io.loam.server {
    requires transitive io.loam.store;
    requires transitive micrometer.core;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires io.netty.transport.classes.io_uring;
    requires jdk.httpserver;
    requires jdk.jfr;
    requires jdk.net;
    requires micrometer.registry.prometheus;
    requires io.prometheus.metrics.model;
    requires static transitive org.jspecify;

    exports io.loam.server;
}
