package io.loam.cli.shell;

import io.loam.cli.ByteSize;
import io.loam.cli.Screen;
import io.loam.cli.StoreOpener;
import io.loam.cli.StoreSettings;
import io.loam.cli.UpdatePolicyName;
import io.loam.store.FullPolicy;
import io.loam.store.Store;
import io.loam.store.UpdatePolicy;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code loam shell}. */
@Command(
        name = "shell",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Opens an interactive store; reads commands from standard input, one a line.")
public final class ShellCommand implements Callable<Integer> {
    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(names = "--capacity", paramLabel = "SIZE", description = "Of the store, as 64m or 1g. Default: 64m.")
    ByteSize capacity = new ByteSize(64L << 20);

    @Option(
            names = "--update",
            paramLabel = "POLICY",
            converter = UpdatePolicyName.class,
            description = "append or in-place. Default: append.")
    UpdatePolicy update = UpdatePolicy.APPEND;

    @Option(names = "--evict", description = "Drop cold entries when full, instead of refusing writes.")
    boolean evict;

    @Option(
            names = "--region",
            paramLabel = "PATH",
            description = {
                "Attach the store that other processes have there, or create it, as in /dev/shm/loam-USER/NAME.",
                "Default: a store of this process alone."
            })
    @Nullable
    Path region;

    @Option(names = "--strict", description = "Stop with exit code 1 at the first error.")
    boolean strict;

    @Option(names = "--no-color", description = "No colours; NO_COLOR in the environment does the same.")
    boolean noColour;

    @Override
    public Integer call() throws Exception {
        Screen screen = Screen.of(System.out, !noColour);
        PrintWriter out = spec.commandLine().getOut();
        var settings =
                new StoreSettings(capacity.bytes(), update, evict ? FullPolicy.EVICT : FullPolicy.REJECT, region);
        try (Store store = StoreOpener.ENGINE.open(settings)) {
            var shell = new Shell(new Session(store, screen, out), out, screen.live(), strict);
            return shell.run(new BufferedReader(new InputStreamReader(System.in, inputCharset()))) ? 0 : 1;
        }
    }

    private static Charset inputCharset() {
        return Charset.forName(
                System.getProperty("stdin.encoding", StandardCharsets.UTF_8.name()), StandardCharsets.UTF_8);
    }
}
