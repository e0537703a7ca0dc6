"""Operations, and how the records in C memory hold them."""

import json
from typing import Any, NamedTuple

from lockfree._native.linearize import ffi, lib

RECORD_BYTES = 56
PENDING = (1 << 64) - 1
NONE = -(1 << 63)
TEXT = NONE + 16
TEXT_END = TEXT + (1 << 32) - 1
FAILED, PAIR, TICKET = 1, 2, 4

_RESULT_IS_VALUE = {"get", "pop", "peek", "read", "alloc", "fetch_add", "load"}
_ARG_IS_VALUE = {"put", "put_front", "push", "append", "write", "free"}
_PUTS = ("put", "put_front")
_PERMITS = {"acquire", "release"}
# enum lf_py_shape: where a record of this name keeps argument and result
_ANSWER, _ADD, _WANTED, _CAS, _DONE, _PUT, _OTHER = range(1, 8)
_SHAPES = {
    **dict.fromkeys(_ARG_IS_VALUE | _PERMITS, _DONE), **dict.fromkeys(_RESULT_IS_VALUE, _ANSWER),
    **dict.fromkeys(("add", "remove", "contains", "insert", "delete"), _DONE),
    **dict.fromkeys(("read_acquire", "read_release", "write_acquire", "write_release"), _DONE),
    "fetch_add": _ADD, "alloc": _WANTED, "cas": _CAS, "put": _PUT, "put_front": _PUT,
}  # fmt: skip


class Operation(NamedTuple):
    """One call. Times in integer nanoseconds; `return_` None: it never returned. `result` None: EMPTY or no value;
    False: FULL, a failed try, a time-out. `batch` groups the operations of one batch call (0: none). `ticket`: a hint,
    among operations of one kind on one object smaller ones took effect earlier (None: not known).
    """

    client: int
    op: str
    arg: Any
    result: Any
    call: int
    return_: int | None
    key: Any = None
    batch: int = 0
    ticket: int | None = None

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"client": self.client, "op": self.op}
        if self.arg is not None or self.op in _ARG_IS_VALUE:
            out["arg"] = self.arg
        out |= {"result": self.result, "call": self.call, "return": self.return_}
        if self.key is not None:
            out["key"] = self.key
        if self.batch:
            out["batch"] = self.batch
        if self.ticket is not None:
            out["ticket"] = self.ticket
        return out


def _as_text(value: Any) -> str:
    """JSON in any form: values that mean the same get one text in same.c."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return json.dumps(repr(value))


class Coder:
    """Fills and reads records. What is no integer is a text of the reader in C, with a number."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._names: list[str | None] = [None] * 256
        self._errors: list[BaseException] = []
        self.decoder = ffi.new("struct lf_py_decoder *", {"reader": reader})
        """For what makes operations in C: valid as long as this coder."""
        for name, it in (
            ("coder", self), ("names", self._names), ("operation", Operation), ("errors", self._errors),
        ):  # fmt: skip
            setattr(self.decoder, name, ffi.cast("void *", id(it)))

    def fill(self, record: Any, code: int, o: Operation) -> None:
        record.op, record.client, record.batch, record.call = code, o.client, o.batch, o.call
        record.ret = PENDING if o.return_ is None else o.return_
        record.key = self.key(o.key)
        record.arg = record.result = NONE
        pending, flags = o.return_ is None, 0
        if (
            o.op in ("put", "put_front", "get", "peek")
            and isinstance(pair := o.arg if o.op in _PUTS else o.result, tuple | list)
            and len(pair) == 2
        ):
            flags |= PAIR
            record.arg2 = self.encode(pair[0])
            value = self.encode(pair[1])
            record.arg, record.result = (value, NONE) if o.op in _PUTS else (NONE, value)
            if o.op in _PUTS and o.result is False:
                flags |= FAILED
        elif o.op == "cas":
            record.arg, record.arg2 = self.encode(o.arg[0]), self.encode(o.arg[1])
            flags |= FAILED if o.result is False else 0
        elif o.op in _RESULT_IS_VALUE:
            if o.op == "alloc":
                record.arg2 = o.arg or 0
            elif o.op == "fetch_add":
                record.arg = 1 if o.arg is None else o.arg
            elif o.op == "load":
                record.arg = 0
            if not pending:
                if (
                    o.op in ("fetch_add", "load")
                    and type(o.result) is not int
                    and (o.op == "load" or o.result is not None)
                ):
                    raise TypeError("the result must be an integer")
                record.result = self.encode(o.result)
                flags |= FAILED if o.result is None else 0
        elif o.op in _PERMITS:
            record.arg = 1 if o.arg is None else o.arg
            if record.arg < 0:
                raise ValueError("negative number of permits")
            flags |= FAILED if o.result is False else 0
        else:
            record.arg = self.encode(o.arg)
            if code >= 64:
                record.result = NONE if pending else self.encode(o.result)
            elif o.result is False:
                flags |= FAILED
        if o.ticket is not None:
            if o.op == "alloc" or flags & PAIR:
                raise ValueError("this operation has no ticket")
            if not 0 <= o.ticket < 1 << 63:
                raise OverflowError(f"a ticket of {o.ticket}: an integer from 0 to 2^63 - 1")
            setattr(record, "result" if o.op == "cas" else "arg2", o.ticket)
            flags |= TICKET
        record.flags = flags

    def text(self, value: Any) -> int:
        data = _as_text(value).encode()
        number = int(lib.lf_history_reader_value(self._reader, data, len(data)))
        if number < 0:
            raise MemoryError
        return number

    def encode(self, value: Any) -> int:
        if value is None:
            return NONE
        if type(value) is int and TEXT_END < value < 1 << 63:
            return value
        return TEXT + self.text(value)

    def key(self, key: Any) -> int:
        if key is None:
            return 0
        if type(key) is int and 0 <= key < (1 << 31) - 1:
            return key + 1
        return (1 << 31) + self.text(key)

    def decode(self, value: int) -> Any:
        if value == NONE:
            return None
        return self.said(value - TEXT) if TEXT <= value <= TEXT_END else value

    def said(self, number: int) -> Any:
        """The value of a text."""
        size = ffi.new("size_t *")
        at = lib.lf_history_reader_text_at(self._reader, number, size)
        if at == ffi.NULL:
            return f"text #{number}"
        data = ffi.buffer(at, size[0])[:]
        try:
            return json.loads(data.decode())
        except ValueError:  # the reader in C is no judge of numbers and encodings: it compares
            return data.decode(errors="replace")

    def decode_key(self, key: int) -> Any:
        if key == 0:
            return None
        return key - 1 if key < 1 << 31 else self.said(key - (1 << 31))

    def name(self, code: int) -> str:
        return self._names[code] or self.learn(code)

    def learn(self, code: int) -> str:
        """The name of an operation; from now on `decoder` knows it, too."""
        text = lib.lf_history_reader_name(self._reader, code)
        name = f"operation #{code}" if text == ffi.NULL else str(ffi.string(text).decode())
        self._names[code] = name
        self.decoder.shape[code] = _SHAPES.get(name, _OTHER)
        return name

    def operations(self, records: Any, count: int) -> list[Operation]:
        """What `count` records say."""
        out: list[Operation] = []
        if lib.lf_py_decode(self.decoder, records, count, ffi.cast("void *", id(out))):
            raise self._errors.pop()
        return out
