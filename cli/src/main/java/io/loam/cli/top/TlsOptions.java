package io.loam.cli.top;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.io.IOException;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Whether a server is spoken to over TLS, and with which files: named as redis-cli names them. */
final class TlsOptions {

    @Option(names = "--tls", description = "Over TLS; the server's certificate has to name HOST.")
    boolean wanted;

    @Option(
            names = "--cacert",
            paramLabel = "FILE",
            description =
                    "PEM file of who vouches for the server's certificate. Default: whom the Java platform trusts.")
    @Nullable
    File authority;

    @Option(
            names = "--cert",
            paramLabel = "FILE",
            description = "PEM file of the certificate to show, if one is asked for.")
    @Nullable
    File certificate;

    @Option(names = "--key", paramLabel = "FILE", description = "PEM file of its key, in PKCS #8.")
    @Nullable
    File key;

    /** What is wrong with the options together, or null. */
    @Nullable
    String fault() {
        if (!wanted && (authority != null || certificate != null || key != null)) {
            return "--cacert, --cert and --key need --tls";
        }
        return (certificate == null) == (key == null) ? null : "--cert and --key need each other";
    }

    /** Makes sockets of TLS; null: they are to be plain. */
    @Nullable
    SSLSocketFactory sockets() throws IOException {
        if (!wanted) {
            return null;
        }
        SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
        try {
            if (authority != null) {
                builder.trustManager(readable(authority));
            }
            if (certificate != null && key != null) {
                builder.keyManager(readable(certificate), readable(key));
            }
            return ((JdkSslContext) builder.build()).context().getSocketFactory();
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "TLS: " + e.getMessage() + ": " + e.getCause() + "; files have to be PEM, the key PKCS #8", e);
        }
    }

    private static File readable(File file) throws IOException {
        if (!file.canRead()) {
            throw new IOException("TLS: the file " + file + " can't be read");
        }
        return file;
    }
}
