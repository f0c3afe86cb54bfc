package io.loam.memory.region;

import io.loam.memory.MemoryException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/** A region, an address space or their registry can't do what was asked; the state before the call is kept. */
public final class RegionException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What kind of refusal it is, for programs. */
    public enum Reason {
        EXISTS,
        NOT_FOUND,
        /** Permissions of a file or directory forbid it. */
        DENIED,
        /** The file system or the machine's memory is full, or a table is. */
        NO_SPACE,
        /** Something else is mapped at the region's base. */
        BASE_TAKEN,
        /** Two regions of one address space have addresses in common. */
        OVERLAP,
        /** A thread is inside, or a process attached. */
        BUSY,
        NOT_ATTACHED,
        TIMEOUT,
        /** Waiting could last for ever: the caller itself holds a lock that comes later in the order, or the same one. */
        WOULD_DEADLOCK,
        /** A file does not hold what its place promises. */
        CORRUPT,
        /** Written by another version of Loam. */
        VERSION,
        /** The system refused for another reason. */
        SYSTEM
    }

    private final Reason reason;

    public RegionException(Reason reason, String message) {
        this(reason, message, null);
    }

    public RegionException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** {@code what} was being done when the system refused. */
    public static RegionException of(String what, MemoryException cause) {
        Reason reason = switch (cause.errno()) {
            case 1, 13, 30 -> Reason.DENIED;
            case 2 -> Reason.NOT_FOUND;
            case 12, 23, 24, 28, 122 -> Reason.NO_SPACE;
            case 17 -> Reason.EXISTS;
            default -> Reason.SYSTEM;
        };
        return new RegionException(reason, what + ": " + cause.getMessage(), cause);
    }

    /** {@code what} was being done when the system refused. */
    public static RegionException of(String what, IOException cause) {
        Reason reason;
        if (cause instanceof AccessDeniedException) {
            reason = Reason.DENIED;
        } else if (cause instanceof NoSuchFileException) {
            reason = Reason.NOT_FOUND;
        } else if (cause instanceof FileAlreadyExistsException) {
            reason = Reason.EXISTS;
        } else {
            String why = String.valueOf(cause.getMessage());
            reason = why.contains("No space") || why.contains("quota")
                    ? Reason.NO_SPACE
                    : why.contains("not permitted") ? Reason.DENIED : Reason.SYSTEM;
        }
        return new RegionException(
                reason, what + ": " + cause.getClass().getSimpleName() + ": " + cause.getMessage(), cause);
    }
}
