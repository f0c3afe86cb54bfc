package io.loam.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
    private final StringWriter out = new StringWriter();

    private int run(String... arguments) {
        CommandLine commands =
                Main.commandLine(arguments).setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
        return commands.execute(arguments);
    }

    @Test
    void saysItsVersion() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).matches("loam \\d.*\\R");
    }

    @Test
    void helpListsTheCommands() {
        assertThat(run("help")).isZero();
        assertThat(out.toString()).contains("demo", "shell").doesNotContain("start-up");
    }

    @Test
    void helpKnowsEachCommand() {
        assertThat(run("help", "serve")).isZero();
        assertThat(out.toString()).contains("Usage: loam serve", "--memory");
    }

    @Test
    void startUpServesOnceAndEnds() {
        assertThat(run("start-up")).isZero();
    }

    @Test
    void unknownCommandIsAUsageError() {
        assertThat(run("dmeo")).isEqualTo(2);
        assertThat(out.toString()).contains("dmeo");
    }

    @Test
    void badOptionsAreUsageErrors() {
        assertThat(run("demo", "--capacity", "64x")).isEqualTo(2);
        assertThat(out.toString()).contains("'64x' is not a size");
        assertThat(run("demo", "--update", "sideways")).isEqualTo(2);
        assertThat(run("demo", "--threads", "0")).isEqualTo(2);
    }
}
