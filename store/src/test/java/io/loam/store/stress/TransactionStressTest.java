package io.loam.store.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.store.FullPolicy;
import io.loam.store.Store;
import io.loam.store.StoreFullException;
import io.loam.store.Transaction;
import io.loam.store.sequence.Setup;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Transactions over several keys are all or nothing, and seen in one instant. */
class TransactionStressTest {
    private static final int ACCOUNTS = 10;
    private static final long START = 1000;

    static Stream<Setup> setups() {
        return Setup.all().stream()
                .filter(setup -> setup.full() == FullPolicy.REJECT)
                .map(setup -> setup.withBlocks(256, 256));
    }

    /** A balance, padded by a length that changes, so that entries move. */
    private static byte[] balance(long amount, int padding) {
        return ByteBuffer.allocate(8 + padding).putLong(amount).array();
    }

    private static long amount(byte @Nullable [] value) {
        return ByteBuffer.wrap(Objects.requireNonNull(value, "an account is gone"))
                .getLong();
    }

    private static byte[] account(int number) {
        return new byte[] {'a', (byte) number};
    }

    private static void churn(Store store, SplittableRandom random) {
        byte[] key = Stamp.key(5000 + random.nextInt(500));
        try {
            if (random.nextInt(3) == 0) {
                store.delete(key);
            } else {
                store.put(key, new byte[random.nextInt(3000)]);
            }
        } catch (StoreFullException e) {
            store.delete(Stamp.key(5000 + random.nextInt(500)));
        }
    }

    @ParameterizedTest
    @MethodSource("setups")
    void transfersKeepTheSum(Setup setup) {
        try (Store store = setup.withWriteTimeoutMillis(2_000).open()) {
            List<byte[]> all = new ArrayList<>();
            for (int i = 0; i < ACCOUNTS; i++) {
                all.add(account(i));
                store.put(account(i), balance(START, 10));
            }
            Crew crew = new Crew();
            for (int i = 0; i < 3; i++) {
                SplittableRandom random = new SplittableRandom(i);
                crew.work("transferrer " + i, () -> {
                    for (int n = 0; n < Scale.of(2_000) && (n == 0 || crew.goesOn()); n++) {
                        transfer(store, random);
                    }
                });
            }
            crew.meanwhile("auditor", () -> {
                long sum = store.transact(all, transaction -> {
                    long total = 0;
                    for (byte[] key : all) {
                        total += amount(transaction.get(key));
                    }
                    return total;
                });
                if (sum != ACCOUNTS * START) {
                    throw new AssertionError("a transaction saw a sum of " + sum);
                }
            });
            SplittableRandom filling = new SplittableRandom(77);
            crew.meanwhile("churner", () -> churn(store, filling));
            crew.run();
            assertThat(all.stream().mapToLong(key -> amount(store.get(key))).sum())
                    .isEqualTo(ACCOUNTS * START);
        }
    }

    private static void transfer(Store store, SplittableRandom random) {
        byte[] from = account(random.nextInt(ACCOUNTS));
        byte[] to = account(random.nextInt(ACCOUNTS));
        long by = random.nextInt(50);
        int padding = random.nextInt(1500);
        try {
            if (!java.util.Arrays.equals(from, to)) {
                store.transact(List.of(from, to), transaction -> move(transaction, from, to, by, padding));
            }
        } catch (StoreFullException e) {
            store.delete(Stamp.key(5000 + random.nextInt(500)));
        }
    }

    private static boolean move(Transaction transaction, byte[] from, byte[] to, long by, int padding) {
        transaction.put(from, balance(amount(transaction.get(from)) - by, padding));
        transaction.put(to, balance(amount(transaction.get(to)) + by, padding / 2));
        return true;
    }

    /** Both keys always get the same number: who sees it in one by a plain read must not see an older one in the other after it. */
    @ParameterizedTest
    @MethodSource("setups")
    void plainReadsSeeATransactionInOneInstant(Setup setup) {
        try (Store store = setup.withWriteTimeoutMillis(2_000).open()) {
            byte[] left = "left".getBytes(java.nio.charset.StandardCharsets.UTF_8);
            byte[] right = "right".getBytes(java.nio.charset.StandardCharsets.UTF_8);
            store.putAll(List.of(left, right), List.of(balance(0, 0), balance(0, 0)));
            Crew crew = new Crew();
            for (int i = 0; i < 2; i++) {
                SplittableRandom random = new SplittableRandom(i);
                crew.work("writer " + i, () -> {
                    for (int n = 0; n < Scale.of(2_000) && (n == 0 || crew.goesOn()); n++) {
                        int padding = random.nextInt(5000);
                        try {
                            store.transact(List.of(left, right), transaction -> {
                                long next = amount(transaction.get(left)) + 1;
                                transaction.put(left, balance(next, padding));
                                transaction.put(right, balance(next, padding));
                                return next;
                            });
                        } catch (StoreFullException e) {
                            store.delete(Stamp.key(5000 + random.nextInt(500)));
                        }
                    }
                });
            }
            crew.meanwhile("reader", () -> {
                inOrder(store, left, right);
                inOrder(store, right, left);
            });
            SplittableRandom filling = new SplittableRandom(77);
            crew.meanwhile("churner", () -> churn(store, filling));
            crew.run();
            assertThat(amount(store.get(left))).isEqualTo(amount(store.get(right)));
        }
    }

    private static void inOrder(Store store, byte[] first, byte[] second) {
        long one = amount(store.get(first));
        long other = amount(store.get(second));
        if (other < one) {
            throw new AssertionError("read " + one + ", then " + other + " of the other key of its transaction");
        }
    }

    @Test
    void refusedTransactionWritesNothing() {
        try (Store store = Setup.TINY.withWriteTimeoutMillis(2_000).open()) {
            byte[] small = {1};
            byte[] large = {2};
            store.put(small, balance(1, 0));
            store.put(large, balance(1, 0));
            int refusals = 0;
            for (int size = 1000; size < 600_000; size += 11_000) {
                int padding = size;
                long number = size;
                try {
                    store.transact(List.of(small, large), transaction -> {
                        transaction.put(small, balance(number, 0));
                        transaction.put(large, balance(number, padding));
                        return true;
                    });
                } catch (StoreFullException | IllegalArgumentException e) {
                    refusals++;
                }
                assertThat(amount(store.get(small))).isEqualTo(amount(store.get(large)));
            }
            assertThat(refusals).isPositive();
        }
    }

    @Test
    void exceptionInTheBodyWritesNothing() {
        try (Store store = Setup.TINY.open()) {
            byte[] key = {1};
            store.put(key, balance(1, 0));
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> store.transact(List.of(key), transaction -> {
                        transaction.put(key, balance(2, 0));
                        throw new IllegalStateException("abandoned");
                    }))
                    .hasMessage("abandoned");
            assertThat(amount(store.get(key))).isEqualTo(1);
        }
    }
}
