package io.loam.heap;

import java.util.ArrayDeque;

/**
 * Freed slots and objects that are not to be used again yet, oldest first, in the Java heap: a place is allocated at most once in each rest, so that no line of the medium wears out
 * before the others. Each call lets go what has rested long enough, or is more than may rest. Safe from any thread.
 */
final class RestQueue {

    private record Freed(Run run, int slot, long nanos) {}

    private final Blocks blocks;
    private final long restNanos;
    private final long mostBytes;
    private final ArrayDeque<Freed> queue = new ArrayDeque<>();
    private long bytes;

    RestQueue(Blocks blocks, long restMillis, long mostBytes) {
        this.blocks = blocks;
        this.restNanos = restMillis * 1_000_000;
        this.mostBytes = mostBytes;
    }

    /** The slot's state is RESTING. */
    void add(Run run, int slot) {
        long now = System.nanoTime();
        synchronized (this) {
            queue.addLast(new Freed(run, slot, now));
            bytes += run.slotBytes;
        }
        release(now, mostBytes);
    }

    /** Lets go all that rests; false if nothing did. */
    boolean releaseAll() {
        return release(System.nanoTime(), -1);
    }

    private boolean release(long now, long most) {
        boolean any = false;
        while (true) {
            Freed freed;
            synchronized (this) {
                freed = queue.peekFirst();
                if (freed == null || now - freed.nanos < restNanos && bytes <= most) {
                    return any;
                }
                queue.removeFirst();
                bytes -= freed.run.slotBytes;
            }
            any = true;
            letGo(freed.run, freed.slot);
        }
    }

    private void letGo(Run run, int slot) {
        blocks.states(run)[slot] = Run.FREE;
        if (run.bin == null) {
            blocks.end(run);
        } else {
            run.bin.spill(new long[] {run.place(slot)}, 0, 1);
        }
    }
}
