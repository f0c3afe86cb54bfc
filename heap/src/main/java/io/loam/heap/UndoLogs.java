package io.loam.heap;

import io.loam.memory.persistence.PersistentMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The undo logs of a heap, claimed one by one by running updates; one more than there are waits. */
final class UndoLogs {

    private final List<UndoLog> all = new ArrayList<>();
    private final ArrayDeque<UndoLog> free = new ArrayDeque<>();

    UndoLogs(PersistentMemory memory, Geometry geometry) {
        for (int i = 0; i < geometry.logs(); i++) {
            all.add(new UndoLog(memory, geometry, i));
        }
        free.addAll(all);
    }

    /** After a crash; how many records were undone. */
    int recover(long limit) {
        int records = 0;
        for (UndoLog log : all) {
            records += log.recover(limit);
        }
        return records;
    }

    synchronized UndoLog claim() {
        boolean interrupted = false;
        while (free.isEmpty()) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return free.removeLast();
    }

    synchronized void giveBack(UndoLog log) {
        free.addLast(log);
        notify();
    }
}
