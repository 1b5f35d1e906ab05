#!/usr/bin/env python3
"""Makes shares on a Tallystick token and seals an asset, with PyKCS11 and nothing of Tallystick's.

Everything goes through the standard C_* functions. A vendor mechanism takes its parameter as flat
bytes, integers big-endian, so any PKCS#11 wrapper can call it.

  seal.py FILE > sealed.bin

From the environment: MODULE, the path of libtallystick.so; TOKEN, the label of a token that holds a
family and its software; PIN, the user's; OEM_ID, SHA-256 of the OEM's signing key X || Y, in hex.

The context says what the asset is to the part: docs/formats.md, section 6.
"""

import os
import struct
import sys

import PyKCS11
from PyKCS11 import LowLevel

TS = 0x80545300
CKK_TS_FAMILY = TS | 0x01
CKA_TS_FAMILY_ID = TS | 0x11
CKA_TS_SHARE_ID = TS | 0x13
CKM_TS_OEM_SHARE_GEN = TS | 0x24
CKM_TS_OEM_SHARE_WRAP = TS | 0x25
CKM_TS_MASTER_KEY_DERIVE = TS | 0x28
CKM_TS_ASSET_KEY_DERIVE = TS | 0x29
CKM_TS_SEAL = TS | 0x2B

SUITE_GCM = 1
CHUNK = 16384


def log_in(module, label, pin):
    library = PyKCS11.PyKCS11Lib()
    library.load(module)
    for slot in library.getSlotList(tokenPresent=True):
        if library.getTokenInfo(slot).label.strip() == label:
            session = library.openSession(slot, PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION)
            session.login(pin)
            return session
    raise SystemExit(f"no token labelled {label}")


def read_bytes(session, handle, attribute):
    return bytes(session.getAttributeValue(handle, [attribute], True)[0])


def made(session, call, mechanism, *arguments):
    """A new key: PyKCS11 has the template's form of some calls only, so the low level is used."""
    handle = LowLevel.CK_OBJECT_HANDLE()
    code = call(session.session, mechanism.to_native(), *arguments, handle)
    if code != PyKCS11.CKR_OK:
        raise PyKCS11.PyKCS11Error(code)
    return handle


def make_share(session, family_id, oem_id, sw_floor, rnd_input):
    """F of the profile: OEM_SHARE from the token's random share and the OEM's own random input."""
    parameter = family_id + oem_id + struct.pack(">I", sw_floor) + rnd_input
    mechanism = PyKCS11.Mechanism(CKM_TS_OEM_SHARE_GEN, parameter)
    return made(session, session.lib.C_GenerateKey, mechanism, session._template2ckattrlist([]))


def derive(session, mechanism, base_key):
    template = session._template2ckattrlist([])
    return made(session, session.lib.C_DeriveKey, mechanism, base_key, template)


def asset_key(session, share, label):
    """G and the KDF: OEM_SHARE -> K_MK -> the key for one kind of asset."""
    master_key = derive(session, PyKCS11.Mechanism(CKM_TS_MASTER_KEY_DERIVE, None), share)
    parameter = bytes([SUITE_GCM]) + label
    return derive(session, PyKCS11.Mechanism(CKM_TS_ASSET_KEY_DERIVE, parameter), master_key)


def seal_context(family_id, oem_id, share_id, sw_floor, name, length):
    """A package of one firmware asset: header, and the entry without its digest."""
    sealed_length = 56 + length + 16 * (length // CHUNK + 1)
    header = b"TSPK" + struct.pack(">HBBII", 1, SUITE_GCM, 1, 1, sw_floor)
    header += family_id + oem_id + share_id + struct.pack(">QQ", 0, sealed_length) + bytes(32)
    entry = struct.pack(">HBBIQQQ", 1, 0, 0, 0, 0, length, sealed_length)
    entry += name.ljust(32, b"\0")
    return b"TS1/ASSET\0" + header + entry + struct.pack(">I", 1) + bytes(12)


def main():
    with open(sys.argv[1], "rb") as file:
        plaintext = file.read()
    session = log_in(os.environ["MODULE"], os.environ["TOKEN"], os.environ["PIN"])
    family = session.findObjects([(PyKCS11.CKA_KEY_TYPE, CKK_TS_FAMILY)])[0]
    family_id = read_bytes(session, family, CKA_TS_FAMILY_ID)
    oem_id = bytes.fromhex(os.environ["OEM_ID"])

    share = make_share(session, family_id, oem_id, 1, os.urandom(32))
    share_id = read_bytes(session, share, CKA_TS_SHARE_ID)
    key = asset_key(session, share, b"TS1/ENCD")

    context = seal_context(family_id, oem_id, share_id, 1, b"firmware", len(plaintext))
    sealed = bytes(session.encrypt(key, plaintext, PyKCS11.Mechanism(CKM_TS_SEAL, context)))

    # What the parts need to open it: the share, sealed for every part of the family (role 1).
    wrap = PyKCS11.Mechanism(CKM_TS_OEM_SHARE_WRAP, bytes([SUITE_GCM]))
    blob = bytes(session.wrapKey(family, share, wrap))
    print(f"{len(plaintext)} bytes sealed to {len(sealed)}", file=sys.stderr)
    sys.stdout.buffer.write(blob + context + sealed)
    session.logout()
    session.closeSession()


if __name__ == "__main__":
    main()
