#!/usr/bin/env python3
"""PyKCS11 on our module: sessions, keys, signatures checked by python3-cryptography, errors."""

import os
import sys
import tempfile

import PyKCS11
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SO_PIN, PIN = "12345678", "87654321"
P256 = bytes.fromhex("06082a8648ce3d030107")


def passed(job):
    """A line of the table of tools/stock, as in common.sh."""
    print("stock", "PyKCS11", job, "passed", sep="\t", flush=True)


def free_slot(library):
    for slot in library.getSlotList(tokenPresent=True):
        if not library.getTokenInfo(slot).flags & PyKCS11.CKF_TOKEN_INITIALIZED:
            return slot
    raise AssertionError("no slot is free")


def new_token(library):
    slot = free_slot(library)
    library.initToken(slot, SO_PIN, "python")
    session = library.openSession(slot, PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION)
    session.login(SO_PIN, PyKCS11.CKU_SO)
    session.initPin(PIN)
    session.logout()
    session.login(PIN)
    return session


def check_signatures(session):
    public, private = session.generateKeyPair(
        [(PyKCS11.CKA_CLASS, PyKCS11.CKO_PUBLIC_KEY), (PyKCS11.CKA_EC_PARAMS, P256),
         (PyKCS11.CKA_VERIFY, PyKCS11.CK_TRUE)],
        [(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY), (PyKCS11.CKA_SIGN, PyKCS11.CK_TRUE)],
        PyKCS11.Mechanism(PyKCS11.CKM_EC_KEY_PAIR_GEN, None))
    mechanism = PyKCS11.Mechanism(PyKCS11.CKM_ECDSA_SHA256, None)
    signature = bytes(session.sign(private, b"message", mechanism))
    assert session.verify(public, b"message", signature, mechanism)
    assert not session.verify(public, b"Message", signature, mechanism)
    point = bytes(session.getAttributeValue(public, [PyKCS11.CKA_EC_POINT])[0])[2:]
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(encode_dss_signature(r, s), b"message", ec.ECDSA(hashes.SHA256()))


def check_cipher(session):
    value = os.urandom(32)
    key = session.createObject([
        (PyKCS11.CKA_CLASS, PyKCS11.CKO_SECRET_KEY), (PyKCS11.CKA_KEY_TYPE, PyKCS11.CKK_AES),
        (PyKCS11.CKA_VALUE, value), (PyKCS11.CKA_ENCRYPT, PyKCS11.CK_TRUE),
        (PyKCS11.CKA_DECRYPT, PyKCS11.CK_TRUE)])
    nonce, header = os.urandom(12), b"header"
    mechanism = PyKCS11.AES_GCM_Mechanism(nonce, header, 128)
    sealed = bytes(session.encrypt(key, b"plain", mechanism))
    assert sealed == AESGCM(value).encrypt(nonce, b"plain", header)
    assert bytes(session.decrypt(key, sealed, mechanism)) == b"plain"


def check_errors(session):
    session.logout()
    try:
        session.login("not the PIN")
    except PyKCS11.PyKCS11Error as error:
        assert error.value == PyKCS11.CKR_PIN_INCORRECT
    else:
        raise AssertionError("a wrong PIN logs in")


def main():
    with tempfile.TemporaryDirectory() as home:
        os.environ["TALLYSTICK_HOME"] = os.path.join(home, "tokens")
        library = PyKCS11.PyKCS11Lib()
        library.load(sys.argv[1])
        session = new_token(library)
        passed("initialize a token and its PIN")
        check_signatures(session)
        passed("P-256: generate, sign, verify")
        check_cipher(session)
        passed("AES-GCM: import, encrypt, decrypt")
        check_errors(session)
        passed("a wrong PIN is refused")
        session.closeSession()
        del library


if __name__ == "__main__":
    main()
