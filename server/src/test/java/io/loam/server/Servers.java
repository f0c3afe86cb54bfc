package io.loam.server;

import io.loam.server.differential.RespClient;
import java.io.IOException;
import java.net.BindException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The servers of one test and their clients; closed after it, the last first. */
public final class Servers implements AfterEachCallback {

    private final List<AutoCloseable> opened = new ArrayList<>();

    /** A server at a free port with 64 MB, and with settings given as names and values in turn. */
    public LoamServer start(String... settings) throws BindException {
        return start(InstantSource.system(), settings);
    }

    /** As {@link #start(String...)}, by a clock. */
    public LoamServer start(InstantSource clock, String... settings) throws BindException {
        ServerOptions options = new ServerOptions().set("port", "0").set("maxmemory", "64mb");
        for (int i = 0; i < settings.length; i += 2) {
            options.set(settings[i], settings[i + 1]);
        }
        LoamServer server = LoamServer.start(options, clock);
        opened.add(server);
        return server;
    }

    public RespClient connect(LoamServer server) throws IOException {
        RespClient client = new RespClient(server.port());
        opened.add(client);
        return client;
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }
}
