package io.loam.server.watch;

import io.loam.server.command.Command;
import io.loam.server.command.Session;
import io.loam.server.protocol.Arguments;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The commands that took longest lately, as SLOWLOG tells them. */
public final class SlowLog {

    private static final int ARGUMENTS = 32;
    private static final int ARGUMENT_BYTES = 128;
    private static final byte[] REDACTED = bytes("(redacted)");

    private final ArrayDeque<Entry> newestFirst = new ArrayDeque<>();
    private long nextId;

    /**
     * A slow command.
     *
     * @param id from 0 on
     * @param arguments the command's name and the first of its arguments, cut short
     * @param client address and port
     */
    public record Entry(
            long id, long atSeconds, long micros, List<byte[]> arguments, String client, String clientName) {}

    void add(Session session, Command command, Arguments arguments, long micros) {
        List<byte[]> kept = kept(command, arguments);
        long now = session.service().nowMillis() / 1000;
        long most = session.service().options().slowLogLength();
        String client = session.link().remoteAddress();
        synchronized (this) {
            newestFirst.addFirst(new Entry(nextId++, now, micros, kept, client, session.clientName()));
            while (newestFirst.size() > most) {
                newestFirst.removeLast();
            }
        }
    }

    private static List<byte[]> kept(Command command, Arguments arguments) {
        int count = Math.min(arguments.count(), ARGUMENTS);
        List<byte[]> kept = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int length = arguments.length(i);
            if (count < arguments.count() && i == count - 1) {
                kept.add(bytes("... (" + (arguments.count() - count + 1) + " more arguments)"));
            } else if (isSecret(command, arguments, i)) {
                kept.add(REDACTED);
            } else if (length > ARGUMENT_BYTES) {
                kept.add(shortened(arguments, i, length));
            } else {
                kept.add(arguments.bytes(i));
            }
        }
        return kept;
    }

    private static byte[] shortened(Arguments arguments, int index, int length) {
        StringBuilder text = new StringBuilder(ARGUMENT_BYTES + 32);
        for (int i = 0; i < ARGUMENT_BYTES; i++) {
            text.append((char) (arguments.at(index, i) & 0xFF));
        }
        return bytes(text.append("... (")
                .append(length - ARGUMENT_BYTES)
                .append(" more bytes)")
                .toString());
    }

    /** Whether an argument is, or may be, a password. */
    private static boolean isSecret(Command command, Arguments arguments, int index) {
        return switch (command.name()) {
            case "auth" -> index >= 1;
            case "hello" ->
                (index >= 2 && arguments.is(index - 1, "auth")) || (index >= 3 && arguments.is(index - 2, "auth"));
            case "acl|setuser" -> index >= 3;
            case "config|set" -> index >= 3 && index % 2 == 1 && isSecretSetting(arguments.text(index - 1));
            default -> false;
        };
    }

    private static boolean isSecretSetting(String name) {
        return name.regionMatches(true, 0, "requirepass", 0, 11)
                || name.regionMatches(true, 0, "masterauth", 0, 10)
                || name.regionMatches(true, 0, "tls-key-file-pass", 0, 17);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The newest entries, newest first. */
    public synchronized List<Entry> newest(long most) {
        return newestFirst.stream().limit(most).toList();
    }

    public synchronized int size() {
        return newestFirst.size();
    }

    public synchronized void clear() {
        newestFirst.clear();
    }
}
