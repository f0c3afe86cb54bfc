package io.loam.bench;

/** A system under test failed. Exit code 1. */
final class WorkerFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    WorkerFailure(String message) {
        super(message);
    }
}
