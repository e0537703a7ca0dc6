"""Writes docs/guides/kill-table.md from the results of a full run of the kill campaign.

lockfree stress --kill-everywhere --out DIR
python stress/kill_table.py DIR
"""

import json
import sys
from pathlib import Path

from lockfree.machine import describe

PAGE = Path(__file__).parent.parent / "docs/guides/kill-table.md"
HEAD = """# Killed at every instruction: the table

The figures of one full run of [the campaign that kills a process at every instruction](kill-everywhere.md).
`python stress/kill_table.py DIR` writes this page from what `lockfree stress --kill-everywhere --out DIR` has written.

Measured on: {where}.

| column | what it counts |
|---|---|
| instructions | instructions of one call, from its begin to its return |
| distinct | how many different instructions these were |
| killed | processes that were killed at once, in the modes `go-on`, `wait` and `new` |
| stopped | processes that were stopped first and killed later, in the mode `stopped` |

{total}

| primitive | operation | instructions | distinct | killed | stopped |
|---|---|---:|---:|---:|---:|
"""


def row(result):
    tallies = result["tallies"]
    stopped = sum(t["points"] for t in tallies if t["mode"] == "stopped")
    killed = sum(t["points"] for t in tallies) - stopped
    longest, distinct = (max((t[what] for t in tallies), default=0) for what in ("instructions", "distinct"))
    return (
        f"| {result['primitive']} | {result['operation']} | {longest:,} | {distinct:,} | {killed:,} | {stopped:,} |\n"
    )


def page(report, where):
    """The text of the page. ValueError for a run that was only a part of the campaign."""
    if report["slice"] != {"nth": 1, "of": 1}:
        raise ValueError(f"slice {report['slice']['nth']}/{report['slice']['of']} is not the whole campaign")
    results = sorted(report["results"], key=lambda r: (r["primitive"], r["operation"]))
    points = sum(t["points"] for r in results for t in r["tallies"])
    breaches = sum(len(r["breaches"]) for r in results)
    total = f"{points:,} processes killed in {len(results)} operations, {breaches} breaches, {report['seconds']:.0f} s"
    return HEAD.format(where=where, total=total) + "".join(map(row, results))


def main(folder):
    about = describe.describe()
    where = f"{about['cpu']}, {about['topology']}; {about['compiler']}; commit {about['commit']}"
    PAGE.write_text(page(json.loads((Path(folder) / "kill-everywhere.json").read_text()), where))


if __name__ == "__main__":
    main(*sys.argv[1:])
