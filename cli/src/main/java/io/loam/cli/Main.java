package io.loam.cli;

import io.loam.bench.BenchCommand;
import io.loam.cli.demo.DemoCommand;
import io.loam.cli.heap.HeapCommand;
import io.loam.cli.serve.ServeCommand;
import io.loam.cli.shell.ShellCommand;
import io.loam.cli.space.SpaceCommand;
import io.loam.cli.top.TopCommand;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code loam} command. */
@Command(
        name = "loam",
        description = "Log-structured memory for the JVM.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            ServeCommand.class,
            TopCommand.class,
            DemoCommand.class,
            ShellCommand.class,
            SpaceCommand.class,
            HeapCommand.class,
            BenchCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Main implements Runnable {

    @Spec
    CommandSpec spec = CommandSpec.create();

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    /** The whole command tree; commands of other modules are added here. */
    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .registerConverter(ByteSize.class, ByteSize::parse)
                .setExecutionExceptionHandler((failure, command, ignored) -> report(failure, command.getErr()));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "which command?");
    }

    private static int report(Exception failure, PrintWriter errors) {
        errors.println("loam: " + Failure.describe(failure));
        errors.flush();
        return CommandLine.ExitCode.SOFTWARE;
    }
}
