#!/usr/bin/env python3
"""Opens a Tallystick package as a part would, written from the profile alone.

It shares no code with core/: python3-cryptography does the primitives. Given the family's secrets,
a share blob and a package it makes the checks of section 6 of docs/formats.md in order, opens every
asset, and writes the contents to a folder.

  open_package.py --family family.json --shares shares.tsos --package pkg.tspk --out DIR [--json]
  open_package.py --self-test tests/vectors/ts1

family.json: {"family_id", "flags", "shares": [...], "k_oem_share"}, values in hex. Role 3 share blobs
also need the part's device key: --device-key FILE, the scalar in hex.
Exit status: 0 opened, 1 refused, 2 wrong use.
"""

import argparse
import gzip
import hashlib
import hmac as hmac_module
import json
import os
import struct
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import cmac, hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

CHUNK = 16384
ENTRY = 128
HEADER = 128
TRAILER = 208
LIMIT = 1 << 40
P256 = (ec.SECP256R1(), 32, hashes.SHA256)
P384 = (ec.SECP384R1(), 48, hashes.SHA384)


class Refused(Exception):
    """A file that a part does not take, with the number of the check that refused it."""

    def __init__(self, check, why):
        super().__init__(f"check {check}: {why}")
        self.check = check


def need(condition, check, why):
    if not condition:
        raise Refused(check, why)


def hmac(key, *parts, digest="sha256"):
    return hmac_module.new(key, b"".join(parts), digest).digest()


def lv(value):
    return struct.pack(">I", len(value)) + value


# ---- keys and signatures ----


def public_key(curve, xy):
    size = curve[1]
    if len(xy) != 2 * size:
        raise ValueError("not the size of a public key")
    x, y = int.from_bytes(xy[:size], "big"), int.from_bytes(xy[size:], "big")
    return ec.EllipticCurvePublicNumbers(x, y, curve[0]).public_key()


def xy_of(key, size):
    numbers = key.public_numbers()
    return numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")


def signature_holds(curve, xy, message, signature):
    size = curve[1]
    if len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    try:
        encoded = utils.encode_dss_signature(r, s)
        public_key(curve, xy).verify(encoded, message, ec.ECDSA(curve[2]()))
    except (InvalidSignature, ValueError):
        return False
    return True


# ---- section 4: sealing ----


def sealed_length(length):
    return 56 + length + 16 * (length // CHUNK + 1)


def open_sealed(key, suite, context, sealed):
    """The plaintext; ValueError for whatever does not open."""
    name = {1: b"AEAD_AES_256_GCM", 2: b"AEAD_AES_256_CCM"}[suite]
    if len(sealed) < 56 + 16:
        raise ValueError("too short")
    salt, commitment, rest = sealed[:24], sealed[24:56], sealed[56:]
    info = b"c2sp.org/chunked-encryption@v1+" + name + b"\0" + salt + context
    derived = HKDFExpand(algorithm=hashes.SHA512(), length=76, info=info).derive(key)
    if not hmac_module.compare_digest(derived[44:], commitment):
        raise ValueError("commitment")
    aead = AESGCM(derived[:32]) if suite == 1 else AESCCM(derived[:32], tag_length=16)
    out = []
    index = 0
    while True:
        chunk, rest = rest[: CHUNK + 16], rest[CHUNK + 16 :]
        counter = index.to_bytes(12, "big")
        nonce = bytes(a ^ b for a, b in zip(derived[32:44], counter))
        if len(chunk) < 16:
            raise ValueError("cut")
        if len(chunk) == 16:
            # Some bindings pass a null buffer for nothing, and CCM then takes any tag.
            plaintext = b""
            if not hmac_module.compare_digest(aead.encrypt(nonce, b"", None), chunk):
                raise ValueError("tag")
        else:
            try:
                plaintext = aead.decrypt(nonce, chunk, None)
            except InvalidTag as error:
                raise ValueError("tag") from error
        out.append(plaintext)
        if len(plaintext) < CHUNK:
            break
        index += 1
    if rest:
        raise ValueError("bytes after the last chunk")
    return b"".join(out)


# ---- sections 2, 3 and 5: shares and keys ----


class Part:
    """What the reader knows: a family's secrets, and what a part remembers."""

    def __init__(self, known):
        self.family_id = bytes.fromhex(known["family_id"])
        self.shares = [bytes.fromhex(share) for share in known["shares"]]
        self.k_oem_share = bytes.fromhex(known["k_oem_share"])
        self.counted = bool(known.get("counted", known.get("flags", 0) & 2))
        self.software_version = known.get("software_version", 0xFFFFFFFF)
        self.owner = bytes.fromhex(known["owner"]) if known.get("owner") else None
        self.product = known.get("product") or ""
        self.minimum_package_version = known.get("minimum_package_version", 0)
        self.minimum_asset_versions = {
            int(asset): version
            for asset, version in known.get("minimum_asset_versions", {}).items()
        }
        scalar = known.get("device_private_key")
        self.device_key = ec.derive_private_key(int(scalar, 16), P256[0]) if scalar else None


def context_bytes(family_id, oem_id, share_id, sw_floor):
    return b"TS1\x01" + family_id + oem_id + share_id + struct.pack(">I", sw_floor)


def take_share(part, blob):
    """OEM_SHARE and the blob's CTX; every refusal is check 4 of the package."""
    need(len(blob) >= 80, 4, "share blob form")
    magic, version, role, suite, sw_floor, zero = struct.unpack(">4sHBBII", blob[:16])
    sizes = {(b"TSOS", 1): 184, (b"TSOP", 3): 704}
    form = version == 1 and suite in (1, 2) and zero == 0
    need(form and sizes.get((magic, role)) == len(blob), 4, "share blob form")
    family_id, oem_id, share_id = blob[16:32], blob[32:64], blob[64:80]
    need(family_id == part.family_id, 4, "share blob of another family")
    need(sw_floor <= part.software_version, 4, "share blob for newer software")
    need(not (role == 1 and part.counted), 4, "role 1 blob in a counted family")
    context = context_bytes(family_id, oem_id, share_id, sw_floor)
    try:
        if role == 1:
            share = open_sealed(part.k_oem_share, suite, blob[:80], blob[80:])
        else:
            share = open_device_blob(part, suite, blob)
    except ValueError as error:
        raise Refused(4, f"share blob: {error}") from error
    need(len(share) == 32, 4, "share of another length")
    return share, context


def open_device_blob(part, suite, blob):
    signed, sealed, signature = blob[:464], blob[464:640], blob[640:]
    own = part.device_key
    if own is None:
        raise ValueError("no device key")
    own_xy = xy_of(own.public_key(), 32)
    job_id, number, limit = struct.unpack(">16sQQ", blob[112:144])
    ephemeral, minter, oem_xy = blob[144:208], blob[208:272], blob[272:368]
    grant_message = (
        b"TS1/GRANT\0" + blob[16:80] + job_id + struct.pack(">Q", limit)
        + hashlib.sha256(minter).digest()
    )
    if blob[80:112] != hashlib.sha256(own_xy).digest():
        raise ValueError("another recipient")
    if blob[32:64] != hashlib.sha256(oem_xy).digest():
        raise ValueError("another OEM key")
    if not signature_holds(P384, oem_xy, grant_message, blob[368:464]):
        raise ValueError("grant")
    if not 1 <= number <= limit:
        raise ValueError("number")
    if not signature_holds(P256, minter, signed + sealed, signature):
        raise ValueError("minter's signature")
    shared = own.exchange(ec.ECDH(), public_key(P256, ephemeral))
    key = HKDF(hashes.SHA256(), 32, b"TS1/PART", signed + own_xy).derive(shared)
    inner = open_sealed(key, suite, signed, sealed)
    return open_sealed(part.k_oem_share, suite, b"TS1/INNER\0" + signed, inner)


class Keys:
    """K_MK and what is derived from it in one suite."""

    def __init__(self, part, share, context, suite):
        parts = b"".join(lv(secret) for secret in part.shares)
        prk = hmac(b"TS1/G", bytes([len(part.shares)]), parts, lv(share))
        self.master = hmac(prk, b"TS1/MK\0", context, b"\x01")
        self.context = context
        self.suite = suite

    def derive(self, label):
        fixed = label.encode() + b"\0" + self.context + bytes([self.suite]) + struct.pack(">I", 256)
        return hmac(self.master, struct.pack(">I", 1), fixed)


# ---- section 6: packages ----


def text_field(field, check=8):
    name, _, rest = field.partition(b"\0")
    need(not any(rest), check, "bytes after a name's end")
    try:
        return name.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise Refused(check, "a name that is not UTF-8") from error


class Entry:
    def __init__(self, raw):
        self.raw = raw
        (self.id, self.kind, self.flags, self.slot, self.address, self.length,
         self.sealed) = struct.unpack(">HBBIQQQ", raw[:32])
        self.digest = raw[64:112]
        self.version = struct.unpack(">I", raw[112:116])[0]
        self.name = ""

    def check(self):
        need(self.kind in (0, 1, 2, 16, 17, 32), 8, "unknown kind")
        is_key = self.kind in (16, 17)
        need(self.flags & ~(0xF3 if is_key else 0x03) == 0, 8, "unknown flags")
        need(self.flags & 160 != 160, 8, "decrypt and unwrap together")
        need(not any(self.raw[116:]), 8, "reserved bytes")
        self.name = text_field(self.raw[32:64])
        if self.kind == 32:
            good = set("abcdefghijklmnopqrstuvwxyz0123456789-.")
            need(self.name != "" and set(self.name) <= good, 8, "not a label")
        need(not is_key or self.address == 0, 8, "a key with an address")
        need(self.address + self.length <= 1 << 64, 8, "a range past the end")

    def label(self):
        if self.kind == 32:
            return "TS1/X/" + self.name
        return "TS1/ENCK" if self.kind in (16, 17) else "TS1/ENCD"


class Package:
    def __init__(self, data):
        """Check 1: the form and all lengths."""
        need(len(data) >= HEADER and data[:4] == b"TSPK", 1, "magic")
        (form, self.suite, count, self.version, self.sw_floor) = struct.unpack(">HBBII", data[4:16])
        need(form == 1 and self.suite in (1, 2) and 1 <= count <= 64, 1, "format, suite or n")
        self.created, body = struct.unpack(">QQ", data[80:96])
        end = HEADER + count * ENTRY
        need(len(data) >= end + TRAILER, 1, "cut")
        self.header = data[:HEADER]
        self.entries = [Entry(data[at : at + ENTRY]) for at in range(HEADER, end, ENTRY)]
        for entry in self.entries:
            need(entry.length < LIMIT and entry.sealed == sealed_length(entry.length), 1, "lengths")
        total = sum(entry.sealed for entry in self.entries)
        need(body == total and len(data) == end + TRAILER + total, 1, "body length")
        self.family_id, self.oem_id, self.share_id = data[16:32], data[32:64], data[64:80]
        self.oem_xy = data[end : end + 96]
        self.signed = data[: end + 96]
        self.signature = data[end + 96 : end + 192]
        self.tagged = data[: end + 192]
        self.tag = data[end + 192 : end + TRAILER]
        self.body = data[end + TRAILER :]
        self.product = ""

    def check_names_and_ranges(self, part):
        for entry in self.entries:
            entry.check()
        self.product = text_field(self.header[96:128])
        need(len({e.id for e in self.entries}) == len(self.entries), 8, "an asset_id twice")
        need(len({e.slot for e in self.entries}) == len(self.entries), 8, "a slot twice")
        ranges = sorted(
            (e.address, e.address + e.length)
            for e in self.entries
            if e.kind not in (16, 17) and e.length > 0
        )
        for (_, end), (start, _) in zip(ranges, ranges[1:]):
            need(end <= start, 8, "ranges overlap")
        need(not part.product or part.product == self.product, 8, "another product")

    def asset_context(self, entry):
        return b"TS1/ASSET\0" + self.header + entry.raw[:64] + entry.raw[112:]


def open_package(part, share_blob, data):
    """The package and the contents of its assets, after all checks in order."""
    package = Package(data)
    need(package.family_id == part.family_id, 2, "another family")
    need(package.sw_floor <= part.software_version, 3, "newer software wanted")
    share, context = take_share(part, share_blob)
    own = context_bytes(package.family_id, package.oem_id, package.share_id, package.sw_floor)
    need(context == own, 4, "the share blob is not the package's")
    keys = Keys(part, share, context, package.suite)
    mac = cmac.CMAC(algorithms.AES(keys.derive("TS1/AUTH")))
    mac.update(package.tagged)
    need(hmac_module.compare_digest(mac.finalize(), package.tag), 5, "tag")
    need(hashlib.sha256(package.oem_xy).digest() == package.oem_id, 6, "not the oem_id's key")
    need(part.owner in (None, package.oem_id), 6, "another owner")
    need(signature_holds(P384, package.oem_xy, package.signed, package.signature), 7, "signature")
    package.check_names_and_ranges(part)
    need(package.version >= part.minimum_package_version, 9, "older package")
    for entry in package.entries:
        need(entry.version >= part.minimum_asset_versions.get(entry.id, 0), 9, "older asset")
    contents = []
    at = 0
    for entry in package.entries:
        sealed = package.body[at : at + entry.sealed]
        at += entry.sealed
        try:
            key = keys.derive(entry.label())
            contents.append(open_sealed(key, package.suite, package.asset_context(entry), sealed))
        except ValueError as error:
            raise Refused(10, f"asset {entry.id}: {error}") from error
        need(hashlib.sha384(sealed).digest() == entry.digest, 10, f"asset {entry.id}: digest")
    return package, contents


# ---- the tool ----


def report(package, contents, directory):
    out = {
        "package_version": package.version,
        "suite": package.suite,
        "family_id": package.family_id.hex(),
        "oem_id": package.oem_id.hex(),
        "share_id": package.share_id.hex(),
        "sw_floor": package.sw_floor,
        "created": package.created,
        "product": package.product,
        "assets": [],
    }
    for entry, content in zip(package.entries, contents):
        file = f"asset-{entry.id}.bin"  # never a name out of the package
        # Assets may be keys: for the owner only.
        descriptor = os.open(
            os.path.join(directory, file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
        )
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
        out["assets"].append({
            "id": entry.id, "kind": entry.kind, "flags": entry.flags, "slot": entry.slot,
            "address": entry.address, "version": entry.version, "name": entry.name,
            "length": len(content), "sha256": hashlib.sha256(content).hexdigest(), "file": file,
        })
    return out


def run_tool(arguments):
    with open(arguments.family, encoding="utf-8") as file:
        known = json.load(file)
    if arguments.device_key:
        with open(arguments.device_key, encoding="ascii") as file:
            known["device_private_key"] = file.read().strip()
    with open(arguments.shares, "rb") as file:
        share_blob = file.read()
    with open(arguments.package, "rb") as file:
        data = file.read()
    try:
        package, contents = open_package(Part(known), share_blob, data)
    except Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        return 1
    os.makedirs(arguments.out, exist_ok=True)
    result = report(package, contents, arguments.out)
    if arguments.json:
        print(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        for asset in result["assets"]:
            what = f"{asset['length']} bytes, {asset['name']!r}, kind {asset['kind']}"
            print(f"{asset['file']}: {what}")
    return 0


# ---- the self-test ----


def load(folder, name):
    path = os.path.join(folder, name)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)["tests"]
    with gzip.open(path + ".gz", "rt", encoding="utf-8") as file:
        return json.load(file)["tests"]


def self_test(folder):
    failures = []
    opened = 0
    for number, test in enumerate(load(folder, "packages.json")):
        package, contents = open_package(
            Part(test["part"]), bytes.fromhex(test["share_blob"]), bytes.fromhex(test["package"])
        )
        fields = [
            {"id": e.id, "kind": e.kind, "flags": e.flags, "slot": e.slot, "address": e.address,
             "name": e.name, "version": e.version, "data": content.hex()}
            for e, content in zip(package.entries, contents)
        ]
        head = (package.version, package.created, package.product)
        if fields == test["assets"] and head == (
            test["package_version"], test["created"], test["product"]
        ):
            opened += 1
        else:
            failures.append(f"package {number}: other contents")
    refused = 0
    for test in load(folder, "reject.json"):
        if test["kind"] != "package":
            continue
        try:
            open_package(
                Part(test["part"]), bytes.fromhex(test["share_blob"]),
                bytes.fromhex(test["package"]),
            )
            failures.append(f"not refused: {test['why']}")
        except Refused as error:
            if error.check == test["refused_at"]:
                refused += 1
            else:
                failures.append(f"{test['why']}: {error}, not at {test['refused_at']}")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{opened} packages opened, {refused} refused at the check they name")
    return 0 if not failures and (opened, refused) == (7, 55) else 1


def main():
    parser = argparse.ArgumentParser(description="Opens a Tallystick package, as a part would.")
    parser.add_argument("--self-test", metavar="FOLDER", help="run the vectors of this folder")
    parser.add_argument("--family", help="JSON file with the family's secrets")
    parser.add_argument("--shares", help="share blob, role 1 or 3")
    parser.add_argument("--package", help="package file")
    parser.add_argument("--device-key", help="file with the part's device key, a scalar in hex")
    parser.add_argument("--out", metavar="DIR", help="where the contents go")
    parser.add_argument("--json", action="store_true", help="describe the package as JSON")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test(arguments.self_test)
    if not (arguments.family and arguments.shares and arguments.package and arguments.out):
        parser.error("--family, --shares, --package and --out are needed")
    return run_tool(arguments)


if __name__ == "__main__":
    sys.exit(main())
