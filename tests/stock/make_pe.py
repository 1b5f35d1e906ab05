#!/usr/bin/env python3
"""Writes the smallest program file (PE32+, EFI application, one section) that signers take."""

import struct
import sys

FILE_ALIGNMENT, SECTION_ALIGNMENT, CODE = 0x200, 0x1000, 0xC3


def padded(data, size):
    return data + bytes(-len(data) % size)


def main():
    text = padded(bytes([CODE]) * 100, FILE_ALIGNMENT)
    dos = struct.pack("<2s58xI", b"MZ", 64)
    # machine x86-64, one section, no symbols, executable
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 112 + 16 * 8, 0x22)
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 1, 0, len(text), 0, 0, SECTION_ALIGNMENT,
        SECTION_ALIGNMENT, 0x400000, SECTION_ALIGNMENT, FILE_ALIGNMENT, 0, 0, 0, 0, 0, 0, 0,
        2 * SECTION_ALIGNMENT, FILE_ALIGNMENT, 0, 10, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    section = struct.pack("<8sIIIIIIHHI", b".text", len(text), SECTION_ALIGNMENT, len(text),
                          FILE_ALIGNMENT, 0, 0, 0, 0, 0x60000020)
    head = padded(dos + coff + optional + bytes(16 * 8) + section, FILE_ALIGNMENT)
    with open(sys.argv[1], "wb") as out:
        out.write(head + text)


if __name__ == "__main__":
    main()
