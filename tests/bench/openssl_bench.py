#!/usr/bin/env python3
"""One run of `openssl dgst -sign` with the key in a token, beside the same with a key file.

  openssl_bench.py TALLYSTICK MODULE PROVIDER PIN_CLOCK [--runs N] [--json FILE]

The commands take turns, each run in a process of its own and with nobody else at the token, as a
script has it:

  file        the key in a file (PKCS#8), openssl as it is
  configured  the same, with the provider in openssl.cnf beside the default one
  token       the key in the token, with that openssl.cnf

The PIN's key derivation is timed in each run by PIN_CLOCK and taken off. Printed are the medians,
on the processor and on the clock, and the page faults, which cost little on a processor and much
in some virtual machines. Nothing fails because something is slow.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time

PIN = "12345678"
CONFIG = """\
openssl_conf = init
[init]
providers = providers
[providers]
default = default_provider
tallystick = tallystick_provider
[default_provider]
activate = 1
[tallystick_provider]
module = {provider}
activate = 1
"""


class Desk:
    """A token and a key file in a temporary folder, and the three commands."""

    def __init__(self, folder, tools):
        self.folder = folder
        self.report = os.path.join(folder, "derivation")
        config = os.path.join(folder, "openssl.cnf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(provider=os.path.abspath(tools.provider)))
        with open(os.path.join(folder, "message"), "w", encoding="utf-8") as file:
            file.write("a message\n")
        self.plain = dict(os.environ, OPENSSL_CONF="/dev/null", LC_ALL="C",
                          LD_PRELOAD=os.path.abspath(tools.pin_clock),
                          TALLYSTICK_PIN_CLOCK=self.report)
        self.configured = dict(self.plain, OPENSSL_CONF=config, TALLYSTICK_PIN=PIN,
                               TALLYSTICK_SO_PIN="so-" + PIN,
                               TALLYSTICK_MODULE=os.path.abspath(tools.module),
                               TALLYSTICK_HOME=os.path.join(folder, "home"))
        self.must([tools.tallystick, "token", "init", "--label", "bench"])
        self.must(["openssl", "genpkey", "-propquery", "?provider=tallystick", "-algorithm", "EC",
                   "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
                   "tallystick_uri:pkcs11:token=bench;object=key", "-out", "token.pem"])
        self.must(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-out", "file.pem"], self.plain)
        self.commands = {"file": ("file.pem", self.plain),
                         "configured": ("file.pem", self.configured),
                         "token": ("pkcs11:token=bench;object=key", self.configured)}

    def must(self, command, environment=None):
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL,
                       env=environment or self.configured)

    def run(self, name):
        """Seconds on the processor and on the clock and page faults, all without the derivation,
        and the seconds of that."""
        key, environment = self.commands[name]
        command = ["openssl", "dgst", "-sha256", "-sign", key, "-out", "signature", "message"]
        with open(self.report, "w", encoding="utf-8"):
            pass
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        self.must(command, environment)
        passed = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        with open(self.report, encoding="utf-8") as file:
            lines = [[float(number) for number in line.split()] for line in file]
        # A run that logged in and was not seen to would count the derivation as work.
        if len(lines) != (1 if name == "token" else 0):
            raise SystemExit(f"{name}: {len(lines)} derivations from a PIN")
        derived = lines[0] if lines else [0, 0, 0]
        return {"processor": used - derived[0], "clock": passed - derived[1],
                "faults": after.ru_minflt - before.ru_minflt - derived[2],
                "derivation": derived[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("tallystick", "module", "provider", "pin_clock"):
        parser.add_argument(name)
    parser.add_argument("--runs", type=int, default=60, help="of each command (60)")
    parser.add_argument("--json", help="write the figures there, too")
    tools = parser.parse_args()
    if tools.runs < 1:
        parser.error("--runs: at least one")
    tools.tallystick = os.path.abspath(tools.tallystick)

    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder, tools)
        figures = {name: [] for name in desk.commands}
        for _ in range(tools.runs):
            for name, runs in figures.items():
                runs.append(desk.run(name))
    medians = {name: {what: statistics.median(run[what] for run in runs) for what in runs[0]}
               for name, runs in figures.items()}

    print(f"one openssl dgst -sign, P-256: medians of {tools.runs} runs, "
          "the PIN's key derivation apart\n")
    print(f"{'':12}{'processor':>12}{'clock':>12}{'page faults':>14}")
    for name, median in medians.items():
        print(f"{name:12}{1e3 * median['processor']:9.1f} ms{1e3 * median['clock']:9.1f} ms"
              f"{median['faults']:14.0f}")
    print(f"\nthe PIN's key derivation   {1e3 * medians['token']['derivation']:.0f} ms\n")
    ratios = {}
    for than, goal in (("file", "   (goal 1.50)"), ("configured", "")):
        ratios[than] = {what: medians["token"][what] / medians[than][what]
                        for what in ("processor", "clock")}
        print(f"token / {than:12} {ratios[than]['processor']:.2f} on the processor, "
              f"{ratios[than]['clock']:.2f} on the clock{goal}")
    if tools.json:
        with open(tools.json, "w", encoding="utf-8") as file:
            json.dump({"runs": tools.runs, "medians": medians, "ratios": ratios}, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
