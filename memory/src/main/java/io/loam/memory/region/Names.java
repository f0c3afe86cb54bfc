package io.loam.memory.region;

import java.util.regex.Pattern;

/** Names of regions and address spaces, which become names of files. */
public final class Names {

    /** Longest name. */
    public static final int MAX_LENGTH = 100;

    private static final Pattern LEGAL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    private Names() {}

    /** Refuses what can't be a name. */
    public static String check(String name) {
        if (name.length() > MAX_LENGTH || !LEGAL.matcher(name).matches()) {
            throw new IllegalArgumentException("a name has 1 to " + MAX_LENGTH
                    + " letters, digits, dots, hyphens and underscores (ASCII), and begins with a letter or a digit; "
                    + shown(name) + " given");
        }
        return name;
    }

    private static String shown(String name) {
        String printable = name.replaceAll("[^\\x20-\\x7e]", "?");
        return printable.length() <= MAX_LENGTH
                ? "\"" + printable + "\""
                : "\"" + printable.substring(0, 20) + "…\" with " + name.length() + " characters";
    }
}
