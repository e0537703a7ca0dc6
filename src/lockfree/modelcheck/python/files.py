"""A Python file as a program to explore, loaded again for each execution: nothing is left from the one before."""

import ast
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

MODULE = "__lockfree_model__"
PREFIXES = ("model_", "test_")


class Unusable(Exception):
    """The file cannot be explored; the text says why."""


class Program:
    """A file. Raises `Unusable` if it does not load, OSError if it cannot be read.

    rewritten: makes of its syntax tree the one that runs. given: names that the file finds besides its own.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        rewritten: Callable[[ast.Module], ast.Module] = lambda tree: tree,
        given: Mapping[str, object] | None = None,
    ) -> None:
        self.path = Path(path).resolve()
        self._given = given or {}
        source = self.path.read_bytes()
        try:
            tree = rewritten(ast.parse(source, str(self.path)))
            self._code: CodeType = compile(tree, str(self.path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise Unusable(f"{self.path.name}: {type(error).__name__}: {error}") from None
        folder = str(self.path.parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        try:  # once outside of all exploration: what it imports stays loaded
            self._functions = {name: f for name, f in vars(self.load()).items() if self._is_own(f)}
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise Unusable(f"{self.path.name} does not load: {type(error).__name__}: {error}") from error

    @staticmethod
    def _is_own(value: object) -> bool:
        return isinstance(value, FunctionType) and value.__module__ == MODULE

    def load(self) -> ModuleType:
        """A new module of the file."""
        module = ModuleType(MODULE)
        module.__file__ = str(self.path)
        vars(module).update(self._given)
        sys.modules[MODULE] = module
        exec(self._code, vars(module))  # noqa: S102 - to run the file is what was asked for
        return module

    def clients(self, asked: Sequence[str] = ()) -> list[str]:
        """The names of the functions to explore: those asked for, or model_… and test_…, or `main`.

        Raises `Unusable` if there are none, or if one needs arguments.
        """
        there = [name for name in self._functions if name.startswith(PREFIXES)]
        unknown = [name for name in asked if name not in self._functions]
        if unknown:
            raise Unusable(
                f"no function {', '.join(unknown)} in {self.path.name}; it has: {', '.join(self._functions)}"
            )
        names = list(asked) or there or [name for name in ("main",) if name in self._functions]
        if not names:
            raise Unusable(f"{self.path.name} has no function model_…, test_… or main")
        for name in names:
            needed = [
                p.name for p in inspect.signature(self._functions[name]).parameters.values()
                if p.default is p.empty and p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
            ]  # fmt: skip
            if needed:
                raise Unusable(f"{name}({', '.join(needed)}) of {self.path.name} needs arguments; a client has none")
        return names

    def maker(self, client: str) -> Callable[[], Callable[[], object]]:
        """Makes the client's function, of a new module each time."""

        def make() -> Callable[[], object]:
            function: Callable[[], object] = getattr(self.load(), client)
            return function

        return make
