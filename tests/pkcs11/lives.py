"""Processes that load the module, use it and end, in every order: none may crash or hang.

  lives.py LIFE LIFE_LINKED MODULE [--under "COMMAND"] [--rounds N] [ORDER...]

--under runs each process under a command such as valgrind, which has to end with another status
when it has something to say. --rounds tries, after the orders, N lives of the module in one process
and what they leave behind.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time

USE = "session secret mac find"
# Name -> the steps, as life.c knows them.
ORDERS = {
    "loaded, never initialised": "load",
    "loaded and unloaded": "load unload",
    "loaded and unloaded, OpenSSL used": "openssl load unload openssl",
    "finalised and unloaded": f"load init {USE} login pair sign close final unload",
    "finalised, not unloaded": f"load init {USE} close final",
    "unloaded, not finalised": f"load init {USE} unload",
    "neither finalised nor unloaded": f"load init {USE}",
    "a session open and operations active": f"load init {USE} begin",
    "the same, logged in, unloaded": f"load init {USE} login pair sign begin unload",
    "finalised with operations active": f"load init {USE} begin final unload",
    "initialised twice": f"load init {USE} final init {USE} begin final init unload",
    "loaded twice": f"load init {USE} unload load -init -session {USE} begin",
    "through a link, too": f"load init load-link {USE} load-link begin unload",
    "OpenSSL used before": f"openssl load init {USE} begin",
    "OpenSSL used after": f"load init {USE} openssl begin unload openssl",
    "OpenSSL cleaned up, then finalised and unloaded": f"load init {USE} begin cleanup -final unload",
    "unloaded, then OpenSSL cleaned up": f"load init {USE} begin unload cleanup",
    "finalised and unloaded, then OpenSSL cleaned up": f"load init {USE} final unload cleanup",
    "OpenSSL cleaned up, then used": f"load init {USE} cleanup -session -secret -mac -find -init -final",
    "loaded after OpenSSL was cleaned up": "openssl cleanup load -init -session -final unload",
    "exit()": f"load init {USE} begin exit",
    "exit() from a thread": f"load init {USE} begin exit-thread",
    "exit() from a thread, finalised": f"load init {USE} final unload exit-thread",
    "a thread's login": f"load init {USE} in-thread begin exit",
    "a handler from before the module": f"late load init {USE} begin exit",
    "a handler from before OpenSSL, OpenSSL used": f"late openssl load init {USE} begin exit",
    "a handler from after OpenSSL": f"openssl late load init {USE} begin exit",
    "a handler from after the module": f"load init {USE} late begin exit",
    "a handler of OpenSSL from before the module": f"openssl load late-openssl init {USE} begin exit",
    "a handler of OpenSSL from after the module": f"load init {USE} late-openssl begin exit",
    "a handler, exit() from a thread": f"openssl late load init {USE} begin exit-thread",
    "a handler, unloaded": f"late load init {USE} begin unload exit",
}
# The module among the program's own libraries.
LINKED = {
    "linked, never used": "linked",
    "linked, finalised": f"linked init {USE} login pair sign close final",
    "linked, operations active": f"linked init {USE} begin",
    "linked and loaded": f"linked load init {USE} begin unload -mac",
    "linked, OpenSSL used, a handler": f"late openssl linked init {USE} begin exit",
    "linked, OpenSSL cleaned up": f"linked init {USE} begin cleanup -final",
    "linked, exit() from a thread": f"linked init {USE} late begin exit-thread",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("life")
    parser.add_argument("linked")
    parser.add_argument("module")
    parser.add_argument("--under", type=shlex.split, default=[])
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("order", nargs="*", help="only these")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as home:
        # Without malloc's caches, which are filled by chance, every byte that is left behind counts.
        environment = {**os.environ, "TALLYSTICK_HOME": home, "TALLYSTICK_CONF": home + "/none.toml",
                       "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0"}
        open(home + "/none.toml", "w", encoding="utf-8").close()

        def live(program, words, under=()):
            return subprocess.run([*under, program, options.module, *words.split()], timeout=3600,
                                  env=environment, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        if live(options.life, "load init make-token final").returncode != 0:
            sys.exit("lives: no token")
        jobs = [(name, options.life, words) for name, words in ORDERS.items()]
        jobs += [(name, options.linked, words) for name, words in LINKED.items()]
        if options.rounds:
            # Valgrind sees what is left behind without a count, and has memory of its own.
            word = "repeat" if options.under else "rounds"
            jobs.append((f"{options.rounds} rounds", options.life, f"{word}={options.rounds}"))
        if options.order:
            jobs = [job for job in jobs if job[0] in options.order]
        if not jobs:
            sys.exit("lives: no such order")
        failed = 0
        for name, program, words in jobs:
            start = time.monotonic()
            done = live(program, words, options.under)
            good = done.returncode == 0
            failed += not good
            print(f"{name}: {'passed' if good else f'FAILED, status {done.returncode}'} "
                  f"({time.monotonic() - start:.1f} s)", flush=True)
            if not good or words.startswith("rounds"):
                print(done.stdout, end="", flush=True)
        sys.exit(f"lives: {failed} failed" if failed else 0)


main()
