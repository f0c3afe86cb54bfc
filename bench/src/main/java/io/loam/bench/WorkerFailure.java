package io.loam.bench;

/** A system under test failed. Exit code 1. */
public final class WorkerFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    public WorkerFailure(String message) {
        super(message);
    }
}
