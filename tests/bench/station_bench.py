#!/usr/bin/env python3
"""Parts per second of a station, beside decryption and hashing of the same bytes alone.

  station_bench.py TALLYSTICK TALLYSTICK-DEVICESIM [--parts 1,16,256] [--image BYTES] [--rounds N]
                   [--lock] [--processor-time] [--json FILE]

Chip maker, OEM and parts are made in a temporary folder. Each round programs fresh copies of the
parts, all at once, behind terminals of one tallystick-devicesim; the best round counts, as for the
raw figure: AES-256-GCM in chunks of 16 KiB and SHA-384, once over the image of each part, by the
same libcrypto, on one processor. With --processor-time seconds are those on the processor, of the
station and of the parts' simulator together, for a machine that does other things too.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "tools"))

from desk import SOFTWARE, Desk  # noqa: E402

CHUNK = 16 * 1024
MANIFEST = """\
package_version = 1
[[asset]]
id = 1
slot = 0
name = "firmware"
kind = "firmware"
address = 0x80000000
file = "firmware.bin"
"""


def raw_seconds(image, parts, rounds, clock):
    """Seconds for the images of all parts."""
    cipher = AESGCM(bytes(32))
    chunks = [cipher.encrypt(i.to_bytes(12, "big"), image[at : at + CHUNK], None)
              for i, at in enumerate(range(0, len(image), CHUNK))]
    best = None
    for _ in range(rounds):
        start = clock()
        for _ in range(parts):
            digest = hashlib.sha384()
            for i, chunk in enumerate(chunks):
                digest.update(chunk)
                cipher.decrypt(i.to_bytes(12, "big"), chunk, None)
            digest.digest()
        taken = clock() - start
        best = taken if best is None else min(best, taken)
    return best


def children_seconds():
    """Processor time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def seconds_of(process):
    """Processor time of one that runs."""
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Line:
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.TemporaryDirectory(dir=options.folder)
        self.desk = Desk(options.tallystick, self.folder.name)

    def make(self, most):
        desk = self.desk
        desk.make_family(software=SOFTWARE.replace(
            '"provisioning to provisioned"]',
            '"provisioning to provisioned", "provisioned to locked"]'))
        desk.make_oem()
        desk.make_shares("shares")
        desk.does("icm", "certificate", "--icm-key", desk.icm_key, "-o", desk.path("icm.cer"))
        desk.write("firmware.bin", random.Random(1).randbytes(self.options.image))
        desk.write("manifest.toml", MANIFEST)
        desk.does(*desk.package_command("manifest.toml", "shares", "job.tspk"))
        desk.make_parts(most, "parts")

    def run(self, count):
        """Seconds of one run, and those on the processor: of the station, of the simulator."""
        desk = self.desk
        for name in ("fresh", "ports", "job"):
            shutil.rmtree(desk.path(name), ignore_errors=True)
        os.mkdir(desk.path("fresh"))
        os.mkdir(desk.path("ports"))
        parts = sorted(os.listdir(desk.path("parts")))[:count]
        files = [shutil.copy(os.path.join(desk.path("parts"), part), desk.path("fresh"))
                 for part in parts]
        fingerprint = desk.does("icm", "fingerprint", desk.path("icm.cer")).strip()
        init = ["station", "init", desk.path("job"), "--icm-certificate", desk.path("icm.cer"),
                "--fingerprint", fingerprint, "--package", desk.path("job.tspk"), "--shares",
                desk.path("shares/shares.tsos"), "--parts", str(count)]
        desk.does(*init, *(["--lock", "--challenge", "ab" * 32] if self.options.lock else []))
        with subprocess.Popen(
            [self.options.devicesim, "serve", "--json", "--links", desk.path("ports"), *files],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        ) as server:
            try:
                server.stdout.readline()
                before = children_seconds()
                said = json.loads(desk.does("station", "run", desk.path("job"), "--ports",
                                            desk.path("ports"), "--json"))
                station = children_seconds() - before
                simulator = seconds_of(server.pid)
            finally:
                server.terminate()
        assert said["programmed"] == count, said
        return said["seconds"], station, simulator


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tallystick")
    parser.add_argument("devicesim")
    parser.add_argument("--parts", default="1,16,256")
    parser.add_argument("--image", type=int, default=256 * 1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lock", action="store_true", help="lock, and keep proofs, too")
    parser.add_argument("--processor-time", action="store_true",
                        help="seconds on the processor, not on the clock")
    parser.add_argument("--folder", help="where the temporary folder is made: chooses the disk")
    parser.add_argument("--json", help="write the figures there, too")
    options = parser.parse_args()
    counts = [int(text) for text in options.parts.split(",")]
    line = Line(options)
    line.make(max(counts))
    with open(line.desk.path("firmware.bin"), "rb") as file:
        image = file.read()
    figures = []
    print(f"image of {options.image} bytes, best of {options.rounds} rounds")
    clock = time.process_time if options.processor_time else time.perf_counter
    print("  parts    seconds   parts/s   raw seconds   ratio   station, simulator on the processor")
    for count in counts:
        runs = [line.run(count) for _ in range(options.rounds)]
        seconds, station, simulator = min(
            runs, key=lambda run: run[1] + run[2] if options.processor_time else run[0])
        if options.processor_time:
            seconds = station + simulator
        raw = raw_seconds(image, count, options.rounds, clock)
        figures.append({"parts": count, "seconds": seconds, "parts_per_second": count / seconds,
                        "raw_seconds": raw, "ratio": seconds / raw, "station_processor": station,
                        "simulator_processor": simulator})
        print(f"{count:7} {seconds:10.3f} {count / seconds:9.2f} {raw:13.4f} {seconds / raw:7.1f}"
              f"   {station:.3f}, {simulator:.3f}", flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"image": options.image, "lock": options.lock, "figures": figures}, file)


if __name__ == "__main__":
    main()
