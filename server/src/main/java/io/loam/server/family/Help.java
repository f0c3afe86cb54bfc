package io.loam.server.family;

import io.loam.server.protocol.Reply;

/** What HELP subcommands reply. */
final class Help {

    private Help() {}

    /** Writes the lines, and those on HELP itself. */
    static void write(Reply reply, String... lines) {
        reply.array(lines.length + 2L);
        for (String line : lines) {
            reply.status(line);
        }
        reply.status("HELP");
        reply.status("    Prints this help.");
    }
}
