"""A client of NXP's trust-provisioning commands for tests, written from the protocol's description:
it has a part make an OEM share and the pieces of an SB3.1 file, and puts the file together. All that
it computes itself are SHA-256 hashes."""

import hashlib
import struct

SLOTS = 0x20008000
SLOT = 0x100
MFWISK, MFWENCK = 0xC3A5, 0xA5C3
HEADER = "<4s2H3LQ4L16s"
TRUST_PROVISIONING, TRUST_PROVISIONING_RESPONSE = 0x16, 0xB6


def slot(number):
    return SLOTS + number * SLOT


def padded(data, size):
    return data + bytes(-len(data) % size)


def command(tag, address, length, details=None, data=b""):
    words = struct.pack("<4L", 0x55AAAA55, address, length, tag)
    if details is not None:
        words += struct.pack("<4L", *details)
    return padded(words + data, 16)


def erase(address, length):
    return command(1, address, length, (0, 0, 0, 0))


def load(address, data):
    return command(2, address, len(data), (0, 0, 0, 0), data)


def program_fuses(first, words):
    return command(5, first, len(words), None, struct.pack(f"<{len(words)}L", *words))


def load_key_blob(place, blob):
    return padded(struct.pack("<2L2HL", 0x55AAAA55, place, 17, len(blob), 10) + blob, 16)


def header(block_count, firmware_version, timestamp, length, flags=1):
    return struct.pack(HEADER, b"sbv3", 1, 3, flags, block_count, 292, timestamp, firmware_version,
                       length, 6, 92, b"SB 3.1")


class DeviceHsm:
    def __init__(self, host):
        self.host = host

    def ask(self, *parameters):
        """The values of an operation that succeeds."""
        status, *values = self.host.command(TRUST_PROVISIONING, *parameters,
                                            answer=TRUST_PROVISIONING_RESPONSE)
        if status != 0:
            raise AssertionError(f"operation {parameters[0]}: {status}")
        return values

    def write(self, number, data):
        if self.host.write_memory(slot(number), data) != 0:
            raise AssertionError("write-memory")

    def read(self, number, size):
        status, data = self.host.read_memory(slot(number), size)
        if status != 0:
            raise AssertionError("read-memory")
        return data

    def generate_master_share(self, seed):
        self.write(0, seed)
        sizes = self.ask(0, slot(0), 16, slot(1), SLOT, slot(2), SLOT, slot(3), SLOT)
        if sizes != [48, 64, 64]:
            raise AssertionError(sizes)
        return self.read(1, 48), self.read(2, 64), self.read(3, 64)

    def set_master_share(self, seed, master):
        self.write(0, seed)
        self.write(1, master)
        self.ask(1, slot(0), 16, slot(1), 64)
        return master[:48]

    def generate_key(self, kind):
        if self.ask(3, kind, 0, slot(0), SLOT, slot(1), SLOT) != [48, 64]:
            raise AssertionError("sizes of a key")
        return self.read(0, 48), self.read(1, 64)

    def store_key(self, key):
        self.write(0, key)
        values = self.ask(4, 1, 1, slot(0), 32, slot(1), SLOT)
        if values[1] != 48:
            raise AssertionError(values)
        return self.read(1, 48)

    def encrypt(self, blob, template, blocks):
        self.write(0, blob)
        self.write(1, template)
        sealed = []
        for number, data in enumerate(blocks, 1):
            self.write(2, data)
            self.ask(5, slot(0), 48, 16, slot(1), 60, number, slot(2), 256)
            sealed.append(self.read(2, 256))
        return sealed

    def sign(self, blob, data):
        self.write(0, blob)
        self.write(1, data)
        if self.ask(6, slot(0), 48, slot(1), len(data), slot(2), 64) != [64]:
            raise AssertionError("size of a signature")
        return self.read(2, 64)

    def build(self, share, commands, firmware_version=1, timestamp=0x30000000):
        """The whole file, for a session that has a share."""
        signing, signer = self.generate_key(MFWISK)
        encryption, _ = self.generate_key(MFWENCK)
        body = b"".join(commands)
        section = padded(struct.pack("<4L", 1, 1, len(body), 0) + body, 256)
        blocks = [section[at : at + 256] for at in range(0, len(section), 256)]
        template = header(0, firmware_version, timestamp, 60)
        sealed = self.encrypt(encryption, template, blocks)
        next_hash, chained = bytes(32), []
        for number in range(len(sealed), 0, -1):
            block = struct.pack("<L", number) + next_hash + sealed[number - 1]
            next_hash = hashlib.sha256(block).digest()
            chained.insert(0, block)
        manifest = header(len(sealed), firmware_version, timestamp, 284) + next_hash
        manifest += struct.pack("<4s2HLL", b"chdr", 1, 2, 128, 0x80000011) + signer + share
        if len(manifest) != 220:
            raise AssertionError(len(manifest))
        return manifest + self.sign(signing, manifest) + b"".join(chained)
