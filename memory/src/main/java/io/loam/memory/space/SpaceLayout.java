package io.loam.memory.space;

import io.loam.memory.region.Access;
import io.loam.memory.region.Names;
import io.loam.memory.region.RegionException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * An address space's definition: the file {@code spaces/NAME}, little-endian.
 *
 * <pre>
 *   offset  size  name        meaning
 *        0     8  magic       "LOAMSPAC"
 *        8     4  version     1
 *       12     4  checksum    CRC32C of bytes 0 to 11 and 16 to the end
 *       16    16  uuid
 *       32     8  number      unique among regions and spaces of the registry
 *       40     8  generation  counts changes
 *       48     8  created     milliseconds since 1970
 *       56     4  mode        permission bits
 *       60     4  count       of members
 *       64     …  members     each: uuid 16, flags 1 (1 for writing, 2 may lie elsewhere), length of the name 1, name
 * </pre>
 *
 * <p>Replaced whole by rename at each change.
 */
final class SpaceLayout {

    /** Most regions of a space, far above what 48 TiB in steps of 1 GiB can hold at once, since windows may hold more. */
    static final int MAX_MEMBERS = 1 << 20;

    private static final long MAGIC = ByteBuffer.wrap("LOAMSPAC".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();
    private static final int VERSION = 1;
    private static final int CHECKSUM_AT = 12;
    private static final int HEADER_BYTES = 64;
    private static final int MEMBER_BYTES_MAX = 18 + Names.MAX_LENGTH;
    private static final int WRITE = 1;
    private static final int ELSEWHERE = 2;

    private SpaceLayout() {}

    static byte[] encode(AddressSpace space) {
        ByteBuffer buffer = ByteBuffer.allocate(HEADER_BYTES + space.members().size() * MEMBER_BYTES_MAX)
                .order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(MAGIC)
                .putInt(VERSION)
                .putInt(0)
                .putLong(space.uuid().getMostSignificantBits())
                .putLong(space.uuid().getLeastSignificantBits())
                .putLong(space.number())
                .putLong(space.generation())
                .putLong(space.createdMillis())
                .putInt(space.mode())
                .putInt(space.members().size());
        for (Member member : space.members()) {
            byte[] name = member.region().getBytes(StandardCharsets.US_ASCII);
            int flags = (member.access() == Access.WRITE ? WRITE : 0) | (member.elsewhere() ? ELSEWHERE : 0);
            buffer.putLong(member.uuid().getMostSignificantBits())
                    .putLong(member.uuid().getLeastSignificantBits())
                    .put((byte) flags)
                    .put((byte) name.length)
                    .put(name);
        }
        byte[] bytes = new byte[buffer.position()];
        buffer.flip().get(bytes);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(CHECKSUM_AT, checksum(bytes));
        return bytes;
    }

    /** {@code where} is for messages; the file's name is the space's. */
    static AddressSpace decode(byte[] bytes, Path where) {
        if (bytes.length < HEADER_BYTES) {
            throw corrupt(where, "it has only " + bytes.length + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getLong() != MAGIC) {
            throw corrupt(where, "it does not begin with LOAMSPAC");
        }
        int version = buffer.getInt();
        if (version != VERSION) {
            throw new RegionException(
                    RegionException.Reason.VERSION,
                    where + " has layout version " + version + ", this is for version " + VERSION
                            + "; use the Loam that made it, or delete it");
        }
        if (buffer.getInt() != checksum(bytes)) {
            throw corrupt(where, "its checksum does not match");
        }
        try {
            UUID uuid = new UUID(buffer.getLong(), buffer.getLong());
            long number = buffer.getLong();
            long generation = buffer.getLong();
            long created = buffer.getLong();
            int mode = buffer.getInt();
            List<Member> members = new ArrayList<>();
            for (int count = buffer.getInt(); count > 0; count--) {
                UUID member = new UUID(buffer.getLong(), buffer.getLong());
                int flags = buffer.get();
                byte[] name = new byte[buffer.get() & 0xff];
                buffer.get(name);
                members.add(new Member(
                        Names.check(new String(name, StandardCharsets.US_ASCII)),
                        member,
                        (flags & WRITE) != 0 ? Access.WRITE : Access.READ,
                        (flags & ELSEWHERE) != 0));
            }
            return new AddressSpace(
                    String.valueOf(where.getFileName()), uuid, number, generation, mode, created, List.copyOf(members));
        } catch (BufferUnderflowException e) {
            throw corrupt(where, "it ends in the middle of a member");
        } catch (IllegalArgumentException e) {
            throw corrupt(where, "it has a member that can't be: " + e.getMessage());
        }
    }

    private static RegionException corrupt(Path where, String how) {
        return new RegionException(
                RegionException.Reason.CORRUPT, where + " is damaged: " + how + "; restore it or delete the space");
    }

    private static int checksum(byte[] bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, 0, CHECKSUM_AT);
        sum.update(bytes, CHECKSUM_AT + 4, bytes.length - CHECKSUM_AT - 4);
        return (int) sum.getValue();
    }
}
