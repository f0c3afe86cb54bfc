package io.loam.server.hash;

import io.loam.store.Namespace;
import io.loam.store.Store;
import io.loam.store.StoreClosedException;
import io.loam.store.StoreFullException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A store as one process sees it, which can die, or find no memory, at a chosen write of the thread that made this. */
final class MortalStore {

    /** The process has died. */
    static final class Death extends Error {
        private static final long serialVersionUID = 1;
    }

    private static final Set<String> PUTS = Set.of("put", "tryPut", "transact");
    private static final Set<String> WRITES = Set.of("put", "tryPut", "transact", "delete");

    private final Store real;
    private final Thread thread = Thread.currentThread();
    private int writesToDeath = Integer.MAX_VALUE;
    private int putsToRefusal = Integer.MAX_VALUE;
    private volatile boolean dead;

    MortalStore(Store real) {
        this.real = real;
    }

    Store store() {
        return (Store) wrap(real, Store.class);
    }

    /** Dies instead of making the write of this number, from 1 on. */
    void dieAtWrite(int number) {
        writesToDeath = number;
    }

    /** Refuses puts from this number on, from 1 on. */
    void refuseFromPut(int number) {
        putsToRefusal = number;
    }

    /** From now on nothing works. */
    void die() {
        dead = true;
    }

    boolean isDead() {
        return dead;
    }

    private Object wrap(Object target, Class<?> type) {
        return Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> call(target, method, arguments));
    }

    /** Whether a put overwrites a value of the same length, which needs no memory. */
    private static boolean isInPlace(Object target, @Nullable Object @Nullable [] arguments) {
        if (arguments == null
                || arguments.length < 2
                || !(arguments[1] instanceof byte[] || arguments[1] instanceof MemorySegment)) {
            return false;
        }
        Long present = ((Namespace) target).read(bytes(arguments[0]), view -> view.length());
        return present != null && present == bytes(arguments[1]).length;
    }

    private static byte[] bytes(@Nullable Object argument) {
        return argument instanceof MemorySegment memory
                ? memory.toArray(ValueLayout.JAVA_BYTE)
                : (byte[]) Objects.requireNonNull(argument);
    }

    private @Nullable Object call(Object target, Method method, @Nullable Object @Nullable [] arguments)
            throws Throwable {
        if (dead) {
            throw new StoreClosedException();
        }
        if (Thread.currentThread() == thread) {
            if (WRITES.contains(method.getName()) && --writesToDeath == 0) {
                dead = true;
                throw new Death();
            }
            if (PUTS.contains(method.getName()) && !isInPlace(target, arguments) && --putsToRefusal <= 0) {
                putsToRefusal = 0;
                throw new StoreFullException("no memory, for a test");
            }
        }
        try {
            Object result = method.invoke(target, arguments);
            return result instanceof Namespace && !(result instanceof Store) ? wrap(result, Namespace.class) : result;
        } catch (InvocationTargetException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }
}
