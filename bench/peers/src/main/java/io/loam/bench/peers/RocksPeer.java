package io.loam.bench.peers;

import io.loam.bench.system.KeyBytes;
import io.loam.bench.system.RefusedException;
import io.loam.bench.system.Session;
import io.loam.bench.system.Setup;
import io.loam.bench.system.SystemUnderTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.stream.Stream;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/**
 * RocksDB on a memory file system: no write-ahead log, no compression, a block cache of 1.5 times the data, a bloom filter of 10 bits,
 * four memtables of 128 MiB. Its files are memory too: the resident size does not show them, {@code fileBytes} does.
 */
public final class RocksPeer extends SystemUnderTest {

    private final Path directory;
    private final RocksDB db;
    private final ReadOptions reading;
    private final WriteOptions writing;
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();
    private final int keyBytes;

    public RocksPeer(Setup setup) {
        keyBytes = setup.keyBytes();
        RocksDB.loadLibrary();
        reading = new ReadOptions().setVerifyChecksums(false);
        writing = new WriteOptions().setDisableWAL(true);
        Path memory = Path.of("/dev/shm");
        try {
            directory = Files.isWritable(memory)
                    ? Files.createTempDirectory(memory, "loam-bench-rocksdb")
                    : Files.createTempDirectory("loam-bench-rocksdb");
            long cacheBytes = (long) (1.5 * setup.records() * (keyBytes + setup.meanValueBytes())) + (16L << 20);
            LRUCache cache = new LRUCache(cacheBytes);
            BloomFilter bloom = new BloomFilter(10, false);
            Options options = new Options()
                    .setCreateIfMissing(true)
                    .setCompressionType(CompressionType.NO_COMPRESSION)
                    .setWriteBufferSize(128L << 20)
                    .setMaxWriteBufferNumber(4)
                    .setMaxBackgroundJobs(2)
                    .setTableFormatConfig(
                            new BlockBasedTableConfig().setBlockCache(cache).setFilterPolicy(bloom));
            db = RocksDB.open(options, directory.toString());
            resources.push(cache);
            resources.push(bloom);
            resources.push(options);
            resources.push(reading);
            resources.push(writing);
            resources.push(db);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (RocksDBException e) {
            throw new IllegalStateException("can't open RocksDB", e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> deleteFiles(directory)));
    }

    private static void deleteFiles(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(java.util.Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            System.err.println("can't delete " + directory + ": " + e);
        }
    }

    @Override
    public Session newSession() {
        return new RocksSession();
    }

    @Override
    public long size() {
        return -1;
    }

    @Override
    public java.util.Map<String, Object> figures() {
        try (Stream<Path> files = Files.walk(directory)) {
            return java.util.Map.of(
                    "fileBytes", files.mapToLong(file -> file.toFile().length()).sum());
        } catch (IOException | UncheckedIOException e) {
            return java.util.Map.of(); // a file vanished by compaction while we looked
        }
    }

    @Override
    public void close() {
        resources.forEach(resource -> {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException("can't close RocksDB", e);
            }
        });
    }

    private final class RocksSession extends Session {
        private final byte[] key = new byte[keyBytes];

        @Override
        public int get(long id, byte[] into) {
            KeyBytes.encode(id, key);
            try {
                return db.get(reading, key, into);
            } catch (RocksDBException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void put(long id, byte[] value, int length) {
            KeyBytes.encode(id, key);
            try {
                db.put(writing, key, 0, key.length, value, 0, length);
            } catch (RocksDBException e) {
                throw new RefusedException(String.valueOf(e.getMessage()), e);
            }
        }

        @Override
        public boolean delete(long id) {
            KeyBytes.encode(id, key);
            try {
                boolean present = db.get(reading, key, new byte[0]) != RocksDB.NOT_FOUND;
                db.delete(writing, key);
                return present;
            } catch (RocksDBException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
