package io.loam.memory.space;

import java.util.List;
import java.util.UUID;

/**
 * What an address space's definition said when it was read.
 *
 * @param name unique among the spaces of its registry
 * @param uuid unique for ever
 * @param number unique among regions and spaces of its registry
 * @param generation counts the changes of its members
 * @param mode permission bits of the definition: who may read it may attach it
 * @param createdMillis when it was created, in milliseconds since 1970
 * @param members its regions, in the order in which they were added
 */
public record AddressSpace(
        String name, UUID uuid, long number, long generation, int mode, long createdMillis, List<Member> members) {

    AddressSpace withMembers(List<Member> others) {
        return new AddressSpace(name, uuid, number, generation + 1, mode, createdMillis, List.copyOf(others));
    }

    AddressSpace withMode(int other) {
        return new AddressSpace(name, uuid, number, generation + 1, other, createdMillis, members);
    }

    /** For messages. */
    @Override
    public String toString() {
        return "address space " + name + " (" + members.size() + " regions)";
    }
}
