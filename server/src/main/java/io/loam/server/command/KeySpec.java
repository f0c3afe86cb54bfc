package io.loam.server.command;

import io.loam.server.protocol.Arguments;
import java.util.Arrays;
import java.util.List;

/**
 * Where some keys of a command are.
 *
 * @param flags what is done to them, as COMMAND says it: one of RO, RW, OW, RM, then access, update, insert, delete
 * @param first the first one's number
 * @param last the last one's, from the first one on, or, below 0, from the end
 * @param step from one to the next
 */
public record KeySpec(List<String> flags, int first, int last, int step) {

    static KeySpec of(String flags, int first, int last, int step) {
        return new KeySpec(Arrays.asList(flags.split(" ")), first, last, step);
    }

    /** The number of the last argument that is a key, at most. */
    public int end(Arguments arguments) {
        return last < 0 ? arguments.count() + last : Math.min(first + last, arguments.count() - 1);
    }
}
