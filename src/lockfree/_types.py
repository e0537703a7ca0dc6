"""Names for annotations. NumPy need not be there when the package is used without dtypes."""

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from numpy.typing import ArrayLike as ArrayLike  # noqa: PLC0414
    from numpy.typing import NDArray
    from typing_extensions import Buffer as Buffer  # noqa: PLC0414

    Array = NDArray[Any]
else:
    Array = ArrayLike = Buffer = Any

Spin = Literal["adaptive", "never"] | int
"""How long a waiting call looks before it sleeps: an integer is microseconds."""
Casting = Literal["same_value", "no", "equiv", "safe", "same_kind", "unsafe"]
IfDead = Literal["keep", "replace"]
"""What `open` does with an object that no live process uses."""
PeerDeath = Literal["wait", "raise"]
"""What a wait does when nobody is left who could end it."""
Order = Literal["fifo", "lifo"]
"""Which free blocks a pool hands out first: those that have been free for longest, or those that became free last."""


class AnyLock(Protocol):
    """A lock of any package: of this one, of threading, of multiprocessing."""

    def acquire(self, *args: Any, **named: Any) -> Any: ...
    def release(self) -> Any: ...
