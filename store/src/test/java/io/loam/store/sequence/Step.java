package io.loam.store.sequence;

import java.util.SplittableRandom;

/**
 * One operation of a sequence. All it does follows from its four numbers, so that steps can be dropped and simplified one by one.
 *
 * @param key index of the key, see {@link #KEYS}
 * @param size of the value, bytes
 * @param choice selects the namespace, the form of the call, and the value's content
 */
record Step(Action action, int key, int size, int choice) {

    /** What is done; {@code weight} is how often, relative to the others. */
    enum Action {
        PUT(14),
        GET(8),
        PUT_EXPIRING(4),
        PUT_IF_ABSENT(3),
        REPLACE(3),
        REPLACE_VERSION(3),
        DELETE(8),
        DELETE_VERSION(2),
        GET_AND_DELETE(2),
        COMPUTE(3),
        ADD(3),
        APPEND(4),
        LOAD(2),
        EXPIRE_AT(2),
        TRANSACT(4),
        PUT_ALL(2),
        GET_ALL(2),
        TRY_PUT(2),
        SCAN(2),
        SIZE(1),
        CLEAR(1),
        DROP_NAMESPACE(1),
        CAPACITY(1),
        CLEAN(1),
        CLOCK(3),
        GUARD_OPEN(2),
        GUARD_CLOSE(3);

        private final int weight;

        Action(int weight) {
            this.weight = weight;
        }

        boolean takesValue() {
            return switch (this) {
                case PUT,
                        PUT_EXPIRING,
                        PUT_IF_ABSENT,
                        REPLACE,
                        REPLACE_VERSION,
                        COMPUTE,
                        APPEND,
                        LOAD,
                        TRANSACT,
                        PUT_ALL,
                        TRY_PUT -> true;
                default -> false;
            };
        }

        static Action random(SplittableRandom random) {
            int total = 0;
            for (Action action : values()) {
                total += action.weight;
            }
            int at = random.nextInt(total);
            for (Action action : values()) {
                at -= action.weight;
                if (at < 0) {
                    return action;
                }
            }
            throw new AssertionError();
        }
    }

    /** How many keys there are in each namespace; their lengths go from 0 to more than a block. */
    static final int KEYS = 32;

    /** Values are never longer. */
    static final int MAX_SIZE = 96 << 10;

    /** {@code scale} 0 gives small values only, 1 some of several blocks, 2 some of several segments. */
    static Step random(SplittableRandom random, int scale) {
        Action action = Action.random(random);
        int size = 0;
        if (action.takesValue()) {
            size = switch (random.nextInt(scale == 0 ? 6 : scale == 1 ? 9 : 11)) {
                case 0 -> 0;
                case 1, 2 -> random.nextInt(1, 64);
                case 3 -> random.nextInt(64, 600);
                case 4, 5 -> random.nextInt(600, 2100);
                case 6 -> random.nextInt(2000, 4200);
                case 7, 8 -> random.nextInt(4000, 16_000);
                default -> random.nextInt(16_000, MAX_SIZE);
            };
        }
        return new Step(action, random.nextInt(KEYS), size, random.nextInt() & Integer.MAX_VALUE);
    }

    /** 0 is the default namespace. */
    int space() {
        int among = choice >>> 28;
        return among < 5 ? 0 : among < 7 ? 1 : 2;
    }

    /** One of {@code count} forms. */
    int form(int count) {
        return (choice & 0xFFFF) % count;
    }

    byte[] value() {
        return bytes(size, choice);
    }

    static byte[] key(int index) {
        int length = switch (index) {
            case 0 -> 0;
            case 1 -> 5000;
            case 2 -> 300;
            case 3 -> 1;
            default -> 6 + index % 5;
        };
        byte[] key = bytes(length, index);
        if (length > 0) {
            key[length - 1] = (byte) index;
        }
        return key;
    }

    static byte[] bytes(int length, int salt) {
        byte[] bytes = new byte[length];
        long state = salt * 0x9E3779B97F4A7C15L + length;
        for (int i = 0; i < length; i++) {
            if ((i & 7) == 0) {
                state = (state ^ (state >>> 29)) * 0xBF58476D1CE4E5B9L + i;
            }
            bytes[i] = (byte) (state >>> (8 * (i & 7)));
        }
        return bytes;
    }

    /** As it would be typed into a regression test, {@code new Step(...)}. */
    String toJava() {
        return "new Step(Action." + action + ", " + key + ", " + size + ", 0x" + Integer.toHexString(choice) + ")";
    }
}
