package io.loam.server.differential;

/** Makes requests of one family of commands. A new family adds one to {@link DifferentialTest#SOURCES}. */
@FunctionalInterface
public interface RequestSource {
    Request next(Choice choice);
}
