/**
 * Users, and what they may do.
 *
 * <pre>
 *   Users ──name──► User ──► Permissions ──► Selector     what is allowed, and on which keys and channels
 *     │ is the Authenticator and the first Interceptor        └──► KeyPattern
 *     └──► AccessLog      refusals
 *   RuleException         why a rule is none
 * </pre>
 *
 * <p>A {@link io.loam.server.access.User} is one object as long as he exists, whatever his rules; sessions refer to it. What he may do is a
 * {@link io.loam.server.access.Permissions}, never changed once the user has it: a change of rules is made on a copy, which replaces it when every rule has been accepted.
 *
 * <p>I1. A request is checked before anything else is made of it, a queued one once more when its transaction runs.
 * <br>I2. A user who may do everything costs one read of a field for each request.
 * <br>I3. A request that begins after the reply to a change of rules is checked by the new ones, on every event loop: the change is a volatile write, the check a volatile read.
 * <br>I4. Nobody listens to a channel that he may not: who changes rules ends those who do, and who has begun to listen looks at the rules again. Of a volatile write of the rules then a
 * read of who listens, and a volatile write of who listens then a read of the rules, one sees the other's write.
 * <br>I5. Passwords are kept as SHA-256 digests only. A check compares all of a user's digests, whole; an unknown user is compared with a digest that no password has.
 */
@NullMarked
package io.loam.server.access;

import org.jspecify.annotations.NullMarked;
