package io.loam.cli.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.cli.FakeStore;
import io.loam.cli.Screen;
import io.loam.cli.StoreSettings;
import io.loam.store.FullPolicy;
import io.loam.store.UpdatePolicy;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ShellTest {
    private final StringWriter out = new StringWriter();

    private boolean run(boolean strict, String script) throws Exception {
        var store = FakeStore.opener().open(new StoreSettings(1 << 20, UpdatePolicy.APPEND, FullPolicy.REJECT, null));
        var writer = new PrintWriter(out);
        return new Shell(new Session(store, Screen.PLAIN, writer), writer, false, strict)
                .run(new BufferedReader(new StringReader(script)));
    }

    @Test
    void runsAScript() throws Exception {
        assertThat(run(true, """
                # a comment
                put a 1
                put "b c" 'x y'
                append a \\x00\\xff

                get a
                get "b c"
                get nothing
                scan b
                del a nothing
                size
                exit
                get unreached
                """)).isTrue();
        assertThat(out.toString().lines())
                .containsExactly(
                        "version 1",
                        "version 2",
                        "3 bytes",
                        "\"1\\x00\\xff\"",
                        "\"x y\"",
                        "(absent)",
                        "\"b c\"  \"x y\"",
                        "1 deleted",
                        "1");
    }

    @Test
    void anErrorIsOneLine() throws Exception {
        assertThat(run(false, "nonsense\nput a\nget 'a\nfill 2 1m\nincr a one\ndrop x\nsize\n"))
                .isTrue();
        assertThat(out.toString().lines())
                .containsExactly(
                        "error: unknown command 'nonsense'; 'help' lists them",
                        "error: usage: put KEY VALUE",
                        "error: the quote ' is not closed",
                        "error: 0 of 2 values stored; the store is full",
                        "error: 'one' is not a whole number of 64 bits",
                        "error: there is no namespace x",
                        "0");
    }

    @Test
    void strictStopsAtTheFirstError() throws Exception {
        assertThat(run(true, "get\nsize\n")).isFalse();
        assertThat(out.toString().lines()).hasSize(1);
    }

    @Test
    void wordsReadBackWhatTheyQuote() {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        assertThat(Words.split(Words.quote(all, true))).containsExactly(all);
        byte[] text = "naïve \"quotes\"".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        assertThat(Words.quote(text, false)).isEqualTo("\"naïve \\\"quotes\\\"\"");
        assertThat(Words.split(Words.quote(text, false))).containsExactly(text);
        assertThat(Words.split(" '' ")).containsExactly(new byte[0]);
        assertThatThrownBy(() -> Words.split("\\xg0")).hasMessageContaining("hexadecimal");
        assertThatThrownBy(() -> Words.split("a\\")).hasMessageContaining("escape");
    }
}
