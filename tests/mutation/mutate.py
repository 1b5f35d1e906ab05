#!/usr/bin/env python3
"""Takes out each check of policy and format in turn, and tells which tests notice.

The sources are copied, every check in them is made removable (checks.py), and all is built once.
A first run of all tests notes which checks refuse something in which test; then each check is
taken out and the tests in which it had something to refuse are run again. A check that no test
reaches, or that none misses, has survived, unless equivalent.txt says why it may.

Used by tools/mutate, which see for the options.
"""

import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import checks as source  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDERS = ("core/", "pkcs11/", "devicesim/")
# They run other people's programs, look at texts, or repeat at length what others show.
LEFT_OUT = ("stock-", "docs_", "tools_main_job", "pkcs11_vendor_examples", "bench")
SECONDS = 120
# Tests of one program that are run in one go.
AT_ONCE = 40


def say(text):
    print(text, flush=True)


def put(path, content):
    """What did not change keeps its time, so that a second build builds little."""
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def copy_sources(where, only):
    """The tree under `where`, with its checks made removable; gives the checks."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True)
    names = sorted(filter(None, listed.stdout.decode().split("\0")))
    numbers, found = itertools.count(), []
    for name in names:
        if not (ROOT / name).is_file():
            continue
        content = (ROOT / name).read_bytes()
        chosen = not only or any(name.startswith(one) for one in only)
        if name.endswith(".cpp") and name.startswith(FOLDERS) and chosen:
            text, checks = source.rewrite(name, content.decode(), numbers)
            content, found = text.encode(), found + checks
        if where:
            put(where / name, content)
            shutil.copymode(ROOT / name, where / name)
    return found


def build(where, jobs):
    header = where / "tests/mutation/mutants.h"
    flags = f"-include '{header}' -Wno-error"
    subprocess.run(
        ["cmake", "--preset", "release", "-DTALLYSTICK_TESTS=ON", f"-DCMAKE_CXX_FLAGS={flags}"],
        cwd=where, check=True, stdout=subprocess.DEVNULL,
    )
    subprocess.run(["cmake", "--build", "build", "-j", str(jobs)], cwd=where, check=True)


class Test:
    def __init__(self, description):
        properties = {one["name"]: one["value"] for one in description.get("properties", [])}
        self.name = description["name"]
        self.command = description["command"]
        self.folder = properties.get("WORKING_DIRECTORY", ".")
        self.environment = dict(
            one.split("=", 1) for one in properties.get("ENVIRONMENT", [])
        )
        self.prepares = bool(properties.get("FIXTURES_SETUP"))
        self.seconds = 0.0
        # (program, the one filter of GoogleTest) when several can run in one go
        self.filter = None
        rest = self.command[1:]
        filters = [one for one in rest if one.startswith("--gtest_filter=")]
        if filters and all(one.startswith("--gtest") for one in rest):
            self.filter = filters[0].split("=", 1)[1]

    def group(self):
        return (self.command[0], self.folder, tuple(sorted(self.environment.items())))


def run(command, folder, environment, seconds=SECONDS):
    """True when it passed."""
    try:
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, **environment}, timeout=seconds,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode in (0, 77)


def list_tests(where):
    listed = subprocess.run(
        ["ctest", "--test-dir", "build", "--show-only=json-v1"],
        cwd=where, check=True, capture_output=True,
    )
    tests = [Test(one) for one in json.loads(listed.stdout)["tests"] if one.get("command")]
    return [one for one in tests if not one.name.startswith(LEFT_OUT)]


def first_run(tests, where, pool):
    """Which checks refuse something in which tests; and the tests that fail with every check there."""
    hits = where / "hits"
    shutil.rmtree(hits, ignore_errors=True)
    hits.mkdir()
    for test in [one for one in tests if one.prepares]:
        if not run(test.command, test.folder, test.environment):
            sys.exit(f"mutate: {test.name} prepares other tests and fails")

    def one(numbered):
        number, test = numbered
        begun = time.monotonic()
        note = hits / str(number)
        passed = run(test.command, test.folder,
                     {**test.environment, "TALLYSTICK_MUTANT_HITS": str(note)})
        test.seconds = time.monotonic() - begun
        reached = {int(line) for line in note.read_text().split()} if note.exists() else set()
        return test, passed, reached

    reaching, failing = collections.defaultdict(list), []
    ordinary = [test for test in tests if not test.prepares]
    for test, passed, reached in pool.map(one, enumerate(ordinary)):
        if not passed:
            failing.append(test)
            continue
        for number in reached:
            reaching[number].append(test)
    return reaching, failing


def batches(tests):
    """Commands that run these tests, the quick ones first."""
    grouped = collections.defaultdict(list)
    for test in sorted(tests, key=lambda one: one.seconds):
        grouped[test.group() if test.filter else test.name].append(test)
    for members in sorted(grouped.values(), key=lambda some: sum(one.seconds for one in some)):
        if not members[0].filter:
            yield members[0].command, members[0], SECONDS
            continue
        for first in range(0, len(members), AT_ONCE):
            some = members[first:first + AT_ONCE]
            command = [some[0].command[0], "--gtest_fail_fast",
                       "--gtest_filter=" + ":".join(one.filter for one in some)]
            yield command, some[0], SECONDS + 3 * sum(one.seconds for one in some)


def notices(check, tests):
    """The test program that fails without the check; None when none does."""
    for command, test, seconds in batches(tests):
        environment = {**test.environment, "TALLYSTICK_MUTANT": str(check.number)}
        if not run(command, test.folder, environment, seconds):
            return pathlib.Path(command[0]).name
    return None


def equivalents(path):
    """Check name -> why nothing notices it, of the lines "NAME  # why"."""
    known = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, why = line.partition("  # ")
            known[name.strip()] = why.strip()
    return known


def main():
    parser = argparse.ArgumentParser(prog="tools/mutate", description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where the copy is made")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=pathlib.Path, help="write the report there, too")
    parser.add_argument("--list", action="store_true", help="list the checks and do nothing")
    parser.add_argument("only", nargs="*", help="beginnings of the paths to look at")
    options = parser.parse_args()

    if options.list:
        for check in copy_sources(None, options.only):
            say(f"{check.path}:{check.line}: {check.text}")
        return
    where = options.folder.resolve()
    checks = copy_sources(where, options.only)
    say(f"{len(checks)} checks")
    build(where, options.jobs)
    tests = list_tests(where)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        reaching, failing = first_run(tests, where, pool)
        say(f"{len(tests)} tests ran with every check in its place, {len(failing)} failed")
        for test in failing:
            say(f"  left out, since it fails anyway: {test.name}")

        begun, done, results = time.monotonic(), 0, []
        futures = {
            pool.submit(notices, check, reaching[check.number]): check
            for check in checks if reaching[check.number]
        }
        for future in concurrent.futures.as_completed(futures):
            results.append((futures[future], future.result()))
            done += 1
            if done % 100 == 0:
                say(f"  {done} of {len(futures)} taken out, {time.monotonic() - begun:.0f} s")

    allowed = equivalents(ROOT / "tests/mutation/equivalent.txt")
    caught = [check for check, by in results if by]
    missed = sorted((check for check, by in results if not by), key=lambda one: one.number)
    unreached = [check for check in checks if not reaching[check.number]]
    survived = [one for one in missed + unreached if one.name not in allowed]
    for title, some in (("no test misses it", missed), ("no test reaches it", unreached)):
        for check in some:
            if check.name in allowed:
                continue
            say(f"{check.path}:{check.line}: {title}: {check.text}")
    present = {check.name for check in checks}
    stale = [] if options.only else [name for name in allowed if name not in present]
    for name in stale:
        say(f"equivalent.txt: no such check any more: {name}")
    say(f"{len(checks)} checks: {len(caught)} caught, {len(survived)} survived, "
        f"{len(missed) + len(unreached) - len(survived)} equivalent with a reason")
    if options.json:
        report = {
            "checks": len(checks), "caught": len(caught), "survived": len(survived),
            "by": collections.Counter(by for _, by in results if by),
            "survivors": [{"path": one.path, "line": one.line, "check": one.text}
                          for one in survived],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if survived or stale else 0)


if __name__ == "__main__":
    main()
