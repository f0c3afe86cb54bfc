package io.loam.bench.heap;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** A shared library of the system. */
final class NativeLibrary {

    private static final Linker LINKER = Linker.nativeLinker();

    /** All of memory, to store through pointers that a library gave. */
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final String name;
    private final SymbolLookup symbols;

    private NativeLibrary(String name, SymbolLookup symbols) {
        this.name = name;
        this.symbols = symbols;
    }

    /** The C library that this process runs with. */
    static NativeLibrary ofProcess() {
        return new NativeLibrary("libc", LINKER.defaultLookup());
    }

    /** @throws IllegalStateException if it is not installed, saying which package has it */
    static NativeLibrary named(String file, String debianPackage) {
        try {
            return new NativeLibrary(file, SymbolLookup.libraryLookup(file, Arena.global()));
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException(
                    file + " can't be loaded; on Debian: apt-get install " + debianPackage + " (" + e.getMessage()
                            + ")",
                    e);
        }
    }

    MethodHandle function(String function, FunctionDescriptor signature, Linker.Option... options) {
        return LINKER.downcallHandle(
                symbols.find(function)
                        .orElseThrow(() -> new IllegalStateException(name + " has no function " + function)),
                signature,
                options);
    }

    static RuntimeException unexpected(Throwable failure) {
        if (failure instanceof RuntimeException e) {
            return e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
        return new IllegalStateException("a downcall threw a checked exception", failure);
    }
}
