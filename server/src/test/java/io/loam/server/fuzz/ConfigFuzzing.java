package io.loam.server.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.loam.server.ConfigFile;
import io.loam.server.ServerOptions;
import io.loam.server.protocol.InlineRequest;
import io.loam.server.protocol.ProtocolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Configuration files: read, or refused with the file's name and a line; what CONFIG REWRITE makes of one is read as the same settings. */
final class ConfigFuzzing {

    private static Path directory;
    private static Path file;

    @BeforeAll
    static void make() throws IOException {
        directory = Files.createTempDirectory("loam-config");
        file = directory.resolve("loam.conf");
    }

    @AfterAll
    static void remove() throws IOException {
        Files.deleteIfExists(file);
        Files.delete(directory);
    }

    @FuzzTest
    void settings(byte[] data) throws IOException {
        if (new String(data, StandardCharsets.ISO_8859_1).lines().anyMatch(ConfigFuzzing::isInclude)) {
            return; // other files of this machine are none of its business
        }
        Files.write(file, data);
        ServerOptions options = new ServerOptions();
        try {
            options.read(file);
        } catch (IllegalArgumentException refused) {
            assertThat(refused).hasMessageContaining(file + ":");
            return;
        }
        ConfigFile.rewrite(options, List.of());
        ServerOptions again = new ServerOptions();
        again.read(file);
        ServerOptions.all()
                .forEach(each ->
                        assertThat(again.get(each.name())).as(each.name()).isEqualTo(options.get(each.name())));
    }

    private static boolean isInclude(String line) {
        try {
            List<String> words = InlineRequest.words(line.strip());
            return !words.isEmpty() && words.getFirst().equalsIgnoreCase("include");
        } catch (ProtocolException e) {
            return false;
        }
    }
}
