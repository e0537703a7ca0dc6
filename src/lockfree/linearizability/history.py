"""Histories: reading, writing and validating them. The records live in C memory, 56 bytes an operation."""

import gzip
import io
import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lockfree._native.linearize import ffi, lib
from lockfree.linearizability.operation import PAIR, PENDING, RECORD_BYTES, TEXT, TICKET, Coder, Operation

HEADER = struct.Struct("=8sIIQQ4Q")
MAGIC = b"LFHIST1\n"
UNFINISHED = PENDING
CHUNK = 1 << 22
_PIECE = 1024  # operations that are decoded at once


class InvalidHistory(ValueError):
    """The input cannot be a history; `line` is where (1 for the first operation), None if it is not about a line."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


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
        self._size = ffi.new("size_t *")
        self.coder = Coder(self._reader)
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
            self.coder.fill(lib.lf_history_reader_append(self._reader), code, operation)
        except (OverflowError, TypeError, IndexError, ValueError) as error:
            raise InvalidHistory(f"{operation}: {error}", len(self)) from error
        self._validated = False

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
            self.coder.text(text)

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
        return lib.lf_history_reader_ops(self._reader, self._size), int(self._size[0])

    def __len__(self) -> int:
        return self._records()[1]

    def __iter__(self) -> Iterator[Operation]:
        ops, count = self._records()
        for i in range(0, count, _PIECE):
            yield from self.coder.operations(ops + i, min(_PIECE, count - i))

    def __getitem__(self, index: int) -> Operation:
        ops, count = self._records()
        if not -count <= index < count:
            raise IndexError(index)
        return self.coder.operations(ops + index % count, 1)[0]

    def line(self, index: int) -> int:
        """The line of the file (or the position, from 1) of an operation."""
        if self._lines is not None:
            return self._lines[index]
        return int(lib.lf_history_reader_line(self._reader, index)) if self._borrowed is None else index + 1

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
                f"{self.coder.name(ops[at].op)} is no operation of {of}, which has {', '.join(names)}", self.line(at)
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
        texts = [self.coder.decode(TEXT + i) for i in range(lib.lf_history_reader_texts(self._reader))]
        text = json.dumps(texts).encode() if texts else b""
        file.write(HEADER.pack(MAGIC, HEADER.size, RECORD_BYTES, UNFINISHED, len(text), 0, 0, 0, 0))
        file.write(ffi.buffer(ops, count * RECORD_BYTES) if count else b"")
        file.write(text)
        file.flush()
        file.seek(16)
        file.write(struct.pack("=Q", count))
