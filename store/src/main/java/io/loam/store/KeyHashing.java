package io.loam.store;

/** How keys are hashed. Both are seeded at random for each store. */
public enum KeyHashing {
    /** SipHash-1-3 under a random key: an attacker who chooses keys can't make them collide. */
    FLOOD_RESISTANT,
    /** A multiply-and-fold hash: faster; for keys that nobody hostile chooses. */
    FAST
}
