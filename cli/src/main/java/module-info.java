/** The command line: runs the store on real data, opens an interactive one, and shows what the memory holds. */
module io.loam.cli {
    requires io.loam.bench;
    requires io.loam.heap;
    requires io.loam.memory;
    requires io.loam.server;
    requires io.loam.store;
    requires io.netty.handler;
    requires java.logging;
    requires java.management;
    requires info.picocli;
    requires static org.jspecify;

    opens io.loam.cli to
            info.picocli;
    opens io.loam.cli.demo to
            info.picocli;
    opens io.loam.cli.heap to
            info.picocli;
    opens io.loam.cli.serve to
            info.picocli;
    opens io.loam.cli.shell to
            info.picocli;
    opens io.loam.cli.space to
            info.picocli;
    opens io.loam.cli.top to
            info.picocli;
}
