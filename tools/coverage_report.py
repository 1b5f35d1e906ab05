"""What tools/coverage prints: reads what `llvm-cov export` says about the sources of some folders."""

import argparse
import json
import os
import sys


def missed_ways(of_file):
    """(line, column, "true" or "false") of each way of a condition that was not taken."""
    for line, column, _, _, taken, refused, *_ in of_file["branches"]:
        if taken == 0:
            yield line, column, "true"
        if refused == 0:
            yield line, column, "false"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=float, required=True, help="least percentage")
    parser.add_argument("--branches", type=float, required=True, help="least percentage")
    parser.add_argument("--missing", action="store_true", help="list the ways that were not taken")
    wanted = parser.parse_args()
    data = json.load(sys.stdin)["data"][0]
    print(f"{'file':<52} {'lines':>14} {'branches':>14}")
    for of_file in data["files"]:
        name = os.path.relpath(of_file["filename"])
        parts = [of_file["summary"][kind] for kind in ("lines", "branches")]
        print(f"{name:<52}", *(f"{p['covered']:>7} of{p['count']:>5}" for p in parts))
        if wanted.missing:
            for line, column, way in sorted(set(missed_ways(of_file))):
                print(f"{name}:{line}:{column}: never {way}")
    low = []
    for kind, least in (("lines", wanted.lines), ("branches", wanted.branches)):
        total = data["totals"][kind]
        print(f"{kind}: {total['percent']:.1f} % ({total['covered']} of {total['count']})")
        if total["percent"] < least:
            low.append(f"fewer than {least:g} % of the {kind}")
    if low:
        sys.exit("coverage: " + " and ".join(low))


if __name__ == "__main__":
    main()
