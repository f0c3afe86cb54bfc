/**
 * Input that no client would send, to what reads it.
 *
 * <pre>
 *   *Fuzzing         targets of Jazzer, which looks for inputs that reach code not reached before. A build runs those that
 *                    src/test/resources keeps (NAMEInputs/METHOD/*); -Pjazzer looks for new ones
 *   *FuzzTest        seeded: long requests (ParserFuzzTest), a server behind sockets (ServerFuzzTest)
 *   HostileInput     damaged requests; the same seed gives the same
 *   ParserRun        feeds the parser and watches what it holds
 * </pre>
 *
 * <p>A target takes bytes and nothing else, keeps nothing from one call to the next, and throws what is wrong. What Jazzer finds is put among the inputs that are kept, under a name that says what it shows.
 */
package io.loam.server.fuzz;
