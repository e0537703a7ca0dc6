"""The linearizability engine's extension, loaded when first imported and never by `import lockfree`."""

from typing import Any

from lockfree._native import _linearize

ffi: Any = _linearize.ffi
lib: Any = _linearize.lib
