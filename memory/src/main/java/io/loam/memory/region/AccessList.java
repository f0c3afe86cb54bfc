package io.loam.memory.region;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Users and groups beside the owner that may access a region: a POSIX access control list without the three entries that the mode
 * stands for. Written {@code u:1000:rw,g:50:r}.
 */
public record AccessList(List<Entry> entries) {

    /** Most entries of a list. */
    public static final int MAX_ENTRIES = 500;

    /**
     * One user or group.
     *
     * @param group whether {@code id} is a group's
     * @param id the number that the system knows it by
     */
    public record Entry(boolean group, int id, Access access) {}

    // Tags of linux/posix_acl.h; the binary form is linux/posix_acl_xattr.h: version 2, then tag, permissions, id,
    // little-endian
    private static final int VERSION = 2;
    private static final short OWNER = 0x01;
    private static final short USER = 0x02;
    private static final short OWNING_GROUP = 0x04;
    private static final short GROUP = 0x08;
    private static final short MASK = 0x10;
    private static final short OTHER = 0x20;

    private static final int NO_ID = -1;
    private static final int READ_BIT = 4;
    private static final int READ_WRITE = 6;

    public AccessList {
        entries = entries.stream()
                .sorted(Comparator.comparing(Entry::group).thenComparing(Entry::id, Integer::compareUnsigned))
                .toList();
        if (entries.size() > MAX_ENTRIES) {
            throw new IllegalArgumentException(
                    "an access list has at most " + MAX_ENTRIES + " entries, " + entries.size() + " given");
        }
        for (int i = 1; i < entries.size(); i++) {
            Entry one = entries.get(i - 1);
            Entry next = entries.get(i);
            if (one.group() == next.group() && one.id() == next.id()) {
                throw new IllegalArgumentException(
                        "the access list names " + (one.group() ? "group " : "user ") + one.id() + " twice");
            }
        }
    }

    /** Reads {@code u:1000:rw,g:50:r}. */
    public static AccessList parse(String text) {
        List<Entry> entries = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            String[] fields = part.strip().split(":", -1);
            if (fields.length != 3
                    || !fields[0].matches("[ug]")
                    || !fields[1].matches("\\d{1,10}")
                    || !fields[2].matches("rw?")) {
                throw new IllegalArgumentException(
                        "\"" + part + "\" is no entry of an access list; write u:UID:r, u:UID:rw, g:GID:r or g:GID:rw");
            }
            entries.add(new Entry(
                    fields[0].equals("g"),
                    Integer.parseUnsignedInt(fields[1]),
                    fields[2].equals("rw") ? Access.WRITE : Access.READ));
        }
        return new AccessList(entries);
    }

    /** The kernel's form, with the entries that {@code mode} stands for; with {@code writable} all may write who may read. */
    byte[] encode(int mode, boolean writable) {
        ByteBuffer acl = ByteBuffer.allocate(4 + 8 * (entries.size() + 4)).order(ByteOrder.LITTLE_ENDIAN);
        acl.putInt(VERSION);
        put(acl, OWNER, mode >> 6 & 7, NO_ID);
        entries.stream()
                .filter(entry -> !entry.group())
                .forEach(entry -> put(acl, USER, bits(entry, writable), entry.id()));
        put(acl, OWNING_GROUP, mode >> 3 & 7, NO_ID);
        entries.stream().filter(Entry::group).forEach(entry -> put(acl, GROUP, bits(entry, writable), entry.id()));
        put(acl, MASK, READ_WRITE, NO_ID);
        put(acl, OTHER, mode & 7, NO_ID);
        return acl.array();
    }

    private static int bits(Entry entry, boolean writable) {
        return writable || entry.access() == Access.WRITE ? READ_WRITE : READ_BIT;
    }

    private static void put(ByteBuffer acl, short tag, int permissions, int id) {
        acl.putShort(tag).putShort((short) permissions).putInt(id);
    }

    /** The users and groups in the kernel's form; no entries if it is empty or of an unknown version. */
    static AccessList decode(byte[] bytes) {
        ByteBuffer acl = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        List<Entry> entries = new ArrayList<>();
        if (acl.remaining() >= 4 && acl.getInt() == VERSION) {
            while (acl.remaining() >= 8) {
                short tag = acl.getShort();
                int permissions = acl.getShort();
                int id = acl.getInt();
                if (tag == USER || tag == GROUP) {
                    entries.add(new Entry(tag == GROUP, id, (permissions & 2) != 0 ? Access.WRITE : Access.READ));
                }
            }
        }
        return new AccessList(entries);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Entry entry : entries) {
            text.append(text.isEmpty() ? "" : ",")
                    .append(entry.group() ? "g:" : "u:")
                    .append(Integer.toUnsignedString(entry.id()))
                    .append(entry.access() == Access.WRITE ? ":rw" : ":r");
        }
        return text.toString();
    }
}
