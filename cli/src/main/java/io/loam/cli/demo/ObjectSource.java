package io.loam.cli.demo;

import java.io.IOException;
import java.util.List;

/** Named objects that can be read any number of times, always the same. */
public interface ObjectSource {

    /**
     * An object that can be read.
     *
     * @param name unique in its source
     * @param bytes its length
     */
    record Listing(String name, long bytes) {}

    /** All objects, in an order that is the same each time. */
    List<Listing> list() throws IOException;

    byte[] read(String name) throws IOException;

    /** What the objects are, for people. */
    String description();
}
