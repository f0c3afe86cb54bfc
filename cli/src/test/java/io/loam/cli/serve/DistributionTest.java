package io.loam.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.cli.ByteSize;
import io.loam.server.ServerOptions;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What is installed names what is there: the container's description and the systemd unit, against the sources and what bin/loam-image makes of them. */
final class DistributionTest {

    private static final Path ROOT = Path.of("..");
    /** Where both put the runtime image, and what bin/loam-image puts into it beside the runtime. */
    private static final String INSTALLED = "/opt/loam/";

    private static String read(String file) throws IOException {
        return Files.readString(ROOT.resolve(file));
    }

    /** What a pattern's first group matches, each time. */
    private static List<String> all(String pattern, String text) {
        return Pattern.compile(pattern, Pattern.MULTILINE)
                .matcher(text)
                .results()
                .map((MatchResult match) -> match.group(1))
                .toList();
    }

    @Test
    void theContainerIsMadeOfWhatIsThere() throws IOException {
        String container = read("dist/Containerfile");
        List<String> ignored = read(".dockerignore")
                .lines()
                .filter(line -> !line.startsWith("#"))
                .toList();
        List<String> copied = all("^COPY (?!--)(\\S+) ", container);
        assertThat(copied).contains(".", "dist/loam.conf");
        for (String source : Stream.concat(
                        copied.stream(), Stream.of("bin/loam-image", "pom.xml", "dist/pom.xml", "LICENSE"))
                .toList()) {
            assertThat(ROOT.resolve(source)).exists();
            assertThat(ignored)
                    .noneMatch(pattern -> FileSystems.getDefault()
                            .getPathMatcher("glob:" + pattern)
                            .matches(Path.of(source)));
        }
        assertThat(all("^RUN (bin/\\S+)$", container)).containsExactly("bin/loam-image");
        assertThat(all("^COPY --from=build /loam/(\\S+) ", container)).containsExactly("build/image");
        assertThat(read("bin/launcher.sh")).contains("\nimage=$root/build/image\n");
    }

    /** The settings of the container and of the unit are taken as they stand. */
    @ParameterizedTest
    @ValueSource(strings = {"dist/Containerfile", "dist/systemd/loam.service"})
    void theServerStarts(String file) throws IOException {
        List<String> words = all("^(?:ENTRYPOINT|ExecStart=)(.*)$", read(file)).stream()
                .flatMap(line ->
                        Stream.of(line.replaceAll("[\\[\\]\",]", " ").strip().split("\\s+")))
                .toList();
        assertThat(words).startsWith(INSTALLED + "bin/loam", "serve", "--config", "/etc/loam/loam.conf");
        assertThat(read("bin/loam-image")).contains("--launcher \"loam=");
        ServeCommand command = new ServeCommand();
        new CommandLine(command)
                .registerConverter(ByteSize.class, ByteSize::parse)
                .parseArgs(words.subList(2, words.size()).stream()
                        .map(word -> word.replace("/etc/loam/", ROOT.resolve("dist") + "/"))
                        .toArray(String[]::new));
        ServerOptions options = command.options();
        assertThat(options.bind()).isEqualTo(words.contains("*") ? "*" : "127.0.0.1 -::1");
        assertThat(options.port()).isEqualTo(6379);
    }

    @Test
    void theUnitsDocumentsAreInTheImage() throws IOException {
        List<String> documents =
                all("^Documentation=file://" + INSTALLED + "(\\S+)$", read("dist/systemd/loam.service"));
        assertThat(documents).isNotEmpty();
        String made =
                all("^cp (.*) \"\\$image.new/docs\"$", read("bin/loam-image")).getFirst();
        for (String document : documents) {
            assertThat(made).contains("\"$root/" + document + "\"");
            assertThat(ROOT.resolve(document)).exists();
        }
    }
}
