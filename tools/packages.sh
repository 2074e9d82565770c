# Debian packages for ./run, ./test and .ci/run, which read this file (POSIX sh).
#
# packages_missing P...  prints those that are not installed
# packages_install P...  installs them; true when all are there afterwards. Says nothing on success;
#                        on failure packages_why holds one sentence that names what to type.
# They install as root, or through sudo where that asks no password. No service is started, and no
# database cluster is made, by what is installed. Without dpkg and apt-get nothing is known and nothing is done.

packages_why=

packages_missing() {
    command -v dpkg-query >/dev/null 2>&1 || return 0
    for package in "$@"; do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            printf '%s\n' "$package"
    done
}

packages_root() { # CMD...: as root, with no question
    if [ "$(id -u)" -eq 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"
    else sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

packages_apt() { # P...: two tries, the second with fresh lists
    set -- apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
        -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
    packages_root "$@" || { packages_root apt-get -q update && packages_root "$@"; }
}

# What keeps services from starting: a policy that denies it for as long as we install, and for
# postgres the wish for no cluster. Where the owner of the machine has either already, it stays.
packages_quiet_begin() {
    packages_policy= packages_cluster=
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' | packages_root tee /usr/sbin/policy-rc.d >/dev/null &&
            packages_root chmod 755 /usr/sbin/policy-rc.d && packages_policy=1
    fi
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        packages_root mkdir -p /etc/postgresql-common &&
            echo 'create_main_cluster = false' |
            packages_root tee /etc/postgresql-common/createcluster.conf >/dev/null && packages_cluster=1
    fi
}

packages_quiet_end() {
    [ -z "$packages_policy" ] || packages_root rm -f /usr/sbin/policy-rc.d
    if [ -n "$packages_cluster" ]; then
        # the package's own settings, which it laid beside ours; or none, as before
        packages_own=/etc/postgresql-common/createcluster.conf
        if [ -e $packages_own.ucf-dist ]; then packages_root mv $packages_own.ucf-dist $packages_own
        elif [ -e $packages_own.dpkg-dist ]; then packages_root mv $packages_own.dpkg-dist $packages_own
        else
            packages_root rm -f $packages_own
            packages_root rmdir --ignore-fail-on-non-empty /etc/postgresql-common
        fi
    fi
    packages_policy= packages_cluster=
}

packages_install() {
    if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
        packages_why="this needs what Debian calls $*; install it by this system's means"
        return 1
    fi
    packages_wanted=$(packages_missing "$@" | tr '\n' ' ')
    packages_wanted=${packages_wanted% }
    [ -n "$packages_wanted" ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
        packages_why="this needs packages that only root can install; type: sudo apt-get install $packages_wanted"
        return 1
    fi
    packages_log=${TMPDIR:-/tmp}/loam-packages.$$
    packages_quiet_begin >"$packages_log" 2>&1
    # shellcheck disable=SC2086 # a list of words
    packages_apt $packages_wanted >>"$packages_log" 2>&1
    packages_quiet_end >>"$packages_log" 2>&1
    packages_left=$(packages_missing "$@" | tr '\n' ' ')
    if [ -n "$packages_left" ]; then
        packages_why="apt-get could not install ${packages_left% } ($(grep -E '^(E|W): ' "$packages_log" | tail -n 1)); type: sudo apt-get install $packages_wanted"
        rm -f "$packages_log"
        return 1
    fi
    rm -f "$packages_log"
}
