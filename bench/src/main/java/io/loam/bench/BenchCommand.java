package io.loam.bench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bin/loam bench}: measures Loam beside its peers. Exit codes: 0, 1 if a system under test failed, 2 for bad input. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures Loam beside its peers, each system in a JVM of its own with the flags it is best with.",
        footer = {
            "",
            "Peers other than chm and chm-copy are built apart: " + Peers.BUILD_COMMAND,
            "With --format json the last line is one object with every parameter and figure.",
        },
        subcommands = {
            YcsbCommand.class,
            FragmentationCommand.class,
            PostmarkCommand.class,
            CompactionCommand.class,
            EvictionCommand.class,
            GrowthCommand.class,
            ScanCommand.class,
            LatencyCommand.class,
            HeapBenchCommand.class,
            ServerBenchCommand.class,
            LimitCommand.class,
            SwitchCommand.class,
            MappingCommand.class,
            GupsCommand.class,
            AlignmentsCommand.class,
            SharedStoreCommand.class,
            MicroCommand.class,
            ReportCommand.class,
        })
public final class BenchCommand implements Runnable {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "what to measure? one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    /** For use without the command line module. */
    public static void main(String[] arguments) {
        System.exit(new picocli.CommandLine(new BenchCommand()).execute(arguments));
    }
}
