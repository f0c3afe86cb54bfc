/**
 * {@code loam top}: what a running server does, redrawn each second.
 *
 * <pre>
 *   TopCommand ──files──► TlsOptions               sockets of TLS, or none
 *       ├──asks──► RespClient ──► LOAM STATS, LATENCIES, SEGMENTS
 *       │              └──► Reading                the server at one moment
 *       └──draws──► TopPicture(before, now)         pure: two readings give lines of text
 *                        └──► picture.MemoryPicture
 * </pre>
 */
@NullMarked
package io.loam.cli.top;

import org.jspecify.annotations.NullMarked;
