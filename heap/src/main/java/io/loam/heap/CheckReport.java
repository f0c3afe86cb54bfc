package io.loam.heap;

import java.util.List;

/**
 * What a check found.
 *
 * @param problems a line each; empty if the heap is sound
 * @param reachable objects that the roots lead to
 * @param garbage objects in use that they don't lead to: not linked yet, or to be collected
 */
public record CheckReport(List<String> problems, long reachable, long garbage) {

    public boolean isSound() {
        return problems.isEmpty();
    }
}
