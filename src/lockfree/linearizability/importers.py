"""Histories of other tools, read as their owners mean them: Jepsen's EDN and console, Porcupine's logs and JSON."""

import codecs
import functools
import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lockfree._native.linearize import ffi, lib
from lockfree.linearizability.history import MAGIC, History, InvalidHistory
from lockfree.linearizability.operation import Operation
from lockfree.linearizability.specs import Spec, Specification, parse_spec

if TYPE_CHECKING:
    import os

_PIECE = 1 << 20
GZIP = b"\x1f\x8b"
MARKS = (GZIP, codecs.BOM_UTF8[:2], codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_quoted = functools.cache(json.dumps)


def _dump(value: Any) -> str | int:
    # most values are integers or nothing, and need no encoder
    if type(value) is int:
        return value
    return "null" if value is None else "true" if value is True else json.dumps(value)


def _pairs(text: str) -> Iterator[list[Any]]:
    """Rows (line, call, return, process, type, f, given, came, key) of an EDN history."""
    data = text.encode()
    edn = ffi.new("struct lf_edn *")
    try:
        if lib.lf_jepsen_pairs(ffi.from_buffer(data), len(data), edn):
            raise InvalidHistory(ffi.string(edn.error).decode(errors="replace"), edn.line)
        rows = ffi.buffer(edn.json, edn.bytes)[1:-1]
    finally:
        lib.lf_edn_free(edn)
    at = 0
    while at < len(rows):  # in pieces, so that a long history does not stand there twice
        end = rows.find(b",\n", at + _PIECE)
        end = len(rows) if end < 0 else end
        yield from json.loads(b"[" + rows[at:end] + b"]")
        at = end + 2


# "INFO  jepsen.util - 3  :invoke  :read  nil", with or without a date and the name of a thread: the console of Jepsen.
# The same from the process on: its history.txt.
_LOG = re.compile(r"^(?:.*?\bjepsen\.\S*\s+-?\s*)?(:?\w+)\s+(:invoke|:ok|:fail|:info)\s+(:\S+)\s*(.*)$", re.MULTILINE)


def _log_line(text: str) -> str | None:
    """The first line of an operation, if this is a log; a console begins with other messages."""
    text = text.lstrip()
    found = _LOG.match(text.partition("\n")[0])
    if not found and text[:1] not in "{[(;#" and ":invoke" in text:
        found = _LOG.search(text)
    return found[0] if found else None


def _log_as_edn(text: str) -> str:
    """A console log as EDN, line by line; what is no operation becomes a blank line."""
    lines = []
    for line in text.splitlines():
        match = _LOG.match(line)
        process, kind, f, value = match.groups() if match else ("", "", "", "")
        first = _first_value(value) or "nil"
        lines.append(f"{{:process {process}, :type {kind}, :f {f}, :value {first}}}" if match else "")
    return "\n".join(lines)


def _first_value(text: str) -> str:
    """The first value of a line: there may be an error behind it."""
    text = text.partition("\t")[0].strip()
    depth, quoted, skip = 0, False, False
    for i, c in enumerate(text):
        if skip or (quoted and c == "\\"):
            skip = not skip
        elif c == '"':
            quoted = not quoted
        elif not quoted:
            depth += (c in "[({") - (c in "])}")
            if depth == 0 and c in " ])}":
                return text[: i + (c != " ")]
    return text


_LOCKS = {"lock": "acquire", "unlock": "release"}
_QUEUES = {"enqueue": "put", "dequeue": "get"}
_ADDS = {"add": "fetch_add", "inc": "fetch_add", "increment": "fetch_add"}
_NAMES = {
    "counter": {**_ADDS, "read": "load", "get": "load", "dec": "subtract", "decrement": "subtract"},
    "set": {"add": "insert", "remove": "delete"},
    "map": {"read": "get", "write": "put", "set": "put", "remove": "delete", "compare-and-set": "cas"},
    "register": {"get": "read", "set": "write", "put": "write", "compare-and-set": "cas"},
    "stack": {"put": "push", "get": "pop", "enqueue": "push", "dequeue": "pop"},
    "block-pool": {"acquire": "alloc", "release": "free"},
    **dict.fromkeys(("queue", "priority-queue", "unordered-queue"), _QUEUES),
    **dict.fromkeys(("mutex", "semaphore", "rwlock"), _LOCKS),
}
"""What Jepsen's tests call the operations of a specification."""


def _names_of(spec: str) -> dict[str, str]:
    """Our names, by theirs. Without a built-in specification all that mean one thing only."""
    return _NAMES.get(spec, {}) if spec else _LOCKS | _QUEUES | _ADDS | {"compare-and-set": "cas"}


# what their completion brings; of the others it repeats the argument
_ANSWERED = {"read", "get", "pop", "peek", "load", "alloc", "txn"}
_ANSWERS_FAIL = {"cas": False, "acquire": False, "get": None, "pop": None, "put": False, "push": False}


class _Jepsen:
    """Pairs invocations with completions and writes the lines of our own format."""

    def __init__(self, of: str, *, keyed: bool, fail: str, nil: str, empty: str | None = None) -> None:
        self.names = _names_of(of)
        self.keyed, self.fail, self.nil, self.empty = keyed, fail, nil, empty
        self.clients: dict[Any, int] = {}
        self.next_client = 0
        self.rows: list[str] = []
        self.lines: list[int] = []

    def _client(self, process: Any) -> int:
        client = self.clients.get(process)
        if client is None:
            client = self.clients[process] = self.next_client
            self.next_client += 1
        return client

    def _emit(self, row: list[Any], op: str, arg: Any, result: Any, *, client: int | None = None) -> None:
        line, call, at, who, kind, *_, key = row
        end = "null" if kind == "info" else at
        last = "}" if key is None else f',"key":{_dump(key)}}}'
        self.rows.append(
            f'{{"client":{self._client(who) if client is None else client},"op":{_quoted(op)},"arg":{_dump(arg)},'
            f'"result":{_dump(result)},"call":{call},"return":{end}{last}'
        )
        self.lines.append(line)

    def add(self, row: list[Any]) -> None:
        """One operation: [line, call, return, process, type, f, given, came, key]."""
        kind, f, given, came = row[4:8]
        op = self.names.get(f, f)
        if self.keyed:
            if isinstance(given, list) and len(given) == 2:
                row[8], given = given
            if isinstance(came, list) and len(came) == 2:
                came = came[1]
        if self.empty is not None and op in ("get", "put"):  # the text that stands for no value
            given, came = None if given == self.empty else given, None if came == self.empty else came
        if kind == "fail" and (self.fail == "absent" or op not in _ANSWERS_FAIL):
            return
        if op == "subtract":
            op, came, given = "fetch_add", None, -given if isinstance(given, int) else given
        if op in ("acquire", "release"):  # a token of the lock is no number of permits
            given, came = given if isinstance(given, int) else None, came if isinstance(came, int) else None
        asked = None if op in ("get", "pop") else given
        if kind == "info":
            if op not in ("read", "load", "peek"):  # of those nobody can tell whether they happened
                self._emit(row, op, asked, None)
            self.clients.pop(row[3], None)  # a process that crashed goes on as another client
        elif kind == "fail":
            self._emit(row, op, asked, _ANSWERS_FAIL[op])
        elif op == "drain":
            for value in came if isinstance(came, list) else []:
                self._emit(row, "get", None, value, client=self.next_client)  # not one batch: any order
                self.next_client += 1
        elif op in ("read", "load") and came is None and self.nil == "any":
            return
        elif op == "fetch_add":
            # most tests repeat the argument: then nobody knows what was there before
            self._emit(row, op, given, came if isinstance(came, int) and came != given else None)
        elif op in _ANSWERED:
            self._emit(row, op, given if op in ("txn", "alloc") else None, came)
        else:
            self._emit(row, op, came if came is not None else given, True)

    def read(self, text: str) -> History:
        for row in _pairs(text):
            self.add(row)
        history = History._imported(self.rows, self.lines)
        history.has_clock = ":time" in text
        return history


def from_jepsen(text: str, *, spec: str = "", keyed: bool = False, fail: str = "absent", nil: str = "any") -> History:
    """A Jepsen history: EDN maps with :process, :type (:invoke :ok :fail :info), :f, :value, or the log of its console.

    `spec` is the name of the specification: `:add` is another operation for a set than for a counter. `:fail` did not
    happen; with `fail="answer"` it is the answer false, EMPTY or FULL of `cas`, `acquire`, `dequeue`, `enqueue`.
    `:info` and a missing completion are pending. A read of nil says nothing (`nil="any"`) or read null (`nil="value"`).
    `keyed`: values are `[key value]`; a `:key` is one too. Operations of `:nemesis` are skipped. Time is the order of
    the file; `:time` gives the distances.
    """
    for name, value, known in (("fail", fail, ("absent", "answer")), ("nil", nil, ("any", "value"))):
        if value not in known:
            raise ValueError(f"{name}={value!r}: {' or '.join(known)}")
    if _log_line(text):
        text = _log_as_edn(text)
    return _Jepsen(spec, keyed=keyed, fail=fail, nil=nil).read(text)


_KV = {0: "get", 1: "put", 2: "append"}
_ETCD = {0: "read", 1: "write", 2: "cas"}
_REGISTER = {False: "write", True: "read"}


class _Porcupine:
    def __init__(self, of: str) -> None:
        self.of = of
        self.names = _names_of(of) if of != "set" else {}
        self.lanes: dict[Any, list[tuple[int | None, int]]] = {}
        self.clients = 0

    def client(self, who: Any, call: int, at: int | None) -> int:
        """A client of ours is in one operation at a time; Porcupine's need not be, nor have different numbers."""
        lanes = self.lanes.setdefault(who, [])
        for i, (last, client) in enumerate(lanes):
            if last is not None and last <= call:
                lanes[i] = (at, client)
                return client
        lanes.append((at, self.clients))
        self.clients += 1
        return self.clients - 1

    def name(self, op: Any) -> str:
        if isinstance(op, bool):
            return _REGISTER[op]
        if isinstance(op, int):
            numbers = _ETCD if self.of == "register" else _KV
            if op not in numbers:
                raise TypeError(f"op {op} is none of the numbers {', '.join(map(str, numbers))}")
            return numbers[op]
        if isinstance(op, str):
            return self.names.get(op.lower(), op.lower())
        raise TypeError(f"op {op!r} is no name and no number")

    def operation(self, item: Any) -> Operation:
        if not isinstance(item, Mapping):
            raise TypeError(f"{item!r} is no object")
        given, came = item["Input"], item.get("Output")
        if not isinstance(given, Mapping):
            raise TypeError(f"Input {given!r} is no object")
        given = {k.lower(): v for k, v in given.items()}
        if not isinstance(came, Mapping):
            came = {} if came is None else {"value": came}
        came = {k.lower(): v for k, v in came.items()}
        name, call, at = self.name(given["op"]), item["Call"], item.get("Return")
        for what, time in (("Call", call), ("Return", at)):
            if type(time) is not int and not (what == "Return" and time is None):
                raise TypeError(f"{what} {time!r} is not an integer")
        if came.get("unknown") is True:
            at = None
        arg, result = given.get("value"), came.get("ok", True)
        if name == "cas":
            arg = [given["arg1"], given["arg2"]] if "arg1" in given else given.get("value")
        elif name in _ANSWERED:
            arg, result = None, came.get("value")
            result = None if came.get("exists") is False else result
        elif "value" not in given and name in ("put", "write", "push", "append"):
            arg = given["arg1"]
        if self.of == "map":  # there an absent key reads as the empty text
            arg, result = arg if arg != "" or name == "append" else None, result if result != "" else None
        return Operation(self.client(item.get("ClientId"), call, at), name, arg, result, call, at, given.get("key"))


def _paired(items: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Operations of Porcupine from its events (`Kind`, `Value`, `Id`); their positions are the time."""
    running: dict[Any, dict[str, Any]] = {}
    for at, event in enumerate(items):
        name = event["Id"]
        if event["Kind"] in (True, 1, "return", "ReturnEvent"):
            if name not in running:
                raise InvalidHistory(f"event {at + 1} returns what was not called: Id {name!r}")
            yield running.pop(name) | {"Output": event["Value"], "Return": at}
        elif name in running:
            raise InvalidHistory(f"event {at + 1} calls while its last call runs: Id {name!r}")
        else:
            running[name] = {"ClientId": event.get("ClientId"), "Input": event["Value"], "Call": at}
    yield from running.values()


def from_porcupine(operations: str | Iterable[Mapping[str, Any]], *, spec: str = "") -> History:
    """What Porcupine checks: the two kinds of logs of its own examples, and its `Operation`s or `Event`s as JSON.

    Logs: of etcd (lines of Jepsen's console, where `:fail` of a cas is the answer false and nil is a value) and of its
    key-value stores (EDN with `:key`, where an absent key reads as the empty text). JSON: an array, or one object a
    line, with `ClientId`, `Input`, `Call`, `Output`, `Return`. `Input` names the operation in `op`: a name, or a number
    of the examples (key-value: 0 get, 1 put, 2 append; with `spec` "register": 0 read, 1 write, 2 cas, or true read,
    false write). `value`, `key`, `arg1`, `arg2`, `ok`, `exists`, `unknown` are as there.
    """
    if isinstance(operations, str):
        text = operations.strip()
        if _log_line(text):
            return from_jepsen(operations, spec=spec or "register", fail="answer", nil="value")
        if text.startswith(("{:", "[{:", "({:", ";")):
            return _Jepsen(spec or "map", keyed=False, fail="answer", nil="value", empty="").read(operations)
        lines, items = _json_items(operations)
    else:
        items = list(operations)
        lines = list(range(1, len(items) + 1))
    if items and isinstance(items[0], Mapping) and "Kind" in items[0]:
        try:
            items = list(_paired(items))
            lines = list(range(1, len(items) + 1))
        except KeyError as error:
            raise InvalidHistory(f"not a Porcupine event: it has no {error}") from error
        except TypeError as error:
            raise InvalidHistory(f"not a Porcupine event: {error}") from error
    reader, out = _Porcupine(spec or "map"), []
    for line, item in sorted(zip(lines, items, strict=True), key=lambda pair: _call(pair[1])):
        try:
            out.append((line, reader.operation(item)))
        except KeyError as error:
            own = "" if "ClientId" in item else "; own rows stand one in a line, without [ and ]"
            raise InvalidHistory(f"not a Porcupine operation: it has no {error}{own}", line) from error
        except (TypeError, AttributeError) as error:
            raise InvalidHistory(f"not a Porcupine operation: {error}", line) from error
    earliest = min(0, *(o.call for _, o in out)) if out else 0

    def later(time: int | None) -> int | None:  # our times begin at 0
        return None if time is None else time - earliest

    history = History.from_operations(
        o._replace(call=o.call - earliest, return_=later(o.return_)) for _, o in sorted(out, key=_line)
    )
    history._lines = sorted(line for line, _ in out) if isinstance(operations, str) else None
    return history


def _line(pair: tuple[int, Operation]) -> int:
    return pair[0]


def _call(item: Any) -> int:
    call = item.get("Call") if isinstance(item, Mapping) else None
    return call if type(call) is int else 0


def _json_items(text: str) -> tuple[list[int], list[Any]]:
    """The objects of an array, or one a line; with their positions or lines."""
    if text.lstrip().startswith("["):
        items = list(json.loads(text))
        return list(range(1, len(items) + 1)), items
    lines, items = [], []
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        try:
            items.append(json.loads(row))
        except ValueError as error:
            raise InvalidHistory(f"not JSON: {error}", line) from error
        lines.append(line)
    return lines, items


def unpacked(data: bytes) -> bytes:
    """The data, or what gzip packed into it; in UTF-8, without the mark that some editors begin a file with."""
    if data[:2] == GZIP:
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidHistory(f"damaged gzip: {error}") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError as error:
            raise InvalidHistory(f"not UTF-16, as its first bytes say: {error}") from error
    return data.removeprefix(codecs.BOM_UTF8)


AnySpec = TypeVar("AnySpec", bound="Spec | Specification")


def load(
    source: "str | os.PathLike[str] | bytes", spec: AnySpec, *, form: str = "auto", fail: str = "", nil: str = ""
) -> "tuple[History, AnySpec]":
    """A history in any notation, and the specification as the owner of the notation means it.

    JSON lines, the binary form, Jepsen's EDN, console log and history.txt, Porcupine's logs and JSON; packed by gzip or
    not. `form`: "auto" tells them apart by their first characters, or "own", "jepsen", "jepsen-keyed", "porcupine".
    `fail`, `nil`: see `from_jepsen`; for other notations they are a ValueError.
    """
    own = not isinstance(spec, Spec) or spec.name == "multi-register"  # operations of any name
    if isinstance(source, bytes):
        data = source
    else:
        with Path(source).open("rb") as file:
            head = file.read(4096)
            own_lines = head.lstrip()[:1] in (b"{", b"") or head.startswith(MAGIC)
            if form == "auto" and own_lines and notation(head) == "own" and not (fail or nil):
                return History.load(source, any_operation=own), spec
            data = head + file.read()
    data = unpacked(data)
    form = notation(data) if form == "auto" else form
    if (fail or nil) and not form.startswith("jepsen"):
        raise ValueError("fail and nil are about histories of Jepsen, and this is none")
    if form == "own":
        return History._loaded(data, any_operation=own), spec
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidHistory(f"not UTF-8: {error.reason}", data.count(b"\n", 0, error.start) + 1) from error
    name = spec.name if isinstance(spec, Spec) else ""
    if form == "porcupine":
        return from_porcupine(text, spec=name), spec
    history = from_jepsen(text, spec=name, keyed=form == "jepsen-keyed", fail=fail or "absent", nil=nil or "any")
    if isinstance(spec, Spec) and spec.text == "mutex":
        spec = parse_spec("mutex,release=anyone")  # type: ignore[assignment] # Jepsen does not know who holds it
    if isinstance(spec, Spec) and spec.name == "multi-register" and nil == "value":
        spec = parse_spec(f"{spec},nil=value")  # type: ignore[assignment]
    return history, spec


def notation(data: bytes) -> str:
    """The notation of a file by its first characters, or the first operation of a log: own, jepsen or porcupine."""
    if data.startswith(MAGIC):
        return "own"
    head = data[:4096].lstrip()
    first = head.partition(b"\n")[0]
    log = _log_line((data if head[:1] not in b"{[(;#" else first).decode(errors="replace"))
    if log:
        # the logs of Porcupine's examples are of the first Jepsen, where a failed cas was an answer
        return "porcupine" if re.match(r"INFO\s+jepsen\.util\s+-\s", log) else "jepsen"
    if re.match(rb"\[\s*(\]|\{\s*[\"}])", head) or b'"ClientId"' in first or (b'"Kind"' in first and b'"Id"' in first):
        return "porcupine"
    if re.match(rb"\{\s*:|[\[(]\s*[\[({#:;]|[;#(]", head):
        return "jepsen"
    return "own"
