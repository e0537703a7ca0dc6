"""One long campaign: `lockfree stress` on one primitive, which must end OK."""

import subprocess
import sys


def campaign(out, *args, seconds=20):
    command = [sys.executable, "-m", "lockfree", "stress", *args, "--seconds", str(seconds), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds * 4 + 120)
    assert done.returncode == 0, done.stdout + done.stderr
