#!/usr/bin/env python3
"""A whole trust-provisioning session over real terminals: one part of a family makes an OEM share and
a file, another part takes the file in. The client (device_hsm.py) shares no code with the parts.

  trust_provisioning_test.py TALLYSTICK-DEVICESIM MAKE-PARTS
  trust_provisioning_test.py TALLYSTICK-DEVICESIM MAKE-PARTS --transcript    what is said, for people
"""

import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from device_hsm import DeviceHsm, erase, load, load_key_blob, program_fuses  # noqa: E402
from serial_line_test import Server  # noqa: E402

DEVICESIM = ""
MAKE_PARTS = ""


def noise(count, seed):
    return random.Random(seed).randbytes(count)


class Recorder:
    """A line that writes down what is said, as docs/serial-line.md shows it."""

    def __init__(self, line):
        self.line = line
        self.fd = line.fd
        self.said = []

    def write(self, data):
        self.note(">", data)
        self.line.write(data)

    def read(self, most):
        data = self.line.read(most)
        self.note("<", data)
        return data

    def note(self, who, data):
        # What comes in pieces is one line of the transcript, until a frame begins.
        if self.said and self.said[-1][0] == who and not data.startswith(b"\x5a"):
            self.said[-1][1] += data
        else:
            self.said.append([who, bytearray(data)])

    def flush(self):
        self.line.flush()

    def close(self):
        self.line.close()


class TrustProvisioning(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        subprocess.run([MAKE_PARTS, self.folder.name, "2"], check=True)
        self.parts = [os.path.join(self.folder.name, f"part-{number}.part") for number in (1, 2)]

    @staticmethod
    def begin(host):
        host.begin()
        host.property_of_packets = host.property(0x0B)[1][0]
        return host

    def test_D10_D13_a_file_made_with_one_part_is_taken_by_another(self):
        seed, key, firmware = noise(16, 20), noise(32, 21), noise(5000, 22)
        with Server(*self.parts, command=DEVICESIM) as server:
            with server.terminal(0) as host:
                hsm = DeviceHsm(self.begin(host))
                share, master, certificate = hsm.generate_master_share(seed)
                self.assertNotEqual(certificate, bytes(64))
                with self.assertRaises(AssertionError, msg="a second one without a reset"):
                    hsm.generate_master_share(seed)
                blob = hsm.store_key(key)
                commands = [erase(0, 8192), load(0x100, firmware), program_fuses(3, [0x11223344]),
                            load_key_blob(0x80, blob)]
                file = hsm.build(share, commands, firmware_version=2)
                self.assertEqual(len(file), 284 + 21 * 292)
                for secret in (firmware, key, seed):
                    self.assertNotIn(secret[:16], file)
                self.assertEqual(host.reset(), 0)
            with server.terminal(1) as host:
                self.begin(host)
                for at in (5, 30, 100, 180, 250, 300, 2000, len(file) - 1):
                    bad = bytearray(file)
                    bad[at] ^= 4
                    self.assertIn(host.receive_file(bytes(bad)), (4, 10101, 10118), at)
                self.assertEqual(host.read_memory(0x100, 16), (0, bytes(16)))
                self.assertEqual(host.receive_file(file), 0)
                self.assertEqual(host.read_memory(0x100, 5000), (0, firmware))
                self.assertEqual(host.command(0x0F, 3, 4, answer=0xAF), (0, 4, 0x11223344))
                self.assertEqual(host.reset(), 0)
            # The OEM comes back with seed and blob, and makes an update.
            update = noise(300, 23)
            with server.terminal(0) as host:
                hsm = DeviceHsm(self.begin(host))
                with self.assertRaises(AssertionError, msg="another seed"):
                    hsm.set_master_share(bytes(16), master)
                again = hsm.set_master_share(seed, master)
                self.assertEqual(again, share)
                newer = hsm.build(again, [load(0x100, update)], firmware_version=3)
            with server.terminal(1) as host:
                self.begin(host)
                self.assertEqual(host.receive_file(newer), 0)
                self.assertEqual(host.read_memory(0x100, 300), (0, update))
                self.assertEqual(host.receive_file(file), 10115, "older than what was loaded")
                self.assertEqual(host.read_memory(0x100, 300), (0, update))
            self.assertEqual(server.end(), (0, ""))

    def test_D01_a_key_store_and_a_key_blob_leave_the_part_sealed(self):
        key = noise(32, 30)
        with Server(self.parts[0], command=DEVICESIM) as server, server.terminal() as host:
            self.begin(host)
            self.assertEqual(host.command(0x15, 0), (0, 0x15))
            self.assertEqual(host.send(0x15, key, 1, 11, 32), 0)
            self.assertEqual(host.command(0x15, 3, 0), (0, 0x15))
            self.assertEqual(host.command(0x15, 4, 0), (0, 0x15))
            status, length = host.command(0x15, 6, answer=0xB5)
            sealed = host.hear()[1]
            self.assertEqual((status, length, host.response(0xA0)), (0, len(sealed), (0, 0x15)))
            self.assertNotIn(key[:8], sealed)
            self.assertEqual(host.send(0x13, key[:16], 0, 16, 0), 0)
            status, length = host.command(0x13, 0, 72, 1, answer=0xB3)
            blob = host.hear()[1]
            self.assertEqual((status, length, len(blob)), (0, 72, 72))
            self.assertEqual(host.response(0xA0), (0, 0x13))
            self.assertNotIn(key[:8], blob)


NAMES = {0x03: "read-memory", 0x04: "write-memory", 0x07: "get-property", 0x08: "receive-sb-file",
         0x0B: "reset", 0x16: "trust-provisioning", 0xA0: "status", 0xA3: "read-memory: status",
         0xA7: "get-property: status", 0xB6: "trust-provisioning: status"}


def in_words(data):
    """What a frame is, with the first parameter of what is asked and said."""
    kind = data[1]
    if kind != 0xA4:
        return {0xA1: "", 0xA3: "no more of it", 0xA5: f"data, {len(data) - 6} bytes",
                0xA6: "ping", 0xA7: "the version of the line"}[kind]
    words = [int.from_bytes(data[at:at + 4], "little") for at in range(10, len(data), 4)]
    name = NAMES[data[6]]
    if data[6] >= 0xA0:
        return f"{name} {words[0]}" + (f" of {NAMES[words[1]]}" if data[6] == 0xA0 else "")
    return f"{name} {words[0]:#x}" if words else name


def print_session(title, said):
    print(f"# {title}")
    for who, data in said:
        text = data.hex()
        words = in_words(data)
        if len(text) > 80:
            text = text[:79] + "…"
        print(f"{who} {text:80}  {words}".rstrip())
    print()


def transcript():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([MAKE_PARTS, folder, "2"], check=True)
        parts = [os.path.join(folder, f"part-{number}.part") for number in (1, 2)]
        with Server(*parts, command=DEVICESIM) as server:
            with server.terminal(0) as host:
                host.line = recorder = Recorder(host.line)
                hsm = DeviceHsm(TrustProvisioning.begin(host))
                share, _, _ = hsm.generate_master_share(bytes(range(16)))
                file = hsm.build(share, [erase(0, 8192), load(0x100, b"firmware")])
                host.reset()
                print_session("One part makes an OEM share of a seed, and a file.", recorder.said)
            with server.terminal(1) as host:
                host.line = recorder = Recorder(host.line)
                TrustProvisioning.begin(host)
                host.receive_file(file[:-1] + bytes([file[-1] ^ 1]))
                host.receive_file(file)
                host.read_memory(0x100, 8)
                host.reset()
                print_session("Another part of the family is given the file: altered in its last bit, "
                              "then as it is.", recorder.said)


if __name__ == "__main__":
    DEVICESIM, MAKE_PARTS = sys.argv.pop(1), sys.argv.pop(1)
    if sys.argv[1:] == ["--transcript"]:
        transcript()
    else:
        unittest.main()
