#!/usr/bin/env python3
"""The station at work: real terminals and ports, parts behind them, and what goes wrong on a line.

  station_test.py TALLYSTICK TALLYSTICK-DEVICESIM
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "devicesim", "line")]

import serial_line_test  # noqa: E402
from desk import FIRMWARE_AND_KEY, SOFTWARE, Desk  # noqa: E402
from lines import Cut, FalsePart, Relay, noise  # noqa: E402
from serial_line_test import Server  # noqa: E402

TALLYSTICK = ""
LOCKING = SOFTWARE.replace('"provisioning to provisioned"]',
                           '"provisioning to provisioned", "provisioned to locked"]')


class Factory:
    """One chip maker and OEM for all tests of this file, with parts that nobody has used."""

    def __init__(self, folder, flags=0):
        self.desk = desk = Desk(TALLYSTICK, folder)
        desk.make_family(flags=flags, software=LOCKING.replace("[1, 2]", "[1, 2, 3]"))
        desk.make_oem()
        desk.make_shares("shares")
        desk.does("icm", "certificate", "--icm-key", desk.icm_key, "-o", desk.path("icm.cer"))
        self.fingerprint = desk.does("icm", "fingerprint", desk.icm_key).strip()
        self.firmware = random.Random(8).randbytes(40000)
        desk.write("firmware.bin", self.firmware)
        self.key = random.Random(9).randbytes(32)
        desk.write("asset.key", self.key)
        desk.write("manifest.toml", FIRMWARE_AND_KEY)
        desk.does(*desk.package_command("manifest.toml", "shares", "job.tspk"))
        self.package_size = os.path.getsize(desk.path("job.tspk"))
        desk.make_parts(16, "parts")
        self.parts = sorted(os.path.join(desk.path("parts"), name)
                            for name in os.listdir(desk.path("parts")))


class LineTests(unittest.TestCase):
    flags = 0
    factory = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.factory = Factory(cls.folder.name, cls.flags)

    def setUp(self):
        own = tempfile.TemporaryDirectory()
        self.addCleanup(own.cleanup)
        self.own = own.name
        self.desk = self.factory.desk

    def path(self, name):
        return os.path.join(self.own, name)

    def parts(self, count):
        """Fresh copies: a part is a file."""
        os.makedirs(self.path("parts"), exist_ok=True)
        return [shutil.copy(part, self.path("parts")) for part in self.factory.parts[:count]]

    def part_ids(self, parts):
        return [json.loads(self.desk.does("part", "info", part, "--json"))["part_id"]
                for part in parts]

    def init(self, *more, shares="shares/shares.tsos", name="job"):
        desk = self.desk
        desk.does("station", "init", self.path(name), "--icm-certificate", desk.path("icm.cer"),
                  "--fingerprint", self.factory.fingerprint, "--package", desk.path("job.tspk"),
                  "--shares", shares if shares.startswith("/") else desk.path(shares),
                  "--software", desk.path("standard.tssw"), *more)
        return self.path(name)

    def start(self, job, ports, *more):
        # pylint: disable=consider-using-with
        return subprocess.Popen(
            [TALLYSTICK, "station", "run", job, "--ports", *ports, "--json", *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.desk.environment)

    def run_station(self, job, ports, *more):
        """Status, summary, errors."""
        process = self.start(job, ports, *more)
        out, err = process.communicate(timeout=240)
        return process.returncode, json.loads(out) if out else None, err

    def record(self, job):
        with open(os.path.join(job, "record.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.strip().endswith("}")]

    def done_ids(self, job):
        return [line["part_id"] for line in self.record(job) if line["event"] == "done"]

    def expect_locked(self, parts):
        for part in parts:
            info = json.loads(self.desk.does("part", "info", part, "--json"))
            self.assertEqual(info["life_cycle"], "locked", part)

    def relays(self, server, mangle=None):
        relays = [Relay(part["tcp"], mangle(i) if mangle else None)
                  for i, part in enumerate(server.parts)]
        for relay in relays:
            self.addCleanup(relay.close)
        return relays


class Uncounted(LineTests):
    def test_sixteen_parts_behind_terminals_are_done_and_prove_it(self):
        parts = self.parts(16)
        job = self.init("--lock", "--challenge", "ab" * 32, "--parts", "16")
        os.mkdir(self.path("ports"))
        with Server("--links", self.path("ports"), *parts) as server:
            status, summary, err = self.run_station(job, [self.path("ports")])
            self.assertEqual((status, err), (0, ""))
            self.assertEqual(summary["programmed"], 16)
            self.assertEqual(summary["yield_percent"], 100)
            server.end()
        self.expect_locked(parts)
        self.assertEqual(sorted(self.done_ids(job)), sorted(self.part_ids(parts)))
        self.desk.does("proof", "verify", os.path.join(job, "proofs"), "--icm-certificate",
                       self.desk.path("icm.cer"), "--challenge", "ab" * 32, "--life-cycle",
                       "locked", "--token", "pkcs11:token=oem", "--package",
                       self.desk.path("job.tspk"), "--assets", self.desk.path("manifest.toml"))
        shown = json.loads(self.desk.does("station", "check", job, "--json"))
        self.assertEqual((shown["done"], shown["unresolved"]), (16, []))

    def test_it_ends_with_as_many_parts_as_the_job_is_for(self):
        parts = self.parts(6)
        job = self.init("--parts", "4")
        with Server("--tcp", "0", "--no-pty", *parts) as server:
            ports = [f"tcp:127.0.0.1:{part['tcp']}" for part in server.parts]
            status, summary, err = self.run_station(job, ports)
            self.assertEqual((status, err), (0, ""))
            self.assertEqual((summary["programmed"], summary["done"]), (4, 4))
            again = self.run_station(job, ports)
            self.assertEqual((again[0], again[1]["programmed"]), (0, 0))
            server.end()
        held = [json.loads(self.desk.does("part", "info", part, "--json"))["life_cycle"]
                for part in parts]
        self.assertEqual(held.count("provisioned"), 4, held)

    def test_ports_that_appear_later_are_taken(self):
        parts = self.parts(4)
        job = self.init("--parts", "4")
        os.mkdir(self.path("ports"))
        process = self.start(job, [self.path("ports/*.tty")])
        with Server("--links", self.path("ports"), *parts[:2]):
            while len(self.done_ids(job) if os.path.exists(job + "/record.jsonl") else []) < 2:
                self.assertIsNone(process.poll())
                time.sleep(0.1)
        with Server("--links", self.path("ports"), *parts[2:]):
            out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(json.loads(out)["programmed"], 4)

    def test_a_part_that_vanishes_in_the_data_phase_stops_no_other(self):
        parts = self.parts(5)
        job = self.init()
        sent = [0]

        def vanish(number):
            def mangle(to_part, data):
                sent[0] += len(data) if to_part else 0
                if sent[0] > 20000:
                    raise Cut()
                return data
            return mangle if number == 2 else None

        with Server("--tcp", "0", "--no-pty", *parts) as server:
            relays = self.relays(server, vanish)
            ports = [relay.name for relay in relays]
            status, summary, err = self.run_station(job, ports)
            self.assertEqual(status, 5, err)
            self.assertEqual((summary["programmed"], summary["failed"]), (4, 1))
            self.assertEqual(summary["unresolved"], [], "it cannot hold half a package")
            self.assertIn(f"{ports[2]}, part ", err)
            self.assertIn("package: the port is gone", err)
            relays[2].mangle = None
            status, summary, err = self.run_station(job, ports)
            self.assertEqual((status, err), (0, ""))
            self.assertEqual((summary["programmed"], summary["known"]), (1, 4))
        self.assertEqual(sorted(self.done_ids(job)), sorted(set(self.done_ids(job))))
        self.assertEqual(len(self.done_ids(job)), 5)

    def test_an_answer_that_is_lost_is_asked_of_the_part(self):
        parts = self.parts(2)
        job = self.init("--parts", "2")
        cut = [False]

        def lose(number):
            def mangle(to_part, data):
                # Everything after the answer that says the package is taken.
                cut[0] = cut[0] or (not to_part and self.factory.package_size in
                                    relays[0].ear.files)
                if cut[0]:
                    raise Cut()
                return data
            return mangle if number == 0 else None

        with Server("--tcp", "0", "--no-pty", *parts) as server:
            relays = []
            relays += self.relays(server, lose)
            ports = [relay.name for relay in relays]
            status, summary, err = self.run_station(job, ports, "--once")
            self.assertEqual(status, 5, err)
            self.assertIn("it may hold the package", err)
            self.assertEqual(len(summary["unresolved"]), 1)
            relays[0].mangle = None
            status, summary, err = self.run_station(job, ports)
            self.assertEqual((status, err), (0, ""))
            self.assertEqual((summary["found_done"], summary["done"]), (1, 2))
            self.assertEqual(relays[0].ear.files.count(self.factory.package_size), 1)

    def test_noise_on_the_lines_leaves_whole_parts(self):
        parts = self.parts(6)
        job = self.init("--lock", "--parts", "6")
        with Server("--tcp", "0", "--no-pty", *parts) as server:
            relays = self.relays(server, lambda i: noise(i, 150, 600) if i < 4 else None)
            ports = [relay.name for relay in relays]
            for _ in range(10):
                status, summary, err = self.run_station(job, ports, "--once", "--patience", "3")
                if status == 0:
                    break
                self.assertEqual(status, 5, err)
            self.assertEqual(status, 0, err)
            self.assertEqual(summary["done"], 6)
            server.end()
        self.expect_locked(parts)
        self.assertEqual(len(self.done_ids(job)), 6)
        self.assertEqual(len(set(self.done_ids(job))), 6)

    def test_a_kill_at_any_time_leaves_no_part_done_twice_or_left_out(self):
        parts = self.parts(4)
        job = self.init("--lock", "--challenge", "cd" * 32, "--parts", "4")
        carried = [0]
        with Server("--tcp", "0", "--no-pty", *parts) as server:
            relays = self.relays(server)

            def count(size):
                carried[0] += size

            for relay in relays:
                relay.on_data = count
            kills = 0
            # Later and later, so that each run comes further than the one before.
            for limit in range(1000, 400000, 5000):
                carried[0] = 0
                process = self.start(job, [relay.name for relay in relays])
                while process.poll() is None and carried[0] < limit:
                    time.sleep(0.001)
                if process.poll() is None:
                    process.kill()
                    kills += 1
                out, err = process.communicate(timeout=60)
                if process.returncode == 0:
                    break
            self.assertEqual(process.returncode, 0, err)
            self.assertGreater(kills, 10)
            self.assertEqual(json.loads(out)["done"], 4)
            # Never twice. Not heard at all is what a kill leaves that comes while a part answers that
            # it took the package; that it has it is what its lock and its proof say, below.
            for relay in relays:
                self.assertLessEqual(relay.ear.files.count(self.factory.package_size), 1)
            server.end()
        self.expect_locked(parts)
        self.assertEqual(sorted(self.done_ids(job)), sorted(self.part_ids(parts)))
        self.desk.does("proof", "verify", os.path.join(job, "proofs"), "--icm-certificate",
                       self.desk.path("icm.cer"), "--challenge", "cd" * 32)

    def test_an_interruption_leaves_whole_parts_and_the_next_run_goes_on(self):
        parts = self.parts(6)
        job = self.init("--parts", "6")
        with Server("--tcp", "0", "--no-pty", "--baud", "1000000", *parts) as server:
            ports = [f"tcp:127.0.0.1:{part['tcp']}" for part in server.parts]
            process = self.start(job, ports)
            while not os.path.exists(job + "/record.jsonl") or not any(
                    line["event"] == "begin" for line in self.record(job)):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=240)
            if process.returncode != 0:
                self.assertEqual(process.returncode, 5)
                self.assertIn("run it again to go on", err)
            begun = {line["part_id"] for line in self.record(job) if line["event"] == "begin"}
            self.assertEqual(begun, set(self.done_ids(job)), "what was begun is done")
            self.assertEqual(json.loads(out)["failed"], 0)
            status, summary, err = self.run_station(job, ports)
            self.assertEqual((status, err, summary["done"]), (0, "", 6))

    def test_one_station_at_a_time_has_a_job(self):
        job = self.init("--parts", "1")
        os.mkdir(self.path("ports"))
        first = self.start(job, [self.path("ports")])
        while not os.path.exists(job + "/record.jsonl") or not self.record(job):
            time.sleep(0.01)
        status, _, err = self.run_station(job, [self.path("ports")])
        self.assertEqual(status, 2)
        self.assertIn("another station", err)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
        self.assertEqual(first.returncode, 5)

    def test_D07_the_same_part_at_two_ports_is_one_part(self):
        part = self.parts(1)[0]
        job = self.init()
        clone = shutil.copy(part, self.path("clone.part"))
        with Server("--tcp", "0", "--no-pty", part, clone) as server:
            ports = [f"tcp:127.0.0.1:{each['tcp']}" for each in server.parts]
            status, summary, err = self.run_station(job, ports)
            self.assertEqual(summary["programmed"], 1, err)
            self.assertEqual(summary["skipped"] + summary["refused"], 1)
            # Whichever it was, the other one is no second product.
            status, summary, err = self.run_station(job, ports)
            self.assertEqual((status, summary["programmed"]), (5, 0))
            self.assertIn("the record says that it is done", err)
        self.assertEqual(len(self.done_ids(job)), 1)

    def test_dead_ports_and_strange_parts_stop_no_other(self):
        parts = self.parts(1)
        blank = self.path("blank.part")
        subprocess.run([serial_line_test.DEVICESIM, "create", blank, "--icm-fingerprint",
                        "5a" * 32, "--flash-size", "65536"], check=True,
                       stdout=subprocess.DEVNULL)
        job = self.init()
        with Server("--tcp", "0", "--no-pty", *parts, blank) as server:
            ports = [f"tcp:127.0.0.1:{part['tcp']}" for part in server.parts]
            status, summary, err = self.run_station(job, ports + ["/dev/null", "tcp:127.0.0.1:1"])
        self.assertEqual(status, 5)
        self.assertEqual((summary["programmed"], summary["refused"], summary["failed"]), (1, 1, 2))
        lines = err.strip().split("\n")
        self.assertEqual(len(lines), 4, err)
        self.assertIn("of another family", err)

    def certified(self, part, challenge=b"\x11" * 32):
        """Identity, certificate and a proof of a real part, as its line gives them."""
        with Server("--tcp", "0", "--no-pty", part) as server, server.connection() as host:
            host.begin()
            host.property_of_packets = 1024
            host.write_memory(0x20008000, challenge)
            got = []
            for option, address in ((0x54530001, 0), (0x54530002, 0), (0x54530003, 0x20008000)):
                status, length = host.command(0x10, address, 4096, option, answer=0xB0)
                self.assertEqual(status, 0)
                data = b""
                while len(data) < length:
                    data += host.hear()[1]
                host.response(0xA0)
                got.append(data)
        return got

    def expect_refused(self, false, words):
        self.addCleanup(false.close)
        status, summary, err = self.run_station(self.init(), [false.name])
        self.assertEqual(status, 2, err)
        self.assertEqual(summary["refused"], 1)
        self.assertIn(words, err)
        self.assertEqual(false.files, 0, "it was given nothing")

    def test_D06_a_false_device_that_replays_a_proof_gets_nothing(self):
        identity, certificate, proof = self.certified(self.parts(1)[0])
        self.expect_refused(FalsePart(identity, certificate, proof), "its proof does not hold")

    def test_D06_a_false_device_with_papers_of_its_own_gets_nothing(self):
        identity, certificate, proof = self.certified(self.parts(1)[0])
        forged = bytearray(certificate)
        forged[-5] ^= 1
        self.expect_refused(FalsePart(identity, bytes(forged), proof), "its certificate")

    def test_D08_another_parts_certificate_is_no_certificate(self):
        one, two = self.parts(2)
        identity, _, proof = self.certified(one)
        _, certificate, _ = self.certified(two)
        self.expect_refused(FalsePart(identity, certificate, proof), "another part's")

    def test_D13_nothing_on_the_lines_is_a_secret(self):
        parts = self.parts(2)
        job = self.init("--lock")
        with Server("--tcp", "0", "--no-pty", *parts) as server:
            relays = self.relays(server)
            self.assertEqual(self.run_station(job, [relay.name for relay in relays])[0], 0)
        secrets = [bytes.fromhex(text) for text in self.desk.family["shares"]]
        secrets += [bytes.fromhex(self.desk.family[name])
                    for name in ("k_oem_share", "k_oem_master_share")]
        secrets += [self.factory.key]
        secrets += [self.factory.firmware[at : at + 16] for at in range(0, 40000, 997)]
        said = b"".join(bytes(relay.heard) for relay in relays)
        self.assertIn(b"TSPK", said)
        self.assertIn(b"TSOS", said)
        with open(os.path.join(job, "record.jsonl"), "rb") as file:
            said += file.read()
        for secret in secrets:
            self.assertNotIn(secret, said)
            self.assertNotIn(secret.hex().encode(), said)

    def test_P05_names_of_parts_and_ports_lead_nowhere(self):
        part = self.parts(1)[0]
        odd = self.path("ports/x..%2f..\n\x1b[31m")
        os.mkdir(self.path("ports"))
        job = self.init("--challenge", "ab" * 32)
        before = set(os.listdir(self.own))
        with Server(part) as server:
            os.symlink(server.parts[0]["pty"], odd)
            status, summary, _ = self.run_station(job, [self.path("ports")])
            self.assertEqual((status, summary["programmed"]), (0, 1))
        self.assertEqual(set(os.listdir(self.own)), before)
        self.assertEqual(len(os.listdir(os.path.join(job, "proofs"))), 2)


class Counted(LineTests):
    flags = 2

    def setUp(self):
        super().setUp()
        desk = self.desk
        self.made = self.parts(4)
        os.makedirs(self.path("cer"))
        certificates = []
        for number, part in enumerate(self.made[:3]):
            certificates.append(self.path(f"cer/{number}.cer"))
            desk.does("part", "certificate", part, "-o", certificates[-1])
        desk.does("oem", "grant", "--shares", desk.path("shares/shares.json"), "--limit", "10",
                  "--minter", "pkcs11:token=oem", "--oem-key", desk.oem_key, "-o",
                  self.path("job.grant"))
        desk.does("oem", "share-for-device", "--token", "pkcs11:token=oem", "--shares",
                  desk.path("shares/shares.json"), "--grant", self.path("job.grant"), "-o",
                  self.path("blobs"), *certificates)

    def test_each_part_gets_its_own_blob_and_no_part_more_is_made(self):
        job = self.init("--lock", shares=self.path("blobs"))
        with Server("--tcp", "0", "--no-pty", *self.made) as server:
            relays = self.relays(server)
            ports = [relay.name for relay in relays]
            status, summary, err = self.run_station(job, ports)
            self.assertEqual(status, 5, err)
            self.assertEqual((summary["programmed"], summary["refused"]), (3, 1))
            self.assertIn("there is no share blob for this part", err)
            for relay in relays[:3]:
                self.assertEqual(relay.ear.offered.count(704), 1)
            self.assertEqual(relays[3].ear.offered, [], "it was given nothing")
            server.end()
        done = [line for line in self.record(job) if line["event"] == "done"]
        self.assertEqual(sorted(line["number"] for line in done), [1, 2, 3])
        self.expect_locked(self.made[:3])

    def test_D08_exchanged_blobs_are_found_before_the_line_starts(self):
        one, two = (os.path.join(self.path("blobs"), name)
                    for name in sorted(os.listdir(self.path("blobs")))[:2])
        os.rename(one, one + "x")
        os.rename(two, one)
        os.rename(one + "x", two)
        ran = self.desk.run("station", "init", self.path("job"), "--icm-certificate",
                            self.desk.path("icm.cer"), "--fingerprint", self.factory.fingerprint,
                            "--package", self.desk.path("job.tspk"), "--shares",
                            self.path("blobs"))
        self.assertEqual(ran.returncode, 2)
        self.assertIn("it is for another part than its name says", ran.stderr)
        self.assertFalse(os.path.exists(self.path("job")))


if __name__ == "__main__":
    TALLYSTICK = sys.argv.pop(1)
    serial_line_test.DEVICESIM = sys.argv.pop(1)
    unittest.main()
