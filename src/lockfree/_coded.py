"""Objects whose records are bytes of a stated size or items of a dtype: their codec, and how it travels with them."""

from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self

from lockfree._dtypes import NumpyCodec, check_casting
from lockfree._errors import brief
from lockfree._peers import Conveyor
from lockfree._records import BytesCodec, Codec
from lockfree._segment import check_int
from lockfree._types import Casting, Chosen, Spin, chosen

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    R = TypeVar("R", default=Any)
else:
    from typing import TypeVar

    R = TypeVar("R")
MAX_RECORD = 2**31
DEFAULT: Final = "same_value"
"""Casting."""


class Coded(Conveyor, Generic[R]):
    """Base of the containers and of LatestValue."""

    _noun: ClassVar[str]
    """What messages call the object."""
    _casting: Casting = "same_value"
    record_size = Chosen[int]()

    def _attached(self) -> None:
        chosen(self, record_size=self._h.record_size)
        note = self._note()
        self._codec: Codec = (
            NumpyCodec.from_note(note, self.record_size, self._casting) if note else BytesCodec(self.record_size)
        )
        self._codec.noun = self._noun
        self._use(self._codec, self._codec.fast is bytes)

    def _use(self, _codec: Codec, _is_bytes: bool) -> None: ...

    @classmethod
    def attach(cls, name: str, *, casting: Casting = "same_value", spin: Spin = "adaptive") -> Self:
        """The object that another program created with `name=`; `casting` and `spin` as in the constructor.

        Raises FileNotFoundError if there is none, SegmentError if what is there is not such an object.
        """
        check_casting(casting)
        self = super().attach(name, spin=spin)
        if self.dtype is None and casting != DEFAULT:
            title = self._title()
            self.close()
            raise ValueError(f"casting is {casting!r}: it has no effect, since the records of {title} are bytes")
        self.__setstate__(casting)
        return self

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        codec = codec_of(given["record_size"], given["dtype"], given["casting"])
        return {"record_size": codec.size, "dtype": getattr(codec, "dtype", None)}

    def __reduce__(self) -> tuple[Any, ...]:
        return (*super().__reduce__(), self._casting)

    def __setstate__(self, casting: Casting) -> None:
        self._casting = casting
        if isinstance(self._codec, NumpyCodec):
            self._codec.cast(casting)

    @property
    def dtype(self) -> Any:
        """The NumPy dtype of the records, or None if they are bytes."""
        if "_codec" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no dtype before its __init__() ran")
        return getattr(self._codec, "dtype", None)


def codec_of(record_size: int | None, dtype: Any, casting: Casting) -> Codec:
    check_casting(casting)
    if dtype is not None:
        codec = NumpyCodec(dtype, casting)
        if record_size is not None and record_size != codec.size:
            raise ValueError(f"record_size is {record_size}: dtype {brief(codec.dtype)} has {codec.size} bytes")
        return codec
    if record_size is None:
        raise TypeError("record_size or dtype is needed")
    if casting != DEFAULT:
        raise ValueError(f"casting is {casting!r}: it has no effect without `dtype`, which is None")
    return BytesCodec(check_int("record_size", record_size, 1, MAX_RECORD))
