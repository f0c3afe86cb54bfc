# Shared by bin/loam, bin/loam-image and .ci/run; sourced, not run. Sets nothing but the names below.
#
#   root        the checkout
#   modules     the module path: loam-*.jar and every jar that the command line needs, gathered by dist/pom.xml
#   image       the runtime image of bin/loam-image, which holds the same modules
#   jvm_flags   what every JVM of the project runs with (pom.xml has loam.jvm.flags for the tests, which also run with
#               --illegal-native-access=deny: with that a JVM takes no modules from the start-up cache)
#   server_flags  what the server's JVM runs with besides, as well as the serial collector if no other is asked for
#
# Messages go to standard error: standard output belongs to the command.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
modules=$root/dist/target/modules
image=$root/build/image
main=io.loam.cli/io.loam.cli.Main
jvm_flags=(
    --enable-native-access=io.loam.memory,io.netty.common,io.netty.transport.unix.common,io.netty.transport.classes.epoll,io.netty.transport.classes.io_uring,ALL-UNNAMED
    --add-modules=io.netty.transport.epoll.linux.x86_64,io.netty.transport.io_uring.linux.x86_64
    --sun-misc-unsafe-memory-access=deny
    # Netty's own events would be made ready before the first reply
    -Dio.netty.jfr.enabled=false
)

# What the server's JVM runs with besides the serial collector: its data are not in the Java heap, so a collection copies next to nothing, and a small young
# generation bounds both the pause and what the process takes. The file that jstat reads is written at pauses, which a busy disk may stretch.
server_flags=(-Xmn16m -XX:+PerfDisableSharedMem)

say() { printf 'loam: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# The feature version of the JDK at $1, from its release file, so that no JVM has to start; nothing if it is no JDK.
jdk_feature() {
    local line
    [[ -x $1/bin/javac && -r $1/release ]] || return 0
    while read -r line; do
        if [[ $line =~ ^JAVA_VERSION=\"([0-9]+) ]]; then
            echo "${BASH_REMATCH[1]}"
            return 0
        fi
    done < "$1/release"
}

# Sets jdk to the home of a JDK 25 or later: JAVA_HOME, then the java on the PATH, then the usual directories.
find_jdk() {
    local java candidate feature
    java=$(command -v java) && java=$(readlink -f "$java") && java=${java%/bin/java}
    shopt -s nullglob
    for candidate in "${JAVA_HOME:-}" "$java" /usr/lib/jvm/* /opt/*jdk* /opt/java/* "$HOME"/.jdks/* \
        "$HOME"/.sdkman/candidates/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
        feature=$(jdk_feature "$candidate")
        if [[ -n $feature && $feature -ge 25 ]]; then
            jdk=$candidate
            shopt -u nullglob
            return 0
        fi
    done
    shopt -u nullglob
    return 1
}

need_jdk() {
    find_jdk || die "no JDK 25 or later in JAVA_HOME (${JAVA_HOME:-not set}), on the PATH or in /usr/lib/jvm, /opt, ~/.jdks, ~/.sdkman;" \
        "install a JDK 25 and set JAVA_HOME to it"
}

# True if a source or a pom changed after file $1 was written. A deleted file shows in the time of its directory.
sources_newer_than() {
    [[ -n $(cd "$root" && find pom.xml ./*/pom.xml ./*/src/main -newer "$1" -print -quit 2>/dev/null) ]]
}

is_built() {
    local jars=("$modules"/loam-cli-*.jar)
    [[ -e ${jars[0]} && -e $root/build/built ]] && ! sources_newer_than "$root/build/built"
}

# Builds the jars of the module path if they are missing or older than the sources. Tests, formatting and the like are
# the business of `mvn verify`. The stamp takes the time of the build's start, so that an edit during it counts.
ensure_built() {
    is_built && return 0
    need_jdk
    mkdir -p "$root/build"
    # Two at once would write over each other.
    if command -v flock >/dev/null; then
        exec 9> "$root/build/lock"
        flock 9
        is_built && { exec 9>&-; return 0; }
    fi
    command -v mvn >/dev/null || die "Maven 3.8 or later is needed to build and there is no mvn on the PATH;" \
        "install it (Debian, Ubuntu: apt-get install maven)"
    say "building with $jdk (log: build/build.log)"
    touch "$root/build/built.new"
    if ! (cd "$root" && JAVA_HOME=$jdk mvn -q -B -ntp -pl dist -am -Dmaven.test.skip=true -Dspotless.check.skip=true package) \
        > "$root/build/build.log" 2>&1 9>&-; then
        grep -m 20 -E '^\[ERROR\]' "$root/build/build.log" >&2 || tail -n 20 "$root/build/build.log" >&2
        die "the build failed; all of its output is in build/build.log"
    fi
    mv "$root/build/built.new" "$root/build/built"
    if command -v flock >/dev/null; then exec 9>&-; fi
}
