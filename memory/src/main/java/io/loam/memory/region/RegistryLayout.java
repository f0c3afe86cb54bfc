package io.loam.memory.region;

import io.loam.memory.RawMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The file {@code registry}, mapped by every participant; little-endian.
 *
 * <pre>
 *   offset  size   name          order     meaning
 *        0     8   magic         plain     "LOAMRGST"
 *        8     4   version       plain     1
 *       12     4   checksum      plain     CRC32C of bytes 0 to 11 and 16 to 23
 *       16     8   created       plain     milliseconds since 1970
 *       64     8   lastNumber    plain     the last number given to a region or space; guarded by Registry.exclusively
 *      128     8   changes       volatile  counts changes of definitions; what is kept of one may be stale when it has moved
 *     4096 16448   participants            see Participants
 * </pre>
 *
 * <p>Bytes from 1 &lt;&lt; 60 on do not exist and are only locked: 0 while somebody changes the registry, from 4096 on by participants.
 */
final class RegistryLayout {

    /** Whole pages of every size. */
    static final int BYTES = 64 << 10;

    static final long MUTEX_BYTE = 1L << 60;
    static final long PARTICIPANT_BYTES = MUTEX_BYTE + 4096;

    private static final long MAGIC = ByteBuffer.wrap("LOAMRGST".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();
    private static final int VERSION = 1;
    private static final int HEADER_BYTES = 24;
    private static final int LAST_NUMBER = 64;
    private static final int CHANGES = 128;
    private static final int PARTICIPANTS = 4096;

    private static final RawMemory MEMORY = RawMemory.ofProcess();

    private RegistryLayout() {}

    static byte[] header(long createdMillis) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(MAGIC).putInt(VERSION).putInt(0).putLong(createdMillis);
        header.putInt(12, checksum(header.array()));
        return header.array();
    }

    /** Refuses a file that is none of this version. */
    static void check(long address, long fileBytes, Path where) {
        String remedy = "; delete the directory if nobody needs what is in it";
        if (fileBytes < BYTES) {
            throw new RegionException(
                    RegionException.Reason.CORRUPT,
                    where + " is damaged: it has " + fileBytes + " bytes instead of " + BYTES + remedy);
        }
        byte[] header = new byte[HEADER_BYTES];
        MEMORY.copyOut(address, header, 0, HEADER_BYTES);
        ByteBuffer buffer = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getLong(0) != MAGIC) {
            throw new RegionException(
                    RegionException.Reason.CORRUPT,
                    where + " is no registry: it does not begin with LOAMRGST" + remedy);
        }
        if (buffer.getInt(8) != VERSION) {
            throw new RegionException(
                    RegionException.Reason.VERSION,
                    where + " has layout version " + buffer.getInt(8) + ", this is for version " + VERSION
                            + "; use the Loam that made it" + remedy);
        }
        if (buffer.getInt(12) != checksum(header)) {
            throw new RegionException(
                    RegionException.Reason.CORRUPT, where + " is damaged: its checksum does not match" + remedy);
        }
    }

    private static int checksum(byte[] header) {
        CRC32C sum = new CRC32C();
        sum.update(header, 0, 12);
        sum.update(header, 16, HEADER_BYTES - 16);
        return (int) sum.getValue();
    }

    static long participants(long address) {
        return address + PARTICIPANTS;
    }

    static long lastNumber(long address) {
        return MEMORY.getLong(address + LAST_NUMBER);
    }

    static void setLastNumber(long address, long number) {
        MEMORY.putLong(address + LAST_NUMBER, number);
    }

    static long changesVolatile(long address) {
        return MEMORY.getLongVolatile(address + CHANGES);
    }

    static void addChange(long address) {
        long ignored = MEMORY.getAndAddLong(address + CHANGES, 1);
    }
}
