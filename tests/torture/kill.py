"""Real processes, really killed. Usage: kill.py WEIR STRAIGHT NODE PACKAGE KILLS SEED [--mistake NAME]

A node under MLLP load and with a watched folder is killed with SIGKILL, at each named point of the commit protocol and at any time between, and
started again. The senders are other processes with accounts of their own (sender.py). After each death, and at the end, the accounts are compared
with what `weir hub export` shows, at the end also with a straight `run` of the node STRAIGHT. The last line of the output is JSON.

With a mistake of tests/sim/bugs.py in NODE, it is a failure when nothing is found.
"""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
POINTS = ("pre_commit", "post_commit", "pre_answer", "post_answer", "pre_rename", "post_rename")
WRONG = ("lost", "doubled", "reordered", "other")
KILLS_PER_HUB = 20
SENDERS = 3


class Accounts:
    """What the senders and this process say was sent and answered, by MRN of the patients that one message only knows."""

    def __init__(self, folder):
        self.folder = folder
        self.answers = 0  # records that must be stored

    def read(self):
        sent, answered, self.answers = {}, set(), 0
        for path in sorted(self.folder.glob("sender*.log")):
            for line in path.read_text().splitlines():  # the last one may be cut: then it was not synced
                words = line.split(" ")
                if words[0] == "sent" and len(words) == 3:
                    sent[words[1]] = bytes.fromhex(words[2])
                elif words[0] == "answered" and len(words) == 3:
                    answered.add(words[1])
                    self.answers += 1
        return sent, answered


def mrn_of(message):
    return re.search(rb"PID\|1\|\|([^^]*)", message)[1].decode()


class Torture:
    def __init__(self, weir, straight, node, package, draw, folder, quiet):
        self.weir, self.straight, self.node, self.package, self.draw, self.folder, self.quiet = weir, straight, node, package, draw, folder, quiet
        self.hub = folder / "hub.db"
        self.inbox = folder / "in"
        self.inbox.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.accounts = Accounts(folder)
        self.files = {}  # name -> messages
        self.found = dict.fromkeys(WRONG, 0)
        self.points = {}

    def find(self, what, text):
        self.found[what] += 1
        if not self.quiet and sum(self.found.values()) < 20:
            print(f"{what}: {text}, kept in {self.folder}", file=sys.stderr)

    def start(self, crash_at=None):
        env = {**os.environ, **({"WEIR_CRASH_AT": crash_at} if crash_at else {})}
        return subprocess.Popen([self.node, "serve", self.package, "--allow-unsigned", "--hub", self.hub, "--mllp", f"127.0.0.1:{self.port}",
                                 "--watch", self.inbox], env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def tool(self, *command, hub=None):
        return subprocess.run([self.weir, "hub", *command, "--hub", hub or self.hub], check=True, capture_output=True, text=True).stdout

    def put_file(self):
        number = len(self.files)
        mrns = [f"file{number}x{i}" for i in range(self.draw.randrange(1, 6))]
        messages = [(f"MSH|^~\\&|FILES|EAST|RECV|HOSP|20251005||ADT^A01|F{mrn}|P|2.5.1\rEVN|A01|20251005\rPID|1||{mrn}^^^EAST^MR||Doe^F\r"
                     f"PV1|1|I|W1^1||||||||||||||||V{mrn}\r").encode() for mrn in mrns]
        hidden, name = self.inbox / f".f{number}", f"f{number}.hl7"
        hidden.write_bytes(b"".join(messages))
        hidden.rename(self.inbox / name)
        self.files[name] = messages

    def exported(self, hub=None):
        """Text of the export, and by MRN how many patients have it."""
        text = self.tool("export", hub=hub)
        mrns = {}
        for line in text.splitlines():
            resource = json.loads(line)
            if resource["resourceType"] == "Patient":
                for identifier in resource.get("identifier", []):
                    mrns[identifier["value"]] = mrns.get(identifier["value"], 0) + 1
        return text, mrns

    def taken_files(self):
        return [name for name in self.files if not (self.inbox / name).exists()]

    def judge(self):
        """After a death: whatever was answered is there, and nothing that was not sent."""
        try:
            self.compare()
        except subprocess.CalledProcessError as error:
            self.find("other", f"{error.cmd[2]} does not read the hub")

    def compare(self):
        sent, answered = self.accounts.read()
        if not self.hub.exists():
            if answered:
                self.find("lost", "there is no hub")
            return
        _, mrns = self.exported()
        known = {mrn_of(message) for message in sent.values()} | {mrn_of(m) for messages in self.files.values() for m in messages}
        must = {mrn_of(sent[control]) for control in answered} | {mrn_of(m) for name in self.taken_files() for m in self.files[name]}
        for mrn in must - mrns.keys():
            self.find("lost", f"{mrn} was answered")
        for mrn, count in mrns.items():
            if count > 1 or mrn not in known:
                self.find("doubled", f"{mrn} is there {count} times")
        received = sum(feed["received"] for feed in json.loads(self.tool("ledger", "--json").splitlines()[-1])["feeds"].values())
        if received < self.accounts.answers:
            self.find("lost", f"{received} records and {self.accounts.answers} answers")

    def one_death(self, number):
        """Every second one at any time, the others at the named points in turn."""
        point = POINTS[number // 2 % len(POINTS)] if number % 2 == 0 else None
        count = self.draw.randrange(1, 40) if point and "rename" not in point else 1
        node = self.start(f"{point}:{count}" if point else None)
        if self.draw.random() < 0.3 or (point and "rename" in point):
            self.put_file()
        try:
            node.wait(self.draw.uniform(0.02, 1.0) if point is None else 8)
        except subprocess.TimeoutExpired:
            node.kill()  # at any time; or the point was not reached
            point = None
        code = node.wait()
        if code != -signal.SIGKILL:
            self.find("other", f"the node ended by itself with {code}")
        self.points[point or "any time"] = self.points.get(point or "any time", 0) + 1
        self.judge()

    def rest(self, senders):
        """Everything is answered, the node stops, and the hub is what a straight run over the same messages makes."""
        node = self.start()
        for sender in senders:
            sender.terminate()
        for sender in senders:
            if sender.wait(60) != 0:
                self.find("other", "a sender failed; its stderr says why")
        end = time.monotonic() + 90
        while len(self.taken_files()) < len(self.files) and time.monotonic() < end:
            time.sleep(0.05)
        if len(self.taken_files()) < len(self.files):
            self.find("other", "a file is left in the folder")
        node.terminate()
        if node.wait(30) != 0:
            self.find("other", "the node did not stop")
        self.judge()
        sent, answered = self.accounts.read()
        if sent.keys() != answered:
            self.find("other", "not everything is answered")
        messages = list(sent.values()) + [m for messages in self.files.values() for m in messages]
        straight = self.folder / "straight.db"
        source = self.folder / "straight.hl7"
        source.write_bytes(b"".join(messages))
        subprocess.run([self.straight, "run", self.package, "--allow-unsigned", "--in", source, "--hub", straight], check=True, capture_output=True)
        mine, other = (json.loads(self.tool("ledger", "--json", hub=h).splitlines()[-1])["feeds"] for h in (self.hub, straight))
        for feed in mine.keys() | other.keys():
            a, b = mine.get(feed), other.get(feed)
            if a is None or b is None or a["received"] - a["duplicate"] != b["received"] - b["duplicate"] or a["applied"] != b["applied"]:
                self.find("doubled", f"feed {feed} has other counts than a straight run")
        if self.exported()[0] != self.exported(straight)[0] or self.tool("digest") != self.tool("digest", hub=straight):
            self.find("reordered", "another state than a straight run")
        if subprocess.run([self.weir, "hub", "verify", "--hub", self.hub], capture_output=True).returncode != 0:
            self.find("other", "hub verify finds faults")
        return len(messages)


def main():
    weir, straight, node, package, kills, seed = (*sys.argv[1:5], int(sys.argv[5]), int(sys.argv[6]))
    mistake = sys.argv[8] if len(sys.argv) > 8 else None
    if mistake:
        os.environ["WEIR_SEEDED_BUG"] = mistake
    draw = random.Random(seed)
    total = {"kills": 0, "hubs": 0, "messages": 0, **dict.fromkeys(WRONG, 0), "points": {}}
    while total["kills"] < kills:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-torture-"))
        torture = Torture(weir, straight, node, package, draw, folder, quiet=mistake is not None)
        senders = [subprocess.Popen([sys.executable, HERE / "sender.py", str(torture.port), folder / f"sender{i}.log", str(draw.randrange(1 << 30)), str(i)])
                   for i in range(SENDERS)]
        try:
            for _ in range(min(KILLS_PER_HUB, kills - total["kills"])):
                torture.one_death(total["kills"])
                total["kills"] += 1
            total["messages"] += torture.rest(senders)
        finally:
            for sender in senders:
                if sender.poll() is None:
                    sender.kill()
                    sender.wait()
        total["hubs"] += 1
        for what, count in torture.found.items():
            total[what] += count
        for point, count in torture.points.items():
            total["points"][point] = total["points"].get(point, 0) + count
        if mistake or not any(torture.found.values()):
            shutil.rmtree(folder)
        print(f"{mistake or 'killed'}: {total['kills']} kills, {total['messages']} messages, found {torture.found}", file=sys.stderr)
    if kills >= 8 * len(POINTS) and any(not total["points"].get(point) for point in POINTS):
        total["other"] += 1
        print(f"not every point was met: {total['points']}", file=sys.stderr)
    print(json.dumps(total))
    return int(any(total[what] for what in WRONG) != (mistake is not None))


sys.exit(main())
