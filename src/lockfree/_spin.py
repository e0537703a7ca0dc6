"""How long the waiting calls of an object look before they sleep: what all classes that wait have in common."""

from typing import Any, Final, Self, cast

from lockfree._errors import shown
from lockfree._long import Patient
from lockfree._native import ffi, lib
from lockfree._segment import check_int
from lockfree._types import Spin

ADAPTIVE: Final = 2**32 - 1
LONGEST: Final = 10**5
"""Microseconds."""


def check_spin(spin: object) -> int:
    """What the C core knows as `spin`, or TypeError or ValueError naming it and the bound."""
    if isinstance(spin, str):
        if spin in {"adaptive", "never"}:
            return ADAPTIVE if spin == "adaptive" else 0
        raise ValueError(f'spin is {spin!r}: it must be "adaptive", "never", or microseconds from 0 to {LONGEST}')
    if not hasattr(type(spin), "__index__"):
        raise TypeError(f'spin is {shown(spin)}: it must be "adaptive", "never", or an integer of microseconds')
    return check_int("spin", spin, 0, LONGEST)


class Waiter(Patient):
    """An object with calls that wait."""

    _spin: Spin = "adaptive"

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
        """How long this process looks in a waiting call before it sleeps: "adaptive" (looks while that finds something,
        about 10 us; then gives its processor to another thread once), "never" (sleeps at once), or so many
        microseconds. Other processes have their own.
        """
        return self._spin

    @spin.setter
    def spin(self, spin: Spin) -> None:
        check_spin(spin)
        self._require_open()
        self._keep_spin(self._h, spin)

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, arguments = super().__reduce__()
        return _waiting, (rebuild, arguments, self._spin)


def _waiting(rebuild: Any, arguments: tuple[Any, ...], spin: Spin) -> Waiter:
    self = cast("Waiter", rebuild(*arguments))
    self.spin = spin
    return self
