package io.loam.server.access;

import io.loam.server.command.Command;
import io.loam.server.command.CommandTable;
import io.loam.server.protocol.Arguments;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** All rules of a user. Is changed only by who has made it, before the user has it. */
final class Permissions {

    /** What no password's digest is compared as: so that an unknown user takes the time of a known one. */
    private static final byte[] NO_DIGEST = new byte[32];

    private boolean on;
    private boolean nopass;
    /** Whether RESTORE is to check what it is given; always done here, remembered for LIST. Null: never said. */
    private @Nullable Boolean sanitizes;

    private final List<byte[]> digests;
    /** The first one is the user's own, the others were added in parentheses. */
    private final List<Selector> selectors;

    /** Of a user who is off, has no password and may do nothing. */
    Permissions(boolean allChannels, CommandTable table) {
        digests = new ArrayList<>();
        selectors = new ArrayList<>(List.of(emptySelector(allChannels, table)));
    }

    Permissions(Permissions other) {
        on = other.on;
        nopass = other.nopass;
        sanitizes = other.sanitizes;
        digests = new ArrayList<>(other.digests);
        selectors = new ArrayList<>();
        other.selectors.forEach(selector -> selectors.add(new Selector(selector)));
    }

    private static Selector emptySelector(boolean allChannels, CommandTable table) {
        Selector made = new Selector();
        if (allChannels) {
            addTo(made, "allchannels", table);
        }
        return made;
    }

    private static void addTo(Selector selector, String sureRule, CommandTable table) {
        try {
            selector.add(sureRule, table);
        } catch (RuleException e) {
            throw new IllegalStateException(sureRule, e);
        }
    }

    // ---- asking

    boolean isOn() {
        return on;
    }

    boolean needsNoPassword() {
        return nopass;
    }

    boolean allowEverything() {
        return selectors.stream().anyMatch(Selector::allowsEverything);
    }

    Decision decide(Command command, Arguments arguments) {
        Decision refusal = Decision.COMMAND;
        for (Selector selector : selectors) {
            Decision decision = selector.decide(command, arguments);
            if (decision.isAllowed()) {
                return decision;
            }
            refusal = refusal.or(decision);
        }
        return refusal;
    }

    /** Whether the channels of the other are allowed too, so that no subscription is lost. */
    boolean haveChannelsOf(Permissions other) {
        return other.selectors.stream()
                .allMatch(old -> selectors.stream().anyMatch(selector -> selector.hasChannelsOf(old)));
    }

    boolean allowChannel(byte[] channel, boolean isPattern) {
        return selectors.stream().anyMatch(selector -> selector.allowsChannel(channel, isPattern));
    }

    /** Whether the password is the user's; a user who does not exist is null. Takes the same time for all that have as many passwords. */
    static boolean accept(@Nullable Permissions permissions, byte[] password) {
        byte[] given = digest(password);
        boolean right = false;
        if (permissions == null || permissions.digests.isEmpty()) {
            right = MessageDigest.isEqual(given, NO_DIGEST);
        } else {
            for (byte[] digest : permissions.digests) {
                right |= MessageDigest.isEqual(given, digest);
            }
        }
        return permissions != null && permissions.on && (right || permissions.nopass);
    }

    private static byte[] digest(byte[] password) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(password);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    // ---- changing

    /** Adds a rule, or takes back others. */
    void add(String rule, boolean allChannels, CommandTable table) throws RuleException {
        switch (rule.toLowerCase(Locale.ROOT)) {
            case "on" -> on = true;
            case "off" -> on = false;
            case "nopass" -> {
                nopass = true;
                digests.clear();
            }
            case "resetpass" -> {
                nopass = false;
                digests.clear();
            }
            case "sanitize-payload" -> sanitizes = true;
            case "skip-sanitize-payload" -> sanitizes = false;
            case "clearselectors" -> selectors.subList(1, selectors.size()).clear();
            case "reset" -> {
                on = false;
                nopass = false;
                sanitizes = true;
                digests.clear();
                selectors.clear();
                selectors.add(emptySelector(allChannels, table));
            }
            default -> addOther(rule, allChannels, table);
        }
    }

    private void addOther(String rule, boolean allChannels, CommandTable table) throws RuleException {
        char kind = rule.isEmpty() ? 0 : rule.charAt(0);
        switch (kind) {
            case '>' -> addPassword(digest(bytes(rule.substring(1))));
            case '#' -> addPassword(digestOf(rule));
            case '<' -> removePassword(digest(bytes(rule.substring(1))));
            case '!' -> removePassword(digestOf(rule));
            case '(' -> {
                if (!rule.endsWith(")")) {
                    throw new RuleException("Syntax error");
                }
                Selector selector = emptySelector(allChannels, table);
                for (String inner : rule.substring(1, rule.length() - 1).split("[ \t]+")) {
                    if (!inner.isEmpty()) {
                        selector.add(inner, table);
                    }
                }
                selectors.add(selector);
            }
            default -> selectors.getFirst().add(rule, table);
        }
    }

    private void addPassword(byte[] digest) {
        if (digests.stream().noneMatch(old -> MessageDigest.isEqual(old, digest))) {
            digests.add(digest);
        }
        nopass = false;
    }

    private void removePassword(byte[] digest) throws RuleException {
        if (!digests.removeIf(old -> MessageDigest.isEqual(old, digest))) {
            throw new RuleException("The password you are trying to remove from the user does not exist");
        }
    }

    private static byte[] digestOf(String rule) throws RuleException {
        String text = rule.substring(1);
        if (!text.matches("[0-9a-f]{64}")) {
            throw new RuleException(
                    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
        }
        return HexFormat.of().parseHex(text);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    // ---- as text

    List<String> flags() {
        List<String> flags = new ArrayList<>();
        flags.add(on ? "on" : "off");
        if (nopass) {
            flags.add("nopass");
        }
        if (sanitizes != null) {
            flags.add(sanitizes ? "sanitize-payload" : "skip-sanitize-payload");
        }
        return flags;
    }

    /** SHA-256 digests of the passwords, in hexadecimal digits. */
    List<String> passwords() {
        return digests.stream().map(HexFormat.of()::formatHex).toList();
    }

    List<Selector> selectors() {
        return selectors;
    }

    /** Rules that make such permissions from those of a new user. */
    @Override
    public String toString() {
        List<String> words = new ArrayList<>(flags());
        passwords().forEach(password -> words.add("#" + password));
        words.add(selectors.getFirst().toString());
        selectors.stream().skip(1).forEach(selector -> words.add("(" + selector + ")"));
        return String.join(" ", words);
    }
}
