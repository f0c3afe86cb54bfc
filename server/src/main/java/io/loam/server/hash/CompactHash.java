package io.loam.server.hash;

import java.util.Arrays;

/**
 * A hash in one entry: its fields one after the other, each as length and name, length and value; docs/encoding.md. A cursor stands at one field: {@link #next} and {@link #find} move it.
 * Used by one thread.
 */
final class CompactHash {

    private byte[] bytes;
    private int length;
    private int start;
    private int nameStart;
    private int nameLength;
    private int valueStart;
    private int valueLength;
    /** Where the cursor's field ends. */
    private int end;

    /** @param bytes owned by this object from now on */
    CompactHash(byte[] bytes) {
        this.bytes = bytes;
        this.length = bytes.length;
    }

    /** Puts the cursor before the first field. */
    void reset() {
        end = 0;
    }

    /** Moves the cursor to the next field; false at the end. */
    boolean next() {
        if (end == length) {
            return false;
        }
        start = end;
        nameLength = readLength(start);
        nameStart = start + sizeOfLength(nameLength);
        int at = nameStart + nameLength;
        valueLength = readLength(at);
        valueStart = at + sizeOfLength(valueLength);
        end = valueStart + valueLength;
        return true;
    }

    /** Moves the cursor to the field of this name; false if there is none. */
    boolean find(byte[] name) {
        reset();
        while (next()) {
            if (Arrays.equals(bytes, nameStart, nameStart + nameLength, name, 0, name.length)) {
                return true;
            }
        }
        return false;
    }

    int count() {
        int count = 0;
        for (reset(); next(); ) {
            count++;
        }
        return count;
    }

    byte[] name() {
        return Arrays.copyOfRange(bytes, nameStart, nameStart + nameLength);
    }

    byte[] value() {
        return Arrays.copyOfRange(bytes, valueStart, valueStart + valueLength);
    }

    int valueLength() {
        return valueLength;
    }

    /** Sets a field, in its place or at the end; whether it is new. */
    boolean set(byte[] name, byte[] value) {
        boolean added = !find(name);
        if (added) {
            int at = length;
            splice(at, at, sizeOfLength(name.length) + name.length + sizeOfLength(value.length) + value.length);
            at = writeLength(at, name.length);
            System.arraycopy(name, 0, bytes, at, name.length);
            write(at + name.length, value);
        } else {
            int at = nameStart + nameLength;
            splice(at, end, sizeOfLength(value.length) + value.length);
            write(at, value);
        }
        reset();
        return added;
    }

    /** Removes the field; whether there was one. */
    boolean remove(byte[] name) {
        boolean found = find(name);
        if (found) {
            splice(start, end, 0);
        }
        reset();
        return found;
    }

    /** The entry's value. */
    byte[] encoded() {
        return bytes.length == length ? bytes : Arrays.copyOf(bytes, length);
    }

    /** Puts room of {@code size} bytes in place of those from {@code from} to {@code to}. */
    private void splice(int from, int to, int size) {
        int newLength = Math.addExact(length - (to - from), size);
        if (newLength > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(newLength, bytes.length + bytes.length / 2));
        }
        System.arraycopy(bytes, to, bytes, from + size, length - to);
        length = newLength;
    }

    private void write(int position, byte[] value) {
        int at = writeLength(position, value.length);
        System.arraycopy(value, 0, bytes, at, value.length);
    }

    private int readLength(int position) {
        int at = position;
        int value = 0;
        for (int shift = 0; ; shift += 7) {
            int next = bytes[at++];
            value |= (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    private int writeLength(int position, int value) {
        int at = position;
        int rest = value;
        while (rest > 0x7F) {
            bytes[at++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[at++] = (byte) rest;
        return at;
    }

    private static int sizeOfLength(int value) {
        return value < 1 << 7 ? 1 : (38 - Integer.numberOfLeadingZeros(value)) / 7;
    }
}
