package io.loam.bench.space;

import io.loam.memory.region.Registry;
import io.loam.memory.space.AddressSpaces;
import io.loam.memory.space.Attachment;
import io.loam.memory.space.Context;
import io.loam.memory.space.Switch;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;

/** A process that enters a space, says so with a byte, and stays until it is killed or its input ends. */
public final class LockHolder {

    private LockHolder() {}

    public static void main(String[] arguments) throws IOException {
        try (Registry registry = Registry.open(Path.of(arguments[0]), Registry.PRIVATE);
                Attachment attachment = AddressSpaces.of(registry).attach(arguments[1]);
                Switch stay = Context.current().enter(attachment);
                FileInputStream in = new FileInputStream(FileDescriptor.in);
                FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            out.write(stay.ownersDied().size() + 1);
            int ignored = in.read();
        }
    }
}
