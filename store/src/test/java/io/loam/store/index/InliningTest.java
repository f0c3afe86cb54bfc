package io.loam.store.index;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.CodeAttribute;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The way of a GET has to be inlined as a whole; HotSpot inlines a hot method of at most 325 bytes of code. */
class InliningTest {
    private static final int LIMIT = 325;

    private static int codeBytes(String method) throws IOException {
        try (InputStream in = Index.class.getResourceAsStream("Index.class")) {
            return ClassFile.of().parse(Objects.requireNonNull(in).readAllBytes()).methods().stream()
                    .filter(model -> model.methodName().equalsString(method))
                    .mapToInt(model -> model.findAttribute(java.lang.classfile.Attributes.code())
                            .map(CodeAttribute::codeLength)
                            .orElse(0))
                    .max()
                    .orElseThrow();
        }
    }

    @Test
    void lookupIsInlinedAndItsGeneralCaseIsNot() throws IOException {
        assertThat(codeBytes("home")).isLessThanOrEqualTo(LIMIT);
        assertThat(codeBytes("guess")).isLessThanOrEqualTo(LIMIT);
        assertThat(codeBytes("lookup")).isLessThanOrEqualTo(LIMIT);
        assertThat(codeBytes("lookupAny")).isGreaterThan(LIMIT);
    }
}
