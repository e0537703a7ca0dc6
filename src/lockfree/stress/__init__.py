"""Loads every primitive with real processes, records each call, and checks that the answers are linearizable.

    lockfree stress [PRIMITIVE...] [--procs N] [--seconds S] [--seed N] [--out DIR] [--kill]

- `arena`: the shared memory in which clients write their logs, so that a killed client's log survives it
- `recorder`: one client's log, and the rhythm of its calls
- `scenario`, `scenarios/`: what the clients of each primitive do and what the history must satisfy; one file each
- `worker`, `runner`, `chaos`: one round: its processes, the watchdog, random kills
- `checking`: turns histories into verdicts, in separate processes
- `campaign`: rounds for each primitive within the time given
- `progress`, `report`, `cli`: what a person sees

The calls run either through the Python classes or in loops in C (`lockfree._native._stress`) on the same objects.
"""
