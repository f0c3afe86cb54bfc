package io.loam.server.access;

import io.loam.server.command.Identity;

/** A user. Sessions refer to him as long as they last; his permissions may change meanwhile. */
final class User implements Identity {

    private final String name;
    private volatile Permissions permissions;
    /** Whether the permissions allow everything, for a quick look. */
    private volatile boolean unrestricted;

    User(String name, Permissions permissions) {
        this.name = name;
        this.permissions = permissions;
        this.unrestricted = permissions.allowEverything();
    }

    @Override
    public String name() {
        return name;
    }

    boolean isUnrestricted() {
        return unrestricted;
    }

    Permissions permissions() {
        return permissions;
    }

    /** Gives him others, which nobody changes any more. One thread at a time. */
    void setPermissions(Permissions changed) {
        permissions = changed;
        unrestricted = changed.allowEverything();
    }
}
