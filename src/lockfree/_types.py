"""Names for annotations, and what is chosen at creation. NumPy need not be there when no dtype is used."""

from typing import TYPE_CHECKING, Any, Generic, Literal, Never, Protocol, Self, TypeVar, overload

if TYPE_CHECKING:
    from numpy.typing import ArrayLike as ArrayLike  # noqa: PLC0414
    from numpy.typing import NDArray
    from typing_extensions import Buffer as AnyBuffer

    Array = NDArray[Any]
    Buffer = AnyBuffer | Array  # NumPy says only from Python 3.12 on that an array is a buffer
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


T = TypeVar("T")


class Chosen(Generic[T]):
    """An attribute that was chosen when the object was created. Its class gives it with `chosen`; nobody sets it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object, owner: type) -> Self | T:
        if instance is None:
            return self
        try:
            value: T = instance.__dict__[self._name]
        except KeyError:
            raise AttributeError(f"{owner.__name__} has no {self._name} before its __init__() ran") from None
        return value

    def __set__(self, instance: object, value: Never) -> None:
        raise AttributeError(f"{type(instance).__name__}.{self._name} cannot be set: it is chosen at creation")


def chosen(instance: object, **values: Any) -> None:
    """Gives the `Chosen` attributes of an object their values."""
    instance.__dict__.update(values)
