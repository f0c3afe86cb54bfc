package io.loam.cli.demo;

import io.loam.cli.ByteSize;
import io.loam.cli.Failure;
import io.loam.cli.Screen;
import io.loam.cli.StoreOpener;
import io.loam.cli.UpdatePolicyName;
import io.loam.store.UpdatePolicy;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code loam demo}. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Loads every class and resource of the running JDK into a store at 90 %% utilisation, overwrites, deletes and re-inserts"
                    + " them several times over, verifies every byte, and shows the memory."
        })
public final class DemoCommand implements Callable<Integer> {
    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--capacity",
            paramLabel = "SIZE",
            description =
                    "Of the store, as 64m or 1g; as many objects or copies as fill it. Default: fits all objects.")
    @Nullable
    ByteSize capacity;

    @Option(names = "--threads", paramLabel = "N", description = "That write. Default: twice the CPUs, 2 to 16.")
    int threads = Math.clamp(2L * Runtime.getRuntime().availableProcessors(), 2, 16);

    @Option(names = "--turnover", paramLabel = "X", description = "Write this many times the capacity. Default: 5.")
    @Nullable
    Double turnover;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "Write for this long; with --turnover, what comes first.")
    @Nullable
    Double seconds;

    @Option(
            names = "--update",
            paramLabel = "POLICY",
            converter = UpdatePolicyName.class,
            description = "append or in-place. Default: append.")
    UpdatePolicy update = UpdatePolicy.APPEND;

    @Option(names = "--no-color", description = "No colours; NO_COLOR in the environment does the same.")
    boolean noColour;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        Screen screen = Screen.of(System.out, !noColour);
        try {
            return new Demo(options(), new JdkObjects(), StoreOpener.ENGINE, screen, out).run() ? 0 : 1;
        } catch (OutOfMemoryError e) {
            spec.commandLine().getErr().println("loam: " + Failure.describe(e));
            return 1;
        }
    }

    private DemoOptions options() {
        double times = turnover != null ? turnover : seconds != null ? Double.MAX_VALUE : 5;
        double time = seconds != null ? seconds : Double.MAX_VALUE;
        try {
            return new DemoOptions(capacity == null ? null : capacity.bytes(), threads, times, time, update);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), Failure.describe(e), e);
        }
    }
}
