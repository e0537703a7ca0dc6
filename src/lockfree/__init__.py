"""Lock-free primitives that live in shared memory: the same object works between threads and between processes.

A module beside this file makes names public by its `__all__`. They are found when the first of them is used, and each
module is loaded when one of its names is: that keeps `import lockfree` short. `__init__.pyi` says the same to type
checkers; `python -m lockfree._names` writes it again.
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    from lockfree._names import homes, name_methods

    if name == "__all__":
        return __dir__()
    home = homes().get(name)
    if home is None:
        raise AttributeError(f"module 'lockfree' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"lockfree.{home}"), name)
    if isinstance(value, type):
        name_methods(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    from lockfree._names import homes

    return sorted([*homes(), "__version__"])
