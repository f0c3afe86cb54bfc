/**
 * The command line of Loam.
 *
 * <pre>
 *   Main ──mounts──► serve.ServeCommand    a server that speaks the Redis protocol
 *     │    ├──────► top.TopCommand        what a running server does, redrawn each second
 *     │    ├──────► demo.DemoCommand      real data, overwritten and verified
 *     │    ├──────► shell.ShellCommand    an interactive store
 *     │    ├──────► StartUpCommand        what the start-up cache of bin/loam is made of
 *     │    └──────► further commands of other modules
 *     ├──► Version                        from the build
 *     └──► ByteSize                       "64m" ⇄ bytes
 *   StoreOpener ◄── StoreSettings         how commands open a store; tests put their own in
 *   Screen                                what the terminal can show
 *   picture.MemoryPicture                 StoreStats → text
 * </pre>
 *
 * <p>Exit codes: 0 all is well, 1 the work failed (its message says why), 2 the command line was wrong.
 */
@NullMarked
package io.loam.cli;

import org.jspecify.annotations.NullMarked;
