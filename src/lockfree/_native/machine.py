"""The extension that measures the machine, loaded when first imported and never by `import lockfree`."""

from typing import Any

from lockfree._native import _machine

ffi: Any = _machine.ffi
lib: Any = _machine.lib
