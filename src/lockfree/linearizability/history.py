"""Histories: reading, writing and validating them. The records live in C memory, 56 bytes an operation."""

import gzip
import io
import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lockfree._native.linearize import ffi, lib

RECORD_BYTES = 56
HEADER = struct.Struct("=8sIIQQ4Q")
MAGIC = b"LFHIST1\n"
UNFINISHED = PENDING = (1 << 64) - 1
NONE = -(1 << 63)
TEXT = NONE + 16
TEXT_END = TEXT + (1 << 32) - 1
FAILED, PAIR, TICKET = 1, 2, 4
CHUNK = 1 << 22

_RESULT_IS_VALUE = {"get", "pop", "peek", "read", "alloc", "fetch_add", "load"}
_ARG_IS_VALUE = {"put", "push", "append", "write", "free"}
_PERMITS = {"acquire", "release"}
_STANDARD = {
    *_RESULT_IS_VALUE, *_ARG_IS_VALUE, *_PERMITS, "cas", "add", "remove", "contains", "insert", "delete",
    "read_acquire", "read_release", "write_acquire", "write_release",
}  # fmt: skip


class InvalidHistory(ValueError):
    """The input cannot be a history; `line` is where (1 for the first operation), None if it is not about a line."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


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
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError):
        return json.dumps(repr(value))


class History:
    """A sequence of `Operation`s backed by records in C memory; grows with `append`, validated by `validate`.

    `History.load(path)` reads a file (JSON lines, or the binary form, by its first bytes), `from_buffer` takes
    records written by a recorder in C, `from_operations` anything like `Operation`.
    """

    def __init__(self, *, any_operation: bool = True) -> None:
        reader = lib.lf_history_reader_new(any_operation)
        if reader == ffi.NULL:
            raise MemoryError
        self._reader = ffi.gc(reader, lib.lf_history_reader_free)
        self._borrowed: Any = None
        self._borrowed_count = 0
        self._validated = False
        self._lines: list[int] | None = None  # of a file in another notation
        self.has_clock = True
        """False: the times are positions in a file that has none."""

    # -- making ----------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, any_operation: bool = False) -> "History":
        """Reads and validates a file: JSON lines or the binary form, gzip or not.

        `any_operation` admits names outside of the standard specifications.
        """
        with Path(path).open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                try:
                    return cls._loaded(gzip.decompress(raw.read()), any_operation=any_operation)
                except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                    raise InvalidHistory(f"damaged gzip: {error}") from error
            return cls._read(raw, os.fstat(raw.fileno()).st_size, any_operation=any_operation)

    @classmethod
    def _loaded(cls, data: bytes, *, any_operation: bool = False) -> "History":
        return cls._read(io.BytesIO(data), len(data), any_operation=any_operation)

    @classmethod
    def _read(cls, file: Any, size: int, *, any_operation: bool) -> "History":
        head = file.read(HEADER.size)
        history = cls(any_operation=any_operation)
        if head[: len(MAGIC)] == MAGIC:
            history._load_binary(file, head, size)
        else:
            history._feed(head)
            while chunk := file.read(CHUNK):
                history._feed(chunk)
            history._finish()
        history.validate()
        return history

    @classmethod
    def from_json(cls, text: str | bytes, *, any_operation: bool = True) -> "History":
        history = cls(any_operation=any_operation)
        history._feed(text.encode() if isinstance(text, str) else text)
        history._finish()
        history.validate()
        return history

    @classmethod
    def _imported(cls, rows: list[str], lines: list[int]) -> "History":
        """Lines of the file format made from a file in another notation, with the lines of that file."""
        history = cls()
        history._lines = lines
        history._feed("\n".join(rows).encode())
        history._finish()
        history.validate()
        return history

    @classmethod
    def from_operations(cls, operations: Iterable[Any]) -> "History":
        """`Operation`s, or mappings with the fields of the file format."""
        history = cls()
        for operation in operations:
            history.append(operation)
        history.validate()
        return history

    @classmethod
    def from_buffer(cls, *buffers: Any) -> "History":
        """Records as `struct lf_history_op` (see c/linearize/history.h).

        One buffer alone is not copied: leave it unchanged.
        """
        history = cls()
        views = [ffi.from_buffer(b) for b in buffers]
        for view in views:
            if len(view) % RECORD_BYTES:
                raise InvalidHistory(f"{len(view)} bytes are not a whole number of {RECORD_BYTES}-byte records")
        if len(views) == 1 and len(views[0]):
            history._borrowed = views[0]
            history._borrowed_count = len(views[0]) // RECORD_BYTES
        else:
            for view in views:
                history._extend(view)
        history.validate()
        return history

    def append(self, operation: "Operation | Mapping[str, Any]") -> None:
        if not isinstance(operation, Operation):
            o = operation
            operation = Operation(
                o["client"],
                o["op"],
                o.get("arg"),
                o.get("result"),
                o["call"],
                o["return"],
                o.get("key"),
                o.get("batch", 0),
                o.get("ticket"),
            )
        name = operation.op.encode() if isinstance(operation.op, str) else b""
        code = lib.lf_history_reader_code(self._reader, name, len(name)) if name else -1
        if code < 0:
            raise InvalidHistory(f"unknown operation {operation.op!r}", len(self) + 1)
        self._own()
        try:
            self._fill(lib.lf_history_reader_append(self._reader), code, operation)
        except (OverflowError, TypeError, IndexError, ValueError) as error:
            raise InvalidHistory(f"{operation}: {error}", len(self)) from error
        self._validated = False

    def _fill(self, record: Any, code: int, o: Operation) -> None:
        record.op, record.client, record.batch, record.call = code, o.client, o.batch, o.call
        record.ret = PENDING if o.return_ is None else o.return_
        record.key = self._key(o.key)
        record.arg = record.result = NONE
        pending, flags = o.return_ is None, 0
        if (
            o.op in ("put", "get", "peek")
            and isinstance(pair := o.arg if o.op == "put" else o.result, tuple | list)
            and len(pair) == 2
        ):
            flags |= PAIR
            record.arg2 = self._encode(pair[0])
            value = self._encode(pair[1])
            record.arg, record.result = (value, NONE) if o.op == "put" else (NONE, value)
            if o.op == "put" and o.result is False:
                flags |= FAILED
        elif o.op == "cas":
            record.arg, record.arg2 = self._encode(o.arg[0]), self._encode(o.arg[1])
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
                record.result = self._encode(o.result)
                flags |= FAILED if o.result is None else 0
        elif o.op in _PERMITS:
            record.arg = 1 if o.arg is None else o.arg
            if record.arg < 0:
                raise ValueError("negative number of permits")
            flags |= FAILED if o.result is False else 0
        else:
            record.arg = self._encode(o.arg)
            if code >= 64:
                record.result = NONE if pending else self._encode(o.result)
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

    def _text(self, value: Any) -> int:
        data = _as_text(value).encode()
        number = int(lib.lf_history_reader_text(self._reader, data, len(data)))
        if number < 0:
            raise MemoryError
        return number

    def _encode(self, value: Any) -> int:
        if value is None:
            return NONE
        if type(value) is int and TEXT_END < value < 1 << 63:
            return value
        return TEXT + self._text(value)

    def _key(self, key: Any) -> int:
        if key is None:
            return 0
        if type(key) is int and 0 <= key < (1 << 31) - 1:
            return key + 1
        return (1 << 31) + self._text(key)

    def _feed(self, data: bytes) -> None:
        if lib.lf_history_reader_feed(self._reader, ffi.from_buffer(data), len(data)):
            self._raise()

    def _finish(self) -> None:
        if lib.lf_history_reader_finish(self._reader):
            self._raise()

    def _raise(self) -> None:
        message = ffi.string(lib.lf_history_reader_error(self._reader)).decode(errors="replace")
        line = int(lib.lf_history_reader_error_line(self._reader))
        raise InvalidHistory(message, line if self._lines is None else self._lines[line - 1])

    def _load_binary(self, file: Any, head: bytes, size: int) -> None:
        if len(head) < HEADER.size:
            raise InvalidHistory(f"truncated header: {len(head)} of {HEADER.size} bytes")
        _, header_bytes, record_bytes, count, text_bytes, *_ = HEADER.unpack(head)
        if header_bytes != HEADER.size or record_bytes != RECORD_BYTES:
            raise InvalidHistory(
                f"header of {header_bytes} and records of {record_bytes} bytes, expected {HEADER.size}, {RECORD_BYTES}"
            )
        if count == UNFINISHED:
            raise InvalidHistory("the writer of this file never finished it")
        size -= HEADER.size
        if size != count * RECORD_BYTES + text_bytes:
            raise InvalidHistory(
                f"{count} records and {text_bytes} bytes of text announced, {size} bytes found: truncated or damaged"
            )
        data = bytearray(count * RECORD_BYTES)
        if file.readinto(data) != len(data):
            raise InvalidHistory("truncated while reading")
        if data:
            self._borrowed = ffi.from_buffer(data)
            self._borrowed_count = count
        for text in json.loads(file.read(text_bytes)) if text_bytes else []:
            self._text(text)

    def _extend(self, view: Any) -> None:
        count = len(view) // RECORD_BYTES
        if count and lib.lf_history_reader_extend(self._reader, ffi.cast("struct lf_history_op *", view), count):
            raise MemoryError

    def _own(self) -> None:
        """Copies borrowed records, before they are changed."""
        if self._borrowed is not None:
            view, self._borrowed, self._borrowed_count = self._borrowed, None, 0
            self._extend(view)

    # -- reading ---------------------------------------------------------------------------------------

    def _records(self) -> tuple[Any, int]:
        if self._borrowed is not None:
            return ffi.cast("struct lf_history_op *", self._borrowed), self._borrowed_count
        count = ffi.new("size_t *")
        return lib.lf_history_reader_ops(self._reader, count), int(count[0])

    def __len__(self) -> int:
        return self._records()[1]

    def __iter__(self) -> Iterator[Operation]:
        ops, count = self._records()
        for i in range(count):
            yield self._decode_record(ops[i])

    def __getitem__(self, index: int) -> Operation:
        ops, count = self._records()
        if not -count <= index < count:
            raise IndexError(index)
        return self._decode_record(ops[index % count])

    def line(self, index: int) -> int:
        """The line of the file (or the position, from 1) of an operation."""
        if self._lines is not None:
            return self._lines[index]
        return int(lib.lf_history_reader_line(self._reader, index)) if self._borrowed is None else index + 1

    def _decode(self, value: int) -> Any:
        if value == NONE:
            return None
        if TEXT <= value <= TEXT_END:
            size = ffi.new("size_t *")
            text = lib.lf_history_reader_text_at(self._reader, value - TEXT, size)
            if text == ffi.NULL:
                return f"text #{value - TEXT}"
            data = ffi.buffer(text, size[0])[:]
            try:
                return json.loads(data)
            except ValueError:  # the reader in C is no judge of numbers and encodings: it compares
                return data.decode(errors="replace")
        return value

    def _decode_key(self, key: int) -> Any:
        if key == 0:
            return None
        return key - 1 if key < 1 << 31 else self._decode(TEXT + key - (1 << 31))

    def name(self, code: int) -> str:
        text = lib.lf_history_reader_name(self._reader, code)
        return f"operation #{code}" if text == ffi.NULL else str(ffi.string(text).decode())

    def _decode_record(self, r: Any) -> Operation:
        name, failed, pending = self.name(r.op), bool(r.flags & FAILED), r.ret == PENDING
        arg: Any = None
        result: Any = None
        if r.flags & PAIR:
            pair = [self._decode(r.arg2), self._decode(r.arg if name == "put" else r.result)]
            arg, result = (pair, not failed) if name == "put" else (None, pair)
        elif name == "cas":
            arg, result = [self._decode(r.arg), self._decode(r.arg2)], not failed
        elif name in _RESULT_IS_VALUE:
            arg = r.arg if name == "fetch_add" else (r.arg2 or None) if name == "alloc" else None
            result = None if failed else self._decode(r.result)
        elif name in _STANDARD:
            arg, result = self._decode(r.arg), not failed
        else:
            arg, result = self._decode(r.arg), self._decode(r.result)
        returned = None if pending else r.ret
        ticket = (r.result if name == "cas" else r.arg2) if r.flags & TICKET else None
        key = self._decode_key(r.key)
        return Operation(r.client, name, arg, None if pending else result, r.call, returned, key, r.batch, ticket)

    # -- checking and writing --------------------------------------------------------------------------

    def validate(self) -> None:
        """Raises `InvalidHistory` if a client is in two operations at once or time runs backwards."""
        if self._validated:
            return
        ops, count = self._records()
        at, other = ffi.new("size_t *"), ffi.new("size_t *")
        fault = lib.lf_history_validate(ops, count, at, other)
        if fault == 7:
            raise MemoryError
        if fault:
            i, j = int(at[0]), int(other[0])
            client = ops[i].client
            raise InvalidHistory(
                {
                    1: "returned before it was called",
                    2: f"client {client} is still in its operation of line {self.line(j)}",
                    3: f"client {client} goes on after its operation of line {self.line(j)} that never returned",
                    4: f"another interval than line {self.line(j)} of the same batch",
                    5: f"unknown operation code {ops[i].op}",
                    6: "times must be below 2^62 nanoseconds",
                }[fault],
                self.line(i),
            )
        self._validated = True

    def admit(self, names: Iterable[str], of: str) -> None:
        """Raises `InvalidHistory` for the first operation that is not one of `names`, which the object `of` has."""
        names = tuple(names)
        known = bytearray(256)
        for name in names:
            known[lib.lf_history_reader_code(self._reader, name.encode(), len(name.encode()))] = 1
        ops, count = self._records()
        at = int(lib.lf_history_foreign(ops, count, ffi.from_buffer("uint8_t[]", known)))
        if at < count:
            raise InvalidHistory(
                f"{self.name(ops[at].op)} is no operation of {of}, which has {', '.join(names)}", self.line(at)
            )

    def has(self, name: str) -> bool:
        """Whether there is an operation of this name."""
        known = bytearray(b"\1" * 256)
        known[lib.lf_history_reader_code(self._reader, name.encode(), len(name.encode()))] = 0
        ops, count = self._records()
        return int(lib.lf_history_foreign(ops, count, ffi.from_buffer("uint8_t[]", known))) < count

    def _for(self, spec: str) -> Any:
        """The records as the engine takes them for the object of this name; copied if they must be changed."""
        ops, count = self._records()
        # a list of two is a priority and a value in a priority queue only; a ticket would be taken for a priority
        prior = spec == "priority-queue"
        tickets = (prior or spec == "unordered-queue") and lib.lf_history_flagged(ops, count, TICKET) < count
        if not tickets and (prior or lib.lf_history_flagged(ops, count, PAIR) == count):
            return ops
        copy = ffi.new("struct lf_history_op[]", count)
        ffi.memmove(copy, ops, count * RECORD_BYTES)
        if tickets:
            lib.lf_history_forget_tickets(copy, count)
        if not prior and lib.lf_history_reader_join_pairs(self._reader, copy, count):
            raise MemoryError
        return copy

    def save(self, path: str | os.PathLike[str], *, binary: bool = False) -> None:
        """Writes the file under another name and renames it when it is whole."""
        path = Path(path)
        part = path.with_name(path.name + f".part{os.getpid()}")
        try:
            with part.open("wb") as file:
                if binary:
                    self._write_binary(file)
                else:
                    file.writelines(json.dumps(o.to_json()).encode() + b"\n" for o in self)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _write_binary(self, file: Any) -> None:
        ops, count = self._records()
        texts = [self._decode(TEXT + i) for i in range(lib.lf_history_reader_texts(self._reader))]
        text = json.dumps(texts).encode() if texts else b""
        file.write(HEADER.pack(MAGIC, HEADER.size, RECORD_BYTES, UNFINISHED, len(text), 0, 0, 0, 0))
        file.write(ffi.buffer(ops, count * RECORD_BYTES) if count else b"")
        file.write(text)
        file.flush()
        file.seek(16)
        file.write(struct.pack("=Q", count))
