"""`record(obj)`: a proxy that logs every call of an object, from threads, tasks and processes, for `check`."""

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

from lockfree.linearizability.calls import Explained
from lockfree.linearizability.hands import IN_HAND, Call, Hand, Hands
from lockfree.linearizability.history import History
from lockfree.linearizability.jitter import Jitter
from lockfree.linearizability.methods import TAKES, Item, Methods, Rule, Signature, UnknownCall
from lockfree.linearizability.recorder import Recorder
from lockfree.linearizability.tickets import ticketed

Translate = Callable[[str, tuple[Any, ...], dict[str, Any]], tuple[str, Any] | None]
_ABSENT = object()
TRANSLATED = "translated"


class _Member:
    """A method of the object: called, logged, and explained."""

    def __init__(self, proxy: "Proxy", rule: Rule, signature: Signature, member: Callable[..., Any]) -> None:
        self.proxy, self.recorder, self.explained = proxy, proxy.recorder, proxy._explained
        self.rule, self.signature, self.member = rule, signature, member

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, dict[str, Any]]:
        bound = self.signature.bind(args, kwargs)
        items = self.explained.begin(self.rule, bound)
        return Call(self.recorder.log(), items), bound

    def failed(self, call: Call, error: BaseException) -> None:
        ended = time.monotonic_ns()
        items = self.explained.failed(self.rule, call.items, error)
        if items is not None:
            call.returned(items, ended)

    def ended(self, call: Call, bound: dict[str, Any], result: Any, ended: int) -> None:
        items = self.explained.end(self.rule, bound, call.items, result)
        if self.explained.tickets:
            items = ticketed(items)
        call.returned(items, ended)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        default = _ABSENT
        if self.explained.keyed and self.rule.op in ("get", "take") and (len(args) == 2 or "default" in kwargs):
            default = args[1] if len(args) == 2 else kwargs["default"]
            args, kwargs = (args[0], _ABSENT), {}  # so that an absent key is told from a value
        elif self.explained.any_object and self.member.__name__ == "try_get":
            default = args[0] if args else None
            args = (_ABSENT,)  # so that EMPTY is told from a value
        call, bound = self.begin(args, kwargs)
        jitter = self.recorder.jitter
        try:
            result = self.member(*args, **kwargs) if jitter is None else jitter.call(self.member, args, kwargs)
        except BaseException as error:
            self.failed(call, error)
            raise
        ended = time.monotonic_ns()
        if hasattr(type(result), "__await__"):
            return self._awaited(call, bound, result)
        if result is _ABSENT and self.explained.any_object:
            call.returned([item._replace(result=None) for item in call.items], ended)
            return default
        self.ended(call, bound, None if result is _ABSENT else result, ended)
        return default if result is _ABSENT else result

    def steps(self, *args: Any, **kwargs: Any) -> Any:
        """A generator: the call changes nothing, and each step takes a value."""
        rule, generator = self.rule, self.member(*args, **kwargs)
        if rule.op == TRANSLATED:
            what = self.signature.bind(args, kwargs)["what"]
            if what is None:
                return generator
            rule = Rule(what[0])
        if rule.op not in TAKES or "key" in rule.roles:
            raise UnknownCall(
                f"{self.member.__name__}() is a generator, whose steps may change the object at any time: "
                "only one that takes a value in each step can be recorded"
            )
        name = "__anext__" if inspect.isasyncgen(generator) else "__next__"
        return _Consumed(self.proxy, generator, name, Rule("get") if rule.op == "get_many" else rule)

    async def _awaited(self, call: Call, bound: dict[str, Any], awaitable: Any) -> Any:
        try:
            result = await awaitable
        except BaseException as error:
            self.failed(call, error)
            raise
        self.ended(call, bound, result, time.monotonic_ns())
        return result

    async def later(self, *args: Any, **kwargs: Any) -> Any:
        """A coroutine: its call begins when it is awaited."""
        call, bound = self.begin(args, kwargs)
        return await self._awaited(call, bound, self.member(*args, **kwargs))


class Proxy:
    """Stands for the object: recorded methods are logged, those that only look are passed on, others are refused."""

    def __init__(self, obj: Any, recorder: Recorder, explained: Explained) -> None:
        self.__dict__.update(_obj=obj, _recorder=recorder, _explained=explained, _members={})

    def __reduce__(self) -> tuple[Any, ...]:
        return _proxy, (self._obj, self._recorder, self._explained)

    def __repr__(self) -> str:
        return f"record({self._obj!r})"

    @property
    def recorder(self) -> Recorder:
        return self._recorder  # type: ignore[no-any-return]

    def history(self) -> History:
        return self._recorder.history()  # type: ignore[no-any-return]

    def _hands(self, which: str) -> Hands:
        """What was reserved, or peeked, and is in hand."""
        return self._recorder.hands.setdefault((id(self._obj), which), Hands())  # type: ignore[no-any-return]

    def _recorded(self, name: str) -> Any:
        """The method as it is to be called."""
        found = self._members.get(name)
        if found is None:
            found = self._members[name] = self._explain(name, getattr(self._obj, name))
        return found

    def _explain(self, name: str, member: Any) -> Any:
        explained: Explained = self._explained
        if name in IN_HAND and explained.in_place:
            return Hand(self, name)
        try:
            known = explained.find(name, member)
        except UnknownCall as error:
            return _Refused(str(error))
        if known is None:
            return member
        recorded = _Member(self, *known, member)
        if inspect.isgeneratorfunction(member) or inspect.isasyncgenfunction(member):
            return recorded.steps
        return recorded.later if inspect.iscoroutinefunction(member) else recorded

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._members.get(name)
        if found is not None:
            return found
        member = getattr(self._obj, name)
        return self._recorded(name) if callable(member) else member

    def __setattr__(self, name: str, value: Any) -> None:
        raise UnknownCall(f"record() does not know what setting {name} does to the object: call a method")


class _Refused:
    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise UnknownCall(self.message)


def _passed(name: str) -> Callable[..., Any]:
    return lambda self, *args: getattr(self._obj, name)(*args)


def _logged(name: str) -> Callable[..., Any]:
    return lambda self, *args: self._recorded(name)(*args)


def _item(name: str) -> Callable[..., Any]:
    def call(self: Proxy, index: Any, *value: Any) -> Any:
        if isinstance(index, slice):
            raise UnknownCall(f"{index} is several elements: record them one by one")
        return self._recorded(name)(index, *value)

    return call


def _enter(self: Proxy) -> Any:
    """A lock is taken; anything else is only opened."""
    if not _is_lock(self._obj):
        entered = self._obj.__enter__()
        return self if entered is self._obj else entered
    return self._recorded("acquire")()


def _exit(self: Proxy, kind: Any, error: Any, trace: Any) -> Any:
    if not _is_lock(self._obj):
        return self._obj.__exit__(kind, error, trace)
    self._recorded("release")()
    return None


async def _async_enter(self: Proxy) -> Any:
    if not _is_lock(self._obj):
        entered = await self._obj.__aenter__()
        return self if entered is self._obj else entered
    return await self._recorded("acquire")()


async def _async_exit(self: Proxy, kind: Any, error: Any, trace: Any) -> Any:
    if not _is_lock(self._obj):
        return await self._obj.__aexit__(kind, error, trace)
    released = self._recorded("release")()
    if inspect.isawaitable(released):
        await released
    return None


def _is_lock(obj: Any) -> bool:
    return callable(getattr(obj, "acquire", None)) and callable(getattr(obj, "release", None))


class _Consumed:
    """An iterator that takes what it gives: each step is a get."""

    def __init__(self, proxy: Proxy, iterator: Any, name: str, rule: Rule | None = None) -> None:
        rule, signature = rule or Rule("get"), Signature(iterator, ())
        member = _Member(proxy, rule, signature, getattr(iterator, name))
        self.step: Callable[..., Any] = member.later if inspect.iscoroutinefunction(member.member) else member

    def __iter__(self) -> "_Consumed":
        return self

    def __aiter__(self) -> "_Consumed":
        return self

    def __next__(self) -> Any:
        return self.step()

    def __anext__(self) -> Any:
        return self.step()


def _iterate(self: Proxy) -> Any:
    iterator = iter(self._obj)
    looks = hasattr(type(self._obj), "__len__") or hasattr(type(self._obj), "__contains__")
    return iterator if looks else _Consumed(self, iterator, "__next__")


def _iterate_async(self: Proxy) -> Any:
    return _Consumed(self, self._obj.__aiter__(), "__anext__")


_SPECIAL: dict[str, Callable[..., Any]] = {
    **{n: _passed(n) for n in ("__len__", "__bool__", "__int__", "__float__", "__index__", "__length_hint__")},
    **{n: _item(n) for n in ("__getitem__", "__setitem__", "__delitem__")},
    "__contains__": _logged("__contains__"), "__next__": _logged("__next__"), "__anext__": _logged("__anext__"),
    "__iter__": _iterate, "__aiter__": _iterate_async, "__enter__": _enter, "__exit__": _exit,
    "__aenter__": _async_enter, "__aexit__": _async_exit,
}  # fmt: skip
_classes: dict[frozenset[str], type[Proxy]] = {}


def _proxy(obj: Any, recorder: Recorder, explained: Explained) -> Proxy:
    """A proxy with the special methods that the object has: the interpreter looks for them in the class."""
    special = frozenset(n for n in _SPECIAL if hasattr(type(obj), n))
    if "__contains__" in special and explained.rules.get("__contains__") is None:
        special -= {"__contains__"}
    cls = _classes.get(special)
    if cls is None:
        cls = _classes[special] = type("Proxy", (Proxy,), {n: _SPECIAL[n] for n in special})
    return cls(obj, recorder, explained)


class _Translated(Explained):
    """The calls that a function of the user's explains."""

    def __init__(self, obj: Any, translate: Translate, **options: Any) -> None:
        super().__init__(obj, None, **options)
        self.translate = translate

    def find(self, name: str, member: Any) -> tuple[Rule, Signature] | None:  # noqa: ARG002 - as the class has it
        return Rule(TRANSLATED), _ByUser(name, self.translate)

    def begin(self, rule: Rule, bound: dict[str, Any]) -> list[Item]:
        if rule.op != TRANSLATED:  # a step of an iterator
            return super().begin(rule, bound)
        what = bound["what"]
        return [] if what is None else [Item(*what)]

    def end(self, rule: Rule, bound: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
        return super().end(_rule_of(rule, items), bound, items, result) if items else []

    def failed(self, rule: Rule, items: list[Item], error: BaseException) -> list[Item] | None:
        return super().failed(_rule_of(rule, items), items, error) if items else []


def _rule_of(rule: Rule, items: list[Item]) -> Rule:
    return Rule(items[0].op) if rule.op == TRANSLATED else rule


class _ByUser(Signature):
    def __init__(self, name: str, translate: Translate) -> None:
        self.name, self.translate = name, translate

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"what": self.translate(self.name, args, kwargs)}


def record(
    obj: Any,
    *,
    recorder: Recorder | None = None,
    methods: Methods | Translate | None = None,
    empty: Any = None,
    refused: tuple[type[BaseException], ...] = (),
    jitter: bool | int = False,
) -> Any:
    """A proxy of `obj` whose calls are logged; `proxy.history()` is what happened, for `check`.

        q = record(queue.Queue())
        ...  # threads call q.put(...) and q.get(...)
        print(check(q.history(), "queue"))

    Methods of the standard library's and our own queues, stacks, locks, atomics, sets and mappings are known, and those
    of other classes by their names; a first parameter called `key` is one. Coroutines, iterators, `with`, item access
    and `in` are recorded too. `methods` explains others: from a name to (operation, what the arguments are), as in
    `{"hset": ("put", ["key", "value"]), "rpush": ("put", True)}`, or to None if it changes nothing; or a function from
    (name, args, kwargs) to (operation, argument), None for calls not to record. A method that nobody explained raises
    `UnknownCall`, a TypeError, before it runs.

    FULL and EMPTY are `queue.Full`, `queue.Empty` and their like, `IndexError`, or a returned False (put) or `empty`
    (get; default None). After any other exception the call may have happened, unless it is one of `refused`. Values are
    compared as JSON or by their repr; distinct ones make checking fast. Objects shared with processes are recorded
    there too; their calls arrive when the process ends, or at `proxy.recorder.flush()`.

    `jitter`: True, or a seed: threads switch often and at random instructions of the object's Python code, so that a
    race shows within seconds. The switch interval is put back by `history()`.
    """
    recorder = recorder or Recorder()
    if jitter is not False:
        recorder.jitter = Jitter(None if jitter is True else jitter)
    if callable(methods) and not isinstance(methods, Mapping):
        return _proxy(obj, recorder, _Translated(obj, methods, empty=empty, refused=refused))
    return _proxy(obj, recorder, Explained(obj, methods, empty=empty, refused=refused))
