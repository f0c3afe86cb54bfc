package io.loam.cli;

import io.loam.bench.BenchCommand;
import io.loam.cli.demo.DemoCommand;
import io.loam.cli.heap.HeapCommand;
import io.loam.cli.serve.ServeCommand;
import io.loam.cli.shell.ShellCommand;
import io.loam.cli.space.SpaceCommand;
import io.loam.cli.top.TopCommand;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
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
        versionProvider = Version.class)
public final class Main implements Runnable {

    /** In the order of the help. */
    private static final List<Class<?>> COMMANDS = List.of(
            ServeCommand.class,
            TopCommand.class,
            DemoCommand.class,
            ShellCommand.class,
            SpaceCommand.class,
            HeapCommand.class,
            BenchCommand.class,
            StartUpCommand.class,
            CommandLine.HelpCommand.class);

    @Spec
    CommandSpec spec = CommandSpec.create();

    public static void main(String[] arguments) {
        System.exit(commandLine(arguments).execute(arguments));
    }

    /**
     * The command that the first argument names, or all of them if it names none: to read the annotations of all takes as long as to
     * start a server.
     */
    static CommandLine commandLine(String... arguments) {
        CommandLine commands = new CommandLine(new Main());
        Optional<Class<?>> named = COMMANDS.stream()
                .filter(command -> arguments.length > 0 && nameOf(command).equals(arguments[0]))
                .findFirst();
        named.filter(command -> command != CommandLine.HelpCommand.class)
                .map(List::<Class<?>>of)
                .orElse(COMMANDS)
                .forEach(commands::addSubcommand);
        return commands.registerConverter(ByteSize.class, ByteSize::parse)
                .setExecutionExceptionHandler((failure, command, ignored) -> report(failure, command.getErr()));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "which command?");
    }

    private static String nameOf(Class<?> command) {
        return command.getAnnotation(Command.class).name();
    }

    private static int report(Exception failure, PrintWriter errors) {
        errors.println("loam: " + Failure.describe(failure));
        errors.flush();
        return CommandLine.ExitCode.SOFTWARE;
    }
}
