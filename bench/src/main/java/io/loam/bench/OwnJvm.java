package io.loam.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command that starts another JVM with a main class of ours: from the same modules, class path or runtime image as this one. */
public final class OwnJvm {

    private OwnJvm() {}

    /**
     * The command, to which the arguments of {@code main} can be added.
     *
     * @param options of the virtual machine, besides those that deny native and Unsafe access to all but us
     */
    public static List<String> command(Class<?> main, String... options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("--illegal-native-access=deny", "--sun-misc-unsafe-memory-access=deny"));
        if (main.getModule().isNamed()) {
            command.add("--enable-native-access=io.loam.memory");
            String modules = System.getProperty("jdk.module.path", "");
            if (!modules.isEmpty()) { // else a runtime image, which has them
                command.addAll(List.of("-p", modules));
            }
            command.addAll(List.of("-m", main.getModule().getName() + "/" + main.getName()));
        } else {
            command.add("--enable-native-access=ALL-UNNAMED");
            command.addAll(List.of("-cp", System.getProperty("java.class.path", ""), main.getName()));
        }
        return command;
    }
}
