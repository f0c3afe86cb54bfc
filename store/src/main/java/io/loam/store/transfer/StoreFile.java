package io.loam.store.transfer;

import io.loam.store.Store;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;

/** Exports a store to a file and imports it: the way of {@link Store#exportTo} and {@link Store#importFrom}. */
public final class StoreFile {

    private StoreFile() {}

    /**
     * Writes every entry of every namespace with its expiry and type, not its version. The file appears, or is replaced, at once and
     * complete, and is on the disk when this returns; after an error it is as before. Keys present throughout are in it.
     *
     * @return how many entries were written; an entry that moves during the scan may be written twice
     * @throws IOException if the file can't be written
     */
    public static long write(Store store, Path file) throws IOException {
        Path target = file.toAbsolutePath();
        Path directory = target.getParent();
        Path name = target.getFileName();
        if (directory == null || name == null) {
            throw new IOException("can't export to " + target + ": that is a root directory; give the name of a file");
        }
        Path partial = Files.createTempFile(directory, name + ".", ".partial");
        try {
            long entries = writePartial(store, partial);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
            return entries;
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    private static long writePartial(Store store, Path partial) throws IOException {
        try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
            long entries = new StoreFileWriter(channel).write(store);
            channel.force(true);
            return entries;
        }
    }

    /**
     * Verifies the file, then puts every entry that has not expired at {@code clock}, creating namespaces as needed.
     *
     * @return how many entries were put
     * @throws IOException if the file can't be read, is damaged, no export, or of a newer version; nothing was put then, unless the file
     *     changed while it was read
     */
    public static long read(Store store, Path file, InstantSource clock) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            StoreFileReader reader = new StoreFileReader(channel, file);
            reader.verify();
            return reader.putAll(store, clock);
        }
    }
}
