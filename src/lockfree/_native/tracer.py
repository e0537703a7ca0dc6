"""The trace function of the explorer of Python's schedules, loaded when first imported, never by `import lockfree`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from lockfree._native import _tracer

Function = TypeVar("Function", bound=Callable[..., object])

if TYPE_CHECKING:
    from types import CodeType, FrameType, ModuleType

    class Tracer:
        """Tells of frames. What it does in C stands in `tracer.glue.c`."""

        def start(self) -> None: ...
        def hear(self, enter: Callable[[FrameType], object] | None) -> None: ...
        def skip(self, code: CodeType) -> None: ...
        def follow(  # noqa: PLR0917 - as in C
            self, frame: FrameType, touching: bytes, touch: Callable[[FrameType, int], object],
            line: Callable[[FrameType], object] | None, loop: Callable[[], object] | None, most: int,
        ) -> None: ...  # fmt: skip

    class Snapshot:
        """What classes and modules held. What it does in C stands in `snapshot.h`."""

        def changed(self) -> int | None: ...
        def renew(self, number: int) -> None: ...

    def untraced(function: Function) -> Function: ...
    def snapshot(owners: list[tuple[type | ModuleType, set[str] | None]]) -> Snapshot: ...


if _tracer.lib.lf_tracer_install() != 0:
    raise ImportError("the types of lockfree._native._tracer did not install")
