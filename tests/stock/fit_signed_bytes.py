#!/usr/bin/env python3
"""Writes the bytes that the signature of a configuration in a FIT image stands for, and the signature.

  fit_signed_bytes.py IMAGE NODE BYTES SIGNATURE

NODE is the signature's path. Its hashed-nodes names the nodes, all of whose properties count but
their data, which the hashes in them stand for (doc/uImage.FIT/signature.txt of U-Boot).
"""

import struct
import sys

BEGIN, END, PROPERTY, NOP, LAST = 1, 2, 3, 4, 9
NOT_SIGNED = ("data", "data-size", "data-position", "data-offset")


def text(blob, at):
    return blob[at:blob.index(b"\0", at)].decode()


def tags(tree):
    """Tag, its place and the place of the next one, its name, and for a property its value."""
    at, strings = struct.unpack_from(">8xII", tree)
    while True:
        (tag,) = struct.unpack_from(">I", tree, at)
        name, value, end = "", b"", at + 4
        if tag == BEGIN:
            name = text(tree, at + 4)
            end += len(name) + 1
        elif tag == PROPERTY:
            size, offset = struct.unpack_from(">II", tree, at + 4)
            name, value = text(tree, strings + offset), tree[at + 12:at + 12 + size]
            end += 8 + size
        end = (end + 3) & ~3
        yield tag, at, end, name, value
        if tag == LAST:
            return
        at = end


def properties(tree, path):
    found, here = {}, []
    for tag, _, _, name, value in tags(tree):
        if tag == BEGIN:
            here.append(name)
        elif tag == END:
            here.pop()
        elif tag == PROPERTY and "/".join(here) == path:
            found[name] = value
    return found


def signed(tree, nodes, strings):
    """A node of the list counts with all in it but its subnodes, of which the frame counts."""
    out, here, want, outer = b"", [], 0, []
    for tag, at, end, name, _ in tags(tree):
        if tag == BEGIN:
            here.append(name)
            outer.append(want)
            want = 2 if ("/".join(here) or "/") in nodes else max(want - 1, 0)
            counts = want > 0
        elif tag == END:
            counts = want > 0
            want = outer.pop()
            here.pop()
        elif tag == PROPERTY:
            counts = want == 2 and name not in NOT_SIGNED
        else:
            counts = tag == LAST or want == 2
        if counts:
            out += tree[at:end]
    start, size = struct.unpack_from(">12xI", tree)[0], struct.unpack(">II", strings)[1]
    return out + tree[start:start + size]


def main():
    image, node, to_bytes, to_signature = sys.argv[1:]
    with open(image, "rb") as file:
        tree = file.read()
    signature = properties(tree, node)
    nodes = signature["hashed-nodes"].decode().rstrip("\0").split("\0")
    with open(to_bytes, "wb") as file:
        file.write(signed(tree, nodes, signature["hashed-strings"]))
    with open(to_signature, "wb") as file:
        file.write(signature["value"])


main()
