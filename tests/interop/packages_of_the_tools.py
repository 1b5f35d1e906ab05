#!/usr/bin/env python3
"""Packages that the command made, opened by the reader that shares no code with it.

  packages_of_the_tools.py COMMAND

The family comes from a JSON file, so that both sides know its secrets. In both suites a manifest
becomes a package; open_package.py opens it and finds every byte of the originals; a changed byte of
the package or of the share blob is refused.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))

import open_package  # noqa: E402
from desk import Desk  # noqa: E402

KINDS = {"firmware": 0, "data": 0, "configuration": 1, "certificate": 2, "key": 16,
         "private-key": 17, "further": 32}
WRITE_ONLY, DECRYPT, SIGN = 0x02, 0x20, 0x10

# Name, kind, length, address; the lengths lie around the chunks of the sealing.
DATA = [
    ("boot", "firmware", 3 * 16384, 0x80000000),
    ("firmware", "firmware", 50001, 0x80100000),
    ("configuration", "configuration", 321, 0x80200000),
    ("empty", "data", 0, 0x80300000),
    ("radio-table", "further", 16383, 0x80400000),
]


def manifest_of(desk, suite):
    """The manifest's text, and what has to come out of the package for each id."""
    text = f'product = "meter-7"\npackage_version = 3\nsuite = "{suite}"\ncreated = 1700000000\n'
    expected = {}

    def asset(fields, content, **known):
        nonlocal text
        number = len(expected) + 1
        text += f"\n[[asset]]\nid = {number}\nslot = {number + 3}\nversion = {number + 6}\n"
        text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
        expected[number] = {
            "id": number, "slot": number + 3, "version": number + 6, "name": fields["name"],
            "kind": KINDS[fields["kind"]], "content": content, "address": fields.get("address", 0),
            **known,
        }

    for name, kind, length, address in DATA:
        content = secrets.token_bytes(length)
        desk.write(name + ".bin", content)
        asset({"name": name, "kind": kind, "address": address, "file": name + ".bin"}, content,
              flags=0)
    key = secrets.token_bytes(16)
    desk.write("aes.key", key)
    asset({"name": "aes", "kind": "key", "uses": ["decrypt"], "file": "aes.key"}, key,
          flags=WRITE_ONLY | DECRYPT)
    private = ec.generate_private_key(ec.SECP256R1())
    pkcs8 = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    desk.write("tls.pem", private.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    asset({"name": "tls", "kind": "private-key", "uses": ["sign"], "file": "tls.pem"},
          private.private_bytes(serialization.Encoding.DER, pkcs8, plain), flags=WRITE_ONLY | SIGN)
    return text, expected


def check_contents(desk, suite, shares, expected):
    """The reader as a program of its own, with files only."""
    out = desk.path(f"{suite}-opened")
    ran = subprocess.run(
        [sys.executable, os.path.join(HERE, "open_package.py"), "--family",
         desk.path("family.json"), "--shares", desk.path(shares + "/shares.tsos"), "--package",
         desk.path(suite + ".tspk"), "--out", out, "--json"],
        stdout=subprocess.PIPE, check=True, text=True,
    )
    told = json.loads(ran.stdout)
    head = {key: told[key] for key in ("suite", "product", "package_version", "created")}
    wanted = {"suite": 1 if suite == "gcm" else 2, "product": "meter-7", "package_version": 3,
              "created": 1700000000}
    assert head == wanted, head
    assert told["family_id"] == desk.family["family_id"]
    assert [asset["id"] for asset in told["assets"]] == list(expected)
    for asset in told["assets"]:
        original = expected[asset["id"]]
        with open(os.path.join(out, asset["file"]), "rb") as file:
            assert file.read() == original["content"], f"{suite}: {asset['name']} differs"
        for field in ("slot", "version", "name", "kind", "address", "flags"):
            assert asset[field] == original[field], (asset, field)


def refuses(part, blob, package, why):
    try:
        open_package.open_package(part, blob, package)
    except open_package.Refused:
        return
    raise AssertionError(f"not refused: {why}")


def check_changes(desk, suite, shares):
    """Every byte of the head and of the share blob, and some hundred of the body."""
    part = open_package.Part(desk.family)
    blob = desk.read(shares + "/shares.tsos")
    package = desk.read(suite + ".tspk")
    opened, _ = open_package.open_package(part, blob, package)
    head = len(package) - len(opened.body)
    places = [*range(head), *range(head, len(package), 997), len(package) - 1]
    for at in places:
        changed = bytearray(package)
        changed[at] ^= 1
        refuses(part, blob, bytes(changed), f"{suite}: byte {at} of the package")
    for at in range(len(blob)):
        changed = bytearray(blob)
        changed[at] ^= 1
        refuses(part, bytes(changed), package, f"{suite}: byte {at} of the share blob")
    refuses(part, blob, package[:-1], "a cut package")
    refuses(part, blob, package + b"\0", "a longer package")
    return len(places) + len(blob)


def main():
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(sys.argv[1], folder)
        desk.make_family()
        desk.make_oem()
        for suite in ("gcm", "ccm"):
            shares = "shares-" + suite
            desk.make_shares(shares, suite)
            text, expected = manifest_of(desk, suite)
            desk.write(suite + ".toml", text)
            desk.does(*desk.package_command(suite + ".toml", shares, suite + ".tspk"))
            check_contents(desk, suite, shares, expected)
            changes = check_changes(desk, suite, shares)
            print(f"{suite}: {len(expected)} assets came back, {changes} changes were refused")
        refuses(open_package.Part(desk.family), desk.read("shares-gcm/shares.tsos"),
                desk.read("ccm.tspk"), "the share blob of another share set")


if __name__ == "__main__":
    main()
