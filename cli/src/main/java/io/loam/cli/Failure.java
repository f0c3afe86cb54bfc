package io.loam.cli;

import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** What went wrong, in one line for a person. */
public final class Failure {
    private Failure() {}

    public static String describe(Throwable failure) {
        String message = failure.getMessage();
        String text = switch (failure) {
            case NoSuchFileException ignored -> "no such file: " + message;
            case AccessDeniedException ignored -> "no permission: " + message;
            case OutOfMemoryError ignored ->
                "the Java heap (at most "
                        + ByteSize.format(Runtime.getRuntime().maxMemory())
                        + ") is too small; raise it with -Xmx, or use a smaller --capacity";
            default -> message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
        };
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
