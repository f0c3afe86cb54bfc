/** JMH microbenchmarks of the store's single steps, through its public API. */
@NullMarked
package io.loam.bench.micro;

import org.jspecify.annotations.NullMarked;
