/**
 * Address spaces: named sets of regions that threads switch into, and pointers that are checked against the space a thread is in.
 *
 * <pre>
 *   AddressSpaces ── create, find, copy, define, delete, attach          (definitions: SpaceLayout, in the Registry's directory)
 *      │  └──► Windows ── which regions are mapped, if not all may be at once
 *      ▼
 *   Attachment ── this process's view of one space ──► Table ── which addresses it has, where they are, what may be done with them
 *      ▲                                                 ▲
 *   Context ── one thread: enter, and every access ──────┘
 *      └──► Switch ── one stay in a space; close restores the one before ── in a Place: the thread's, for one table
 * </pre>
 *
 * <p>Each operation of the paper (Figure 40), and what it is here:
 *
 * <table>
 *   <caption>Operations</caption>
 *   <tr><th>paper</th><th>here</th></tr>
 *   <tr><td>vas_create(name, perms)</td><td>{@link AddressSpaces#create}</td></tr>
 *   <tr><td>vas_find(name)</td><td>{@link AddressSpaces#find}, {@link AddressSpaces#list}</td></tr>
 *   <tr><td>vas_clone(vid)</td><td>{@link AddressSpaces#copy}</td></tr>
 *   <tr><td>vas_attach(vid)</td><td>{@link AddressSpaces#attach}</td></tr>
 *   <tr><td>vas_detach(vh)</td><td>{@link Attachment#close}</td></tr>
 *   <tr><td>vas_switch(vh)</td><td>{@link Context#enter}, {@link Switch#close}</td></tr>
 *   <tr><td>vas_ctl(cmd, vid)</td><td>{@link AddressSpaces#setMode}, {@link AddressSpaces#delete}, {@link AddressSpaces#attachedTo}</td></tr>
 *   <tr><td>seg_alloc(name, base, size, perms)</td><td>{@code Regions.create}</td></tr>
 *   <tr><td>seg_find(name)</td><td>{@code Regions.find}, {@code Regions.list}</td></tr>
 *   <tr><td>seg_clone(sid)</td><td>{@code Regions.copy}</td></tr>
 *   <tr><td>seg_attach(vid, sid), seg_detach(vid, sid)</td><td>{@link AddressSpaces#add}, {@link AddressSpaces#remove}</td></tr>
 *   <tr><td>seg_attach(vh, sid), seg_detach(vh, sid)</td><td>{@link Attachment#attach}, {@link Attachment#detach}</td></tr>
 *   <tr><td>seg_ctl(sid, cmd)</td><td>{@code Regions.resize}, {@code delete}, {@code acl}, {@code attachedTo}</td></tr>
 * </table>
 *
 * <p><b>How a switch works, and what it is not.</b> The paper's kernel loads another page table. Here all attached regions stay mapped in
 * one range of addresses, and a switch changes which table the thread's context checks its pointers against. That costs nanoseconds
 * instead of half a microsecond, needs no kernel, and can't do two things: code that does not go through a {@link Context} is not kept
 * out of regions that are mapped (no isolation by hardware), and what is mapped at one time must fit into 48 TiB of addresses ({@link
 * Windows} maps in turns what does not).
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>I1. An address that a {@link Table} lets through is mapped, and for writing if it lets writes through, as long as any context is
 *       inside that table.
 *   <li>I2. A context inside a table is announced ({@code Context.announced}) before it uses the table; what is taken out of a table is
 *       unmapped only when no announced context is inside it.
 *   <li>I3. Locks are waited for in ascending order of region numbers, over all nested stays of a context; out of order they are only
 *       tried.
 *   <li>I4. Leaving restores what was before entering: table, locks, announcement; in the order of nesting only.
 * </ul>
 *
 * <p><b>Entering against taking out.</b> Enter: read the attachment's table, announce, fence, read the attachment's table again, start
 * over if it is another one. Take out: set the limits of the region to 0, publish the new table, fence, look at what is announced.
 * Forbidden outcome: the look misses an announcement and the one who announced goes on to use the old limits. If the look misses it, the
 * announcement comes after the fence in the order of fences, and so does the reading of table and limits. The fence of enter is the other
 * side's where the kernel has membarrier: then enter only keeps the compiler from moving its loads before its store, which HotSpot does
 * for an opaque store and the Java memory model does not promise.
 *
 * <p><b>Lock order.</b> {@code RegionLock}s, by region number; then an {@link Attachment}'s monitor; then {@link Windows}' monitor; then
 * those of the registry.
 *
 * <p>Source: El Hajj et al., SpaceJMP (ASPLOS 2016). There a compiler inserts checks for pointers that may belong to another space; here
 * every access checks, by one table.
 */
@NullMarked
package io.loam.memory.space;

import org.jspecify.annotations.NullMarked;
