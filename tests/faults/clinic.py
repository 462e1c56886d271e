"""What the fault tests share: messages of a made-up clinic, the programs under test, what a hub says."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e" / "serve"))

from client import Node, Sender  # noqa: E402,F401: for the tests

HERE = pathlib.Path(__file__).resolve().parent


def message(number, patient, event="A01", minute=None, visit=None, patient_class="I", sender="CLINIC", merged=None, gender="F"):
    """A v2 message; `minute` is its event time on one day."""
    minute = number if minute is None else minute
    time = f"202401{1 + minute // 1440:02d}{minute // 60 % 24:02d}{minute % 60:02d}00"
    segments = [
        f"MSH|^~\\&|ADT|{sender}|HUB|HUB|{time}||ADT^{event}|C{number}|P|2.5.1",
        f"EVN|{event}|{time}",
        f"PID|1||{patient}^^^CLINIC^MR||DOE{patient}^JANE||19700101|{gender}",
    ]
    if merged is not None:
        segments.append(f"MRG|{merged}^^^CLINIC^MR")
    elif visit is not None:
        segments.append(f"PV1|1|{patient_class}|WARD^1^{number % 9}||||||||||||||||V{visit}|||||||||||||||||||||||||{time}")
    return ("\r".join(segments) + "\r").encode()


def traffic(count, seed=1, classes=("I", "O")):
    """Admissions, changes, discharges and merges of some patients, in the order of their events."""
    pick = random.Random(seed)
    sent = []
    for number in range(count):
        patient = pick.randrange(1, max(4, count // 6))
        if pick.random() < 0.04:
            sent.append(message(number, patient, "A40", merged=pick.randrange(1, max(4, count // 6))))
            continue
        sent.append(message(number, patient, pick.choice(["A01", "A02", "A03", "A08", "A11"]), visit=patient * 10 + pick.randrange(3),
                            patient_class=pick.choice(classes), gender=pick.choice("FM")))
    return sent


def source(folder, *rows, name=None, text=lambda s: s):
    """The feed's source with more rows in its table, as ("E", "EMER"), or changed otherwise."""
    lines = "".join(f"  {code} -> {target}\n" for code, target in rows)
    path = pathlib.Path(folder) / (name or f"clinic{len(rows)}.weir")
    path.write_text(text((HERE / "clinic.weir").read_text().replace("  else -> dead_letter", lines + "  else -> dead_letter")))
    return path


class Weir:
    """The programs, and a folder for what they make."""

    def __init__(self, weir, node=None):
        self.weir, self.node = weir, node
        self._folder = tempfile.TemporaryDirectory(prefix="weir_fault_")
        self.folder = pathlib.Path(self._folder.name)
        self._made = 0

    def path(self, name):
        return self.folder / name

    def file(self, messages):
        self._made += 1
        path = self.path(f"in{self._made}.hl7")
        path.write_bytes(b"".join(messages))
        return path

    def run(self, *command, expect=(0,), env=None):
        done = subprocess.run([self.weir, *map(str, command)], capture_output=True, text=True, env={**os.environ, **(env or {})})
        assert done.returncode in expect, f"{command}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    def json(self, *command, expect=(0,)):
        return json.loads(self.run(*command, "--json", expect=expect).stdout.splitlines()[-1])

    def take(self, source_path, messages, hub):
        return self.json("run", source_path, "--in", self.file(messages), "--hub", hub)

    def digest(self, hub):
        return self.run("hub", "digest", "--hub", hub).stdout.strip()

    def export(self, hub, *options):
        return self.run("hub", "export", "--hub", hub, *options).stdout

    def ledger(self, hub, feed="adt"):
        return self.json("hub", "ledger", "--hub", hub)["feeds"][feed]

    def sound(self, hub):
        report = self.json("hub", "verify", "--hub", hub)
        assert report["faults"] == [], report
        return report

    def kill_after(self, seconds, *command):
        """Kills the command after so long, unless it ended; says whether it ended well."""
        process = subprocess.Popen([self.weir, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return False


def main(test):
    """`python fault_N_….py WEIR [NODE]`"""
    weir = Weir(*sys.argv[1:3])
    test(weir)
    print("ok")
