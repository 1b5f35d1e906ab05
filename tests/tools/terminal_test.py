#!/usr/bin/env python3
"""The command on a terminal: a PIN is asked for and not shown, long work draws a bar; neither where
there is no terminal.

  terminal_test.py COMMAND
"""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import PIN, SO_PIN, Desk  # noqa: E402

COMMAND = ""
PATIENCE = 120


class Terminal:
    """A program on a terminal of its own; what it writes there is collected as it comes."""

    def __init__(self, desk, arguments, without=(), stderr=None):
        self.master, slave = pty.openpty()
        environment = {k: v for k, v in desk.environment.items() if k not in without}
        self.seen = b""
        self.answered = 0
        self.deadline = time.monotonic() + PATIENCE
        self.process = subprocess.Popen(
            [desk.command, *arguments], env=environment, stdin=slave, stdout=subprocess.PIPE,
            stderr=slave if stderr is None else stderr, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        # Kept open, so that the terminal's settings can be asked for afterwards.
        self.slave = slave

    def collect(self):
        """Waits for more from the program; false when there is none and it has ended."""
        while time.monotonic() < self.deadline:
            ready, _, _ = select.select([self.master], [], [], 0.05)
            if ready:
                self.seen += os.read(self.master, 65536)
                return True
            if self.process.poll() is not None:
                return False
        self.process.kill()
        raise AssertionError(f"the program does not end; it said {self.seen!r}")

    def answer(self, prompt, text):
        """Types `text` when `prompt` stands there after what was answered before."""
        while prompt not in self.seen[self.answered:]:
            if not self.collect():
                raise AssertionError(f"no {prompt!r} in {self.seen!r}")
        self.answered = len(self.seen)
        os.write(self.master, text)

    def end(self):
        """Exit status, standard output, and what stood on the terminal."""
        while self.collect():
            pass
        out, _ = self.process.communicate()
        return self.process.returncode, out.decode(), self.seen.decode()

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self):
        os.close(self.master)
        os.close(self.slave)


class OnATerminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.desk = Desk(COMMAND, cls.folder.name)
        cls.desk.make_family()
        cls.desk.make_oem()
        cls.desk.make_shares("shares")
        cls.desk.write("firmware.bin", b"\x5a" * 100000)
        cls.desk.write("package.toml", (
            "package_version = 1\n[[asset]]\nid = 1\nslot = 0\nname = \"firmware\"\n"
            "kind = \"firmware\"\naddress = 0x80000000\nfile = \"firmware.bin\"\n"))
        cls.desk.does(*cls.desk.package_command("package.toml", "shares", "package.tspk"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def start(self, *arguments, **more):
        terminal = Terminal(self.desk, arguments, **more)
        self.addCleanup(terminal.close)
        return terminal

    def program(self, folder):
        return ("program", "--parts", self.desk.path(folder), "--package",
                self.desk.path("package.tspk"), "--shares", self.desk.path("shares/shares.tsos"))

    # ---- PINs

    def test_a_pin_is_asked_for_and_not_shown(self):
        terminal = self.start("token", "families", "--token", "pkcs11:token=oem",
                              without=("TALLYSTICK_PIN",))
        terminal.answer(b"PIN of token oem: ", PIN.encode() + b"\n")
        status, out, seen = terminal.end()
        self.assertEqual(status, 0, seen)
        self.assertIn("role: provisioning", out)
        self.assertNotIn("PIN", out, "the question is not part of the output")
        self.assertNotIn(PIN, seen)
        self.assertTrue(terminal.echoes(), "the terminal is as it was")

    def test_a_pin_from_elsewhere_is_not_asked_for(self):
        terminal = self.start("token", "families", "--token", "pkcs11:token=oem")
        status, _, seen = terminal.end()
        self.assertEqual((status, seen), (0, ""))

    def test_a_wrong_pin_is_asked_for_once(self):
        terminal = self.start("token", "families", "--token", "pkcs11:token=oem",
                              without=("TALLYSTICK_PIN",))
        terminal.answer(b"PIN of token oem: ", b"00000000\n")
        status, _, seen = terminal.end()
        self.assertEqual(status, 3)
        self.assertIn("CKR_PIN_INCORRECT", seen)
        self.assertEqual(seen.count("PIN of token oem: "), 1)
        self.assertNotIn("00000000", seen)

    def test_new_pins_are_asked_for_twice(self):
        terminal = self.start("token", "init", "--label", "asked",
                              without=("TALLYSTICK_PIN", "TALLYSTICK_SO_PIN"))
        so, user = b"security officer's PIN of token asked", b"New PIN of token asked"
        terminal.answer(so + b": ", b"so-secret\n")
        terminal.answer(so + b", again: ", b"so-secret\n")
        terminal.answer(user + b": ", b"user-secret\n")
        terminal.answer(user + b", again: ", b"user-secrte\n")
        status, _, seen = terminal.end()
        self.assertEqual(status, 3, seen)
        self.assertIn("the two are not the same", seen)
        self.assertNotIn("asked", self.desk.does("token", "list"), "nothing was made")

        for secret in ("so-secret", "user-sec"):
            self.assertNotIn(secret, seen)

    def test_a_slot_that_is_taken_during_the_question_keeps_its_token(self):
        for label, taken_by in (("late", "early"), ("same", "same")):
            terminal = self.start("token", "init", "--label", label, without=("TALLYSTICK_PIN",))
            user = f"New PIN of token {label}".encode()
            terminal.answer(user + b": ", PIN.encode() + b"\n")
            self.desk.does("token", "init", "--label", taken_by)
            terminal.answer(user + b", again: ", PIN.encode() + b"\n")
            status, _, seen = terminal.end()
            self.assertEqual(status, 0 if label != taken_by else 3, seen)
            if label == taken_by:
                self.assertIn("there is one of that label already", seen)
            for token in (label, taken_by):
                self.desk.does("token", "families", "--token", f"pkcs11:token={token}")

    def test_two_tokens_made_at_once_are_two(self):
        for labels in (("left", "right"), ("both", "both")):
            made = [subprocess.Popen(
                [self.desk.command, "token", "init", "--label", label],
                env=self.desk.environment, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True) for label in labels]
            said = [process.communicate(timeout=PATIENCE)[1] for process in made]
            statuses = sorted(process.returncode for process in made)
            self.assertEqual(statuses, [0, 0] if labels[0] != labels[1] else [0, 3], said)
            if labels[0] == labels[1]:
                self.assertIn("of that label", "".join(said))
            for label in labels:
                self.desk.does("token", "families", "--token", f"pkcs11:token={label}")

    def test_both_pins_can_be_changed_by_hand(self):
        self.desk.does("token", "init", "--label", "changed")
        token = ("token", "set-pin", "--token", "pkcs11:token=changed")
        new = b"New PIN of token changed"

        def type_new(terminal, pin):
            terminal.answer(new + b": ", pin + b"\n")
            terminal.answer(new + b", again: ", pin + b"\n")
            status, _, seen = terminal.end()
            self.assertEqual(status, 0, seen)
            for secret in (PIN, SO_PIN, pin.decode()):
                self.assertNotIn(secret, seen)

        terminal = self.start(*token, without=("TALLYSTICK_PIN",))
        terminal.answer(b"PIN of token changed: ", PIN.encode() + b"\n")
        type_new(terminal, b"other-secret")
        terminal = self.start(*token, "--reset", without=("TALLYSTICK_SO_PIN",))
        terminal.answer(b"security officer's PIN of token changed: ", SO_PIN.encode() + b"\n")
        type_new(terminal, PIN.encode())
        self.desk.does("token", "families", "--token", "pkcs11:token=changed")

    def test_an_interruption_at_the_question_leaves_the_terminal_as_it_was(self):
        for number, key in ((signal.SIGINT, b"\x03"), (signal.SIGQUIT, b"\x1c")):
            terminal = self.start("token", "families", "--token", "pkcs11:token=oem",
                                  without=("TALLYSTICK_PIN",))
            terminal.answer(b"PIN of token oem: ", b"1234" + key)
            status, _, seen = terminal.end()
            self.assertEqual(status, -number, seen)
            self.assertNotIn("1234", seen)
            self.assertTrue(terminal.echoes(), "what is typed next is seen")

    def test_without_a_terminal_nothing_is_asked(self):
        environment = dict(self.desk.environment)
        del environment["TALLYSTICK_PIN"]
        ran = self.desk.run("token", "families", "--token", "pkcs11:token=oem", env=environment)
        self.assertEqual((ran.returncode, ran.stdout), (3, ""))
        self.assertEqual(ran.stderr, (
            "tallystick: PIN of token oem: no PIN, and no terminal to ask on (give --pin-source "
            "file:PATH or env:NAME, or set TALLYSTICK_PIN)\n"))

    # ---- the bar

    def test_programming_draws_a_bar(self):
        self.desk.make_parts(5, "drawn")
        terminal = self.start(*self.program("drawn"))
        status, out, seen = terminal.end()
        self.assertEqual(status, 0, seen)
        self.assertIn("\rProgramming [", seen)
        self.assertIn("[" + "#" * 30 + "] 5/5, ", seen)
        self.assertTrue(seen.endswith("\r\x1b[K"), "the line is cleared at the end")
        self.assertIn("programmed: 5", out)
        self.assertNotIn("[", out, "no bar in the output")

    def test_making_parts_draws_a_bar(self):
        terminal = self.start("icm", "manufacture-parts", "3", "--icm-token", "pkcs11:token=icm",
                              "--icm-key", self.desk.icm_key, "--dir", self.desk.path("made"))
        status, _, seen = terminal.end()
        self.assertEqual(status, 0, seen)
        self.assertIn("] 3/3, ", seen)

    def test_no_bar_where_standard_error_is_no_terminal(self):
        self.desk.make_parts(2, "piped")
        with open(self.desk.path("errors"), "wb") as errors:
            terminal = self.start(*self.program("piped"), stderr=errors)
            status, out, seen = terminal.end()
        self.assertEqual((status, seen), (0, ""))
        self.assertIn("programmed: 2", out)
        self.assertEqual(self.desk.read("errors"), b"")

    def test_no_bar_with_json_or_quiet(self):
        self.desk.make_parts(2, "silent")
        for option in ("--json", "--quiet"):
            terminal = self.start(option, *self.program("silent"))
            status, _, seen = terminal.end()
            self.assertEqual((status, seen), (0, ""), option)


if __name__ == "__main__":
    COMMAND = sys.argv.pop(1)
    unittest.main()
