package io.loam.server.command;

import io.loam.server.ServerOptions;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/** One user, {@code default}, with the password of {@code requirepass} or none. */
final class PasswordAuthenticator implements Authenticator {

    private final ServerOptions options;

    PasswordAuthenticator(ServerOptions options) {
        this.options = options;
    }

    @Override
    public boolean isRequired() {
        return !options.requirePass().isEmpty();
    }

    @Override
    public @Nullable String authenticate(String user, byte[] password) {
        // digests, so that neither length nor prefix of the password shows in the time
        byte[] given = digest(password);
        byte[] right = digest(options.requirePass().getBytes(StandardCharsets.ISO_8859_1));
        boolean equal = MessageDigest.isEqual(given, right);
        return user.equals("default") && (equal || !isRequired()) ? user : null;
    }

    private static byte[] digest(byte[] password) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(password);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
