package io.loam.server.command;

import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.Push;
import java.util.Arrays;
import java.util.Locale;

/** Clients that are told of every command, as MONITOR asks for. */
public final class Monitors {

    /** Never changed, only replaced. */
    private volatile Session[] sessions = {};

    public synchronized void add(Session session) {
        if (!contains(session)) {
            Session[] more = Arrays.copyOf(sessions, sessions.length + 1);
            more[more.length - 1] = session;
            sessions = more;
        }
    }

    public synchronized void remove(Session session) {
        if (contains(session)) {
            sessions = Arrays.stream(sessions).filter(each -> each != session).toArray(Session[]::new);
        }
    }

    public boolean contains(Session session) {
        return Arrays.stream(sessions).anyMatch(each -> each == session);
    }

    public boolean isEmpty() {
        return sessions.length == 0;
    }

    /** Tells of a command that has run. */
    public void tell(Session session, Command command, Arguments arguments) {
        Session[] told = sessions;
        if (told.length == 0 || command.is(Flag.SKIP_MONITOR) || command.is(Flag.ADMIN)) {
            return;
        }
        Push line = Push.line(this, line(session, command, arguments));
        for (Session each : told) {
            each.link().push(line);
        }
    }

    private static String line(Session session, Command command, Arguments arguments) {
        long micros = session.service().nowMillis() * 1000;
        StringBuilder line = new StringBuilder(64)
                .append(micros / 1_000_000)
                .append('.')
                .append(String.format(Locale.ROOT, "%06d", micros % 1_000_000))
                .append(" [")
                .append(session.databaseNumber())
                .append(' ')
                .append(session.link().remoteAddress())
                .append(']');
        int secret = secrets(command, arguments);
        for (int i = 0; i < arguments.count(); i++) {
            if (i >= secret && i < secret + 2) {
                line.append(" \"(redacted)\"");
            } else {
                quote(line.append(' '), arguments.bytes(i));
            }
        }
        return line.toString();
    }

    /** Where a user's name and password begin. */
    private static int secrets(Command command, Arguments arguments) {
        if (command.name().equals("auth")) {
            return 1;
        }
        if (command.name().equals("hello")) {
            for (int i = 2; i < arguments.count(); i++) {
                if (arguments.is(i, "auth")) {
                    return i + 1;
                }
            }
        }
        return Integer.MAX_VALUE;
    }

    private static void quote(StringBuilder to, byte[] bytes) {
        to.append('"');
        for (byte each : bytes) {
            switch (each) {
                case '\\', '"' -> to.append('\\').append((char) each);
                case '\n' -> to.append("\\n");
                case '\r' -> to.append("\\r");
                case '\t' -> to.append("\\t");
                case 7 -> to.append("\\a");
                case '\b' -> to.append("\\b");
                default -> {
                    if (each >= ' ' && each <= '~') {
                        to.append((char) each);
                    } else {
                        to.append(String.format(Locale.ROOT, "\\x%02x", each & 0xFF));
                    }
                }
            }
        }
        to.append('"');
    }
}
