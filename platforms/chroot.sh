#!/usr/bin/env bash
# Runs a command on a Debian system of its own, in a copy of this tree.
#
#   [SHM=16m] platforms/chroot.sh SUITE NAME "PACKAGES" COMMAND [ARGUMENTS]
#
# The system is debootstrap's SUITE with the packages on top; NAME keeps its packages, its /venv and its /platforms for
# the next time in $LOCKFREE_PLATFORMS (build/platforms). It has a mount and a process namespace, so that nothing stays
# mounted or running. SHM is the size of its /dev/shm. Status 77: not possible here, and the last line says why.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=$1 name=$2 packages=$3
shift 3
home=${LOCKFREE_PLATFORMS:-$PWD/build/platforms}/roots
base=$home/$suite own=$home/$name root=$home/$name/root
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

skip() { echo "skipped: $*"; exit 77; }

if [ "${IN_NAMESPACE:-}" != yes ]; then
    [ "$(id -u)" = 0 ] || skip "a chroot needs root"
    command -v debootstrap >/dev/null || skip "no debootstrap"
    unshare --mount --pid --fork true || skip "no namespaces here"
    if [ ! -e "$base/.ready" ]; then
        rm -rf "$base"
        mkdir -p "$base"
        debootstrap --variant=minbase --include=ca-certificates,make,python3-venv "$suite" "$base" "$mirror" >"$home/$suite.log" 2>&1 ||
            { tail -3 "$home/$suite.log"; skip "debootstrap of $suite did not work"; }
        touch "$base/.ready"
    fi
    mkdir -p "$own/upper/src" "$own/work" "$root"
    find "$own/upper/src" -mindepth 1 -delete
    git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' - |
        tar -c --null -T - | tar -x -C "$own/upper/src"
    IN_NAMESPACE=yes exec unshare --mount --pid --fork "$0" "$suite" "$name" "$packages" "$@"
fi

mount -t overlay overlay -o "lowerdir=$base,upperdir=$own/upper,workdir=$own/work" "$root" || skip "no overlay file system"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o "mode=1777,size=${SHM:-50%}" tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump Acquire::Check-Valid-Until Acquire::Check-Date >"$root/etc/apt/apt.conf.d/90-as-outside" # for mirrors of a day

inside() {
    chroot "$root" env -i -C /src HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive DEBIAN_MIRROR="$mirror" LOCKFREE_PLATFORMS=/platforms PIP_DISABLE_PIP_VERSION_CHECK=1 \
        PIP_ROOT_USER_ACTION=ignore PIP_CERT=/etc/ssl/certs/ca-certificates.crt PYTEST_ADDOPTS="${PYTEST_ADDOPTS:-}" "$@"
}

if [ "$(cat "$root/packages" 2>/dev/null)" != "$packages" ]; then
    # shellcheck disable=SC2086
    { inside apt-get -q update && inside apt-get -q install -y --no-install-recommends $packages; } >"$own/apt.log" 2>&1 ||
        { tail -3 "$own/apt.log"; skip "$suite does not give $packages"; }
    echo "$packages" >"$root/packages"
fi
# whoever signs for the network here is trusted there as well
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
inside "$@"
