package io.loam.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Certificates made for a test, by the JDK's keytool: each signs itself. */
final class Certificates {

    private static final char[] PASSWORD = "changeit".toCharArray();

    private final KeyStore store;
    private final Path directory;
    private final String name;

    private Certificates(KeyStore store, Path directory, String name) {
        this.store = store;
        this.directory = directory;
        this.name = name;
    }

    static Certificates make(Path directory, String name) throws Exception {
        Path file = directory.resolve(name + ".p12");
        run(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-ext",
                "bc=ca:true",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD));
        return new Certificates(KeyStore.getInstance(file.toFile(), PASSWORD), directory, name);
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + output);
        }
    }

    /** The certificate as a PEM file. */
    Path certificate() throws Exception {
        return pem("crt", "CERTIFICATE", store.getCertificate(name).getEncoded());
    }

    /** The private key as a PEM file. */
    Path key() throws Exception {
        return pem("key", "PRIVATE KEY", store.getKey(name, PASSWORD).getEncoded());
    }

    private Path pem(String suffix, String what, byte[] bytes) throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add("-----BEGIN " + what + "-----");
        lines.addAll(Arrays.asList(Base64.getMimeEncoder().encodeToString(bytes).split("\r\n")));
        lines.add("-----END " + what + "-----");
        return Files.write(directory.resolve(name + "." + suffix), lines);
    }

    /** TLS of a client that trusts these and shows the others, or none. */
    SSLContext client(@Nullable Certificates own) throws GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        try {
            trusted.load(null, null);
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
        trusted.setCertificateEntry("server", store.getCertificate(name));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own == null ? null : own.store, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
