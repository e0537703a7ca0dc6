"""Calls in other threads, whose answers and exceptions come back."""

import threading


def started(call):
    """Starts call() in a thread; join() gives what it returned or raised."""
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
        return result[0]

    return join


def in_thread(call):
    """What call() returns or raises in another thread."""
    return started(call)()
