"""The process in which `lockfree model FILE.py` runs a file: whatever the file does to its process stays here."""

import json
import os
import sys

from lockfree.modelcheck.python.explore import PythonSettings, explore_made, replay_made
from lockfree.modelcheck.python.files import Program, Unusable
from lockfree.modelcheck.python.search import read_token

TICKS = 0.2
"""Seconds between two reports on how far the search is."""


def main(request: str) -> None:
    """Explores what the request (JSON) names; one JSON object a line, on the descriptor that it names."""
    asked = json.loads(request)
    output = os.fdopen(asked["descriptor"], "w", encoding="utf-8")

    def say(what: str, value: object) -> None:
        output.write(json.dumps([what, value]) + "\n")
        output.flush()

    try:
        program = Program(asked["file"])
        if asked["replay"] is not None:
            (client,) = program.clients([read_token(asked["replay"])[0]])
            settings = PythonSettings(**asked["settings"])
            say("report", replay_made(program.maker(client), asked["replay"], settings).as_dict())
            return
        clients = program.clients(asked["clients"])
    except (Unusable, OSError, ValueError) as error:
        say("unusable", str(error))
        return
    settings = PythonSettings(**asked["settings"])
    for client in clients:
        say("begins", client)
        last = 0.0

        def tick(executions: int, seconds: float, what: str, client: str = client) -> None:
            nonlocal last
            if seconds - last >= TICKS:
                last = seconds
                say("tick", [client, executions, seconds, what])

        say("report", explore_made(program.maker(client), client, settings, tick).as_dict())
    say("end", len(clients))


if __name__ == "__main__":
    main(sys.argv[1])
    sys.stdout.flush()
    os._exit(0)  # threads that a program left behind must not hold the process
