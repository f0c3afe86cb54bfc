package io.loam.cli;

import io.loam.store.UpdatePolicy;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code append} or {@code in-place}. */
public final class UpdatePolicyName implements ITypeConverter<UpdatePolicy> {

    /** For completion and help. */
    public static final class Names implements Iterable<String> {
        @Override
        public java.util.Iterator<String> iterator() {
            return List.of("append", "in-place").iterator();
        }
    }

    @Override
    public UpdatePolicy convert(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "append" -> UpdatePolicy.APPEND;
            case "in-place" -> UpdatePolicy.IN_PLACE;
            default ->
                throw new TypeConversionException("'" + name + "' is not an update policy; allowed: append, in-place");
        };
    }
}
