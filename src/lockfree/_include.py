"""Where the C headers are: for workers in C, C++ or Rust that attach to the same segments."""

from typing import TYPE_CHECKING

__all__ = ["get_include"]

if TYPE_CHECKING:
    from pathlib import Path


def _find(installed: str, checkout: str) -> "Path":
    from pathlib import Path

    package = Path(__file__).parent
    for candidate in (package / installed, package.parent.parent / checkout):
        if candidate.is_dir():
            return candidate
    import lockfree

    for entry in lockfree.__path__:  # an editable install has the installed files beside the sources
        if (Path(entry) / installed).is_dir():
            return Path(entry) / installed
    raise FileNotFoundError(f"neither {package / installed} nor {package.parent.parent / checkout} exists")


def get_include() -> str:
    """The directory to give to a C or C++ compiler with -I; headers are `<lockfree/...>`."""
    return str(_find("include", "c/include"))


def get_model_runtime() -> str:
    """The directory with the sources of the model checker's runtime."""
    return str(_find("model_runtime", "c/model"))


def get_kill_sources() -> str:
    """The directory with the sources of the programs that kill at every instruction."""
    return str(_find("kill_sources", "c/kill"))
