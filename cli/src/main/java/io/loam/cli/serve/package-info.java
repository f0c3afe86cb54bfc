/** {@code loam serve}: a server that speaks the Redis protocol. */
@NullMarked
package io.loam.cli.serve;

import org.jspecify.annotations.NullMarked;
