package io.loam.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code bench micro}: runs JMH in a JVM of its own. */
@Command(
        name = "micro",
        description = "JMH microbenchmarks: index probe, epoch pin, GET, batch GET, append, PUT.",
        footer = {
            "",
            "Arguments go to JMH as they are, such as: get -p valueBytes=100 -wi 1 -i 3. Built by: "
                    + Peers.BUILD_COMMAND
        })
final class MicroCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--help", usageHelp = true, description = "Shows this help.")
    private boolean help;

    /** Everything, in its order. */
    @Unmatched
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        try {
            Path libraries = Peers.libraries("micro");
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            // JMH is no module and forks JVMs by class path: so the store goes there, too.
            String modules = System.getProperty("jdk.module.path", "");
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
            command.addAll(List.of(
                    "-cp",
                    libraries + File.separator + "*" + File.pathSeparator + classPath(modules),
                    "org.openjdk.jmh.Main"));
            command.addAll(arguments);
            return new ProcessBuilder(command).inheritIO().start().waitFor();
        } catch (BadInput e) {
            spec.commandLine().getErr().println("loam bench micro: " + e.getMessage());
            return 2;
        }
    }

    /** The module path's jars: a directory of jars on a module path is that directory's {@code *} on a class path. */
    static String classPath(String modules) {
        if (modules.isEmpty()) {
            throw new BadInput(
                    "microbenchmarks need the jars, and this is a runtime image; run bin/loam with a JDK instead");
        }
        List<String> entries = new ArrayList<>();
        for (String entry : modules.split(File.pathSeparator)) {
            boolean classes = !new File(entry).isDirectory() || new File(entry, "module-info.class").exists();
            entries.add(classes ? entry : entry + File.separator + "*");
        }
        return String.join(File.pathSeparator, entries);
    }
}
