"""`open`: the object of a name, created if there is none, taken over or replaced if its users were killed."""

import inspect
from typing import Any, TypeVar, cast

from lockfree._errors import SegmentError, shown
from lockfree._segment import Shared, check_name
from lockfree._sweep import sweep
from lockfree._types import IfDead

S = TypeVar("S", bound=Shared)
_TRIES = 100
"""Each but the last one found that others created or removed the name in between."""


def open_or_create(cls: type[S], name: str, arguments: tuple[Any, ...], if_dead: IfDead, named: dict[str, Any]) -> S:
    """See `Shared.open`."""
    if if_dead not in {"keep", "replace"}:
        raise ValueError(f'if_dead is {shown(if_dead)}: it must be "keep" or "replace"')
    if check_name(name) is None:
        raise TypeError("name is None: it must be a string")
    bound = inspect.signature(cls.__init__).bind(None, *arguments, **named)
    bound.apply_defaults()
    given = dict(bound.arguments)
    wanted = cls._wanted(given)
    for_attach = {key: given[key] for key in inspect.signature(cls.attach).parameters if key in given and key != "name"}
    for _ in range(_TRIES):
        try:
            if if_dead == "replace":
                sweep(name)
            found = cls.attach(name, **for_attach)
        except FileNotFoundError:
            try:
                return cast("Any", cls)(*arguments, name=name, **named)  # type: ignore[no-any-return]
            except FileExistsError:
                continue
        _compare(found, wanted)
        found.recover_dead()
        return found
    raise FileExistsError(f"{cls.__name__} {name!r}: others create and remove this name all the time")


def _compare(found: Shared, wanted: dict[str, Any]) -> None:
    for attribute, value in wanted.items():
        has = getattr(found, attribute)
        if has != value:
            title, argument = found._title(), found._argument_of.get(attribute, attribute)
            found.close()
            raise SegmentError(
                f"{title}: {argument}: found {shown(has)}, asked for {shown(value)}; "
                'if_dead="replace" makes a new one once no live process uses this one'
            )
