#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace porchlight::agent {

/// Who a role runs as.
struct User {
    uid_t uid = 0;
    gid_t gid = 0;
};

/// A user by number, or by the name of an account of this machine (/etc/passwd). A name that no
/// account has gives nothing.
std::optional<User> find_user(const std::string& name);

/// Whether this process can become `user`: in a user namespace root may be root alone. Tries it in
/// a process of its own.
bool can_become(const User& user);

/// What a role gives up before it looks at the first octet from outside.
struct Confinement {
    std::optional<User> user;  // none: stays who it is, as without root it must
    std::string root;          // an empty directory to be locked into; empty: none
    /// What the kernel sends when the keeper dies. 0: nothing, the role watches its channel.
    int parent_death_signal = 0;
};

/// Becomes `confinement` for good: empty root, user, no group, no capability, no new privilege by
/// exec, no core file, not to be traced by its equals. Fails with `denied` where the kernel said
/// no to something that was asked for.
Result<void> confine(const Confinement& confinement);

/// What a command gives up before it reads what strangers said: it becomes the user nobody. Where
/// there is no such to become, as in some containers, no capability is left at least.
Result<void> become_nobody();

/// Whether this process holds a capability now (by number, linux/capability.h).
bool has_capability(int capability);

}  // namespace porchlight::agent
