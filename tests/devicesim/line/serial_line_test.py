#!/usr/bin/env python3
"""Parts behind real terminals and TCP ports, spoken to by a host that shares no code with them.

  serial_line_test.py TALLYSTICK-DEVICESIM [TALLYSTICK]
"""

import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..", "..", "tools")]

from desk import FIRMWARE_AND_KEY, Desk  # noqa: E402
from mboot_host import ACK, CMD, DATA, Connection, Host, Terminal, frame, packet  # noqa: E402

DEVICESIM = ""
TALLYSTICK = ""
RAM = 0x20000000


def bytes_like_noise(count, seed):
    return random.Random(seed).randbytes(count)


class Server:
    """`tallystick-devicesim serve`, until the block ends."""

    def __init__(self, *arguments, command=None):
        self.arguments = arguments
        self.command = command or DEVICESIM

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [self.command, "serve", "--json", *self.arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.parts = json.loads(line)["parts"]
        return self

    def __exit__(self, *_):
        self.end()

    def end(self, by=signal.SIGTERM):
        """The exit status and what was said on standard error."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        error = self.process.communicate(timeout=60)[1]
        return self.process.returncode, error

    def terminal(self, number=0):
        return Host(Terminal(self.parts[number]["link"]))

    def connection(self, number=0):
        return Host(Connection(self.parts[number]["tcp"]))


class Lines(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def make_part(self, name="a part"):
        subprocess.run(
            [DEVICESIM, "create", self.path(name), "--icm-fingerprint", "5a" * 32,
             "--flash-size", "65536"],
            check=True, stdout=subprocess.DEVNULL,
        )
        return self.path(name)

    def expect_a_working_part(self, host):
        self.assertEqual(host.begin(), 0x50010300)
        self.assertEqual(host.property(0x01), (0, [0x4B030000]))
        data = bytes_like_noise(100, 1)
        self.assertEqual(host.write_memory(RAM + 0x8000, data), 0)
        self.assertEqual(host.read_memory(RAM + 0x8000, 100), (0, data))

    def test_a_terminal_carries_a_whole_session(self):
        part = self.make_part()
        with Server(part) as server:
            self.assertEqual(server.parts[0]["file"], part)
            self.assertEqual(server.parts[0]["link"], part + ".tty")
            self.assertEqual(os.readlink(part + ".tty"), server.parts[0]["pty"])
            self.assertIsNone(server.parts[0]["tcp"])
            with server.terminal() as host:
                self.assertEqual(host.ping(), 0x50010300)
                self.assertEqual(host.ping(), 0x50010300)
                self.assertEqual(host.property(0x04), (0, [65536]))
                self.assertEqual(host.property(0x11), (0, [0x5AA55AA5]))
                self.assertEqual(host.property(0x77), (10300, []))
                host.property_of_packets = host.property(0x0B)[1][0]
                self.assertEqual(host.property_of_packets, 1024)
                # Every byte value: a terminal that is not raw would change some.
                data = bytes(range(256)) * 13
                self.assertEqual(host.write_memory(100, data), 0)
                self.assertEqual(host.read_memory(100, len(data)), (0, data))
                self.assertEqual(host.read_memory(65530, 10), (10200, b""))
                self.assertEqual(host.command(0x09, 0, 0, 0), (10000, 9))
                self.assertEqual(host.reset(), 0)
            with server.terminal() as host:
                host.begin()
                self.assertEqual(host.read_memory(100, len(data)), (0, data))
            self.assertEqual(server.end(), (0, ""))
        self.assertFalse(os.path.lexists(part + ".tty"))

    def test_tcp_carries_the_same(self):
        part = self.make_part()
        with Server(part, "--tcp", "0", "--no-pty") as server:
            self.assertIsNone(server.parts[0]["pty"])
            self.assertFalse(os.path.lexists(part + ".tty"))
            for _ in range(3):
                with server.connection() as host:
                    self.expect_a_working_part(host)
            first = server.connection()
            self.expect_a_working_part(first)
            with server.connection() as second:  # waits for its turn
                first.close()
                self.expect_a_working_part(second)
            self.assertEqual(server.end(signal.SIGINT), (0, ""))

    def test_both_ways_lead_to_one_part(self):
        with Server(self.make_part(), "--tcp", "0") as server:
            with server.terminal() as one, server.connection() as other:
                self.expect_a_working_part(one)
                self.assertEqual(other.begin(), 0x50010300)
                self.assertEqual(one.write_memory(RAM, b"from one"), 0)
                self.assertEqual(other.read_memory(RAM, 8), (0, b"from one"))

    def test_many_parts_are_served_by_one_process(self):
        parts = [self.make_part(f"part-{i}") for i in range(20)]
        links = self.path("links")
        os.mkdir(links)
        with Server("--links", links, *parts) as server:
            self.assertEqual(sorted(os.listdir(links)), sorted(f"part-{i}.tty" for i in range(20)))
            hosts = [server.terminal(i) for i in range(20)]
            ids = set()
            for number, host in enumerate(hosts):
                self.expect_a_working_part(host)
                self.assertEqual(host.write_memory(0, bytes([number])), 0)
                ids.add(tuple(host.property(0x12)[1]))
            for number, host in enumerate(hosts):
                self.assertEqual(host.read_memory(0, 1), (0, bytes([number])))
                host.close()
            self.assertEqual(len(ids), 20)
            self.assertEqual(server.end()[0], 0)
        self.assertEqual(os.listdir(links), [])

    def test_a_folder_of_parts_is_made_and_served_again(self):
        parts = self.path("parts")
        make = ("--icm-fingerprint", "5a" * 32, "--flash-size", "65536")
        names = [os.path.join(parts, f"part-000{i}.part") for i in (1, 2, 3)]
        ids = []
        for arguments in [("--count", "3", *make), ("--count", "3"), ()]:
            with Server("--dir", parts, *arguments) as server:
                self.assertEqual([part["file"] for part in server.parts], names)
                self.assertEqual([part["link"] for part in server.parts],
                                 [name + ".tty" for name in names])
                hosts = [server.terminal(i) for i in range(3)]
                ids.append([host.property(0x12) for host in hosts])
                for host in hosts:
                    host.close()
                self.assertEqual(server.end(), (0, ""))
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(ids[0], ids[2])
        self.assertEqual(sorted(os.listdir(parts)), [os.path.basename(name) for name in names])
        self.assertEqual(self.refused("--dir", parts, "--count", "4")[0], 2)
        self.assertEqual(self.refused("--dir", parts, names[0])[0], 2)
        self.assertEqual(self.refused("--count", "3", names[0])[0], 2)
        empty = self.path("empty")
        os.mkdir(empty)
        self.assertEqual(self.refused("--dir", empty)[0], 2)
        self.assertEqual(self.refused("--dir", self.path("nothing"))[0], 3)

    def test_D02_a_lock_is_rehearsed_over_the_line(self):
        with Server(self.make_part()) as server, server.terminal() as host:
            status, words = host.property(0x54530002, 3)
            self.assertEqual((status, words[0]), (0, 10001), "nothing is installed")
            self.assertEqual(words[1] & 1, 1, "the line stays reachable")
            self.assertEqual(host.property(0x54530002, 1), (4, []))
            self.assertEqual(host.property(0x54530001), (0, [0, 0, 0, 0, 0]))
            self.assertEqual(host.command(0x0C, 0x54530001, 1)[0], 1, "no application to start")
            self.assertEqual(host.property(0x54530003), (0, [0, 5, 0]))
            self.assertEqual(host.command(0x0C, 0x54530003, 1)[0], 10001, "no owner")

    def test_P01_hostile_lines_leave_the_part_usable(self):
        dice = random.Random(2)
        attacks = [
            bytes_like_noise(20000, 3),
            b"\x5a" * 5000,
            b"\0" * 5000,
            bytes([0x5A, CMD, 0xFF, 0xFF, 0, 0]),
            bytes([0x5A, DATA, 0xFF, 0x03]),
            frame(CMD, packet(0x04, RAM, 0xFFFFFFFF, 0, data_follows=True)),
            frame(CMD, packet(0x08, 0xFFFFFFFF, data_follows=True)) + frame(DATA, b"TSPK" * 200),
            frame(CMD, packet(0x04, RAM, 100, 0, data_follows=True)) + frame(DATA, b"x" * 10),
            frame(CMD, packet(0x04, 0, 100, 0, data_follows=True)) + frame(DATA, b"x" * 101),
            frame(CMD, packet(0x03, RAM, 100000, 0)),
            frame(CMD, packet(0x03, RAM, 100000, 0)) + bytes([0x5A, ACK]) * 50,
            frame(CMD, b"\x07\0\0\xff"),
            frame(CMD, packet(0x07, 1, 0))[:-1],
            frame(CMD, packet(0x07, 1, 0))[:-1] + b"!",
            frame(DATA, b"nobody asked"),
            bytes([0x5A, 0xA2]) * 1000,
        ]
        with Server(self.make_part(), "--tcp", "0") as server:
            for attack in attacks:
                for open_line in (server.terminal, server.connection):
                    with open_line() as host:
                        host.line.write(attack[: dice.randrange(1, len(attack) + 1)])
                        host.line.write(attack)
                    with open_line() as host:
                        self.expect_a_working_part(host)
            self.assertEqual(server.end(), (0, ""))

    def test_P01_a_host_that_never_listens_does_not_stop_the_part(self):
        with Server(self.make_part(), "--tcp", "0") as server:
            for open_line in (server.terminal, server.connection):
                with open_line() as deaf:
                    for _ in range(20):
                        deaf.line.write(bytes([0x5A, 0xA6]) * 5000)
                        deaf.line.write(frame(CMD, packet(0x07, 1, 0)) * 500)
                with open_line() as host:
                    self.expect_a_working_part(host)

    def test_half_a_frame_is_forgotten_after_silence(self):
        with Server(self.make_part()) as server, server.terminal() as host:
            host.line.write(frame(CMD, packet(0x07, 1, 0))[:9])
            self.expect_a_working_part(host)

    def test_an_idle_server_sleeps(self):
        parts = [self.make_part(f"part-{i}") for i in range(5)]
        with Server(*parts) as server:
            with server.terminal() as host:
                self.expect_a_working_part(host)
            # What is still under way ends; a loop would turn in every one of these times.
            for _ in range(20):
                before = self.process_state(server)
                select.select([], [], [], 0.7)
                if before[0] == "S" and self.process_state(server) == before:
                    return
        self.fail("an idle server keeps waking")

    @staticmethod
    def process_state(server):
        """Whether it sleeps, and how often it has left the processor."""
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        return (fields["State"][0], fields["voluntary_ctxt_switches"],
                fields["nonvoluntary_ctxt_switches"])

    def test_a_pace_does_not_change_what_is_said(self):
        with Server(self.make_part(), "--baud", "115200") as server, server.terminal() as host:
            self.expect_a_working_part(host)
            data = bytes_like_noise(3000, 5)
            self.assertEqual(host.write_memory(RAM, data), 0)
            self.assertEqual(host.read_memory(RAM, 3000), (0, data))

    def test_a_part_is_free_for_others_after_a_reset(self):
        part = self.make_part()
        show = [DEVICESIM, "show", part]
        with Server(part) as server, server.terminal() as host:
            self.assertEqual(subprocess.run(show, capture_output=True, check=False).returncode, 0)
            self.assertEqual(host.property(0x04), (0, [65536]))
            self.assertEqual(subprocess.run(show, capture_output=True, check=False).returncode, 3)
            self.assertEqual(host.reset(), 0)
            self.assertEqual(subprocess.run(show, capture_output=True, check=False).returncode, 0)

    def test_the_log_says_why_a_command_failed(self):
        with Server(self.make_part(), "--verbose") as server:
            with server.terminal() as host:
                self.assertEqual(host.receive_file(b"no file of ours"), 4)
            self.assertIn("receive-sb-file: invalid argument: the file is", server.end()[1])

    def refused(self, *arguments):
        ran = subprocess.run([DEVICESIM, "serve", *arguments], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False, timeout=60)
        self.assertEqual(ran.stdout, "")
        return ran.returncode, ran.stderr

    def test_errors_are_told_apart_and_leave_nothing(self):
        part = self.make_part()
        self.assertEqual(self.refused()[0], 2)
        self.assertEqual(self.refused(part, "--no-pty")[0], 2)
        self.assertEqual(self.refused(part, "--baud", "0")[0], 2)
        self.assertEqual(self.refused(part, "--tcp", "65536")[0], 2)
        self.assertEqual(self.refused(part, part)[0], 2)
        other = self.make_part("other")
        self.assertEqual(self.refused(part, other, "--tcp", "65535")[0], 2)
        self.assertEqual(self.refused(part, self.path("nothing"))[0], 3)
        with open(self.path("text"), "w", encoding="ascii") as file:
            file.write("no part at all")
        self.assertEqual(self.refused(part, self.path("text"))[0], 3)
        self.assertEqual(self.refused(part, "--links", self.path("no folder"))[0], 3)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            status, error = self.refused(part, "--tcp", port)
            self.assertEqual(status, 3)
            self.assertIn(port, error)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["a part", "other", "text"])

    def test_links_of_others_stay(self):
        part = self.make_part()
        with open(part + ".tty", "w", encoding="ascii") as file:
            file.write("mine")
        self.assertEqual(self.refused(part)[0], 3)
        os.remove(part + ".tty")
        with Server(part) as server:
            self.assertEqual(self.refused(part)[0], 3)
            self.assertEqual(os.readlink(part + ".tty"), server.parts[0]["pty"])
        # What a killed server left is replaced.
        os.symlink("/dev/pts/99999999", part + ".tty")
        with Server(part) as server, server.terminal() as host:
            self.expect_a_working_part(host)

    def test_a_server_that_cannot_say_where_its_parts_are_ends(self):
        part = self.make_part()
        with open("/dev/full", "w", encoding="ascii") as full:
            ran = subprocess.run([DEVICESIM, "serve", part], stdout=full, check=False,
                                 stderr=subprocess.DEVNULL, timeout=60)
        self.assertEqual(ran.returncode, 3)
        self.assertFalse(os.path.lexists(part + ".tty"))


class Provisioning(unittest.TestCase):
    """Share blob and package over the line, made and verified by the command."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        desk = self.desk = Desk(TALLYSTICK, self.folder.name)
        desk.make_family()
        desk.make_oem()
        desk.make_shares("shares")
        desk.make_parts(1, "parts")
        self.firmware = bytes_like_noise(200000, 8)
        desk.write("firmware.bin", self.firmware)
        self.key = bytes_like_noise(32, 9)
        desk.write("asset.key", self.key)
        desk.write("manifest.toml", FIRMWARE_AND_KEY)
        desk.does(*desk.package_command("manifest.toml", "shares", "job.tspk"))
        parts = [name for name in os.listdir(desk.path("parts")) if name.endswith(".part")]
        self.part = os.path.join(desk.path("parts"), parts[0])

    def test_D01_D10_a_part_is_programmed_over_the_line_and_proves_it(self):
        desk = self.desk
        package, shares = desk.read("job.tspk"), desk.read("shares/shares.tsos")
        with Server(self.part) as server, server.terminal() as host:
            host.begin()
            host.property_of_packets = host.property(0x0B)[1][0]
            self.assertNotEqual(host.receive_file(package), 0, "no shares yet")
            self.assertEqual(host.receive_file(shares), 0)
            bad = bytearray(package)
            bad[-1] ^= 1
            self.assertEqual(host.receive_file(bytes(bad)), 10101)
            self.assertEqual(host.property(0x11), (0, [0x5AA55AA5]), "nothing has changed")
            # A host that vanishes in the middle, and comes again.
            host.command(0x08, len(package), data_follows=True)
            host.say(DATA, package[:1024])
            host.begin()
            self.assertEqual(host.receive_file(package), 0)
            self.assertEqual(host.property(0x11), (0, [0xC33CC33C]))
            self.assertEqual(host.read_memory(0x80000000, 5000), (0, self.firmware[:5000]))
            self.assertEqual(host.write_memory(0x80000000, b"mine"), 10001)
            self.assertEqual(host.command(0x01, 0)[0], 10001)
            self.assertEqual(host.command(0x15, 6, answer=0xB5), (10001, 0),
                             "this software serves no key store")
            self.assertEqual(host.reset(), 0)
        desk.write("challenge.bin", bytes_like_noise(32, 10))
        os.mkdir(desk.path("proofs"))
        subprocess.run(
            [DEVICESIM, "prove", self.part, "--challenge", desk.read("challenge.bin").hex(),
             "--out", desk.path("proofs/part.tspr")],
            check=True,
        )
        desk.does("icm", "certificate", "--icm-key", desk.icm_key, "-o", desk.path("icm.cer"))
        desk.does("part", "certificate", self.part, "-o", desk.path("proofs/part.cer"))
        said = desk.does(
            "proof", "verify", desk.path("proofs/part.tspr"), "--icm-certificate",
            desk.path("icm.cer"), "--challenge", "file:" + desk.path("challenge.bin"), "--token",
            "pkcs11:token=oem", "--package", desk.path("job.tspk"), "--assets",
            desk.path("manifest.toml"),
        )
        self.assertEqual(said.count("equal to the original"), 2, said)


if __name__ == "__main__":
    DEVICESIM = sys.argv.pop(1)
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        TALLYSTICK = sys.argv.pop(1)
    else:  # a build without the command, which makes what this programs
        del Provisioning
    unittest.main()
