#!/usr/bin/env python3
"""What a whole provisioning run leaves in files and says: none of the secrets that went into it.

  traces_test.py COMMAND
"""

import base64
import os
import secrets
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import FIRMWARE_AND_KEY, Desk  # noqa: E402

COMMAND = ""
PIECE = 16


def forms(value):
    """A piece of a secret as something may have left it."""
    yield value
    yield value.hex().encode()
    yield value.hex().upper().encode()
    for shift in range(3):
        # Without the characters that depend on what stands before and after.
        coded = base64.b64encode(bytes(shift) + value)
        yield coded[4 if shift else 0 : len(coded) - 4]


class Traces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.said = []
        cls.desk = desk = Desk(COMMAND, cls.folder.name)
        run = desk.run

        def heard(*arguments, **more):
            ran = run(*arguments, **more)
            cls.said.append((" ".join(arguments[:2]), (ran.stdout + ran.stderr).encode()))
            return ran

        desk.run = heard
        pins = [secrets.token_hex(16) for _ in range(3)]
        desk.environment["TALLYSTICK_PIN"], desk.environment["TALLYSTICK_SO_PIN"], wrong = pins
        desk.environment["TALLYSTICK_CONF"] = desk.write(
            "tallystick.toml", f'[log]\nfile = "{desk.path("log")}"\n')
        desk.make_family()
        desk.make_oem()
        desk.make_shares("shares")
        firmware, key = os.urandom(40000), os.urandom(32)
        desk.write("firmware.bin", firmware)
        desk.write("asset.key", key)
        desk.write("package.toml", FIRMWARE_AND_KEY)
        desk.does(*desk.package_command("package.toml", "shares", "package.tspk"))
        desk.make_parts(2, "parts")
        desk.does("program", "--parts", desk.path("parts"), "--package", desk.path("package.tspk"),
                  "--shares", desk.path("shares/shares.tsos"), "--record", desk.path("record"))
        for arguments in (("inspect", desk.path("package.tspk")),
                          ("token", "list"),
                          ("inspect", desk.path("shares/shares.tsos"))):
            desk.does(*arguments)
        # And what goes wrong, which is when too much is said.
        desk.environment["TALLYSTICK_PIN"] = wrong
        failed = desk.run(*desk.package_command("package.toml", "shares", "other.tspk"))
        assert failed.returncode != 0
        cls.secrets = {
            "user PIN": pins[0].encode(), "SO PIN": pins[1].encode(), "wrong PIN": wrong.encode(),
            "firmware": firmware[:4096], "asset key": key,
            "K_OEM_SHARE": bytes.fromhex(desk.family["k_oem_share"]),
            "K_OEM_MASTER_SHARE": bytes.fromhex(desk.family["k_oem_master_share"]),
        }
        for index, share in enumerate(desk.family["shares"]):
            cls.secrets[f"family share {index}"] = bytes.fromhex(share)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def found_in(self, haystack):
        found = set()
        for name, value in self.secrets.items():
            for at in range(0, len(value) - PIECE + 1, PIECE):
                if any(form in haystack for form in forms(value[at : at + PIECE])):
                    found.add(name)
        return found

    def files(self):
        for folder, _, names in os.walk(self.folder.name):
            for name in names:
                path = os.path.join(folder, name)
                yield os.path.relpath(path, self.folder.name), path

    def test_A74_S24_no_file_but_the_inputs_and_the_parts_holds_a_secret(self):
        inputs = {"family.json", "firmware.bin", "asset.key"}
        looked_at = 0
        in_parts = set()
        for name, path in self.files():
            with open(path, "rb") as file:
                found = self.found_in(file.read())
            if name in inputs:
                self.assertNotEqual(found, set(), f"the search does not find what is in {name}")
            elif name.startswith("parts/"):
                in_parts |= found
            else:
                looked_at += 1
                self.assertEqual(found, set(), name)
        self.assertGreater(looked_at, 10)
        # A part's file is its chip: what it was given is inside, PINs are not.
        self.assertIn("firmware", in_parts)
        self.assertFalse({name for name in in_parts if "PIN" in name})

    def test_A74_S24_nothing_that_is_said_holds_a_secret(self):
        self.assertGreater(len(self.said), 10)
        for command, text in self.said:
            self.assertEqual(self.found_in(text), set(), command)
        self.assertTrue(os.path.getsize(self.desk.path("log")) > 0)


if __name__ == "__main__":
    COMMAND = sys.argv.pop(1)
    unittest.main(verbosity=2)
