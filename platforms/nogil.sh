#!/usr/bin/env bash
# Runs the suite with the GIL off.
#
#   platforms/nogil.sh [VERSION [SUITE [PYTEST ARGUMENTS]]]      3.13 of trixie, 3.14 of sid, ...
#
# The interpreter is Debian's source of that version, built with --disable-gil. cffi refuses the free-threaded build of
# 3.13 in its setup.py; that check is taken out, and nothing else. Both are built once and kept in
# $LOCKFREE_PLATFORMS (build/platforms). Status 77: this machine cannot build it, and the last line says why.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-3.13} suite=${2:-trixie}
shift $(($# < 2 ? $# : 2))
home=${LOCKFREE_PLATFORMS:-$PWD/build/platforms}/nogil-$version
python=$home/python/bin/python${version}t
venv=$home/venv

skip() { echo "skipped: $*"; exit 77; }

get_source() { # Debian's source, with package lists of its own: the machine's lists stay as they are
    command -v apt-get >/dev/null || skip "no apt-get to get Debian's source with"
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e $keys ] || skip "no keys of Debian's archive (debian-archive-keyring)"
    mkdir -p "$home/lists/partial" "$home/source"
    printf '%s\n' 'Types: deb-src' "URIs: ${DEBIAN_MIRROR:-http://deb.debian.org/debian}" "Suites: $suite" \
        'Components: main' "Signed-By: $keys" >"$home/debian.sources"
    local options=(-q -o "Dir::Etc::sourcelist=$home/debian.sources" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$home/lists" -o "APT::Sandbox::User=$(id -un)")
    apt-get "${options[@]}" update || skip "Debian's archive is out of reach"
    (cd "$home" && apt-get "${options[@]}" source --download-only "python$version" 2>apt.log) ||
        skip "no source of python$version from $suite: $(grep --max-count 1 '^E:' "$home/apt.log")"
    tar -xf "$home"/python*.orig.tar.?z --strip-components 1 -C "$home/source"
}

build_python() {
    local header
    for header in ffi.h openssl/ssl.h zlib.h; do
        echo "#include <$header>" | "${CC:-cc}" -E - >/dev/null 2>&1 ||
            skip "building Python needs a C compiler, libffi-dev, libssl-dev and zlib1g-dev (no $header)"
    done
    get_source
    (cd "$home/source" && ./configure -q --disable-gil --prefix="$home/python" && make -s -j2 && make -s install) \
        >"$home/python.log" 2>&1 || { tail -20 "$home/python.log"; exit 1; }
    rm -r "$home/source"
}

install_cffi() {
    rm -rf "$home/cffi"
    mkdir "$home/cffi"
    "$venv/bin/pip" install -q 'setuptools>=77' wheel
    # pip asks the source for its name before it keeps it; only a Python with the GIL is answered
    "${PYTHON:-python3}" -m venv --clear "$home/with-gil"
    (cd "$home/cffi" && "$home/with-gil/bin/pip" download -q --no-deps --no-binary cffi 'cffi>=2.1' && tar -xf cffi-*.tar.gz --strip-components 1)
    "${PYTHON:-python3}" platforms/without_version_check.py "$home/cffi/setup.py"
    "$venv/bin/pip" install -q --no-build-isolation "$home/cffi"
}

[ -x "$python" ] || build_python
if [ ! -e "$venv/.ready" ]; then
    "$python" -m venv --clear "$venv"
    install_cffi
    "$venv/bin/pip" install -q 'scikit-build-core>=0.11' ninja cmake
    touch "$venv/.ready"
fi
"$venv/bin/pip" install -q --only-binary :all: --no-build-isolation -e '.[test]'
export PYTHON_GIL=0
"$venv/bin/python" -c 'import sys, sysconfig
print(sys.version)
assert sysconfig.get_config_var("Py_GIL_DISABLED") and not sys._is_gil_enabled()'
exec "$venv/bin/python" -m pytest -q -n auto --dist loadfile --no-loadscope-reorder "$@"
