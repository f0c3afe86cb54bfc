package io.loam.memory.persistence;

import io.loam.memory.persistence.SimulatedMemory.Finding.Kind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Persistent memory that can lose its power: the <em>working</em> image, which the process sees; the <em>durable</em> image, which
 * surely survives; and for each line the stores since then, of which any prefix may survive too.
 *
 * <pre>
 *   store ──► working, line's stores     flush ──► how many of the line's stores this thread has pending
 *   fence ──► pending stores of this thread go into durable
 *   crash ──► durable + of each line the first k of its stores, k chosen for each line
 * </pre>
 *
 * <p>A store of more than 8 bytes counts as one for each word, in ascending order. Stores through a writable view are found by
 * comparison when their line is flushed and at a crash. Safe from any thread; {@link #crashes} wants no store meanwhile for an image of one moment.
 */
public final class SimulatedMemory extends PersistentMemory {

    private static final int LINE_SHIFT = 6;
    private static final int WORDS = LINE / Long.BYTES;

    /** A flush or fence of the code. */
    public record Step(Place place, boolean isFence) implements Comparable<Step> {
        @Override
        public int compareTo(Step other) {
            int byPlace = place.text.compareTo(other.place.text);
            return byPlace != 0 ? byPlace : Boolean.compare(isFence, other.isFence);
        }

        @Override
        public String toString() {
            return (isFence ? "fence" : "flush") + " at " + place.text;
        }
    }

    /** A line of code that calls flush, fence or persist. */
    public record Place(String text) {}

    /** A use of flush and fence that costs or loses something. */
    public record Finding(Kind kind, long offset, @Nullable Place place) {
        public enum Kind {
            /** All lines of the range were durable or flushed already. */
            REDUNDANT_FLUSH,
            /** This thread had flushed nothing since its last fence. */
            FENCE_WITHOUT_FLUSH,
            /** A line was stored to after its flush and before the fence: that store is not covered. */
            STORE_BETWEEN_FLUSH_AND_FENCE
        }
    }

    /** The stores of a line that are not durable yet. */
    private static final class Line {
        byte[] word = new byte[4];
        long[] value = new long[4];
        long[] time = new long[4];
        int count;
        /** How many stores of this line have become durable before those kept here. */
        long before;
        /** Counted from the start as {@code before} is: covered by a flush that is not fenced. */
        long flushed;

        void add(int index, long content, long now) {
            if (count == word.length) {
                word = Arrays.copyOf(word, count * 2);
                value = Arrays.copyOf(value, count * 2);
                time = Arrays.copyOf(time, count * 2);
            }
            word[count] = (byte) index;
            value[count] = content;
            time[count] = now;
            count++;
        }

        void dropFirst(int n) {
            System.arraycopy(word, n, word, 0, count - n);
            System.arraycopy(value, n, value, 0, count - n);
            System.arraycopy(time, n, time, 0, count - n);
            count -= n;
            before += n;
        }
    }

    private final long[] working;
    private final long[] durable;
    /** The working image as far as its stores are known: it differs where views were stored through. */
    private final long[] known;

    private final Map<Integer, Line> lines = new HashMap<>();
    private final Map<Thread, Map<Line, Long>> pending = new HashMap<>();
    private final Map<Line, Integer> numbers = new HashMap<>();
    private final BitSet exposed = new BitSet();
    private final List<Finding> findings = new ArrayList<>();
    private final TreeSet<Step> steps = new TreeSet<>();
    private long bytes;
    private long clock;
    private boolean recordsSteps;
    private boolean lints;
    private @Nullable Step leftOut;
    private @Nullable IntConsumer beforeFence;
    private final AtomicInteger fences = new AtomicInteger();
    private int flushCount;

    /** Memory of zeros, {@code bytes} long, that can grow to {@code reservedBytes}. */
    public SimulatedMemory(long bytes, long reservedBytes) {
        this(new long[words(reservedBytes)], bytes);
    }

    /** What is found when the power is back. */
    public SimulatedMemory(CrashImage image) {
        this(Arrays.copyOf(image.words(), words(image.reservedBytes())), (long) image.words().length * Long.BYTES);
    }

    private SimulatedMemory(long[] working, long bytes) {
        super(MemorySegment.ofArray(working));
        this.working = working;
        this.durable = working.clone();
        this.known = working.clone();
        this.bytes = bytes;
    }

    private static int words(long bytes) {
        return Math.toIntExact((bytes + LINE - 1) / LINE * WORDS);
    }

    /** Called before each fence with the number of fences so far: the moment at which most is undecided. */
    public synchronized void beforeFence(@Nullable IntConsumer listener) {
        beforeFence = listener;
    }

    /** From now on the places that flush and fence are remembered for {@link #steps}. Slow. */
    public synchronized void recordSteps() {
        recordsSteps = true;
    }

    public synchronized List<Step> steps() {
        return List.copyOf(steps);
    }

    /** From now on this flush or fence does nothing, as if it were missing in the code. */
    public synchronized void leaveOut(Step step) {
        leftOut = step;
    }

    /** From now on mistakes are collected. */
    public synchronized void lint() {
        lints = true;
    }

    public synchronized List<Finding> findings() {
        return List.copyOf(findings);
    }

    public int fences() {
        return fences.get();
    }

    public synchronized int flushes() {
        return flushCount;
    }

    /** Offsets of the lines whose last stores are not durable, flushed or not. */
    public synchronized List<Long> undurableLines() {
        captureExposed();
        return lines.keySet().stream()
                .sorted()
                .map(line -> (long) line << LINE_SHIFT)
                .toList();
    }

    @Override
    public Durability durability() {
        return Durability.SIMULATED;
    }

    @Override
    public String name() {
        return "simulated memory";
    }

    @Override
    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public synchronized void allocate(long offset, long length) {
        bytes = Math.max(bytes, offset + length);
    }

    /** Leaves the content as it is: zeros are not promised. */
    @Override
    public boolean release(long offset, long length) {
        return true;
    }

    @Override
    void storing(long offset, long length) {}

    @Override
    synchronized void stored(long offset, long length) {
        if (length == 0) {
            return;
        }
        for (long word = offset >>> 3; word <= (offset + length - 1) >>> 3; word++) {
            record((int) word);
        }
    }

    private void record(int word) {
        Line line = lines.get(word / WORDS);
        if (line == null) {
            line = new Line();
            lines.put(word / WORDS, line);
            numbers.put(line, word / WORDS);
        } else if (lints && line.flushed > line.before) {
            findings.add(new Finding(Kind.STORE_BETWEEN_FLUSH_AND_FENCE, (long) word << 3, null));
        }
        known[word] = working[word];
        line.add(word % WORDS, working[word], clock++);
    }

    @Override
    synchronized void exposed(long offset, long length) {
        if (length > 0) {
            exposed.set((int) (offset >>> LINE_SHIFT), (int) ((offset + length - 1 >>> LINE_SHIFT) + 1));
        }
    }

    private void captureExposed() {
        for (int line = exposed.nextSetBit(0); line >= 0; line = exposed.nextSetBit(line + 1)) {
            capture(line);
        }
    }

    private void capture(int line) {
        for (int word = line * WORDS; word < (line + 1) * WORDS; word++) {
            if (known[word] != working[word]) {
                record(word);
            }
        }
    }

    @Override
    public synchronized void flush(long offset, long length) {
        flushCount++;
        if (isLeftOut(false)) {
            return;
        }
        boolean news = false;
        Map<Line, Long> mine = pending.computeIfAbsent(Thread.currentThread(), ignored -> new HashMap<>());
        for (int number = (int) (offset >>> LINE_SHIFT);
                number <= (int) (offset + length - 1 >>> LINE_SHIFT);
                number++) {
            capture(number);
            Line line = lines.get(number);
            if (line != null) {
                long upTo = line.before + line.count;
                news |= line.flushed < upTo;
                line.flushed = upTo;
                mine.put(line, upTo);
            }
        }
        if (lints && !news) {
            findings.add(new Finding(Kind.REDUNDANT_FLUSH, offset, place()));
        }
    }

    @Override
    public void fence() {
        IntConsumer listener = beforeFence;
        if (listener != null) {
            listener.accept(fences.get());
        }
        fences.incrementAndGet();
        synchronized (this) {
            if (isLeftOut(true)) {
                return;
            }
            Map<Line, Long> mine = pending.remove(Thread.currentThread());
            if (mine == null || mine.isEmpty()) {
                if (lints) {
                    findings.add(new Finding(Kind.FENCE_WITHOUT_FLUSH, 0, place()));
                }
                return;
            }
            mine.forEach(this::makeDurable);
        }
    }

    private void makeDurable(Line line, long upTo) {
        int n = (int) Math.max(0, upTo - line.before);
        int number = number(line);
        if (n == 0 || number < 0) {
            return;
        }
        apply(durable, number, line, n);
        line.dropFirst(n);
        if (line.count == 0) {
            lines.remove(number);
            numbers.remove(line);
        }
    }

    private int number(Line line) {
        return numbers.getOrDefault(line, -1);
    }

    private static void apply(long[] image, int number, Line line, int n) {
        for (int i = 0; i < n; i++) {
            int word = number * WORDS + line.word[i];
            if (word < image.length) {
                image[word] = line.value[i];
            }
        }
    }

    private boolean isLeftOut(boolean fence) {
        if (!recordsSteps && leftOut == null) {
            return false;
        }
        Step step = new Step(place(), fence);
        if (recordsSteps) {
            steps.add(step);
        }
        return step.equals(leftOut);
    }

    private static Place place() {
        return StackWalker.getInstance()
                .walk(frames -> frames.filter(frame -> !frame.getClassName().equals(SimulatedMemory.class.getName())
                                && !frame.getClassName().equals(PersistentMemory.class.getName()))
                        .findFirst()
                        .map(frame -> {
                            String name = frame.getClassName();
                            return new Place(name.substring(name.lastIndexOf('.') + 1) + "." + frame.getMethodName()
                                    + ":" + frame.getLineNumber());
                        })
                        .orElseThrow());
    }

    /**
     * Images of a crash at this moment: all there are, if they are at most {@code most}; else the adversarial ones and then random ones, {@code most} in all.
     *
     * <p>Adversarial: nothing but what is durable; all stores; of one line all its stores and of the others none; of one line none and of
     * the others all. Random: a prefix of each line by itself; all or none of each line; all stores up to one moment, in the whole memory or by units of 512 bytes or 4 KiB.
     */
    public synchronized List<CrashImage> crashes(RandomGenerator random, int most) {
        captureExposed();
        int[] numbers =
                lines.keySet().stream().mapToInt(Integer::intValue).sorted().toArray();
        Line[] dirty = lines.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(Map.Entry::getValue)
                .toArray(Line[]::new);
        double combinations = 1;
        for (Line line : dirty) {
            combinations *= line.count + 1;
        }
        var images = new ArrayList<CrashImage>();
        if (combinations <= most) {
            addAll(images, numbers, dirty);
        } else {
            addAdversarial(images, numbers, dirty, most / 2, random);
            while (images.size() < most) {
                images.add(randomImage(numbers, dirty, random));
            }
        }
        return images;
    }

    private void addAll(List<CrashImage> images, int[] numbers, Line[] dirty) {
        int[] prefix = new int[dirty.length];
        while (true) {
            images.add(image(numbers, dirty, prefix, "prefixes " + Arrays.toString(prefix)));
            int i = 0;
            while (i < dirty.length && prefix[i] == dirty[i].count) {
                prefix[i++] = 0;
            }
            if (i == dirty.length) {
                return;
            }
            prefix[i]++;
        }
    }

    private void addAdversarial(
            List<CrashImage> images, int[] numbers, Line[] dirty, int most, RandomGenerator random) {
        int[] none = new int[dirty.length];
        int[] all = new int[dirty.length];
        Arrays.setAll(all, i -> dirty[i].count);
        images.add(image(numbers, dirty, none, "nothing since the last fence"));
        images.add(image(numbers, dirty, all, "all stores"));
        int first = random.nextInt(dirty.length);
        for (int i = 0; i < dirty.length && images.size() + 2 <= most; i++) {
            int chosen = (first + i) % dirty.length;
            int[] one = none.clone();
            one[chosen] = all[chosen];
            images.add(image(numbers, dirty, one, "only line " + numbers[chosen]));
            int[] others = all.clone();
            others[chosen] = 0;
            images.add(image(numbers, dirty, others, "all but line " + numbers[chosen]));
        }
    }

    private CrashImage randomImage(int[] numbers, Line[] dirty, RandomGenerator random) {
        int[] prefix = new int[dirty.length];
        int way = random.nextInt(6);
        String choice;
        switch (way) {
            case 0, 1 -> {
                Arrays.setAll(prefix, i -> random.nextInt(dirty[i].count + 1));
                choice = "a prefix of each line";
            }
            case 2 -> {
                Arrays.setAll(prefix, i -> random.nextBoolean() ? dirty[i].count : 0);
                choice = "all or none of each line";
            }
            default -> {
                int unitLines = way == 3 ? Integer.MAX_VALUE : (way == 4 ? 512 : 4096) / LINE;
                Map<Integer, Long> moments = new HashMap<>();
                for (int i = 0; i < dirty.length; i++) {
                    long moment = moments.computeIfAbsent(numbers[i] / unitLines, ignored -> moment(dirty, random));
                    prefix[i] = upTo(dirty[i], moment);
                }
                choice = way == 3 ? "one moment" : "a moment for each " + unitLines * LINE + " bytes";
            }
        }
        return image(numbers, dirty, prefix, choice);
    }

    private static long moment(Line[] dirty, RandomGenerator random) {
        Line line = dirty[random.nextInt(dirty.length)];
        return line.time[random.nextInt(line.count)] - random.nextInt(2);
    }

    private static int upTo(Line line, long moment) {
        int n = 0;
        while (n < line.count && line.time[n] <= moment) {
            n++;
        }
        return n;
    }

    private CrashImage image(int[] numbers, Line[] dirty, int[] prefix, String choice) {
        long[] words = Arrays.copyOf(durable, (int) (bytes / Long.BYTES));
        for (int i = 0; i < numbers.length; i++) {
            apply(words, numbers[i], dirty[i], prefix[i]);
        }
        return new CrashImage(words, reservedBytes(), choice);
    }

    /** What would be found if everything stored so far were durable: the process ended, the machine did not. */
    public synchronized CrashImage processEnded() {
        return new CrashImage(Arrays.copyOf(working, (int) (bytes / Long.BYTES)), reservedBytes(), "process ended");
    }

    @Override
    public void close() {}
}
