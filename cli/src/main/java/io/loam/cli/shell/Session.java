package io.loam.cli.shell;

import io.loam.cli.Screen;
import io.loam.store.Namespace;
import io.loam.store.Store;
import java.io.PrintWriter;
import java.util.Locale;

/** What the operations work on. */
final class Session {
    final Store store;
    final Screen screen;
    private final PrintWriter out;
    Namespace space;
    boolean ended;

    Session(Store store, Screen screen, PrintWriter out) {
        this.store = store;
        this.space = store;
        this.screen = screen;
        this.out = out;
    }

    void say(String form, Object... values) {
        out.println(String.format(Locale.ROOT, form, values));
    }

    void print(String text) {
        out.print(text);
    }

    String shown(byte[] bytes) {
        return Words.quote(bytes, !screen.unicode());
    }

    String prompt() {
        return space.name().isEmpty() ? "loam> " : "loam:" + space.name() + "> ";
    }
}
