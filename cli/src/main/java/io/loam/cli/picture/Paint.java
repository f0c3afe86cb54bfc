package io.loam.cli.picture;

/** ANSI colours, or plain text. */
record Paint(boolean colour) {
    static final int GREEN = 32;
    static final int YELLOW = 33;
    static final int BLUE = 34;
    static final int MAGENTA = 35;
    static final int CYAN = 36;
    static final int GREY = 90;
    static final int BOLD = 1;

    String in(int code, String text) {
        return colour && !text.isEmpty() ? "\033[" + code + "m" + text + "\033[0m" : text;
    }
}
