package io.loam.server.protocol;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Numbers as Redis reads and writes them. */
public final class Numbers {

    /** Digits and sign of the longest 64-bit number. */
    public static final int LONG_DIGITS = 20;

    private static final Pattern DECIMAL = Pattern.compile("[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d{1,5})?");
    private static final Pattern HEXADECIMAL =
            Pattern.compile("([+-]?)0[xX]([0-9a-fA-F]*)(?:\\.([0-9a-fA-F]*))?(?:[pP]([+-]?\\d{1,5}))?");
    private static final int EXTENDED_BITS = 64;
    /** Beyond it an 80-bit number is infinite. */
    private static final BigDecimal EXTENDED_LIMIT = new BigDecimal(BigInteger.TWO.pow(16384));

    private Numbers() {}

    /** Whether the bytes are a 64-bit number in its only form: no blanks, no plus, no leading zeros. */
    public static boolean isLong(byte[] bytes, int offset, int length) {
        if (length == 0 || length > LONG_DIGITS) {
            return false;
        }
        int at = bytes[offset] == '-' ? 1 : 0;
        if (at == length) {
            return false;
        }
        if (bytes[offset + at] == '0') {
            return length == 1;
        }
        long negative = 0;
        for (; at < length; at++) {
            int digit = bytes[offset + at] - '0';
            if (digit < 0 || digit > 9 || negative < Long.MIN_VALUE / 10) {
                return false;
            }
            negative = negative * 10 - digit;
            if (negative > 0) {
                return false;
            }
        }
        return bytes[offset] == '-' || negative != Long.MIN_VALUE;
    }

    /** The number that {@link #isLong} accepts. */
    public static long parseLong(byte[] bytes, int offset, int length) {
        int at = bytes[offset] == '-' ? 1 : 0;
        long negative = 0;
        for (; at < length; at++) {
            negative = negative * 10 - (bytes[offset + at] - '0');
        }
        return bytes[offset] == '-' ? negative : -negative;
    }

    /** The number, or null if the text is none or is not finite when {@code finite}. */
    public static @Nullable Double parseDouble(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        switch (lower) {
            case "inf", "+inf", "infinity", "+infinity" -> {
                return Double.POSITIVE_INFINITY;
            }
            case "-inf", "-infinity" -> {
                return Double.NEGATIVE_INFINITY;
            }
            default -> {
                return DECIMAL.matcher(text).matches() ? (Double) Double.parseDouble(text) : null;
            }
        }
    }

    /**
     * The sum of two decimal numbers as the 80-bit arithmetic of Redis makes it, written with at most 17 decimals.
     *
     * @throws RedisError if one is no number or the sum is not finite
     */
    public static String addExtended(String a, String b) {
        BigDecimal left = extended(a);
        BigDecimal right = extended(b);
        if (left == null || right == null) {
            throw new RedisError("ERR increment would produce NaN or Infinity");
        }
        BigDecimal sum = roundToExtended(left.add(right));
        if (sum.abs().compareTo(EXTENDED_LIMIT) >= 0) {
            throw new RedisError("ERR increment would produce NaN or Infinity");
        }
        String text = sum.setScale(17, RoundingMode.HALF_EVEN).toPlainString();
        int end = text.length();
        while (text.charAt(end - 1) == '0') {
            end--;
        }
        text = text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end);
        return text.equals("-0") ? "0" : text;
    }

    /** The nearest 80-bit number, or null for an infinity. */
    private static @Nullable BigDecimal extended(String text) {
        Matcher hexadecimal = HEXADECIMAL.matcher(text);
        if (text.length() < 100 && hexadecimal.matches()) {
            return roundToExtended(hexadecimal(hexadecimal));
        }
        if (text.length() > 5 * 1024 || !DECIMAL.matcher(text).matches()) {
            Double special = text.length() < 16 ? parseDouble(text) : null;
            if (special == null) {
                throw RedisError.NOT_A_FLOAT;
            }
            return null;
        }
        BigDecimal exact = new BigDecimal(text.endsWith(".") ? text.substring(0, text.length() - 1) : text);
        if (exact.signum() != 0 && Math.abs((long) exact.precision() - exact.scale()) > 4932) {
            throw RedisError.NOT_A_FLOAT;
        }
        return roundToExtended(exact);
    }

    private static BigDecimal hexadecimal(Matcher parts) {
        String fraction = parts.group(3) == null ? "" : parts.group(3);
        String digits = parts.group(2) + fraction;
        if (digits.isEmpty()) {
            throw RedisError.NOT_A_FLOAT;
        }
        int exponent = (parts.group(4) == null ? 0 : Integer.parseInt(parts.group(4))) - 4 * fraction.length();
        if (Math.abs(exponent) > 16_000) {
            throw RedisError.NOT_A_FLOAT;
        }
        BigDecimal significand = new BigDecimal(new BigInteger(parts.group(1) + digits, 16));
        BigDecimal power = new BigDecimal(BigInteger.TWO.pow(Math.abs(exponent)));
        return exponent >= 0 ? significand.multiply(power) : significand.divide(power, MathContext.UNLIMITED);
    }

    private static BigDecimal roundToExtended(BigDecimal exact) {
        if (exact.signum() == 0) {
            return BigDecimal.ZERO;
        }
        BigDecimal magnitude = exact.abs();
        // shift so that the integer part has 64 or 65 bits, then exactly 64
        int shift = EXTENDED_BITS - integerBits(magnitude);
        BigInteger significand = scaled(magnitude, shift);
        if (significand.bitLength() != EXTENDED_BITS) {
            shift -= significand.bitLength() - EXTENDED_BITS;
            significand = scaled(magnitude, shift);
        }
        BigDecimal rounded = new BigDecimal(significand);
        BigDecimal value = shift >= 0
                ? rounded.divide(new BigDecimal(BigInteger.TWO.pow(shift)), MathContext.UNLIMITED)
                : rounded.multiply(new BigDecimal(BigInteger.TWO.pow(-shift)));
        return exact.signum() < 0 ? value.negate() : value;
    }

    /** Bits of the integer part; for a fraction the negative count of zero bits after the point, about. */
    private static int integerBits(BigDecimal magnitude) {
        BigInteger whole = magnitude.toBigInteger();
        if (whole.signum() != 0) {
            return whole.bitLength();
        }
        int decimalZeros = magnitude.scale() - magnitude.precision();
        int guess = (int) (decimalZeros * 3.3219280948873626) + 80;
        return magnitude
                        .multiply(new BigDecimal(BigInteger.TWO.pow(guess)))
                        .toBigInteger()
                        .bitLength()
                - guess;
    }

    private static BigInteger scaled(BigDecimal magnitude, int shift) {
        BigDecimal product = shift >= 0
                ? magnitude.multiply(new BigDecimal(BigInteger.TWO.pow(shift)))
                : magnitude.divide(new BigDecimal(BigInteger.TWO.pow(-shift)), MathContext.UNLIMITED);
        return product.setScale(0, RoundingMode.HALF_EVEN).toBigInteger();
    }
}
