package io.loam.bench;

import java.util.Map;

/** Something measured in a worker JVM, on one system. */
interface Experiment {

    /** Opens the system and brings it to the state in which it is measured; what there is to say about that. */
    Map<String, Object> prepare() throws Exception;

    /** Measures once. Called for each round, while the other systems' workers are idle. */
    Map<String, Object> measure(int round) throws Exception;

    /** Closes the system; figures about all rounds. */
    Map<String, Object> finish() throws Exception;
}
