package io.loam.bench.space;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;

/** A process that sends back each byte. */
public final class Echo {

    private Echo() {}

    public static void main(String[] arguments) throws IOException {
        try (FileInputStream in = new FileInputStream(FileDescriptor.in);
                FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            for (int b = in.read(); b >= 0; b = in.read()) {
                out.write(b);
            }
        }
    }
}
