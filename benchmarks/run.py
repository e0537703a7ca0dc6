"""`make bench`: everything side by side in one run. `python benchmarks/run.py --quick` for a short one.

It writes results.json, and from it the tables and pictures of docs/guides/comparison.md and README.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from frame import report, runner

RESULTS = Path(__file__).parent / "results.json"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__.split("\n")[0])
    parser.add_argument("only", nargs="*", metavar="COLUMN", help="only columns whose key contains one of these words")
    parser.add_argument(
        "--quick", action="store_true", help="two short samples each; writes no page unless --out says where"
    )
    parser.add_argument("--samples", type=int, metavar="N", help="of each entry (default 5; 2 with --quick)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"where the JSON goes (default {RESULTS.name}; quick: nowhere)"
    )
    parser.add_argument("--list", action="store_true", help="list the columns and what is measured in each")
    parser.add_argument(
        "--pages", action="store_true", help="measure nothing: make tables and pictures from the JSON again"
    )
    args = parser.parse_args(argv)
    if args.samples is not None and not 1 <= args.samples <= 100:
        parser.error(f"--samples is {args.samples}: it must be 1 to 100")
    if args.pages:
        report.pages(runner.load(args.out or RESULTS))
        return 0
    columns = runner.columns(args.only)
    if not columns:
        parser.error(f"no column has {' or '.join(args.only)} in its key: --list shows them")
    if args.list:
        for column in columns:
            print(f"{column.key:<28} {column.unit:<8} {', '.join(entry.name for entry in column.entries)}")
        return 0
    whole = not args.only and not args.quick
    results = runner.measure(columns, args.samples or (2 if args.quick else 5), 0.3 if args.quick else 1.0)
    print(report.text(results))
    out = args.out or (RESULTS if whole else None)
    if out is not None:
        runner.save(results, out)
    if whole and out == RESULTS:
        report.pages(runner.load(out))  # rounded, as they stand in the file
    return 0


if __name__ == "__main__":
    sys.exit(main())
