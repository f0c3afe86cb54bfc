package io.loam.bench;

import java.util.SplittableRandom;

/**
 * What a greedy cleaner must copy: a simulated log of equal objects overwritten uniformly at random, where the segment with the fewest
 * live objects is always cleaned next. The yardstick for copying at a utilisation.
 *
 * <p>With large segments it approaches the closed form: the share u live in a victim solves (1 − u) / −ln u = utilisation, and each
 * object written costs u / (1 − u) copied (Rosenblum & Ousterhout; Menon).
 */
final class GreedyCleaner {

    private final int segments;
    private final int objectsPerSegment;
    private final int[] location;
    private final int[][] contents;
    private final int[] used;
    private final int[] live;
    private final int[] free;
    private int freeCount;
    private int head;
    private long copied;

    private GreedyCleaner(int segments, int objectsPerSegment, double utilisation) {
        this.segments = segments + 1; // one more: the reserve that the survivors go to
        this.objectsPerSegment = objectsPerSegment;
        location = new int[(int) (utilisation * segments * objectsPerSegment)];
        contents = new int[this.segments][objectsPerSegment];
        used = new int[this.segments];
        live = new int[this.segments];
        free = new int[this.segments];
        for (int i = this.segments - 1; i > 0; i--) {
            free[freeCount++] = i;
        }
        head = 0;
        for (int object = 0; object < location.length; object++) {
            location[object] = -1;
            write(object);
        }
    }

    /** Objects copied for each object overwritten, in the steady state. */
    static double copiesPerWrite(double utilisation) {
        return copiesPerWrite(utilisation, 256, 1024, 42);
    }

    static double copiesPerWrite(double utilisation, int segments, int objectsPerSegment, long seed) {
        if (!(utilisation > 0 && utilisation < 1)) {
            throw new IllegalArgumentException("utilisation " + utilisation + "; allowed: between 0 and 1");
        }
        GreedyCleaner log = new GreedyCleaner(segments, objectsPerSegment, utilisation);
        SplittableRandom random = new SplittableRandom(seed);
        int turnover = segments * objectsPerSegment;
        for (int i = 0; i < 4 * turnover; i++) {
            log.write(random.nextInt(log.location.length));
        }
        log.copied = 0;
        int writes = 3 * turnover;
        for (int i = 0; i < writes; i++) {
            log.write(random.nextInt(log.location.length));
        }
        return (double) log.copied / writes;
    }

    private void write(int object) {
        if (location[object] >= 0) {
            live[location[object] / objectsPerSegment]--;
        }
        append(object);
        while (freeCount < 2) {
            clean();
        }
    }

    private void append(int object) {
        if (used[head] == objectsPerSegment) {
            head = free[--freeCount];
            used[head] = 0;
            live[head] = 0;
        }
        int place = used[head]++;
        contents[head][place] = object;
        location[object] = head * objectsPerSegment + place;
        live[head]++;
    }

    private void clean() {
        int victim = -1;
        for (int i = 0; i < segments; i++) {
            if (i != head && used[i] == objectsPerSegment && (victim < 0 || live[i] < live[victim])) {
                victim = i;
            }
        }
        int from = victim * objectsPerSegment;
        for (int i = 0; i < objectsPerSegment; i++) {
            int object = contents[victim][i];
            if (location[object] == from + i) {
                append(object);
                copied++;
            }
        }
        used[victim] = 0;
        live[victim] = 0;
        free[freeCount++] = victim;
    }
}
