"""Calls whose answer reaches the caller, also when a signal handler raises at that moment.

Python serves signals after each call. An exception of a handler comes there, and what was returned is lost. Python
serves none after an item was looked up, and none when a function in Python returns. So what hands something out for
good is called as if it were looked up.
"""

from typing import Any, Final

from lockfree._native import exporter

unbroken: Final[Any] = exporter("unbroken")()
"""`unbroken[call, argument, ...]` is `call(argument, ...)`. Python serves no signal between its end and the next
instruction. That one must not be a call, either, nor a jump back: a store, a comparison, `return`. `call` is a function
in C.
"""
