package io.loam.stress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Runs the jcstress tests in JVMs of their own, each for {@code loam.stress.millis} in each mode of compilation; fails on a forbidden outcome and on a test that does not
 * run.
 */
class JcstressTest {

    private static final String TESTS = System.getProperty("loam.stress.tests", ".*");
    private static final String MILLIS = System.getProperty("loam.stress.millis", "1000");
    private static final String SPLIT = System.getProperty("loam.stress.split", "true");
    private static final long LIMIT_MINUTES = Long.getLong("loam.stress.minutes", 20);
    private static final Path RESULTS = Path.of(System.getProperty("loam.stress.results", "target/jcstress"));

    @Test
    void noForbiddenOutcome() throws IOException, InterruptedException {
        Files.createDirectories(RESULTS);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "org.openjdk.jcstress.Main"));
        command.addAll(List.of("-t", TESTS, "-f", "1", "-iters", "2", "-time", MILLIS, "-sc", SPLIT));
        command.addAll(List.of("-r", RESULTS.toString()));
        command.addAll(List.of("-jvmArgs", "--enable-native-access=ALL-UNNAMED -Xmx512m"));
        Path log = RESULTS.resolve("log.txt");
        Process process = new ProcessBuilder(command)
                .directory(RESULTS.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String output = Files.readString(log);
        System.out.println(output);
        assertThat(ended)
                .as("jcstress ended within %d minutes; a test that hangs shows as none, see %s", LIMIT_MINUTES, log)
                .isTrue();
        assertThat(process.exitValue()).as("exit of jcstress, see %s", log).isZero();
        assertThat(output).contains("Failed tests: No matches.", "Error tests: No matches.");
    }
}
