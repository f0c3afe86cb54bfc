package io.loam.bench.space;

import io.loam.memory.RawMemory;
import io.loam.memory.region.Access;
import io.loam.memory.region.MappedRegion;
import io.loam.memory.region.Registry;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** The process that has one window mapped: applies each set of updates that comes, and answers with a byte. */
public final class GupsProcess {

    private GupsProcess() {}

    public static void main(String[] arguments) throws IOException {
        int setSize = Integer.parseInt(arguments[2]);
        RawMemory memory = RawMemory.ofProcess();
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE);
                MappedRegion window = registry.regions().map(arguments[1], Access.WRITE);
                FileInputStream in = new FileInputStream(FileDescriptor.in);
                FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            out.write(1);
            while (true) {
                byte[] set = in.readNBytes(16 * setSize);
                if (set.length < 16 * setSize) {
                    return;
                }
                ByteBuffer updates = ByteBuffer.wrap(set).order(ByteOrder.LITTLE_ENDIAN);
                for (int i = 0; i < setSize; i++) {
                    long address = window.address() + (updates.getLong() << 3);
                    memory.putLong(address, memory.getLong(address) ^ updates.getLong());
                }
                out.write(1);
            }
        }
    }
}
