package io.loam.store.engine;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A write waited for memory. */
@Name("io.loam.WriterStall")
@Label("Writer Stall")
@Category("Loam")
final class StallEvent extends Event {
    @Label("Entry size in units of 8 bytes")
    long units;
}
