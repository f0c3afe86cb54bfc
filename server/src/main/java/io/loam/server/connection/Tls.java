package io.loam.server.connection;

import io.loam.server.ConfigFile;
import io.loam.server.ServerOptions;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLException;

/** TLS of new connections, by the Java platform. When a setting changes, the files are read again; connections that are there keep what they have. */
final class Tls {

    private static final List<String> SETTINGS = List.of(
            "tls-cert-file",
            "tls-key-file",
            "tls-key-file-pass",
            "tls-ca-cert-file",
            "tls-auth-clients",
            "tls-protocols");
    /** Names as the Java platform has them. */
    private static final Map<String, String> PROTOCOLS = Map.of("tlsv1.2", "TLSv1.2", "tlsv1.3", "TLSv1.3");

    private volatile SslContext context;

    /** @throws IllegalArgumentException if a file is missing, can't be read, or does not hold what it should */
    Tls(ServerOptions options) {
        context = read(options);
        SETTINGS.forEach(name -> options.onChange(name, changed -> context = read(changed)));
    }

    SslHandler newHandler(ByteBufAllocator allocator) {
        return context.newHandler(allocator);
    }

    private static SslContext read(ServerOptions options) {
        File certificate = file("tls-cert-file", options.tlsCertificate());
        File key = file("tls-key-file", options.tlsKey());
        String password = options.tlsKeyPassword();
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(
                            certificate, key, password.isEmpty() ? null : password)
                    .sslProvider(SslProvider.JDK)
                    .clientAuth(clients(options));
            if (!options.tlsClients().equals("no")) {
                builder.trustManager(file("tls-ca-cert-file", options.tlsAuthority()));
            }
            if (!options.tlsProtocols().isBlank()) {
                builder.protocols(Arrays.stream(options.tlsProtocols().strip().split("\\s+"))
                        .map(word -> PROTOCOLS.getOrDefault(word.toLowerCase(Locale.ROOT), word))
                        .toList());
            }
            return builder.build();
        } catch (IllegalArgumentException | SSLException e) {
            throw new IllegalArgumentException(
                    "TLS: the certificate " + certificate + " or the key " + key
                            + " can't be used: " + innermost(e)
                            + " (the key has to be in PKCS #8: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW)",
                    e);
        }
    }

    private static String innermost(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }

    private static ClientAuth clients(ServerOptions options) {
        return switch (options.tlsClients()) {
            case "no" -> ClientAuth.NONE;
            case "optional" -> ClientAuth.OPTIONAL;
            default -> ClientAuth.REQUIRE;
        };
    }

    private static File file(String setting, String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("tls-port needs " + setting
                    + (setting.equals("tls-ca-cert-file") ? ", or tls-auth-clients no" : ""));
        }
        File file = ConfigFile.path(text).toFile();
        if (!file.canRead()) {
            throw new IllegalArgumentException(setting + ": the file " + file + " can't be read");
        }
        return file;
    }
}
