"""Lines for tests of the station: connections that pass through here, where they are listened to,
disturbed and cut; and parts that are none."""

import random
import socket
import struct
import threading

from mboot_host import ACK, CMD, DATA, PING, PINGR, crc16, frame, packet

GENERIC = 0xA0
RECEIVE_FILE = 0x08


class Cut(Exception):
    """The line is cut."""


class Frames:
    """Frames of an undisturbed line, one direction."""

    def __init__(self):
        self.bytes = b""

    def feed(self, data):
        self.bytes += data
        while len(self.bytes) >= 2:
            kind = self.bytes[1]
            if kind in (CMD, DATA):
                if len(self.bytes) < 6:
                    return
                size = 6 + struct.unpack("<H", self.bytes[2:4])[0]
            else:
                size = 10 if kind == PINGR else 2
            if len(self.bytes) < size:
                return
            yield kind, self.bytes[6:size]
            self.bytes = self.bytes[size:]


class Ear:
    """Hears which files a part took for good; for lines that are not disturbed."""

    def __init__(self):
        self.files = []  # lengths
        self.offered = []
        self.lock = threading.Lock()
        self.to_part, self.from_part = Frames(), Frames()
        self.asked, self.answers = None, 0

    def restart(self):
        self.to_part, self.from_part = Frames(), Frames()
        self.asked, self.answers = None, 0

    def hear(self, to_part, data):
        with self.lock:
            for kind, payload in (self.to_part if to_part else self.from_part).feed(data):
                if kind != CMD:
                    continue
                if to_part:
                    self.asked, self.answers = None, 0
                    if payload[0] == RECEIVE_FILE:
                        self.asked = struct.unpack("<I", payload[4:8])[0]
                        self.offered.append(self.asked)
                elif self.asked is not None and payload == packet(GENERIC, 0, RECEIVE_FILE):
                    self.answers += 1
                    if self.answers == 2:
                        self.files.append(self.asked)


class Relay:
    """A port on this machine that leads to another one. `mangle(to_part, data)` gives what goes on,
    or raises Cut."""

    def __init__(self, target, mangle=None):
        self.target = target
        self.mangle = mangle
        self.heard = bytearray()
        self.ear = Ear()
        self.on_data = None
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(5)
        self.port = self.listener.getsockname()[1]
        self.name = f"tcp:127.0.0.1:{self.port}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.ear.restart()
            other = threading.Thread(target=self.carry, args=(far, near, False), daemon=True)
            other.start()
            self.carry(near, far, True)
            other.join()
            near.close()
            far.close()

    def carry(self, source, sink, to_part):
        try:
            while data := source.recv(65536):
                self.heard += data
                self.ear.hear(to_part, data)
                if self.on_data:
                    self.on_data(len(data))
                if self.mangle:
                    data = self.mangle(to_part, data)
                if data:
                    sink.sendall(data)
        except (OSError, Cut):
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def noise(seed, flips, drops):
    """Of so many pieces one has a byte changed, or is lost."""
    dice = random.Random(seed)

    def mangle(_, data):
        if dice.randrange(drops) == 0:
            return b""
        if dice.randrange(flips) == 0:
            data = bytearray(data)
            data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
        return bytes(data)

    return mangle


class FalsePart:
    """Answers like a part, with what it was given."""

    def __init__(self, identity, certificate, proof):
        self.resources = {0x54530001: identity, 0x54530002: certificate, 0x54530003: proof}
        self.files = 0
        self.command = 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1)
        self.name = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            line, _ = self.listener.accept()
            frames = Frames()
            with line:
                while data := line.recv(65536):
                    for kind, payload in frames.feed(data):
                        self.answer(line, kind, payload)
        except OSError:
            pass

    def answer(self, line, kind, payload):
        if kind == PING:
            head = struct.pack("<BBIH", 0x5A, PINGR, 0x50010300, 0)
            line.sendall(head + struct.pack("<H", crc16(head)))
        elif kind == DATA:
            line.sendall(bytes([0x5A, ACK]) + frame(CMD, packet(GENERIC, 0, self.command)))
        elif kind == CMD:
            self.command = payload[0]
            words = struct.unpack(f"<{payload[3]}I", payload[4:])
            if self.command == RECEIVE_FILE:
                self.files += 1
                say = frame(CMD, packet(GENERIC, 0, RECEIVE_FILE))
            elif self.command == 0x07:
                values = {0x0B: [1024], 0x0E: [0x20000000], 0x12: [1, 2, 3, 4]}[words[0]]
                say = frame(CMD, packet(0xA7, 0, *values))
            elif self.command == 0x10:
                data = self.resources[words[2]]
                say = frame(CMD, packet(0xB0, 0, len(data), data_follows=True))
                for at in range(0, len(data), 1024):
                    say += frame(DATA, data[at : at + 1024])
                say += frame(CMD, packet(GENERIC, 0, 0x10))
            else:
                say = frame(CMD, packet(GENERIC, 0, self.command))
            line.sendall(bytes([0x5A, ACK]) + say)

    def close(self):
        self.listener.close()
