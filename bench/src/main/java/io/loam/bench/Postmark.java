package io.loam.bench;

import io.loam.bench.system.Loam;
import io.loam.bench.system.RefusedException;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Postmark, the benchmark of a mail server's small files, on a key-value store as TableFS puts files there: a file is an entry whose key is
 * its directory's inode and its name, and whose value is its attributes and data together.
 *
 * <p>Files of 500 to 4096 bytes in 10,000 directories (scaled) are created; then come transactions, 16 for each file: one in two reads a
 * file or appends 512 bytes to one (read, lengthen, write), the other creates or deletes one, each as likely; then all are deleted. The
 * time from the first transaction to the last deletion is the completion time; creation is told apart, since Loam's capacity is set after it.
 */
final class Postmark implements Experiment {

    static final int LOW_BYTES = 500;
    static final int HIGH_BYTES = 4096;
    private static final int BLOCK_BYTES = 512;

    /**
     * @param files at the start
     * @param directories that they are spread over
     * @param transactionsPerFile 16 in the original: 32 million for 2 million files
     */
    record Plan(long files, long directories, double transactionsPerFile, double wantedUtilisation, long seed) {}

    private final Setup setup;
    private final Plan plan;
    private final SystemUnderTest system;
    private final List<Client> clients = new ArrayList<>();

    Postmark(Setup setup, Plan plan) {
        this.setup = setup;
        this.plan = plan;
        system = SystemName.open(setup);
    }

    @Override
    public Map<String, Object> prepare() {
        Map<String, Object> figures = Figures.create();
        for (int i = 0; i < setup.threads(); i++) {
            clients.add(new Client(i, (int) (plan.files() / setup.threads())));
        }
        Crew.Effort effort = Crew.work(
                setup.threads(), 0, (thread, clock) -> clients.get(thread).createAll());
        figures.put("creationSeconds", effort.wallNanos() / 1e9);
        figures.put("creationCpuSeconds", effort.cpuNanos() / 1e9);
        if (system instanceof Loam loam && plan.wantedUtilisation() > 0) {
            Loading.adjust(loam, plan.wantedUtilisation(), figures);
        }
        figures.putAll(system.figures());
        return figures;
    }

    @Override
    public Map<String, Object> measure(int round) {
        Map<String, Object> figures = Figures.create();
        long processCpu = ProcessFigures.processCpuNanos();
        Crew.Effort transactions = Crew.work(
                setup.threads(), 0, (thread, clock) -> clients.get(thread).transactions());
        figures.put("rssBytes", ProcessFigures.rssBytes());
        figures.putAll(system.figures());
        Crew.Effort deletions = Crew.work(
                setup.threads(), 0, (thread, clock) -> clients.get(thread).deleteAll());
        long operations =
                clients.stream().mapToLong(client -> client.operations).sum();
        long cpu = transactions.cpuNanos() + deletions.cpuNanos();
        figures.put("transactions", operations);
        figures.put("completionSeconds", (transactions.wallNanos() + deletions.wallNanos()) / 1e9);
        figures.put("completionCpuSeconds", cpu / 1e9);
        processCpu = ProcessFigures.processCpuNanos() - processCpu;
        figures.put("completionProcessCpuSeconds", processCpu / 1e9);
        figures.put("opsPerSecond", operations * 1e9 / transactions.wallNanos());
        figures.put("opsPerCpuSecond", operations * 1e9 / transactions.cpuNanos());
        figures.put("opsPerProcessCpuSecond", operations * 1e9 / processCpu);
        figures.put(
                "refusals",
                clients.stream().mapToLong(client -> client.refusals).sum());
        return figures;
    }

    @Override
    public Map<String, Object> finish() {
        system.close();
        return Map.of();
    }

    /** One user of the file system, with files of their own. */
    private final class Client {
        private final int thread;
        private final int files;
        private final Session session;
        private final SplittableRandom random;
        private final StampedValues values = new StampedValues(LOW_BYTES, HIGH_BYTES, 3);
        private final byte[] buffer = new byte[HIGH_BYTES];
        /** Sizes by file number; 0 for none. */
        private final short[] sizes;

        private final int[] present;
        private int count;
        private long operations;
        private long refusals;

        Client(int thread, int files) {
            this.thread = thread;
            this.files = Math.max(1, files);
            session = system.newSession();
            random = new SplittableRandom(plan.seed() * 100 + thread);
            sizes = new short[this.files * 2];
            present = new int[this.files * 2];
        }

        /** Directory's inode above, the file's number and thread below: scattered as inodes and hashed names are. */
        private long key(int file) {
            long directory = file % plan.directories() + 1;
            return io.loam.bench.system.Mix.mix(directory << 40 | (long) thread << 32 | file);
        }

        private boolean write(int file, int size) {
            long key = key(file);
            byte[] value = values.stampLength(key, size);
            try {
                session.put(key, value, size);
            } catch (RefusedException e) {
                refusals++;
                return false;
            }
            sizes[file] = (short) size;
            return true;
        }

        void createAll() {
            for (int file = 0; file < files; file++) {
                create(file);
            }
            for (int file = sizes.length - 1; file >= files; file--) {
                present[file] = file; // the free numbers lie behind the present ones
            }
        }

        private void create(int file) {
            if (write(file, random.nextInt(LOW_BYTES, HIGH_BYTES + 1))) {
                present[count++] = file;
            }
        }

        void transactions() {
            long wanted = (long) (plan.transactionsPerFile() * files);
            for (long i = 0; i < wanted; i++) {
                int bits = random.nextInt();
                if ((bits & 1) == 0) {
                    readOrAppend((bits & 2) == 0);
                } else if ((bits & 2) == 0) {
                    createOne();
                } else {
                    deleteOne(random.nextInt(Math.max(1, count)));
                }
                operations++;
            }
        }

        private void readOrAppend(boolean read) {
            if (count == 0) {
                return;
            }
            int file = present[random.nextInt(count)];
            long key = key(file);
            int length = session.get(key, buffer);
            if (length != sizes[file]) {
                throw new VerificationException("file " + file + " of " + sizes[file] + " bytes was read as " + length);
            }
            if ((operations & 63) == 0) {
                StampedValues.verify(key, session.value(buffer), length);
            }
            if (!read) {
                write(file, Math.min(HIGH_BYTES, length + BLOCK_BYTES));
            }
        }

        private void createOne() {
            if (count == present.length) {
                return;
            }
            int file = present[count];
            if (write(file, random.nextInt(LOW_BYTES, HIGH_BYTES + 1))) {
                count++;
            }
        }

        private void deleteOne(int place) {
            if (count == 0) {
                return;
            }
            int file = present[place];
            if (!session.delete(key(file))) {
                throw new VerificationException("file " + file + " was created and never deleted, but is absent");
            }
            present[place] = present[--count];
            present[count] = file;
            sizes[file] = 0;
        }

        void deleteAll() {
            while (count > 0) {
                deleteOne(count - 1);
            }
        }
    }
}
