"""Calls in other threads, whose answers and exceptions come back."""

import threading

import pytest


def started(call):
    """Starts call() in a thread; join() gives what it returned or raised, and raises what a check in it says."""
    result = []

    def run():
        try:
            result.append(call())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def join(timeout=30):
        thread.join(timeout)
        assert not thread.is_alive(), "it is still in its call"
        if isinstance(result[0], (AssertionError, pytest.fail.Exception)):
            raise result[0]
        return result[0]

    return join


def in_thread(call):
    """What call() returns or raises in another thread."""
    return started(call)()
