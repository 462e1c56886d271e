"""What the tests of `weir serve` share: the process under test, an MLLP sender of its own making, and samples cut into messages."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

START, END = b"\x0b", b"\x1c\x0d"


def messages_of(folder):
    """(file, message) of every HL7 message below a folder; what stands before a file's first MSH is left out."""
    found = []
    for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file() and not p.name.startswith(".")):
        data = re.sub(rb"\r\n|\n", b"\r", path.read_bytes())
        for part in re.split(rb"(?:^|(?<=\r))(?=MSH[^A-Za-z0-9 ])", data):
            # An envelope's lines are not part of a message.
            part = re.sub(rb"\r(?:FHS|BHS|BTS|FTS)[^\r]*", b"", part).strip(b"\r\x0b\x1c \t")
            if part.startswith(b"MSH"):
                found.append((path.name, part + b"\r"))
    return found


class Node:
    """A `serve` process. Its addresses are those it says on stderr."""

    def __init__(self, command, *options, env=None, preexec=None):
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})}, preexec_fn=preexec)
        self.lines, self.ports, self._wanted = [], {}, sum(o in ("--mllp", "--http", "--mllp-tls", "--http-tls") for o in options)
        self._changed = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self.process.poll() is not None or sum(map(len, self.ports.values())) >= self._wanted, 60)
        assert sum(map(len, self.ports.values())) >= self._wanted, f"it does not listen: {self.lines}"

    def _listen(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                if match := re.search(r": listening ([\w-]+) .*:(\d+)$", line):
                    self.ports.setdefault(match[1], []).append(int(match[2]))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def stop(self, with_signal=signal.SIGTERM, within=30):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(within)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


class Answer:
    def __init__(self, content):
        self.content = content
        segments = [s for s in content.decode("latin-1").split("\r") if s]
        separator = segments[0][3]
        self.segments = {s[:3]: s.split(separator) for s in segments}
        self.code = self.segments["MSA"][1]
        self.control_id = (self.segments["MSA"] + [""])[2]
        error = self.segments.get("ERR", [])
        # ERR-3 since 2.5; before, the code is the fourth component of ERR-1.
        self.error = error[3].split("^")[0] if len(error) > 3 else error[1].split("^")[3].split("&")[0] if error else ""


class Sender:
    """One MLLP connection. `chunks` cuts what is written: a function from bytes to pieces."""

    def __init__(self, port, chunks=lambda data: [data], timeout=30, wrap=lambda s: s):
        self.socket = wrap(socket.create_connection(("127.0.0.1", port), timeout))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.chunks, self.rest = chunks, b""

    def write(self, data):
        for piece in self.chunks(data):
            self.socket.sendall(piece)

    def send(self, message):
        self.write(START + message + END)

    def receive(self):
        """The next answer; None when the node closes."""
        while END not in self.rest:
            try:
                got = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not got:
                assert not self.rest, "half an answer"
                return None
            self.rest += got
        frame, self.rest = self.rest.split(END, 1)
        assert frame.startswith(START) and START not in frame[1:], frame
        return Answer(frame[1:])

    def ask(self, message):
        self.send(message)
        return self.receive()

    def closed(self, within):
        self.socket.settimeout(within)
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def header_field(message, number):
    header = message.split(b"\r", 1)[0]
    fields = header.split(header[3:4])  # MSH-1 is the separator, so MSH-n stands at n - 1
    return fields[number - 1].decode("latin-1").strip(" ") if len(fields) >= number else ""


def control_id(message):
    return header_field(message, 10)


def is_answered(message):
    """Whether its sender can count on an answer, whatever becomes of it: original mode, or `always` in enhanced mode."""
    if header_field(message, 9).split("^")[0] in ("ACK", "MCF"):
        return False
    asked = [header_field(message, number) for number in (15, 16)]
    return not any(asked) or "AL" in asked


class Hub:
    def __init__(self, weir, path):
        self.weir, self.path = weir, str(path)

    def read(self, *command):
        return subprocess.run([self.weir, "hub", *command, "--hub", self.path], check=True, capture_output=True, text=True).stdout

    def digest(self):
        return self.read("digest").strip()

    def ledger(self):
        return json.loads(self.read("ledger", "--json").splitlines()[-1])["feeds"]

    def totals(self):
        """received, applied, duplicate, suppressed, rejected over all feeds; and it balances."""
        sums = {"received": 0, "applied": 0, "duplicate": 0, "suppressed": 0, "rejected": 0}
        for feed in self.ledger().values():
            rejected = sum(feed["rejected"].values())
            assert feed["received"] == feed["applied"] + feed["duplicate"] + feed["suppressed"] + rejected + feed["in_flight"], feed
            for name in sums:
                sums[name] += rejected if name == "rejected" else feed[name]
        return sums

    def sound(self):
        return subprocess.run([self.weir, "hub", "verify", "--hub", self.path], capture_output=True).returncode == 0


def until(condition, within=10, what="it did not happen"):
    end = time.monotonic() + within
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(what)
