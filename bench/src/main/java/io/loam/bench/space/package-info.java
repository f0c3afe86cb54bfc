/**
 * What address spaces cost, and what one would do without them.
 *
 * <pre>
 *   SwitchCosts    entering, locks, dereferencing, attaching, beside the kernel's means (the paper's Table 6)
 *   MappingCosts   mapping by size, with 4 KiB and 2 MiB pages (Figures 6 and 37)
 *   Gups           random updates over windows (Figures 48 and 49) ── GupsProcess: one process for a window
 *   ScratchRegistry, Timing; Echo, LockHolder: processes to talk to and to kill
 * </pre>
 *
 * <p>Everything lies in a registry of its own, which is deleted in the end.
 */
@NullMarked
package io.loam.bench.space;

import org.jspecify.annotations.NullMarked;
