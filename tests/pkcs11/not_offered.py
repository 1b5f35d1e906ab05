"""Holds docs/not-offered.md and the table of mechanisms in docs/pkcs11.md against the module.

  not_offered.py MODULE HEADER...

The HEADERs define the mechanisms that there are.
"""

import ctypes
import fnmatch
import os
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REFUSED = (ROOT / "docs/not-offered.md").read_text(encoding="utf-8")
OFFERED = (ROOT / "docs/pkcs11.md").read_text(encoding="utf-8")
SOURCE = (ROOT / "pkcs11/cryptoki/not_offered.cpp").read_text(encoding="utf-8")
NOT_SUPPORTED = 0x54
VALUE_INVALID = 0x13
# Another name for a number, and the beginning of a range.
NO_NAMES = {"CKM_ECDSA_KEY_PAIR_GEN", "CKM_VENDOR_DEFINED"}


def section(page, title):
    """From the heading to the next one of its level."""
    level = title.split(" ")[0]
    start = page.index(title + "\n")
    end = page.find("\n" + level + " ", start)
    return page[start:end if end > 0 else len(page)]


def first_column(text, mark=""):
    """The code spans in the first column of the tables, of the cells that have the mark."""
    cells = [cell for cell in re.findall(r"^\|([^|]*)\|", text, re.M) if mark in cell]
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


def expand(names):
    """CKM_<hash>_HMAC and its like, with the lists that the page gives."""
    for name in names:
        placeholder = re.search("<(.*)>", name)
        if not placeholder:
            yield name
            continue
        kinds = re.search(rf"\*{placeholder[1]}\* is one of ((?:`\w+`,?\s*)+)", OFFERED)[1]
        yield from (name.replace(placeholder[0], kind) for kind in re.findall(r"`(\w+)`", kinds))


def known_numbers(headers, prefix):
    """Name -> number, of everything with the prefix that a header defines."""
    found = {}
    for header in headers:
        text = pathlib.Path(header).read_text(encoding="utf-8")
        for name, vendor, number in re.findall(
                rf"#define\s+({prefix}\w+)\s+(TS_VENDOR)?\(?\(?(0x[0-9a-fA-F]+|\d+)", text):
            found[name] = int(number, 0) | (0x80545300 if vendor else 0)
    return found


class Attribute(ctypes.Structure):
    _fields_ = [("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("size", ctypes.c_ulong)]


class Token(ctypes.CDLL):
    def call(self, name, *arguments):
        function = getattr(self, name)
        function.restype = ctypes.c_ulong
        return function(*arguments)

    def mechanisms(self):
        count = ctypes.c_ulong(0)
        assert self.call("C_GetMechanismList", ctypes.c_ulong(0), None, ctypes.byref(count)) == 0
        numbers = (ctypes.c_ulong * count.value)()
        assert self.call("C_GetMechanismList", ctypes.c_ulong(0), numbers, ctypes.byref(count)) == 0
        return set(numbers)

    def session(self):
        handle = ctypes.c_ulong(0)
        assert self.call("C_OpenSession", ctypes.c_ulong(0), ctypes.c_ulong(6), None, None,
                         ctypes.byref(handle)) == 0
        return handle

    def create(self, session, object_class):
        number, handle = ctypes.c_ulong(object_class), ctypes.c_ulong(0)
        attribute = Attribute(0, ctypes.cast(ctypes.byref(number), ctypes.c_void_p),
                              ctypes.sizeof(number))
        return self.call("C_CreateObject", session, ctypes.byref(attribute), ctypes.c_ulong(1),
                         ctypes.byref(handle))


def main():
    complaints = []
    known = known_numbers(sys.argv[2:], "CKM_")
    classes = known_numbers(sys.argv[2:], "CKO_")
    with tempfile.TemporaryDirectory() as home:
        os.environ["TALLYSTICK_HOME"] = home
        os.environ["TALLYSTICK_CONF"] = home + "/settings"
        pathlib.Path(home, "settings").touch()
        token = Token(sys.argv[1])
        assert token.call("C_Initialize", None) == 0
        listed, session = token.mechanisms(), token.session()

        refused = first_column(section(REFUSED, "## Mechanisms"))
        offered = set(expand(first_column(section(OFFERED, "## Mechanisms"))))
        # Those that depend on libcrypto or on settings: the mechanisms' own tests see to them.
        depends = {name for mark in "†‡"
                   for name in expand(first_column(section(OFFERED, "## Mechanisms"), mark))}
        for name, number in sorted(known.items()):
            there, said = number in listed, name in offered
            pattern = next((p for p in refused if fnmatch.fnmatchcase(name, p)), None)
            if name in NO_NAMES:
                continue
            if there and pattern:
                complaints.append(f"{name} is offered, and not-offered.md has {pattern}")
            if there and not said:
                complaints.append(f"{name} is offered, and pkcs11.md does not have it")
            if said and not there and name not in depends:
                complaints.append(f"{name} is in pkcs11.md, and not offered")
            if not there and not pattern and name not in depends:
                complaints.append(f"{name} is not offered, and not-offered.md does not have it")
        complaints += [f"{number:#x} is offered, and no header has it"
                       for number in listed - set(known.values())]
        complaints += [f"{name} is in pkcs11.md, and no header has it" for name in offered - set(known)]
        complaints += [f"{pattern} in not-offered.md is no mechanism"
                       for pattern in first_column(section(REFUSED, "## Mechanisms").split("\n### ")[0])
                       if not fnmatch.filter(known, pattern)]

        written = set(first_column(section(REFUSED, "## Functions")))
        for name in written | set(re.findall(r'not_offered\("(\w+)"', SOURCE)):
            if name not in written:
                complaints.append(f"{name} is not offered, and not-offered.md does not have it")
            answer = token.call(name, session, None, ctypes.c_ulong(0), None, None, None)
            if answer != NOT_SUPPORTED:
                complaints.append(f"{name} is in not-offered.md, and answers {answer:#x}")

        for name in first_column(section(REFUSED, "## Objects")):
            if name.startswith("CKO_") and token.create(session, classes[name]) != VALUE_INVALID:
                complaints.append(f"{name} is in not-offered.md, and C_CreateObject answers otherwise")
        assert token.call("C_Finalize", None) == 0
    print("\n".join(complaints) or
          f"{len(listed)} mechanisms offered, {len(refused)} kinds and {len(written)} functions refused")
    sys.exit(1 if complaints else 0)


main()
