"""Where gevent runs: calls that would stop all greenlets of a thread are refused. It is looked for, never imported."""

import sys

WAY_OUT = "in gevent.get_hub().threadpool"


def _is_in_loop() -> bool:
    """Awaited calls have words of their own."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def refuse_greenlets(title: str) -> None:
    """RuntimeError where the calling thread runs a hub of gevent: all of its greenlets stand still meanwhile."""
    hub = sys.modules.get("gevent._hub_local")
    if hub is not None and hub.get_hub_if_exists() is not None and not _is_in_loop():
        raise RuntimeError(
            f"{title}: this thread runs greenlets of gevent, and a call that waits would stop them all; "
            f"call it {WAY_OUT}"
        )


def refuse_patched_threads(title: str) -> None:
    """RuntimeError where gevent's threads are none: the one that sleeps for a loop would stop everything."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        raise RuntimeError(
            f"{title}: gevent has replaced threads, and an awaited call needs a real one; "
            f"call the method that blocks {WAY_OUT}"
        )
