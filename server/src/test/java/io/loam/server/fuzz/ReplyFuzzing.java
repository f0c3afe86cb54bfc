package io.loam.server.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.loam.server.protocol.Reply;
import io.netty.buffer.ByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What writes replies, in any order: the bytes are those of the protocol, whatever was sealed, taken back or moved on the way. */
final class ReplyFuzzing {

    /** What was written, in the plainest way. */
    private static final class Model {
        private byte[] bytes = {};
        private final boolean isThree;

        private Model(boolean isThree) {
            this.isThree = isThree;
        }

        private void add(String text) {
            add(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        private void add(byte[] more) {
            int length = bytes.length;
            bytes = Arrays.copyOf(bytes, length + more.length);
            System.arraycopy(more, 0, bytes, length, more.length);
        }

        private void bulk(byte[] value) {
            add("$" + value.length + "\r\n");
            add(value);
            add("\r\n");
        }
    }

    /** @param data the version, then calls: a byte that says which, and its argument */
    @FuzzTest
    void replies(byte[] data) {
        if (data.length == 0) {
            return;
        }
        Model model = new Model((data[0] & 1) != 0);
        Reply reply = new Reply(ByteBufAllocator.DEFAULT);
        reply.setVersion(model.isThree ? 3 : 2);
        ByteArrayOutputStream taken = new ByteArrayOutputStream();
        long mark = reply.mark();
        int marked = 0;
        try {
            for (int i = 1; i + 1 < data.length && model.bytes.length < 1 << 20; i += 2) {
                int argument = data[i + 1] & 0xFF;
                switch (data[i] & 15) {
                    case 0 -> {
                        mark = reply.mark();
                        marked = model.bytes.length;
                    }
                    case 1 -> {
                        reply.rewind(mark);
                        model.bytes = Arrays.copyOf(model.bytes, marked);
                    }
                    case 2 -> {
                        Reply moved = reply.cut(mark);
                        reply.bulk("between");
                        reply.append(moved);
                        byte[] tail = Arrays.copyOfRange(model.bytes, marked, model.bytes.length);
                        model.bytes = Arrays.copyOf(model.bytes, marked);
                        model.bulk("between".getBytes(StandardCharsets.US_ASCII));
                        model.add(tail);
                    }
                    case 3 -> {
                        take(reply, taken);
                        check(model, taken);
                        mark = reply.mark();
                        marked = 0;
                    }
                    case 4 -> {
                        Reply other = reply.another();
                        write(other, model, argument);
                        reply.append(other);
                    }
                    case 5 -> bulk(reply, model, (64 << 10) - 128 + argument);
                    case 6 -> bulk(reply, model, argument << 9);
                    default -> write(reply, model, argument);
                }
                if (reply.size() != model.bytes.length) {
                    throw new AssertionError(reply.size() + " bytes instead of " + model.bytes.length);
                }
            }
            take(reply, taken);
            check(model, taken);
        } finally {
            reply.release();
        }
    }

    private static void bulk(Reply reply, Model model, int length) {
        byte[] value = new byte[length];
        for (int i = 0; i < length; i++) {
            value[i] = (byte) (i * 31 + length);
        }
        reply.bulk(value);
        model.bulk(value);
    }

    private static void write(Reply reply, Model model, int argument) {
        long number = Long.MIN_VALUE >> (argument & 63);
        switch (argument >>> 4) {
            case 0 -> {
                reply.ok();
                model.add("+OK\r\n");
            }
            case 1 -> {
                reply.error("ERR a\r\nb " + argument);
                model.add("-ERR a  b " + argument + "\r\n");
            }
            case 2, 3 -> {
                reply.integer(number);
                model.add(":" + number + "\r\n");
            }
            case 4 -> {
                reply.integer(~number);
                model.add(":" + ~number + "\r\n");
            }
            case 5 -> {
                reply.bool((argument & 1) != 0);
                model.add(model.isThree ? "#" + "ft".charAt(argument & 1) + "\r\n" : ":" + (argument & 1) + "\r\n");
            }
            case 6 -> {
                String decimal = "1." + argument;
                reply.decimal(decimal);
                model.add(model.isThree ? "," + decimal + "\r\n" : "$" + decimal.length() + "\r\n" + decimal + "\r\n");
            }
            case 7 -> {
                reply.verbatim("txt", "text");
                model.add(model.isThree ? "=8\r\ntxt:text\r\n" : "$4\r\ntext\r\n");
            }
            case 8 -> {
                reply.nothing();
                model.add(model.isThree ? "_\r\n" : "$-1\r\n");
            }
            case 9 -> {
                reply.nothingOfArray();
                model.add(model.isThree ? "_\r\n" : "*-1\r\n");
            }
            case 10 -> {
                reply.array(argument);
                model.add("*" + argument + "\r\n");
            }
            case 11 -> {
                reply.map(argument);
                model.add(model.isThree ? "%" + argument + "\r\n" : "*" + 2 * argument + "\r\n");
            }
            case 12 -> {
                reply.set(argument);
                model.add((model.isThree ? "~" : "*") + argument + "\r\n");
            }
            case 13 -> {
                reply.push(argument);
                model.add((model.isThree ? ">" : "*") + argument + "\r\n");
            }
            case 14 -> {
                byte[] raw = "+raw\r\n".repeat(argument * 64).getBytes(StandardCharsets.US_ASCII);
                reply.raw(raw);
                model.add(raw);
            }
            default -> bulk(reply, model, argument);
        }
    }

    private static void take(Reply reply, ByteArrayOutputStream taken) {
        reply.take(buffer -> {
            byte[] bytes = new byte[buffer.readableBytes()];
            buffer.readBytes(bytes);
            buffer.release();
            taken.writeBytes(bytes);
        });
    }

    /** Compares all that was taken, and forgets it. */
    private static void check(Model model, ByteArrayOutputStream taken) {
        int difference = Arrays.mismatch(model.bytes, taken.toByteArray());
        if (difference >= 0) {
            throw new AssertionError("taken " + taken.size() + " bytes, wanted " + model.bytes.length + ", other from "
                    + difference + " on");
        }
        model.bytes = new byte[0];
        taken.reset();
    }
}
