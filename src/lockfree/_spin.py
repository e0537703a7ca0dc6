"""How long the waiting calls of an object look before they sleep: what all classes that wait have in common."""

from typing import TYPE_CHECKING, Any, Final, Self, cast

from lockfree import _native
from lockfree._errors import shown
from lockfree._native import ffi, lib
from lockfree._segment import Shared, check_int
from lockfree._types import Spin

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockfree._peers import Peer

    OnSlow = Callable[[Any, float, list[Peer]], object]

ADAPTIVE: Final = 2**32 - 1
LONGEST: Final = 10**5
"""Microseconds."""
LEAST: Final = 0.001
MOST: Final = 10**9
"""Seconds, of `slow_after`."""

_native.base("section")  # makes the C type of the `with` blocks: lock.reading(), ring.read(), ring.write()


def check_spin(spin: object) -> int:
    """What the C core knows as `spin`, or TypeError or ValueError naming it and the bound."""
    if isinstance(spin, str):
        if spin in {"adaptive", "never"}:
            return ADAPTIVE if spin == "adaptive" else 0
        raise ValueError(f'spin is {spin!r}: it must be "adaptive", "never", or microseconds from 0 to {LONGEST}')
    if not hasattr(type(spin), "__index__"):
        raise TypeError(f'spin is {shown(spin)}: it must be "adaptive", "never", or an integer of microseconds')
    return check_int("spin", spin, 0, LONGEST)


def _nanoseconds(name: str, seconds: float) -> int:
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} is {shown(seconds)}: it must be a number of seconds")
    if not LEAST <= seconds <= MOST:  # also not a number
        raise ValueError(f"{name} is {shown(seconds)}: it must be between {LEAST} and {MOST} seconds")
    return int(seconds * 1e9)


class Waiter(Shared):
    """An object with calls that wait."""

    _spin: Spin = "adaptive"
    _on_slow: "OnSlow | None" = None

    def _created(self, handle: Any, status: int, spin: Spin = "adaptive") -> None:
        super()._created(handle, status)
        self._keep_spin(handle, spin)

    def _keep_spin(self, handle: Any, spin: Spin) -> None:
        number = check_spin(spin)
        lib.lf_set_spin(ffi.addressof(handle, "h"), number)
        self._spin = "adaptive" if number == ADAPTIVE else number or "never"

    @classmethod
    def attach(cls, name: str, *, spin: Spin = "adaptive") -> Self:
        """The object that another program created with `name=`; `spin` as in the constructor.

        Raises FileNotFoundError if there is none, SegmentError if what is there is not such an object.
        """
        check_spin(spin)
        self = super().attach(name)
        self._keep_spin(self._h, spin)
        return self

    @property
    def spin(self) -> Spin:
        """How long this process looks in a waiting call before it sleeps: "adaptive" (looks while that finds something;
        about 10 us), "never", or so many microseconds. Other processes have their own.
        """
        return self._spin

    @spin.setter
    def spin(self, spin: Spin) -> None:
        check_spin(spin)
        self._require_open()
        self._keep_spin(self._h, spin)

    def watch(self, on_slow: "OnSlow | None", slow_after: float = 1.0) -> None:
        """Calls `on_slow(self, seconds, peers)` when a call of this object has waited `slow_after` seconds here, and
        again each time as long has passed. None: no more.

        It runs in the thread that waits, which holds nothing of the object then. So it may ask who is late: `peers` is
        what `peers()` says. What it raises ends the wait; nothing was taken. It is called up to 0.1 s late. It belongs
        to this object and does not travel. RuntimeError for an Arena, and without the C types.
        """
        if on_slow is not None and not callable(on_slow):
            raise TypeError(f"on_slow is {shown(on_slow)}: it must be callable, or None")
        wait = _nanoseconds("slow_after", slow_after)
        tell = getattr(self, "_tell_slow", None)
        if tell is None:
            raise RuntimeError(f"{self._title()}: its calls wait in Python, where nobody watches them")
        self._require_open()
        self._on_slow = on_slow
        tell(wait if on_slow is not None else 0)

    def _slow(self, seconds: float) -> None:
        """Called by the C types in a long wait."""
        on_slow = self._on_slow
        if on_slow is not None:
            on_slow(self, seconds, self.peers())

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, arguments = super().__reduce__()
        return _waiting, (rebuild, arguments, self._spin)


def _waiting(rebuild: Any, arguments: tuple[Any, ...], spin: Spin) -> Waiter:
    self = cast("Waiter", rebuild(*arguments))
    self.spin = spin
    return self
