package io.loam.store.engine;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The index was resized by one step. */
@Name("io.loam.IndexResize")
@Label("Index Resize")
@Category("Loam")
@StackTrace(false)
final class GrowthEvent extends Event {}
