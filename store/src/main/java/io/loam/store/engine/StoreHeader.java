package io.loam.store.engine;

import io.loam.memory.RawMemory;
import io.loam.memory.region.RegionException;
import io.loam.store.Eviction;
import io.loam.store.FullPolicy;
import io.loam.store.UpdatePolicy;
import io.loam.store.log.Geometry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * The first page of a store's memory. All of it that is below 512 belongs to private stores, too.
 *
 * <pre>
 * offset size name         order    meaning
 *      0    8 magic        plain    "LOAMSTOR"; 0 in a private store
 *      8    4 version      plain    of the layout of everything in the store and its control region: {@link #VERSION}
 *     12    4 checksum     plain    CRC32C of bytes 0 to 11 and 512 to 639
 *     64    8 epoch        opaque   in a private store
 *    128    8 clock        add      blocks opened
 *    136    8 left         add      segments of one entry that processes have found dead and left to the leader
 *    192    8 fruitless    add      looks of the cleaner that found nothing to gain
 *    200    8 pending      add      what is retired and not free yet
 *    208    8 cycles       opaque   looks at every entry's expiry that are complete
 *    216    8 urgent       opaque   1: somebody waits for such a look
 *    224    8 expires      opaque   1: some entry was written with an expiry
 *    232    8 capacity     opaque   the budget, bytes
 *    240    8 last id      opaque   the highest id that a namespace has had
 *    248    8 generation   opaque   how many indexes there have been
 *    512    8 most         plain    the highest capacity, bytes
 *    520    4 block        plain    bytes
 *    524    4 segment      plain    bytes
 *    528    4 heads        plain    of each process on each node
 *    532    4 cleaners     plain    on each node
 *    536    4 slots        plain    epoch slots of each process
 *    540    4 participants plain    processes at a time
 *    544    4 nodes        plain    NUMA nodes
 *    548    4 policies     plain    bit 0 IN_PLACE, 1 EVICT, 2 keyed hash, 3 only what expires is evicted, 4–7 order of eviction, 8 room for marks
 *    552    8 seed         plain    of the key hash
 *    560    8 timeout      plain    the longest wait of a write, milliseconds
 *    568    8 data         plain    size of the region, bytes
 *    576    8 id           plain    a random number, which the control region has too
 * </pre>
 */
final class StoreHeader {

    /** Of everything that processes share: to be raised with every change of a layout or a protocol. */
    static final int VERSION = 3;

    static final long EPOCH = 64;
    static final long CLOCK = 128;
    static final long FRUITLESS = 192;
    static final long PENDING = 200;
    static final long CYCLES = 208;
    static final long URGENT = 216;
    static final long EXPIRES = 224;
    static final long CAPACITY = 232;
    static final long LAST_ID = 240;
    static final long GENERATION = 248;

    private static final long CHECKSUM = 12;
    private static final long FIXED = 512;
    private static final int FIXED_BYTES = 128;
    private static final long ID = 576;
    private static final int MARKS = 1 << 8;

    private static final long MAGIC = ByteBuffer.wrap("LOAMSTOR".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();

    private StoreHeader() {}

    static void write(RawMemory memory, long base, EngineOptions options, Geometry geometry, long id) {
        Eviction eviction = options.eviction();
        int policies = (options.updatePolicy() == UpdatePolicy.IN_PLACE ? 1 : 0)
                | (options.fullPolicy() == FullPolicy.EVICT ? 2 : 0)
                | (options.floodResistant() ? 4 : 0)
                | (eviction.domain() == Eviction.Domain.EXPIRING ? 8 : 0)
                | eviction.order().ordinal() << 4
                | (options.marks() ? MARKS : 0);
        ByteBuffer fixed = ByteBuffer.allocate(FIXED_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        fixed.putLong(options.maximumCapacityBytes())
                .putInt(options.blockBytes())
                .putInt(options.segmentBytes())
                .putInt(options.headsPerNode())
                .putInt(options.cleanersPerNode())
                .putInt(options.epochSlots())
                .putInt(geometry.participants)
                .putInt(geometry.nodes)
                .putInt(policies)
                .putLong(options.hashSeed())
                .putLong(options.writeTimeoutMillis())
                .putLong(geometry.reservedBytes)
                .putLong(id);
        memory.copyIn(fixed.array(), 0, base + FIXED, FIXED_BYTES);
        memory.putLong(base, MAGIC);
        memory.putInt(base + 8, VERSION);
        memory.putInt(base + CHECKSUM, checksum(memory, base));
    }

    /**
     * The options that a store was created with, and this process's own; of one that is to be the only one, its policies too.
     *
     * @param bytes of the region
     * @param where the region, for messages
     */
    static EngineOptions read(RawMemory memory, long base, long bytes, String where, EngineOptions local) {
        if (bytes < Geometry.HEADER_BYTES || memory.getLong(base) != MAGIC) {
            throw corrupt(where, "it does not begin with LOAMSTOR");
        }
        int version = memory.getInt(base + 8);
        if (version != VERSION) {
            throw new RegionException(
                    RegionException.Reason.VERSION,
                    where + " holds a store of layout version " + version + ", this Loam has version " + VERSION
                            + "; export it with the Loam that made it and import the file, or delete the store");
        }
        if (memory.getInt(base + CHECKSUM) != checksum(memory, base)) {
            throw corrupt(
                    where,
                    "the checksum of its header is " + Integer.toHexString(memory.getInt(base + CHECKSUM))
                            + ", expected " + Integer.toHexString(checksum(memory, base)));
        }
        byte[] array = new byte[FIXED_BYTES];
        memory.copyOut(base + FIXED, array, 0, FIXED_BYTES);
        ByteBuffer fixed = ByteBuffer.wrap(array).order(ByteOrder.LITTLE_ENDIAN);
        long most = fixed.getLong();
        int block = fixed.getInt();
        int segment = fixed.getInt();
        int heads = fixed.getInt();
        int cleaners = fixed.getInt();
        int slots = fixed.getInt();
        int participants = fixed.getInt();
        int nodes = fixed.getInt();
        int policies = fixed.getInt();
        long seed = fixed.getLong();
        long timeout = fixed.getLong();
        long reserved = fixed.getLong();
        if (reserved > bytes || participants != SharedLayout.PARTICIPANTS || slots != SharedLayout.SLOTS) {
            throw corrupt(where, "it has " + bytes + " bytes, its header asks for " + reserved);
        }
        if (nodes != local.topology().nodeCount()) {
            throw new IllegalArgumentException(where + " holds a store for " + nodes
                    + " NUMA nodes; this process sees " + local.topology().nodeCount()
                    + "; attach with a topology of as many");
        }
        boolean marks = (policies & MARKS) != 0;
        boolean own = local.exclusive();
        if (own && local.fullPolicy() == FullPolicy.EVICT && !marks) {
            throw new IllegalArgumentException(
                    where + " holds a store that was created without room for reference marks, so that it can't evict;"
                            + " open it with FullPolicy.REJECT, or create another with FullPolicy.EVICT or exclusively");
        }
        return new EngineOptions(
                memory.getLongOpaque(base + CAPACITY),
                most,
                block,
                segment,
                heads,
                cleaners,
                slots,
                own ? local.updatePolicy() : (policies & 1) != 0 ? UpdatePolicy.IN_PLACE : UpdatePolicy.APPEND,
                own ? local.fullPolicy() : (policies & 2) != 0 ? FullPolicy.EVICT : FullPolicy.REJECT,
                own
                        ? local.eviction()
                        : new Eviction(
                                Eviction.Order.values()[policies >>> 4 & 15],
                                (policies & 8) != 0 ? Eviction.Domain.EXPIRING : Eviction.Domain.ALL),
                (policies & 4) != 0,
                own ? local.writeTimeoutMillis() : timeout,
                local.releaseDelayMillis(),
                local.hugePages(),
                false,
                local.clock(),
                local.topology(),
                seed,
                marks,
                own);
    }

    /** What tells the store from all others, of its name too. */
    static long id(RawMemory memory, long base) {
        return memory.getLong(base + ID);
    }

    private static RegionException corrupt(String where, String how) {
        return new RegionException(
                RegionException.Reason.CORRUPT, where + " is damaged: " + how + "; delete the store, or restore it");
    }

    private static int checksum(RawMemory memory, long base) {
        byte[] bytes = new byte[(int) CHECKSUM + FIXED_BYTES];
        memory.copyOut(base, bytes, 0, (int) CHECKSUM);
        memory.copyOut(base + FIXED, bytes, (int) CHECKSUM, FIXED_BYTES);
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        return (int) sum.getValue();
    }
}
