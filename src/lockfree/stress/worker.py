"""A child process of a round. Each of its clients is a thread."""

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import threading
import traceback
from typing import Any

from lockfree._errors import raise_status
from lockfree._native.stress import lib
from lockfree.stress.arena import Arena
from lockfree.stress.recorder import Client
from lockfree.stress.scenario import Round, Scenario, client_plan, load


def die_with_parent() -> None:
    """Ends with the process that started this one, whatever ends that; at once if it has ended already."""
    lib.lf_stress_die_with_parent()
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():  # before the kernel was asked for its signal
        os.kill(os.getpid(), signal.SIGKILL)


def prepare(about: Round) -> None:
    """Imports what calls of the Python classes would import: that can take longer than a round."""
    if about.driver == "python":
        with contextlib.suppress(ImportError):
            import numpy as np  # noqa: F401


def main(arena: Arena, shared: Any, about: Round, first: int, threads: int) -> None:
    """Runs clients `first` to `first + threads - 1` until the round ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner answers Ctrl-C and ends this process
    die_with_parent()
    faulthandler.enable(arena.notes)
    faulthandler.register(signal.SIGUSR1, arena.notes)
    prepare(about)
    scenario = load()[about.scenario]
    clients = [Client(arena, first + i, client_plan(scenario, about, first + i)) for i in range(threads)]
    others = [
        threading.Thread(target=_drive, args=(scenario, shared, c, about, arena), daemon=True) for c in clients[1:]
    ]
    for thread in others:
        thread.start()
    _drive(scenario, shared, clients[0], about, arena)
    for thread in others:
        thread.join()
    lib.lf_stress_await_end(arena.control)


def _drive(scenario: Scenario, shared: Any, client: Client, about: Round, arena: Arena) -> None:
    try:
        client.begin()
        if about.driver == "c":
            status = scenario.drive_c(shared, client, about)
            if status < 0:
                raise_status(status, f"a call of client {client.number} in the C driver, on {shared!r}")
        else:
            scenario.drive_python(shared, client, about)
    except BaseException:  # noqa: BLE001 - the runner must know about it, whatever it is
        arena.stop()
        os.write(arena.notes, f"client {client.number}, process {os.getpid()}:\n{traceback.format_exc()}\n".encode())
    finally:
        client.finish()
