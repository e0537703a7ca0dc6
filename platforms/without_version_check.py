"""Takes out of cffi's setup.py the check that refuses a free-threaded build older than 3.14, and nothing else."""

import re
import sys
from pathlib import Path

CHECK = r"^if FREE_THREADED_BUILD and sys\.version_info < \(3, 14\):\n    raise RuntimeError\([^)]*\)\n"

setup = Path(sys.argv[1])
text, found = re.subn(CHECK, "", setup.read_text(), flags=re.MULTILINE)
if found != 1:
    sys.exit(f"{setup}: the version check was found {found} times, not once: this cffi is another one than expected")
setup.write_text(text)
