"""A sender of its own process: MLLP messages to one port, its own account of what was answered. Usage:
sender.py PORT LOG SEED NUMBER

The log is written and synced after each answer, before the next message: one line `CONTROL CODE` per answer, and `sent CONTROL HEX` before a
message is sent for the first time. What has no answer is sent again, for ever, over new connections; some is sent again although it has one.
SIGTERM: no new messages, and the end once all have their answer.
"""
import os
import random
import signal
import socket
import sys
import time

START, END = b"\x0b", b"\x1c\x0d"


def message(draw, number, count):
    """An admission of a patient of its own, so that `export` shows whether it is there; every third is about patients whom all share."""
    control = f"S{number}-{count}"
    day = draw.randrange(1, 29)
    happened = f"202510{day:02d}{draw.randrange(24):02d}{draw.randrange(60):02d}{draw.randrange(60):02d}"
    mrn = f"shared{draw.randrange(4)}" if count % 3 == 0 else f"own{number}x{count}"
    event = draw.choice(("A01", "A08", "A03")) if count % 3 == 0 else "A01"
    name = draw.choice(("Doe^Jane", "Roe^Richard", "Poe^Ann", ""))
    return control, (f"MSH|^~\\&|SEND{number}|EAST|RECV|HOSP|{happened}||ADT^{event}|{control}|P|2.5.1\rEVN|{event}|{happened}\r"
                     f"PID|1||{mrn}^^^EAST^MR||{name}||19800101|{draw.choice('FMU')}\r"
                     f"PV1|1|I|W1^{day}||||||||||||||||V{mrn}|||||||||||||||||||||||||{happened}\r").encode()


class Account:
    def __init__(self, path):
        self.file = open(path, "ab")

    def note(self, line):
        self.file.write(line.encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def ask(self, frames):
        """The answers of the frames, in order; fewer when the connection ends."""
        self.socket.sendall(b"".join(START + frame + END for frame in frames))
        for _ in frames:
            while END not in self.rest:
                got = self.socket.recv(65536)
                if not got:
                    return
                self.rest += got
            answer, self.rest = self.rest.split(END, 1)
            fields = next(s for s in answer.decode().split("\r") if s.startswith("MSA")).split("|")
            yield fields[1], fields[2]


def main():
    port, log, seed, number = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    draw = random.Random(seed * 100 + number)
    account = Account(log)
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    waiting, answered, count, connection = [], [], 0, None
    while waiting or not stopping:
        while not stopping and len(waiting) < draw.choice((1, 1, 4, 16)):
            control, text = message(draw, number, count)
            count += 1
            account.note(f"sent {control} {text.hex()}")
            waiting.append((control, text))
        again = draw.sample(answered, min(len(answered), draw.choice((0, 0, 0, 1, 3)))) if not stopping else []
        frames = waiting + again
        draw.shuffle(frames)
        try:
            connection = connection or Connection(port)
            for (control, text), (code, identifier) in zip(frames, connection.ask([text for _, text in frames])):
                assert identifier == control, f"answer {identifier} to {control}"
                account.note(f"answered {control} {code}")
                if (control, text) in waiting:
                    waiting.remove((control, text))
                    answered = (answered + [(control, text)])[-50:]
            if waiting:
                raise ConnectionError
        except OSError:
            if connection:
                connection.socket.close()
            connection = None
            time.sleep(0.01)


main()
