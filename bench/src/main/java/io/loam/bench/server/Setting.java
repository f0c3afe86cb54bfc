package io.loam.bench.server;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/**
 * What every experiment is told.
 *
 * @param memoryBytes each server's budget
 * @param rounds how often each system is measured, in turn with the others
 * @param progress where to tell how it goes
 */
public record Setting(List<ServerSystem> systems, Cores cores, long memoryBytes, int rounds, PrintWriter progress) {

    /** Which CPUs are whose, as taskset writes them. */
    public enum Cores {
        /** One for the server, one for the generator. */
        SPLIT("0", "1"),
        /** Both for both. */
        SHARED("0,1", "0,1");

        final String server;
        final String generator;

        Cores(String server, String generator) {
            this.server = server;
            this.generator = generator;
        }
    }

    ServerProcess start(ServerSystem system) {
        return ServerProcess.start(system, memoryBytes, cores.server);
    }

    void tell(String format, Object... arguments) {
        progress.println(String.format(Locale.ROOT, format, arguments));
        progress.flush();
    }
}
