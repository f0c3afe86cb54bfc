package io.loam.memory.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loam.memory.MemoryException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FileMemoryTest {

    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("memory");
    }

    @ParameterizedTest
    @EnumSource(
            value = Durability.class,
            names = {"NONE", "MSYNC"})
    void whatWasStoredIsThereAgain(Durability durability) {
        try (FileMemory memory = FileMemory.create(file(), 1 << 20, 1 << 24, durability)) {
            memory.allocate(0, 1 << 20);
            memory.putLong(0, 42);
            memory.putLong(900_000, 43);
            memory.flush(0, 8);
            memory.flush(900_000, 8);
            memory.fence();
        }
        try (FileMemory memory = FileMemory.open(file(), 1 << 24, durability)) {
            assertThat(memory.getLong(0)).isEqualTo(42);
            assertThat(memory.getLong(900_000)).isEqualTo(43);
        }
    }

    @Test
    void growsInPlaceWhileViewsStay() throws Exception {
        try (FileMemory memory = FileMemory.create(file(), 4096, 1 << 24, Durability.NONE)) {
            var view = memory.writableView(0, 8);
            memory.allocate(1 << 20, 1 << 20);
            memory.putLong((2 << 20) - 8, 7);
            memory.putLong(0, 5);
            assertThat(view.get(java.lang.foreign.ValueLayout.JAVA_LONG, 0)).isEqualTo(5);
            assertThat(Files.size(file())).isEqualTo(2 << 20);
        }
    }

    @Test
    void aSecondOpenerIsRefusedByName() {
        FileMemory first = FileMemory.create(file(), 4096, 4096, Durability.NONE);
        assertThatThrownBy(() -> FileMemory.open(file(), 4096, Durability.NONE))
                .isInstanceOf(MemoryException.class)
                .hasMessageContaining(file().toString())
                .hasMessageContaining("in use");
        assertThatThrownBy(() -> FileMemory.openReadOnly(file())).hasMessageContaining("for writing");
        first.close();
        try (FileMemory second = FileMemory.openReadOnly(file());
                FileMemory third = FileMemory.openReadOnly(file())) {
            assertThat(second.bytes()).isEqualTo(third.bytes());
        }
    }

    @Test
    void viewsDieWithTheMemory() {
        FileMemory memory = FileMemory.create(file(), 4096, 4096, Durability.NONE);
        var view = memory.readOnlyView(0, 8);
        memory.close();
        assertThatThrownBy(() -> view.get(java.lang.foreign.ValueLayout.JAVA_LONG, 0))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void syncNeedsPersistentMemoryAndSaysSo() {
        assertThatThrownBy(() -> FileMemory.create(file(), 4096, 4096, Durability.SYNC))
                .hasMessageContaining("persistent memory")
                .hasMessageContaining("MSYNC");
    }

    @Test
    void syncBlamesTheFileSystemForNothingElse() throws Exception {
        FileMemory memory = FileMemory.create(file(), 0, 4096, Durability.SYNC);
        Files.delete(file());
        assertThatThrownBy(() -> memory.allocate(0, 4096))
                .hasMessageContaining(file().toString())
                .hasMessageContaining("SYNC")
                .message()
                .doesNotContain("dax");
    }

    @Test
    void missingAndExistingFilesAreNamed() throws Exception {
        assertThatThrownBy(() -> FileMemory.open(file(), 4096, Durability.NONE)).hasMessageContaining("no such file");
        Files.createFile(file());
        assertThatThrownBy(() -> FileMemory.create(file(), 4096, 4096, Durability.NONE))
                .hasMessageContaining("exists");
    }
}
