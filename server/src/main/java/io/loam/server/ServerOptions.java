package io.loam.server;

import io.loam.server.pubsub.NotificationFlags;
import io.loam.store.Eviction;
import io.loam.store.FullPolicy;
import io.loam.store.UpdatePolicy;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Every setting of a server, by the names of {@code redis.conf}. One table of {@link Parameter}s serves the command line, the configuration file, CONFIG GET and CONFIG SET. Values may
 * change while the server runs; readers see the new one soon.
 */
public final class ServerOptions {

    private static final Logger LOG = System.getLogger(ServerOptions.class.getName());

    /** Eviction policies by name, with what they are for the store. */
    private static final Map<String, Policy> POLICIES = policies();

    private static final Map<String, Parameter> PARAMETERS = parameters();

    /**
     * How many bytes may wait to be sent to a client. A client beyond {@code hard} is disconnected, so is one that stays beyond {@code soft} for so many seconds; 0: no limit.
     */
    public record OutputLimit(long hard, long soft, int seconds) {}

    /** What an eviction policy is for the store. */
    public record Policy(FullPolicy full, Eviction eviction) {}

    private volatile String bind = "127.0.0.1";
    private volatile int port = 6379;
    private volatile long maxMemory = 1L << 30;
    /** What {@code maxmemory 0} means. */
    private long defaultMaxMemory = maxMemory;

    private volatile boolean maxMemoryGiven;
    private volatile String data = "";
    private volatile String dataIfDamaged = "refuse";
    private volatile String maxMemoryPolicy = "noeviction";
    private volatile String requirePass = "";
    private volatile int databases = 16;
    private volatile int timeoutSeconds;
    private volatile int maxClients = 10_000;
    private volatile int backlog = 511;
    private volatile int keepAliveSeconds = 300;
    private volatile long maxBulkBytes = 512L << 20;
    private volatile long queryBufferLimit = 64L << 20;
    private volatile int eventLoops;
    private volatile String transport = "auto";
    private volatile UpdatePolicy updatePolicy = UpdatePolicy.IN_PLACE;
    private volatile long slowLogMicros = 10_000;
    private volatile long slowLogLength = 128;
    private volatile long latencyMonitorMillis;
    private volatile boolean latencyTracking = true;
    private volatile List<Double> latencyPercentiles = List.of(50.0, 99.0, 99.9);
    private volatile int metricsPort;
    private volatile String metricsBind = "127.0.0.1";
    private volatile boolean protectedMode = true;
    private volatile boolean debugCommand;
    private volatile NotificationFlags notifications = NotificationFlags.parse("");
    private volatile Map<String, OutputLimit> outputLimits = Map.of(
            "normal", new OutputLimit(0, 0, 0),
            "slave", new OutputLimit(256 << 20, 64 << 20, 60),
            "pubsub", new OutputLimit(32 << 20, 8 << 20, 60));
    /** Bytes, or, below 0, percents of {@link #maxMemory}. */
    private volatile long clientMemory;

    private volatile int hashMaxListpackEntries = 128;
    private volatile int hashMaxListpackValue = 64;

    private volatile String aclFile = "";
    private volatile long aclLogLength = 128;
    private volatile boolean allChannels;
    private volatile int tlsPort;
    private volatile String tlsCertificate = "";
    private volatile String tlsKey = "";
    private volatile String tlsKeyPassword = "";
    private volatile String tlsAuthority = "";
    private volatile String tlsClients = "yes";
    private volatile String tlsProtocols = "";
    private volatile String logLevel = "notice";
    private volatile String logFile = "";
    private final List<String> users = new CopyOnWriteArrayList<>();
    private final Map<String, String> renamedCommands = new ConcurrentHashMap<>();
    private volatile @Nullable Path file;

    private final Map<String, Consumer<ServerOptions>> hooks = new ConcurrentHashMap<>();

    private static Map<String, Policy> policies() {
        Map<String, Policy> map = new LinkedHashMap<>();
        map.put("noeviction", new Policy(FullPolicy.REJECT, Eviction.DEFAULT));
        for (String domain : List.of("volatile", "allkeys")) {
            Eviction.Domain from = domain.equals("allkeys") ? Eviction.Domain.ALL : Eviction.Domain.EXPIRING;
            for (String order : List.of("lru", "lfu", "random")) {
                Eviction.Order first = order.equals("random") ? Eviction.Order.RANDOM : Eviction.Order.COLDEST;
                map.put(domain + "-" + order, new Policy(FullPolicy.EVICT, new Eviction(first, from)));
            }
        }
        map.put(
                "volatile-ttl",
                new Policy(FullPolicy.EVICT, new Eviction(Eviction.Order.SOONEST_EXPIRY, Eviction.Domain.EXPIRING)));
        return map;
    }

    private static Map<String, Parameter> parameters() {
        Map<String, Parameter> map = new LinkedHashMap<>();
        fixed(map, "bind", o -> o.bind, (o, text) -> o.bind = text.strip());
        fixed(map, "port", o -> number(o.port), (o, text) -> o.port = (int) Parameter.parseNumber(text, 0, 65535));
        free(map, "maxmemory", o -> number(o.maxMemory), (o, text) -> {
            long bytes = Parameter.parseBytes(text);
            if (bytes == 0) {
                throw new IllegalArgumentException("0 is no limit to Redis; here there always is one, as all memory is"
                        + " laid out for it at the start: give a size, as 4gb");
            }
            o.maxMemory = bytes;
            o.maxMemoryGiven = true;
        });
        fixed(map, "data", o -> o.data, (o, text) -> o.data = text);
        fixed(
                map,
                "data-if-damaged",
                o -> o.dataIfDamaged,
                (o, text) -> o.dataIfDamaged = Parameter.parseChoice(text, List.of("refuse", "start-empty")));
        fixed(
                map,
                "maxmemory-policy",
                o -> o.maxMemoryPolicy,
                (o, text) -> o.maxMemoryPolicy = Parameter.parseChoice(text, List.copyOf(POLICIES.keySet())));
        free(map, "requirepass", o -> o.requirePass, (o, text) -> o.requirePass = text);
        fixed(
                map,
                "databases",
                o -> number(o.databases),
                (o, text) -> o.databases = (int) Parameter.parseNumber(text, 1, 128));
        free(
                map,
                "timeout",
                o -> number(o.timeoutSeconds),
                (o, text) -> o.timeoutSeconds = (int) Parameter.parseNumber(text, 0, Integer.MAX_VALUE));
        free(
                map,
                "maxclients",
                o -> number(o.maxClients),
                (o, text) -> o.maxClients = (int) Parameter.parseNumber(text, 1, 1_000_000));
        fixed(
                map,
                "tcp-backlog",
                o -> number(o.backlog),
                (o, text) -> o.backlog = (int) Parameter.parseNumber(text, 0, Integer.MAX_VALUE));
        free(
                map,
                "tcp-keepalive",
                o -> number(o.keepAliveSeconds),
                (o, text) -> o.keepAliveSeconds = (int) Parameter.parseNumber(text, 0, Integer.MAX_VALUE));
        free(
                map,
                "proto-max-bulk-len",
                o -> number(o.maxBulkBytes),
                (o, text) -> o.maxBulkBytes = within(Parameter.parseBytes(text), 1 << 20, Integer.MAX_VALUE - 64));
        free(
                map,
                "client-query-buffer-limit",
                o -> number(o.queryBufferLimit),
                (o, text) -> o.queryBufferLimit = within(Parameter.parseBytes(text), 1 << 20, 1 << 30));
        fixed(
                map,
                "io-threads",
                o -> number(o.eventLoops()),
                (o, text) -> o.eventLoops = (int) Parameter.parseNumber(text, 1, 128));
        fixed(
                map,
                "transport",
                o -> o.transport,
                (o, text) -> o.transport = Parameter.parseChoice(text, List.of("auto", "io_uring", "epoll", "nio")));
        fixed(
                map,
                "update-policy",
                o -> o.updatePolicy == UpdatePolicy.IN_PLACE ? "in-place" : "append",
                (o, text) -> o.updatePolicy = Parameter.parseChoice(text, List.of("in-place", "append"))
                                .equals("append")
                        ? UpdatePolicy.APPEND
                        : UpdatePolicy.IN_PLACE);
        free(
                map,
                "slowlog-log-slower-than",
                o -> number(o.slowLogMicros),
                (o, text) -> o.slowLogMicros = Parameter.parseNumber(text, -1, Long.MAX_VALUE));
        free(
                map,
                "slowlog-max-len",
                o -> number(o.slowLogLength),
                (o, text) -> o.slowLogLength = Parameter.parseNumber(text, 0, Long.MAX_VALUE));
        free(
                map,
                "latency-monitor-threshold",
                o -> number(o.latencyMonitorMillis),
                (o, text) -> o.latencyMonitorMillis = Parameter.parseNumber(text, 0, Long.MAX_VALUE));
        free(
                map,
                "latency-tracking",
                o -> yes(o.latencyTracking),
                (o, text) -> o.latencyTracking = Parameter.parseBoolean(text));
        free(
                map,
                "latency-tracking-info-percentiles",
                o -> o.latencyPercentiles.stream().map(ServerOptions::percent).collect(Collectors.joining(" ")),
                (o, text) -> o.latencyPercentiles = percents(text));
        fixed(
                map,
                "metrics-port",
                o -> number(o.metricsPort),
                (o, text) -> o.metricsPort = (int) Parameter.parseNumber(text, 0, 65535));
        fixed(map, "metrics-bind", o -> o.metricsBind, (o, text) -> o.metricsBind = text.strip());
        free(
                map,
                "protected-mode",
                o -> yes(o.protectedMode),
                (o, text) -> o.protectedMode = Parameter.parseBoolean(text));
        fixed(
                map,
                "enable-debug-command",
                o -> yes(o.debugCommand),
                (o, text) -> o.debugCommand = Parameter.parseBoolean(text));
        free(
                map,
                "notify-keyspace-events",
                o -> o.notifications.toString(),
                (o, text) -> o.notifications = NotificationFlags.parse(text));
        free(
                map,
                "maxmemory-clients",
                o -> o.clientMemory < 0 ? -o.clientMemory + "%" : number(o.clientMemory),
                (o, text) -> o.clientMemory = parseBytesOrPercents(text));
        free(map, "client-output-buffer-limit", ServerOptions::outputLimitsText, ServerOptions::setOutputLimits);
        for (String form : List.of("listpack", "ziplist")) { // the second name is that of Redis before 7
            free(
                    map,
                    "hash-max-" + form + "-entries",
                    o -> number(o.hashMaxListpackEntries),
                    (o, text) -> o.hashMaxListpackEntries = (int) Parameter.parseNumber(text, 0, 1 << 16));
            free(
                    map,
                    "hash-max-" + form + "-value",
                    o -> number(o.hashMaxListpackValue),
                    (o, text) -> o.hashMaxListpackValue = (int) within(Parameter.parseBytes(text), 0, 1 << 16));
        }
        absent(map, "save", "");
        absent(map, "appendonly", "no");
        addAccess(map);
        addTls(map);
        return map;
    }

    private static void addAccess(Map<String, Parameter> map) {
        fixed(map, "aclfile", o -> o.aclFile, (o, text) -> o.aclFile = text);
        free(
                map,
                "acllog-max-len",
                o -> number(o.aclLogLength),
                (o, text) -> o.aclLogLength = Parameter.parseNumber(text, 0, Long.MAX_VALUE));
        free(
                map,
                "acl-pubsub-default",
                o -> o.allChannels ? "allchannels" : "resetchannels",
                (o, text) -> o.allChannels = Parameter.parseChoice(text, List.of("allchannels", "resetchannels"))
                        .equals("allchannels"));
        free(
                map,
                "loglevel",
                o -> o.logLevel,
                (o, text) ->
                        o.logLevel = Parameter.parseChoice(text, List.of("debug", "verbose", "notice", "warning")));
        fixed(map, "logfile", o -> o.logFile, (o, text) -> o.logFile = text);
    }

    private static void addTls(Map<String, Parameter> map) {
        fixed(
                map,
                "tls-port",
                o -> number(o.tlsPort),
                (o, text) -> o.tlsPort = (int) Parameter.parseNumber(text, 0, 65535));
        free(map, "tls-cert-file", o -> o.tlsCertificate, (o, text) -> o.tlsCertificate = text);
        free(map, "tls-key-file", o -> o.tlsKey, (o, text) -> o.tlsKey = text);
        free(map, "tls-key-file-pass", o -> o.tlsKeyPassword, (o, text) -> o.tlsKeyPassword = text);
        free(map, "tls-ca-cert-file", o -> o.tlsAuthority, (o, text) -> o.tlsAuthority = text);
        free(
                map,
                "tls-auth-clients",
                o -> o.tlsClients,
                (o, text) -> o.tlsClients = Parameter.parseChoice(text, List.of("no", "yes", "optional")));
        free(map, "tls-protocols", o -> o.tlsProtocols, (o, text) -> {
            for (String protocol : text.split("\\s+")) {
                if (!protocol.isEmpty()) {
                    Parameter.parseChoice(protocol, List.of("tlsv1.2", "tlsv1.3"));
                }
            }
            o.tlsProtocols = text;
        });
    }

    private static void fixed(
            Map<String, Parameter> map,
            String name,
            Function<ServerOptions, String> get,
            BiConsumer<ServerOptions, String> set) {
        map.put(name, new Parameter(name, false, get, set));
    }

    private static void free(
            Map<String, Parameter> map,
            String name,
            Function<ServerOptions, String> get,
            BiConsumer<ServerOptions, String> set) {
        map.put(name, new Parameter(name, true, get, set));
    }

    /** A setting of what is not there yet: it has one value. */
    private static void absent(Map<String, Parameter> map, String name, String value) {
        free(map, name, o -> value, (o, text) -> {
            if (!text.strip().equals(value)) {
                throw new IllegalArgumentException(
                        "nothing is written to disk yet, that comes with a later version; the only value is '" + value
                                + "'");
            }
        });
    }

    private static String number(long value) {
        return Long.toString(value);
    }

    private static String yes(boolean value) {
        return value ? "yes" : "no";
    }

    /** A percentile without needless digits: 50, 99.9. */
    public static String percent(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    private static List<Double> percents(String text) {
        List<Double> all = new ArrayList<>();
        for (String word : text.strip().split("\\s+")) {
            double value;
            try {
                value = word.isEmpty() ? 0 : Double.parseDouble(word);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("Invalid latency-tracking-info-percentiles parameters", e);
            }
            if (!(value >= 0 && value <= 100)) {
                throw new IllegalArgumentException(
                        "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
            }
            if (!word.isEmpty()) {
                all.add(value);
            }
        }
        return List.copyOf(all);
    }

    private static long within(long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException("argument must be between " + least + " and " + most + " inclusive");
        }
        return value;
    }

    /** Percents are below 0. */
    private static long parseBytesOrPercents(String text) {
        String stripped = text.strip();
        try {
            if (!stripped.endsWith("%")) {
                return Parameter.parseBytes(stripped);
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("argument must be a memory or percent value", e);
        }
        String digits = stripped.substring(0, stripped.length() - 1);
        if (!digits.matches("\\d{1,9}")) {
            throw new IllegalArgumentException("argument must be a memory or percent value");
        }
        if (Integer.parseInt(digits) > 100) {
            throw new IllegalArgumentException("percentage argument must be less or equal to 100");
        }
        return -Integer.parseInt(digits);
    }

    private String outputLimitsText() {
        StringBuilder text = new StringBuilder();
        for (String type : List.of("normal", "slave", "pubsub")) {
            OutputLimit limit = outputLimit(type);
            text.append(text.isEmpty() ? "" : " ").append(type).append(' ').append(limit.hard);
            text.append(' ').append(limit.soft).append(' ').append(limit.seconds);
        }
        return text.toString();
    }

    /** Four words for each kind of client; the others keep theirs. */
    private void setOutputLimits(String text) {
        String[] words = text.strip().toLowerCase(Locale.ROOT).split("\\s+");
        if (words.length % 4 != 0) {
            throw new IllegalArgumentException("Wrong number of arguments in buffer limit configuration.");
        }
        Map<String, OutputLimit> changed = new LinkedHashMap<>(outputLimits);
        for (int i = 0; i < words.length; i += 4) {
            String type = words[i].equals("replica") ? "slave" : words[i];
            if (!changed.containsKey(type)) {
                throw new IllegalArgumentException("Invalid client class specified in buffer limit configuration.");
            }
            try {
                long hard = Parameter.parseBytes(words[i + 1]);
                long soft = Parameter.parseBytes(words[i + 2]);
                changed.put(type, new OutputLimit(hard, soft, (int) Parameter.parseNumber(words[i + 3], 0, 1 << 30)));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "Error in hard, soft or soft_seconds setting in buffer limit configuration.", e);
            }
        }
        outputLimits = Map.copyOf(changed);
    }

    /** All parameters, in a fixed order. */
    public static Collection<Parameter> all() {
        return PARAMETERS.values();
    }

    /** Whether a parameter is another's name before Redis 7. */
    static boolean isFormerName(String name) {
        return name.startsWith("hash-max-ziplist-");
    }

    /** The parameter of a name, in any case, or null. */
    public static @Nullable Parameter parameter(String name) {
        return PARAMETERS.get(name.toLowerCase(Locale.ROOT));
    }

    /**
     * Sets a parameter, before the server starts or, if it is modifiable, at any time.
     *
     * @throws IllegalArgumentException for an unknown name, or a value that is not allowed; the message says which are
     */
    public ServerOptions set(String name, String text) {
        return setAll(Map.of(name, text));
    }

    /**
     * Sets several parameters, all or none; who is told of changes sees all of them.
     *
     * @throws Parameter.Refusal for an unknown name, or a value that is not allowed; the message says which are
     */
    public synchronized ServerOptions setAll(Map<String, String> texts) {
        Map<Parameter, String> before = new LinkedHashMap<>();
        String name = "";
        try {
            for (Map.Entry<String, String> entry : texts.entrySet()) {
                name = entry.getKey();
                Parameter parameter = known(name);
                before.put(parameter, parameter.get().apply(this));
                parameter.set().accept(this, entry.getValue());
            }
            for (Parameter parameter : before.keySet()) {
                name = parameter.name();
                tell(parameter);
            }
        } catch (RuntimeException e) {
            before.forEach((parameter, text) -> parameter.set().accept(this, text));
            before.keySet().forEach(this::tellAgain);
            throw new Parameter.Refusal(name, e);
        }
        return this;
    }

    private void tell(Parameter parameter) {
        Consumer<ServerOptions> hook = hooks.get(parameter.name());
        if (hook != null) {
            hook.accept(this);
        }
    }

    /** Tells of the value that was there before; who has refused another may refuse to take it again, and has it. */
    private void tellAgain(Parameter parameter) {
        try {
            tell(parameter);
        } catch (RuntimeException e) {
            LOG.log(Level.DEBUG, "the former value of " + parameter.name() + " is refused", e);
        }
    }

    private static Parameter known(String name) {
        Parameter parameter = parameter(name);
        if (parameter == null) {
            throw new IllegalArgumentException("no setting is named '" + name + "'" + ConfigFile.near(name));
        }
        return parameter;
    }

    /**
     * Reads a file in the format of {@code redis.conf}; what it says later holds.
     *
     * @return words on settings that have no effect here
     * @throws IllegalArgumentException for a line that can't be taken; the message says file, line, and why
     * @throws IOException if the file, or one that it includes, can't be read
     */
    public List<String> read(Path config) throws IOException {
        List<String> notes = ConfigFile.read(this, config);
        file = config.toAbsolutePath();
        return notes;
    }

    /**
     * Takes a line of a configuration file, or an option of the command line. Texts have a character for each byte, as requests have.
     *
     * @return a word on a setting that has no effect here, or null
     * @throws IllegalArgumentException for an unknown name, or a value that is not allowed
     */
    public @Nullable String directive(String name, List<String> words) {
        String lower = name.toLowerCase(Locale.ROOT);
        String text = String.join(" ", words);
        if (words.isEmpty()) {
            throw new IllegalArgumentException(name + ": a value is missing");
        }
        switch (lower) {
            case "user" -> users.add(text);
            case "rename-command" -> {
                if (words.size() != 2) {
                    throw new IllegalArgumentException(
                            "rename-command takes a command and another name, or \"\" for none");
                }
                renamedCommands.put(words.get(0), words.get(1));
            }
            case "maxmemory" -> {
                if (isZero(text)) {
                    maxMemory = defaultMaxMemory;
                    maxMemoryGiven = false;
                    return "maxmemory 0 is no limit to Redis; here there always is one: " + defaultMaxMemory
                            + " bytes, as by default; maxmemory SIZE sets another";
                }
                set(lower, text);
            }
            default -> {
                Parameter parameter = parameter(lower);
                String note = Unsupported.note(lower, text);
                if (note != null) {
                    return note;
                } else if (parameter == null) {
                    known(name);
                } else {
                    set(lower, text);
                }
            }
        }
        return null;
    }

    private static boolean isZero(String size) {
        try {
            return Parameter.parseBytes(size) == 0;
        } catch (IllegalArgumentException e) {
            return false; // who sets it says why
        }
    }

    /** A parameter's text. */
    public String get(String name) {
        return known(name).get().apply(this);
    }

    /** Runs {@code hook} when the parameter was set; its exception takes the change back. */
    public void onChange(String name, Consumer<ServerOptions> hook) {
        hooks.put(name, hook);
    }

    /** Addresses to listen at, with blanks between. */
    public String bind() {
        return bind;
    }

    public int port() {
        return port;
    }

    /** The store's budget, bytes. */
    public long maxMemory() {
        return maxMemory;
    }

    /** Whether somebody has asked for {@link #maxMemory}; else it is a default. */
    boolean isMaxMemoryGiven() {
        return maxMemoryGiven;
    }

    /** Sets the budget for the case that nobody asks for one, or asks for 0, bytes. */
    public ServerOptions setDefaultMaxMemory(long bytes) {
        defaultMaxMemory = bytes;
        if (!maxMemoryGiven) {
            maxMemory = bytes;
        }
        return this;
    }

    /** The directory that the data are kept in, where the next process finds them; empty: they are this process's. */
    public String data() {
        return data;
    }

    /** Whether to begin anew with data that are damaged. */
    public boolean startsEmptyIfDamaged() {
        return dataIfDamaged.equals("start-empty");
    }

    public String maxMemoryPolicy() {
        return maxMemoryPolicy;
    }

    /** What {@link #maxMemoryPolicy} is for the store. */
    public Policy policy() {
        Policy policy = POLICIES.get(maxMemoryPolicy);
        if (policy == null) {
            throw new IllegalStateException(maxMemoryPolicy);
        }
        return policy;
    }

    /** The default user's password; empty: none. */
    public String requirePass() {
        return requirePass;
    }

    public int databases() {
        return databases;
    }

    /** After how many idle seconds a client is disconnected; 0: never. */
    public int timeoutSeconds() {
        return timeoutSeconds;
    }

    public int maxClients() {
        return maxClients;
    }

    public int backlog() {
        return backlog;
    }

    public int keepAliveSeconds() {
        return keepAliveSeconds;
    }

    /** The longest argument. */
    public long maxBulkBytes() {
        return maxBulkBytes;
    }

    /** The most bytes of one request, its large arguments not counted. */
    public long queryBufferLimit() {
        return queryBufferLimit;
    }

    /** How many event loops; by default one for each CPU. */
    public int eventLoops() {
        return eventLoops > 0 ? eventLoops : Runtime.getRuntime().availableProcessors();
    }

    /** {@code io_uring}, {@code epoll}, {@code nio}, or {@code auto}: the first that loads. */
    public String transport() {
        return transport;
    }

    public UpdatePolicy updatePolicy() {
        return updatePolicy;
    }

    /** What SLOWLOG calls slow; below 0: nothing is. */
    public long slowLogMicros() {
        return slowLogMicros;
    }

    /** How many slow commands SLOWLOG keeps. */
    public long slowLogLength() {
        return slowLogLength;
    }

    /** From how many milliseconds on LATENCY keeps a command's time; 0: of none. */
    public long latencyMonitorMillis() {
        return latencyMonitorMillis;
    }

    /** Whether the times of all commands are counted. */
    public boolean latencyTracking() {
        return latencyTracking;
    }

    /** What INFO tells of those times. */
    public List<Double> latencyPercentiles() {
        return latencyPercentiles;
    }

    /** The port of the metrics; 0: there is none. */
    public int metricsPort() {
        return metricsPort;
    }

    /** The address of the metrics. */
    public String metricsBind() {
        return metricsBind;
    }

    /** Which events of keys become messages. */
    public NotificationFlags notifications() {
        return notifications;
    }

    public boolean protectedMode() {
        return protectedMode;
    }

    /** How much may wait to be sent to a client of this kind: {@code normal} or {@code pubsub}. */
    public OutputLimit outputLimit(String type) {
        OutputLimit limit = outputLimits.get(type);
        if (limit == null) {
            throw new IllegalArgumentException("no kind of client is named '" + type + "'");
        }
        return limit;
    }

    /** The most bytes that all clients together may take besides the store; 0: no limit. */
    public long clientMemoryLimit() {
        long limit = clientMemory;
        return limit < 0 ? maxMemory / 100 * -limit : limit;
    }

    /** Whether DEBUG is allowed. */
    public boolean debugCommand() {
        return debugCommand;
    }

    /** The most fields of a hash that is one entry. */
    public int hashMaxListpackEntries() {
        return hashMaxListpackEntries;
    }

    /** The longest name or value of a field of a hash that is one entry, bytes. */
    public int hashMaxListpackValue() {
        return hashMaxListpackValue;
    }

    /** The file that holds the users; empty: none does. */
    public String aclFile() {
        return aclFile;
    }

    /** How many refusals ACL LOG keeps. */
    public long aclLogLength() {
        return aclLogLength;
    }

    /** Whether a new user may use all channels. */
    public boolean usersBeginWithAllChannels() {
        return allChannels;
    }

    /** Users named in the configuration, each a name and rules with blanks between. */
    public List<String> users() {
        return users;
    }

    /** What commands are called, by their names; empty: they can't be called. */
    public Map<String, String> renamedCommands() {
        return renamedCommands;
    }

    /** The file that {@link #read} has read last, or null. */
    public @Nullable Path file() {
        return file;
    }

    /** The port for TLS; 0: there is none. */
    public int tlsPort() {
        return tlsPort;
    }

    /** PEM file of the server's certificate and those above it. */
    public String tlsCertificate() {
        return tlsCertificate;
    }

    /** PEM file of its private key, in PKCS #8. */
    public String tlsKey() {
        return tlsKey;
    }

    /** The key's password; empty: it has none. */
    public String tlsKeyPassword() {
        return tlsKeyPassword;
    }

    /** PEM file of certificates that clients' are signed by. */
    public String tlsAuthority() {
        return tlsAuthority;
    }

    /** Whether clients must show a certificate: {@code yes}, {@code no}, {@code optional}. */
    public String tlsClients() {
        return tlsClients;
    }

    /** Versions of TLS with blanks between; empty: those of the Java platform. */
    public String tlsProtocols() {
        return tlsProtocols;
    }

    /** {@code debug}, {@code verbose}, {@code notice} or {@code warning}. */
    public String logLevel() {
        return logLevel;
    }

    /** The file that log messages go to; empty: standard error. */
    public String logFile() {
        return logFile;
    }
}
