"""The host's side of mboot for tests, written from the protocol's description alone."""

import os
import select
import socket
import struct
import termios
import time
import tty

ACK, NACK, ABORT, CMD, DATA, PING, PINGR = 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return crc


def frame(kind, payload):
    head = struct.pack("<BBH", 0x5A, kind, len(payload))
    return head + struct.pack("<H", crc16(head + payload)) + payload


def packet(tag, *parameters, data_follows=False):
    return struct.pack("<BBBB", tag, int(data_follows), 0, len(parameters)) + struct.pack(
        f"<{len(parameters)}I", *parameters
    )


class Timeout(Exception):
    pass


class Refused(Exception):
    """A frame other than the one that was expected."""


class Terminal:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)

    def flush(self):
        termios.tcflush(self.fd, termios.TCIOFLUSH)

    def write(self, data):
        while data:
            data = data[os.write(self.fd, data) :]

    def read(self, most):
        return os.read(self.fd, most)

    def close(self):
        os.close(self.fd)


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.fd = self.socket.fileno()

    def flush(self):
        pass

    def write(self, data):
        self.socket.sendall(data)

    def read(self, most):
        return self.socket.recv(most)

    def close(self):
        self.socket.close()


class Host:
    def __init__(self, line, patience=30):
        self.line = line
        self.patience = patience

    def close(self):
        self.line.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def take(self, count):
        """Exactly so many bytes."""
        end = time.monotonic() + self.patience
        data = b""
        while len(data) < count:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.line.fd], [], [], left)[0]:
                raise Timeout(f"{count - len(data)} bytes did not come")
            piece = self.line.read(count - len(data))
            if not piece:
                raise Refused("the line is closed")
            data += piece
        return data

    def ping(self):
        self.line.write(bytes([0x5A, PING]))
        answer = self.take(10)
        if answer[:2] != bytes([0x5A, PINGR]) or struct.pack("<H", crc16(answer[:8])) != answer[8:]:
            raise Refused(answer.hex())
        return struct.unpack("<I", answer[2:6])[0]

    def begin(self):
        """As hosts do after something went wrong: flush, ping and ask until the answers fit."""
        usual, self.patience = self.patience, 2
        try:
            for _ in range(15):
                self.line.flush()
                try:
                    version = self.ping()
                    self.property(0x01)
                    return version
                except (Timeout, Refused):
                    # What was said to the host before ends with a silence.
                    while select.select([self.line.fd], [], [], 0.2)[0] and self.line.read(65536):
                        pass
        finally:
            self.patience = usual
        raise Timeout("the part does not answer")

    def say(self, kind, payload):
        """A frame, and the ACK for it."""
        self.line.write(frame(kind, payload))
        answer = self.take(2)
        if answer != bytes([0x5A, ACK]):
            raise Refused(answer.hex())

    def hear(self, kind=None):
        """A frame, acknowledged: its type and payload."""
        head = self.take(6)
        length, crc = struct.unpack("<HH", head[2:])
        payload = self.take(length)
        if head[0] != 0x5A or crc16(head[:4] + payload) != crc:
            raise Refused(head.hex())
        self.line.write(bytes([0x5A, ACK]))
        if kind is not None and head[1] != kind:
            raise Refused(f"a frame {head[1]:02x}")
        return head[1], payload

    def response(self, tag):
        payload = self.hear(CMD)[1]
        words = struct.unpack(f"<{payload[3]}I", payload[4:])
        if payload[0] != tag:
            raise Refused(payload.hex())
        return words

    def command(self, tag, *parameters, answer=0xA0, data_follows=False):
        self.say(CMD, packet(tag, *parameters, data_follows=data_follows))
        return self.response(answer)

    def property(self, number, index=0):
        status, *words = self.command(0x07, number, index, answer=0xA7)
        return status, words

    def send(self, tag, data, *parameters):
        """A command with data to the part; the status."""
        status, _ = self.command(tag, *parameters, data_follows=True)
        if status != 0:
            return status
        largest = self.property_of_packets
        for at in range(0, len(data), largest):
            self.line.write(frame(DATA, data[at : at + largest]))
            answer = self.take(2)
            if answer == bytes([0x5A, ABORT]):
                break
            if answer != bytes([0x5A, ACK]):
                raise Refused(answer.hex())
        return self.response(0xA0)[0]

    property_of_packets = 32

    def write_memory(self, address, data):
        return self.send(0x04, data, address, len(data), 0)

    def receive_file(self, data):
        return self.send(0x08, data, len(data))

    def read_memory(self, address, length):
        """The status and the bytes."""
        status, announced = self.command(0x03, address, length, 0, answer=0xA3)
        if status != 0:
            return status, b""
        data = b""
        while True:
            kind, payload = self.hear()
            if kind == CMD:
                break
            data += payload
        if len(data) != announced:
            raise Refused(f"{len(data)} bytes instead of {announced}")
        return struct.unpack("<I", payload[4:8])[0], data

    def reset(self):
        return self.command(0x0B)[0]
