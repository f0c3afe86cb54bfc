package io.loam.memory.space;

import io.loam.memory.region.Access;
import java.util.UUID;

/**
 * A region in an address space.
 *
 * @param region its name when it was added
 * @param uuid which region it is; another one of the same name is not meant
 * @param access what may be done with it in this space
 * @param elsewhere whether it may be mapped elsewhere if its base is taken; pointers then still name addresses from its base on, and only
 *     a {@link Context} finds what they point to
 */
public record Member(String region, UUID uuid, Access access, boolean elsewhere) {}
