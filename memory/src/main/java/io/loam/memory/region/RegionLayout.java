package io.loam.memory.region;

import io.loam.memory.SharedRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * A region's descriptor: the file {@code regions/NAME}, little-endian.
 *
 * <pre>
 *   offset  size  name       meaning
 *        0     8  magic      "LOAMREGN"
 *        8     4  version    1
 *       12     4  checksum   CRC32C of bytes 0 to 11 and 16 to the end
 *       16    16  uuid       names the files of its memory and lock
 *       32     8  number     unique in the registry, order of locking
 *       40     8  base       address of the first byte
 *       48     8  bytes      size
 *       56     8  room       addresses kept from the base on, bytes
 *       64     8  created    milliseconds since 1970
 *       72     4  mode       permission bits
 *       76     4  flags      1 lockable, 2 huge pages
 *       80     2  nameBytes  length of the name
 *       82     2  fileBytes  length of the path, 0 for memory/UUID
 *       84     …  name       then the path, UTF-8, then zeros
 * </pre>
 *
 * <p>Written once under another name and replaced whole when a region grows.
 */
final class RegionLayout {

    /** Size of every descriptor. */
    static final int BYTES = 4096;

    private static final long MAGIC = ByteBuffer.wrap("LOAMREGN".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();
    private static final int VERSION = 1;
    private static final int CHECKSUM_AT = 12;
    private static final int NAME_AT = 84;
    private static final int LOCKABLE = 1;
    private static final int HUGE_PAGES = 2;

    /** Longest path, so that everything fits. */
    private static final int FILE_BYTES_MAX = BYTES - NAME_AT - Names.MAX_LENGTH;

    private RegionLayout() {}

    static byte[] encode(Region region, Path ownFile) {
        byte[] name = region.name().getBytes(StandardCharsets.UTF_8);
        byte[] file = region.file().equals(ownFile)
                ? new byte[0]
                : region.file().toString().getBytes(StandardCharsets.UTF_8);
        if (file.length > FILE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "the path of a region's file has at most " + FILE_BYTES_MAX + " bytes, " + file.length + " given");
        }
        ByteBuffer buffer = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(MAGIC)
                .putInt(VERSION)
                .putInt(0)
                .putLong(region.uuid().getMostSignificantBits())
                .putLong(region.uuid().getLeastSignificantBits())
                .putLong(region.number())
                .putLong(region.base())
                .putLong(region.bytes())
                .putLong(region.roomBytes())
                .putLong(region.createdMillis())
                .putInt(region.mode())
                .putInt((region.lockable() ? LOCKABLE : 0) | (region.hugePages() ? HUGE_PAGES : 0))
                .putShort((short) name.length)
                .putShort((short) file.length)
                .put(name)
                .put(file);
        buffer.putInt(CHECKSUM_AT, checksum(buffer.array()));
        return buffer.array();
    }

    /**
     * @param where the descriptor, for messages
     * @param memory the directory of files that a descriptor does not name
     */
    static Region decode(byte[] bytes, Path where, Path memory) {
        if (bytes.length != BYTES) {
            throw corrupt(where, "it has " + bytes.length + " bytes instead of " + BYTES);
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getLong() != MAGIC) {
            throw corrupt(where, "it does not begin with LOAMREGN");
        }
        int version = buffer.getInt();
        if (version != VERSION) {
            throw new RegionException(
                    RegionException.Reason.VERSION,
                    where + " has layout version " + version + ", this is for version " + VERSION
                            + "; use the Loam that made it, or delete it");
        }
        int sum = buffer.getInt();
        if (sum != checksum(bytes)) {
            throw corrupt(
                    where,
                    "its checksum is " + Integer.toHexString(sum) + ", expected "
                            + Integer.toHexString(checksum(bytes)));
        }
        UUID uuid = new UUID(buffer.getLong(), buffer.getLong());
        long number = buffer.getLong();
        long base = buffer.getLong();
        long size = buffer.getLong();
        long room = buffer.getLong();
        long created = buffer.getLong();
        int mode = buffer.getInt();
        int flags = buffer.getInt();
        int nameBytes = buffer.getShort();
        int fileBytes = buffer.getShort();
        if (nameBytes < 1 || nameBytes > Names.MAX_LENGTH || fileBytes < 0 || fileBytes > FILE_BYTES_MAX) {
            throw corrupt(where, "a name of " + nameBytes + " bytes and a path of " + fileBytes + " can't be");
        }
        byte[] name = new byte[nameBytes];
        byte[] file = new byte[fileBytes];
        buffer.get(name).get(file);
        Region region = new Region(
                new String(name, StandardCharsets.UTF_8),
                uuid,
                number,
                base,
                size,
                room,
                mode,
                (flags & LOCKABLE) != 0,
                (flags & HUGE_PAGES) != 0,
                file.length == 0 ? memory.resolve(uuid.toString()) : Path.of(new String(file, StandardCharsets.UTF_8)),
                created);
        if (!region.file().isAbsolute() || !region.file().endsWith(uuid.toString())) {
            // what deletes a region must not delete any file that a stranger names
            throw corrupt(where, "its file " + region.file() + " is not named by its uuid");
        }
        return region;
    }

    /**
     * What a name in {@code regions} says: a descriptor of that name, with a place. A checksum does not tell of malice, so the values are
     * looked at, too.
     */
    static Region decodeNamed(byte[] bytes, Path where, Path memory) {
        Region region = decode(bytes, where, memory);
        if (!where.endsWith(region.name())) {
            throw corrupt(where, "it describes region " + region.name());
        }
        if (region.number() <= 0
                || region.bytes() <= 0
                || region.bytes() > region.roomBytes()
                || region.base() % Region.GRANULE_BYTES != 0
                || region.roomBytes() % Region.GRANULE_BYTES != 0
                || !SharedRange.contains(region.base(), region.roomBytes())
                || region.base() + region.roomBytes() > SharedRange.BASES_END) {
            throw corrupt(where, "no region has number " + region.number() + " and the addresses of " + region);
        }
        return region;
    }

    private static RegionException corrupt(Path where, String how) {
        return new RegionException(
                RegionException.Reason.CORRUPT, where + " is damaged: " + how + "; restore it or delete the region");
    }

    private static int checksum(byte[] bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, 0, CHECKSUM_AT);
        sum.update(bytes, CHECKSUM_AT + 4, bytes.length - CHECKSUM_AT - 4);
        return (int) sum.getValue();
    }
}
