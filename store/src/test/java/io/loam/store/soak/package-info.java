/** One long run of everything at once: {@code mvn -Psoak test -pl store -am -Dloam.soak.seconds=1800}. */
@NullMarked
package io.loam.store.soak;

import org.jspecify.annotations.NullMarked;
