"""The stress harness's extension, loaded when first imported and never by `import lockfree`."""

from typing import Any

from lockfree._native import _stress

ffi: Any = _stress.ffi
lib: Any = _stress.lib
