/**
 * Hashes: their two forms, and where the fields of the large ones are. The layouts are in docs/encoding.md.
 *
 * <pre>
 *   Hashes ──finds──► HashValue ◄── SmallHash ──► CompactHash    one entry, the key's
 *      │                  ▲────────── LargeHash ──► HashHeader    the key's entry; fields are entries of
 *      └──► HashElements ◄────────────────┘                       the namespace server.elements, under an id
 *               └── queue, reclaimer, sweep: what has no header any more
 * </pre>
 *
 * <p><b>Who sees what.</b> A command that changes a hash has its key locked, one that reads it without the lock compares the stripe's word before and after ({@link io.loam.server.keyspace}), so neither
 * sees another in its midst. To commands that look at the key's entry only (TYPE, TTL) each change is one operation: the header is put once, after the elements, or before them for a deletion.
 *
 * <p><b>What the store does of itself</b> — dropping a header that has expired or is cold — knows no stripe. Forbidden: a header is written over elements that are being
 * reclaimed. Headers are put on the condition that the entry has the version that was read; if it has not, what was written is taken back and the command begins again. A reader looks, after it has read elements,
 * whether the key is still there. Elements themselves are never evicted.
 *
 * <p><b>Steps.</b> A large hash is changed by several entries, and the memory may run out, or the process die, after each. Of the order of the writes:
 *
 * <p>I1. A field is there if and only if its entry's ordinal is covered by the header: below the limit, not the dying one.
 * <br>I2. Every field entry is named by an ordinal entry, so that the reclaimer, which goes by ordinals, finds all.
 * <br>I3. An ordinal entry counts only if the field it names has that ordinal; else it is a hole.
 * <br>I4. An insertion clears what is left at the ordinals it takes, so that no field appears with the header that an earlier one, which failed, has left.
 */
@NullMarked
package io.loam.server.hash;

import org.jspecify.annotations.NullMarked;
