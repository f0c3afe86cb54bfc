package io.loam.store.cleaner;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One thread's share of a cleaning pass. */
@Name("io.loam.Cleaning")
@Label("Cleaning")
@Category("Loam")
@Description("One thread's share of a cleaning pass")
@StackTrace(false)
final class CleaningEvent extends Event {
    @Label("Blocks cleaned")
    int blocks;

    @Label("Segments in the pass")
    int segments;
}
