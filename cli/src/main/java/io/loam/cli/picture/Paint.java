package io.loam.cli.picture;

/** ANSI colours, or plain text. */
public record Paint(boolean colour) {
    public static final int GREEN = 32;
    public static final int YELLOW = 33;
    public static final int BLUE = 34;
    public static final int MAGENTA = 35;
    public static final int CYAN = 36;
    public static final int GREY = 90;
    public static final int BOLD = 1;

    public String in(int code, String text) {
        return colour && !text.isEmpty() ? "\033[" + code + "m" + text + "\033[0m" : text;
    }
}
