package io.loam.bench.server;

import io.loam.bench.WorkerFailure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Counts the replies in what a connection received, whose pieces may end anywhere. One for each connection. */
abstract sealed class ReplyReader {

    /** Bytes of a value, with the end of its line, that are still to come. */
    private long toSkip;

    private long errors;
    private long misses;
    private @Nullable String firstError;

    /**
     * Consumes all of {@code in} but the beginning of an unfinished line.
     *
     * @return how many replies ended
     */
    final int read(ByteBuffer in) {
        int replies = 0;
        while (true) {
            if (toSkip > 0) {
                int skipped = (int) Math.min(toSkip, in.remaining());
                in.position(in.position() + skipped);
                toSkip -= skipped;
                if (toSkip > 0) {
                    return replies;
                }
                replies += valueEndsReply() ? 1 : 0;
            }
            int end = lineEnd(in);
            if (end < 0) {
                return replies;
            }
            replies += line(in, in.position(), end);
            in.position(end + 2);
        }
    }

    final long errors() {
        return errors;
    }

    /** Keys that were not there. */
    final long misses() {
        return misses;
    }

    final @Nullable String firstError() {
        return firstError;
    }

    /** The line from {@code from} to {@code end}, without its end. Returns 1 if a reply ends with it, else 0. */
    abstract int line(ByteBuffer in, int from, int end);

    abstract boolean valueEndsReply();

    final void skipValue(long bytes) {
        toSkip = bytes + 2;
    }

    final void miss() {
        misses++;
    }

    final void error(ByteBuffer in, int from, int end) {
        errors++;
        if (firstError == null) {
            firstError = text(in, from, end);
        }
    }

    final WorkerFailure unexpected(ByteBuffer in, int from, int end) {
        return new WorkerFailure("the server answered '" + text(in, from, end) + "', which was not expected here");
    }

    static String text(ByteBuffer in, int from, int end) {
        byte[] bytes = new byte[Math.min(end - from, 200)];
        in.get(from, bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** The decimal number in these bytes. */
    static long number(ByteBuffer in, int from, int end) {
        boolean negative = in.get(from) == '-';
        long number = 0;
        for (int at = negative ? from + 1 : from; at < end; at++) {
            number = number * 10 + in.get(at) - '0';
        }
        return negative ? -number : number;
    }

    /** Where the next line ends: the place of its CR; -1 if that has not come yet. */
    private static int lineEnd(ByteBuffer in) {
        for (int at = in.position() + 1; at < in.limit(); at++) {
            if (in.get(at) == '\n') {
                return at - 1;
            }
        }
        return -1;
    }

    static final class Resp extends ReplyReader {
        @Override
        int line(ByteBuffer in, int from, int end) {
            switch (in.get(from)) {
                case '+', ':' -> {
                    return 1;
                }
                case '-' -> {
                    error(in, from, end);
                    return 1;
                }
                case '$' -> {
                    long bytes = number(in, from + 1, end);
                    if (bytes < 0) {
                        miss();
                        return 1;
                    }
                    skipValue(bytes);
                    return 0;
                }
                default -> throw unexpected(in, from, end);
            }
        }

        @Override
        boolean valueEndsReply() {
            return true;
        }
    }

    static final class Memcached extends ReplyReader {

        private boolean found;

        @Override
        int line(ByteBuffer in, int from, int end) {
            switch (in.get(from)) {
                case 'V' -> { // VALUE key flags bytes; or VERSION
                    if (in.get(from + 1) == 'E') {
                        return 1;
                    }
                    int blank = end;
                    while (in.get(blank - 1) != ' ') {
                        blank--;
                    }
                    skipValue(number(in, blank, end));
                    found = true;
                    return 0;
                }
                case 'E' -> { // END; or ERROR
                    if (in.get(from + 1) == 'R') {
                        error(in, from, end);
                    } else if (!found) {
                        miss();
                    }
                    found = false;
                }
                case 'N' -> miss(); // NOT_FOUND; NOT_STORED does not answer a set
                case 'C' -> error(in, from, end); // CLIENT_ERROR
                case 'S' -> { // STORED; or SERVER_ERROR
                    if (in.get(from + 1) == 'E') {
                        error(in, from, end);
                    }
                }
                case 'D' -> {} // DELETED
                default -> throw unexpected(in, from, end);
            }
            return 1;
        }

        @Override
        boolean valueEndsReply() {
            return false;
        }
    }
}
