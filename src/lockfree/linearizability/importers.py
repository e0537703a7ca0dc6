"""Histories of other tools: Porcupine-style JSON and Jepsen-style EDN, turned into `Operation`s."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lockfree.linearizability.history import History, InvalidHistory, Operation

_TOKEN = re.compile(r"""[\s,]+|;[^\n]*|"(?:\\.|[^"\\])*"|\#\{|\#[A-Za-z_.][\w./-]*|[()\[\]{}]|[^\s,()\[\]{}";]+""")
_CLOSE = {"(": ")", "[": "]", "{": "}", "#{": "}"}
_PORCUPINE = {0: "get", 1: "put", 2: "append"}
_RENAME = {"enqueue": "put", "dequeue": "get", "add": "fetch_add", "lock": "acquire", "unlock": "release"}


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line, at = 1, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidHistory(f"not EDN: {text[at : at + 20]!r}", line)
        token = match.group()
        if not token[0].isspace() and token[0] not in ",;":
            yield token, line
        line += token.count("\n")
        at = match.end()


def _atom(token: str, line: int) -> Any:
    if token.startswith('"'):
        return json.loads(token)
    if token.startswith(":"):
        return token[1:]
    if token in ("nil", "true", "false"):
        return {"nil": None, "true": True, "false": False}[token]
    for kind in (int, float):
        try:
            return kind(token.rstrip("N"))
        except ValueError:
            continue
    if re.fullmatch(r"[A-Za-z_.*+!?<>=/-][\w.*+!?<>=/-]*", token):
        return token
    raise InvalidHistory(f"not EDN: {token!r}", line)


def read_edn(text: str) -> Iterator[tuple[Any, int]]:
    """The top-level EDN values of a text, each with its line. Maps become dicts; tags are dropped."""
    stack: list[tuple[str, list[Any], int]] = []
    for token, line in _tokens(text):
        if token in _CLOSE:
            stack.append((token, [], line))
            continue
        if token.startswith("#"):
            continue
        if token in _CLOSE.values():
            if not stack or _CLOSE[stack[-1][0]] != token:
                raise InvalidHistory(f"unexpected {token!r}", line)
            opener, items, line = stack.pop()  # noqa: PLW2901 - the value starts there
            if opener == "{":
                if len(items) % 2:
                    raise InvalidHistory("a map with a key and no value", line)
                value: Any = {
                    k if isinstance(k, str | int) else str(k): v for k, v in zip(items[::2], items[1::2], strict=True)
                }
            else:
                value = items
        else:
            value = _atom(token, line)
        if stack:
            stack[-1][1].append(value)
        else:
            yield value, line
    if stack:
        raise InvalidHistory(f"truncated: {stack[0][0]!r} is never closed", stack[0][2])


def _jepsen_entries(text: str) -> Iterator[tuple[dict[str, Any], int]]:
    for value, line in read_edn(text):
        for entry in value if isinstance(value, list) else [value]:
            if not isinstance(entry, dict) or "type" not in entry or "f" not in entry:
                raise InvalidHistory("not a Jepsen operation (a map with :type and :f)", line)
            yield entry, line


def _split_value(f: str, value: Any) -> tuple[Any, Any]:
    """(argument, result) of a completed Jepsen operation."""
    return (None, value) if f in ("read", "get", "pop") else (value, True)


def from_jepsen(text: str, *, keyed: bool = False) -> History:
    """A Jepsen history: EDN maps with :process, :type (:invoke :ok :fail :info), :f, :value, and :time if there is one.

    `:fail` did not happen: it is left out, except `cas` and `dequeue`, where it is the answer false or EMPTY. `:info`
    and a missing completion are pending. `keyed`: values are `[key value]`. Operations of `:nemesis` are skipped.
    Without `:time`, positions in the file are the time.
    """
    running: dict[int, tuple[dict[str, Any], int]] = {}
    clients: dict[int, int] = {}
    out: list[Operation] = []

    def finish(process: int, entry: dict[str, Any] | None, at: int) -> None:
        invoked, call = running.pop(process)
        f = _RENAME.get(str(invoked["f"]), str(invoked["f"]))
        given = invoked.get("value")
        came = entry.get("value") if entry else None
        key = None
        if keyed:
            key, given = given if isinstance(given, list) and len(given) == 2 else (None, given)
            came = came[1] if isinstance(came, list) and len(came) == 2 else came
        kind = str(entry["type"]) if entry else "info"
        if kind == "fail" and f not in ("cas", "get", "pop", "acquire"):
            return
        client = clients.setdefault(process, len(clients))
        if kind == "info":
            out.append(Operation(client, f, None if f in ("read", "get", "pop") else given, None, call, None, key))
            del clients[process]  # a process that crashed never goes on under this number
            clients[-1 - len(out)] = client
            return
        arg, result = _split_value(f, came if came is not None or f in ("read", "get", "pop") else given)
        if f == "fetch_add" and came != given:
            arg, result = given, came
        if kind == "fail":
            arg, result = (given, False) if f in ("cas", "acquire") else (None, None)
        out.append(Operation(client, f, arg, result, call, at, key))

    position = 0
    for entry, line in _jepsen_entries(text):
        position += 1
        process = entry.get("process")
        if not isinstance(process, int):
            continue
        at = entry.get("time", position)
        if not isinstance(at, int) or isinstance(at, bool) or at < 0:
            raise InvalidHistory(f":time {at!r} is not a number of nanoseconds", line)
        if entry["type"] == "invoke":
            if process in running:
                raise InvalidHistory(f"process {process} invokes while its last operation runs", line)
            running[process] = (entry, at)
        elif process not in running:
            raise InvalidHistory(f"process {process} completes what it did not invoke", line)
        else:
            finish(process, entry, at)
    for process in list(running):
        finish(process, None, position)
    out.sort(key=lambda o: o.call)
    return History.from_operations(out)


def from_porcupine(operations: str | Iterable[Mapping[str, Any]]) -> History:
    """`Operation`s of Porcupine as JSON (`ClientId`, `Input`, `Call`, `Output`, `Return`): an array, or one a line.

    `Input` and `Output` are objects; `Input` names the operation in `op` (a name, or 0 get, 1 put, 2 append as in its
    key-value examples), the argument in `value`, the key in `key`; `Output` the result in `value` (missing: success).
    """
    if isinstance(operations, str):
        text = operations.strip()
        items = (
            json.loads(text)
            if text.startswith("[")
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    else:
        items = list(operations)
    out: list[Operation] = []
    for line, item in enumerate(items, 1):
        try:
            given, came = item["Input"], item.get("Output") or {}
            op = given["op"]
            name = _PORCUPINE[op] if isinstance(op, int) else _RENAME.get(op, op)
            reads = name in ("get", "read", "pop")
            result = came.get("value") if reads else came.get("ok", came.get("value", True))
            arg = None if reads else given.get("value")
            out.append(
                Operation(item["ClientId"], name, arg, result, item["Call"], item.get("Return"), given.get("key"))
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidHistory(f"not a Porcupine operation: {error!r}", line) from error
    return History.from_operations(out)
