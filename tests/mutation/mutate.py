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
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import checks as source  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDERS = ("core/", "pkcs11/", "devicesim/")
# Their own tests: others try much at random, or look from far away.
ROOMS = "core;pkcs11;devicesim"
# They look at texts, or repeat at length what others show.
LEFT_OUT = ("docs_", "pkcs11_lives", "pkcs11_load")
# A test that takes longer than this, or than ten times what it takes with every check there, hangs.
SECONDS = 30
TIMES = 10
# A loop without its check may take all the memory there is.
MOST_MEMORY = 8 << 30
# Numbers that each source has for its checks; mutants.h knows how many there are in all.
MOST_IN_A_FILE = 128
# How the reason begins of a check that some machines' libcrypto never comes to.
ELSEWHERE = "with libcrypto"
# How many tests are run before the first look at the result, and how much more each time after.
AT_FIRST, MORE = 4, 3


def say(text):
    print(text, flush=True)


def put(path, content):
    """What did not change keeps its time, so that a second build builds little."""
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def chosen(check, only):
    return any(f"{check.path}:{check.line}:".startswith(one) for one in only)


def copy_sources(where, only):
    """The tree under `where`, with its checks made removable; gives the checks asked for.

    A file's numbers hang on its place in the list alone, so that a check more changes one file.
    """
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True)
    names = sorted(filter(None, listed.stdout.decode().split("\0")))
    found, sources = [], 0
    for name in names:
        if not (ROOT / name).is_file():
            continue
        content = (ROOT / name).read_bytes()
        if name.endswith((".cpp", ".h")) and name.startswith(FOLDERS):
            numbers = itertools.count(sources * MOST_IN_A_FILE)
            sources += 1
            text, checks = source.rewrite(name, content.decode(), numbers)
            if text.count("stands(") > MOST_IN_A_FILE:
                sys.exit(f"mutate: {name} has too many checks")
            content = text.encode()
            found += [check for check in checks if not only or chosen(check, only)]
        if where:
            # What the compiler has to say about removable checks is of no interest.
            if name == "cmake/TallystickTargets.cmake":
                content = content.replace(b"      -Werror\n", b"")
            put(where / name, content)
            shutil.copymode(ROOT / name, where / name)
    return found


def build(where, jobs):
    header = where / "tests/mutation/mutants.h"
    subprocess.run(
        ["cmake", "--preset", "release", "-DTALLYSTICK_TESTS=ON", "-DTALLYSTICK_BENCH=OFF",
         f"-DTALLYSTICK_ROOMS={ROOMS}", f"-DTALLYSTICK_TEST_ROOMS={ROOMS}",
         # A check that guards an index or an empty optional is missed at once, not by luck.
         f"-DCMAKE_CXX_FLAGS=-w -D_GLIBCXX_ASSERTIONS -include '{header}'",
         "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG"],
        cwd=where, check=True, stdout=subprocess.DEVNULL,
    )
    subprocess.run(["cmake", "--build", "build", "-j", str(jobs)], cwd=where, check=True)


PASSED, FAILED, HUNG = "passed", "failed", "hung"


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
        self.limit = float(properties.get("TIMEOUT", 300))
        self.seconds, self.checks = 0.0, 0
        # (program, the one filter of GoogleTest) when several can run in one go
        self.filter = None
        rest = self.command[1:]
        filters = [one for one in rest if one.startswith("--gtest_filter=")]
        if filters and all(one.startswith("--gtest") for one in rest):
            self.filter = filters[0].split("=", 1)[1]

    def group(self):
        return (self.command[0], self.folder, tuple(sorted(self.environment.items())))


def run(command, folder, environment, seconds):
    """PASSED, FAILED or HUNG; whatever it started ends with it."""
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )
    try:
        return PASSED if process.wait(seconds) in (0, 77) else FAILED
    except subprocess.TimeoutExpired:
        return HUNG
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def list_tests(where, pattern):
    listed = subprocess.run(
        ["ctest", "--test-dir", "build", "--show-only=json-v1"],
        cwd=where, check=True, capture_output=True,
    )
    tests = [Test(one) for one in json.loads(listed.stdout)["tests"] if one.get("command")]
    return [one for one in tests if one.prepares
            or (not one.name.startswith(LEFT_OUT) and re.search(pattern, one.name))]


def first_run(tests, where, pool):
    """Which checks refuse something in which tests; and the tests that fail with every check there."""
    hits = where / "hits"
    shutil.rmtree(hits, ignore_errors=True)
    hits.mkdir()
    for test in [one for one in tests if one.prepares]:
        if run(test.command, test.folder, test.environment, test.limit) != PASSED:
            sys.exit(f"mutate: {test.name} prepares other tests and fails")

    def one(numbered):
        number, test = numbered
        begun = time.monotonic()
        note = hits / str(number)
        ended = run(test.command, test.folder,
                    {**test.environment, "TALLYSTICK_MUTANT_HITS": str(note)}, test.limit)
        test.seconds = time.monotonic() - begun
        reached = {int(line) for line in note.read_text().split()} if note.exists() else set()
        test.checks = len(reached)
        return test, ended == PASSED, reached

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
    """(command, a test of it, its time) that run these tests: first the quick ones, and those that
    are about few checks."""
    ordered = sorted(tests, key=lambda one: one.seconds * one.checks)
    size = AT_FIRST
    while ordered:
        some, ordered = ordered[:size], ordered[size:]
        size *= MORE
        grouped = collections.defaultdict(list)
        for test in some:
            grouped[test.group() if test.filter else test.name].append(test)
        for members in grouped.values():
            command, first = members[0].command, members[0]
            if first.filter:
                command = [command[0], "--gtest_fail_fast",
                           "--gtest_filter=" + ":".join(one.filter for one in members)]
            yield command, first, sum(one.seconds for one in members)


def notices(check, tests):
    """(the test program that fails without the check, how); None when none does."""
    for command, test, seconds in batches(tests):
        environment = {**test.environment, "TALLYSTICK_MUTANT": str(check.number)}
        ended = run(command, test.folder, environment, SECONDS + TIMES * seconds)
        if ended != PASSED:
            return pathlib.Path(command[0]).name, ended
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
    parser.add_argument("--tests", default="", help="only tests whose name matches")
    parser.add_argument("only", nargs="*", help="beginnings of PATH:LINE of the checks to look at")
    options = parser.parse_args()

    if options.list:
        for check in copy_sources(None, options.only):
            say(f"{check.path}:{check.line}: {check.text}")
        return
    where = options.folder.resolve()
    checks = copy_sources(where, options.only)
    say(f"{len(checks)} checks")
    build(where, options.jobs)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    tests = list_tests(where, options.tests)
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        reaching, failing = first_run(tests, where, pool)
        say(f"{len(tests)} tests ran with every check in its place, {len(failing)} failed, "
            f"{time.monotonic() - begun:.0f} s")
        for test in failing:
            say(f"  left out, since it fails anyway: {test.name}")

        allowed = equivalents(ROOT / "tests/mutation/equivalent.txt")

        def tell(check, how):
            if check.name not in allowed:
                say(f"{check.path}:{check.line}: {how}: {check.text}")

        for check in checks:
            if not reaching[check.number]:
                tell(check, "no test reaches it")
        begun, results = time.monotonic(), {}
        futures = {
            pool.submit(notices, check, reaching[check.number]): check
            for check in checks if reaching[check.number]
        }
        for future in concurrent.futures.as_completed(futures):
            check, by = futures[future], future.result()
            results[check.number] = by
            if not by:
                tell(check, "no test misses it")
            elif by[1] == HUNG:
                tell(check, f"without it {by[0]} hangs")
            if len(results) % 100 == 0:
                seconds = time.monotonic() - begun
                say(f"  {len(results)} of {len(futures)} taken out, {seconds:.0f} s")

    caught = [check for check in checks if results.get(check.number)]
    left = [check for check in checks if not results.get(check.number)]
    survived = [check for check in left if check.name not in allowed]
    present = {check.name for check in checks}
    stale = [] if options.only else [name for name in allowed if name not in present]
    for name in stale:
        say(f"equivalent.txt: no such check any more: {name}")
    hung = [check for check in caught if results[check.number][1] == HUNG]
    # A name may be that of several checks of its file.
    noticed = ({check.name for check in caught} & set(allowed)) - {check.name for check in left}
    noticed = {name for name in noticed if not allowed[name].startswith(ELSEWHERE)}
    for name in sorted(noticed):
        say(f"equivalent.txt: tests miss it: {name}")
    say(f"{len(checks)} checks, {len(results)} reached: {len(caught)} caught "
        f"({len(hung)} by a hang), {len(survived)} survived, {len(left) - len(survived)} equivalent with a reason, "
        f"{time.monotonic() - begun:.0f} s")
    if options.json:
        report = {
            "checks": len(checks), "reached": len(results), "caught": len(caught),
            "hung": len(hung), "survived": len(survived),
            "by": collections.Counter(by[0] for by in results.values() if by),
            "survivors": [{"path": one.path, "line": one.line, "check": one.text,
                           "reached": one.number in results} for one in survived],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if survived or stale or noticed else 0)


if __name__ == "__main__":
    main()
