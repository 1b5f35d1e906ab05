#!/usr/bin/env python3
"""The command where files may not grow: a clear line, a status, and nothing half-written.

  full_disk_test.py COMMAND

A limit on the size of files (RLIMIT_FSIZE) stands for the full disk: writes fail at a place that the
test picks, without a file system of its own.
"""

import os
import resource
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import Desk  # noqa: E402

COMMAND = ""
FIRMWARE = 600000


def limited(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class FullDisk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.desk = Desk(COMMAND, cls.folder.name)
        cls.desk.make_family()
        cls.desk.make_oem()
        cls.desk.make_shares("shares")
        cls.desk.write("firmware.bin", os.urandom(FIRMWARE))
        cls.desk.write("package.toml", (
            "package_version = 1\n[[asset]]\nid = 1\nslot = 0\nname = \"firmware\"\n"
            "kind = \"firmware\"\naddress = 0x80000000\nfile = \"firmware.bin\"\n"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def fails(self, status, limit, *arguments, **more):
        """One line on standard error, which is given."""
        ran = self.desk.run(*arguments, preexec_fn=limited(limit), **more)
        self.assertEqual(ran.returncode, status, ran.stderr)
        self.assertTrue(ran.stderr.startswith("tallystick: "), ran.stderr)
        self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)
        return ran.stderr

    def folder_with(self, name, *files):
        folder = self.desk.path(name)
        os.makedirs(folder)
        for file in files:
            self.desk.write(os.path.join(name, file), b"before")
        return folder

    def test_a_package_is_whole_or_not_there(self):
        command = self.desk.package_command("package.toml", "shares", "packages/new.tspk")
        folder = self.folder_with("packages")
        for limit in (500000, FIRMWARE + 100):
            said = self.fails(4, limit, *command)
            self.assertIn("packages/new.tspk: File too large", said)
            self.assertIn("nothing was written under that name", said)
            self.assertEqual(os.listdir(folder), [])
        self.desk.write("packages/new.tspk", b"an older package")
        self.fails(4, 500000, *command)
        self.assertEqual(self.desk.read("packages/new.tspk"), b"an older package")
        self.assertEqual(os.listdir(folder), ["new.tspk"])
        self.desk.does(*command)

    def test_a_part_holds_what_it_held(self):
        self.desk.does(*self.desk.package_command("package.toml", "shares", "package.tspk"))
        self.desk.make_parts(3, "parts")
        program = ("program", "--parts", self.desk.path("parts"), "--package",
                   self.desk.path("package.tspk"), "--shares",
                   self.desk.path("shares/shares.tsos"), "--record", self.desk.path("record"))
        before = self.desk.does("part", "info", self.desk.path("parts/part-0001.part"))
        ran = self.desk.run(*program, preexec_fn=limited(500000))
        self.assertEqual(ran.returncode, 4, ran.stderr)
        self.assertIn("failed: 3", ran.stdout)
        self.assertEqual(ran.stderr.count("File too large"), 3, ran.stderr)
        self.assertEqual(
            self.desk.does("part", "info", self.desk.path("parts/part-0001.part")), before)
        self.assertEqual(self.desk.read("record").count(b'"result":"failed"'), 3)
        self.assertIn("programmed: 3", self.desk.does(*program))

    def test_a_record_that_cannot_grow_stops_the_run(self):
        self.desk.does(*self.desk.package_command("package.toml", "shares", "package.tspk"))
        self.desk.make_parts(2, "unrecorded")
        # The record is longer than a part's file, and there is no room for a whole line more.
        limit = 4000000
        record = self.desk.write("long-record", b" " * (limit - 11) + b"\n")
        ran = self.desk.run(
            "program", "--parts", self.desk.path("unrecorded"), "--package",
            self.desk.path("package.tspk"), "--shares", self.desk.path("shares/shares.tsos"),
            "--record", record, preexec_fn=limited(limit))
        self.assertEqual(ran.returncode, 4, ran.stderr)
        self.assertIn("long-record: No space left on device", ran.stderr)
        self.assertEqual(os.path.getsize(record), limit - 10, "no half a line")

    def test_parts_are_whole_or_not_there(self):
        folder = self.folder_with("new-parts", "part-0001.part")
        said = self.fails(4, 1000000, "icm", "manufacture-parts", "3", "--icm-token",
                          "pkcs11:token=icm", "--icm-key", self.desk.icm_key, "--dir", folder)
        self.assertIn("File too large", said)
        self.assertEqual(os.listdir(folder), ["part-0001.part"])

    def test_a_token_is_whole_or_not_there_or_finished_by_the_same_command(self):
        home = self.desk.path("other-home")
        environment = dict(self.desk.environment, TALLYSTICK_HOME=home)
        init = ("token", "init", "--label", "box")
        states = set()
        limit = 1
        while True:
            shutil.rmtree(home, ignore_errors=True)
            os.mkdir(home)
            ran = self.desk.run(*init, env=environment, preexec_fn=limited(limit))
            shown = self.desk.run("token", "list", env=environment).stdout
            state = "none"
            if "label: box" in shown:
                state = "whole" if "user_pin_set: yes" in shown else "begun"
            states.add(state)
            self.assertEqual(ran.returncode, 0 if state == "whole" else 3, (limit, ran.stderr))
            if state == "whole":
                break
            self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)
            if state == "none":
                tokens = os.path.join(home, "tokens")
                self.assertEqual(os.listdir(tokens) if os.path.isdir(tokens) else [], [], limit)
            again = self.desk.run(*init, env=environment)
            self.assertEqual(again.returncode, 0, (limit, again.stderr))
            limit *= 2
        self.assertIn("none", states)

    def test_shares_are_given_out_together_or_not_at_all(self):
        folder = self.desk.path("given-shares")
        refused = 0
        limit = 1
        while True:
            ran = self.desk.run("oem", "make-shares", "--token", "pkcs11:token=oem", "--oem-key",
                                self.desk.oem_key, "--rnd-input", "system", "-o", folder,
                                preexec_fn=limited(limit))
            if ran.returncode == 0:
                break
            self.assertEqual(ran.returncode, 3, ran.stderr)
            self.assertRegex(ran.stderr, "disk full")
            self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)
            self.assertFalse(os.path.exists(folder))
            refused += 1
            limit *= 2
        self.assertGreater(refused, 0)
        self.assertEqual(sorted(os.listdir(folder)), ["master.tsms", "shares.json", "shares.tsos"])

    def test_output_that_nobody_gets_is_no_success(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            for command in (("token", "list"), ("--version",), ("completion", "bash")):
                ran = self.desk.run(*command, stdout=full)
                self.assertEqual(ran.returncode, 4, command)
                self.assertIn("standard output", ran.stderr)


if __name__ == "__main__":
    COMMAND = sys.argv.pop(1)
    unittest.main()
