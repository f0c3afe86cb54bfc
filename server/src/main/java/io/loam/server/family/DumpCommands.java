package io.loam.server.family;

import io.loam.server.command.CommandTable.Family;
import io.loam.server.command.Service;
import io.loam.server.command.Session;
import io.loam.server.keyspace.KeyEvents;
import io.loam.server.keyspace.ValueType;
import io.loam.server.protocol.Arguments;
import io.loam.server.protocol.RedisError;
import io.loam.server.protocol.Reply;
import io.loam.store.Namespace;
import io.loam.store.PutOptions;
import java.lang.foreign.MemorySegment;

/** DUMP and RESTORE: values in the form of Redis's files. */
final class DumpCommands {

    private DumpCommands() {}

    static void register(Service service) {
        Family family = service.table().family("generic", "keyspace");
        family.command("dump", 2, "readonly")
                .key("RO access")
                .tip("nondeterministic_output")
                .docs("2.6.0", "O(N) in the length of the value.", "Returns a value in a form that RESTORE takes.")
                .runs(DumpCommands::dump);
        family.command("restore", -4, "write denyoom")
                .key("OW update")
                .category("dangerous")
                .docs("2.6.0", "O(N) in the length of the value.", "Makes a key of what DUMP returned.")
                .runs(DumpCommands::restore);
    }

    private static void dump(Session session, Arguments arguments, Reply reply) {
        byte[] key = arguments.key(1);
        ValueType type = session.type(key);
        if (!session.found(type != null)) {
            reply.nothing();
            return;
        }
        if (type != ValueType.STRING) {
            throw new RedisError("ERR a " + type.typeName() + " can't be dumped here");
        }
        byte[] value = Strings.get(session, key);
        if (value == null) {
            reply.nothing();
        } else {
            reply.bulk(StringDump.write(value));
        }
    }

    private static void restore(Session session, Arguments arguments, Reply reply) {
        boolean replace = false;
        boolean absolute = false;
        boolean idle = false;
        boolean frequent = false;
        for (int i = 4; i < arguments.count(); i++) {
            boolean hasValue = i + 1 < arguments.count();
            if (arguments.is(i, "replace")) {
                replace = true;
            } else if (arguments.is(i, "absttl")) {
                absolute = true;
            } else if (arguments.is(i, "idletime") && hasValue && !frequent) {
                idle = true;
                if (arguments.integer(++i) < 0) {
                    throw new RedisError("ERR Invalid IDLETIME value, must be >= 0");
                }
            } else if (arguments.is(i, "freq") && hasValue && !idle) {
                frequent = true;
                long frequency = arguments.integer(++i);
                if (frequency < 0 || frequency > 255) {
                    throw new RedisError("ERR Invalid FREQ value, must be >= 0 and <= 255");
                }
            } else {
                throw RedisError.SYNTAX;
            }
        }
        byte[] key = arguments.key(1);
        if (!replace && session.entries().contains(key)) {
            throw new RedisError("BUSYKEY Target key name already exists.");
        }
        long ttl = arguments.integer(2);
        if (ttl < 0) {
            throw new RedisError("ERR Invalid TTL value, must be >= 0");
        }
        session.aboutToCopy(arguments.length(3));
        byte[] payload = arguments.bytes(3);
        if (!StringDump.isIntact(payload)) {
            throw new RedisError("ERR DUMP payload version or checksum are wrong");
        }
        byte[] value = StringDump.read(payload);
        if (value == null) {
            throw new RedisError("ERR Bad data format");
        }
        Strings.checkLength(session, value.length);
        put(session, key, value, ttl, absolute);
        reply.ok();
    }

    private static void put(Session session, byte[] key, byte[] value, long ttl, boolean absolute) {
        long now = session.service().nowMillis();
        long at = ttl == 0 ? Namespace.NEVER : absolute ? ttl : Math.max(ttl, now + ttl);
        if (at != Namespace.NEVER && at <= now) {
            if (session.database().delete(key)) {
                session.happened(KeyEvents.Class.GENERIC, "del", key);
            }
            return;
        }
        session.create(session.databaseNumber(), key, MemorySegment.ofArray(value), PutOptions.DEFAULT.expiringAt(at));
        session.happened(KeyEvents.Class.GENERIC, "restore", key);
    }
}
