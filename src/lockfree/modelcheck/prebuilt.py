"""Compiles the model checker's runtime while the package is built, so that nobody's first check has to.

CMake runs this file: `prebuilt.py FOLDER`. The package is not there yet, so its modules are taken from the sources.
"""

import sys
from pathlib import Path
from types import ModuleType

SOURCES = Path(__file__).parent.parent


def main(folder: str) -> None:
    """Puts the object into the folder. Without what is needed for it says so; then the first check builds it."""
    for name in ("lockfree", "lockfree.modelcheck"):
        package = sys.modules[name] = ModuleType(name)
        package.__path__ = [str(SOURCES.parent / name.replace(".", "/"))]
    from lockfree.modelcheck.build import BuildError, build_object

    Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        print(build_object(Path(folder)))
    except (BuildError, FileNotFoundError) as error:
        print(f"lockfree: the model checker is not compiled now, but by the first check that needs it: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
