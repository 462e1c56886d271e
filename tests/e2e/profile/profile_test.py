#!/usr/bin/env python3
"""weir profile on folders of messages: the draft compiles and takes every well-formed sample, and no patient's value is in any output.

Usage: profile_test.py WEIR FOLDER…    a FOLDER that is absent is skipped, loudly. What identifies a patient is read here, by a
parser of its own; the words the report itself is made of are those of a run over one message without a patient.
"""
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

weir, folders = sys.argv[1], [pathlib.Path(a) for a in sys.argv[2:]]
faults = []

# Segment -> fields of which every value is a patient's or a relative's: identifiers, names, birth dates, addresses, telephones,
# social security and account numbers, free text.
PERSON = {"PID": [2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 18, 19, 20, 21, 23], "NK1": [2, 4, 5, 6, 30, 31, 32, 33], "MRG": [1, 3, 4, 5, 7],
          "GT1": [2, 3, 4, 5, 6, 7, 8, 12, 19], "IN1": [16, 18, 19, 36, 49], "NTE": [3], "OBX": [5]}
# Components that are no value of a person: name type, authority, identifier type, use of a telephone, type of an address.
CX = {4, 5, 6}
CODES = {2: CX, 3: CX, 4: CX, 18: CX, 21: CX, 5: {7, 8}, 11: {4, 6, 7, 9, 10}, 13: {2, 3}, 14: {2, 3}}
OBX_TEXT = {"ST", "TX", "FT"}


def segments(data):
    """(delimiters, id, fields) of each segment of each message."""
    delims = "|^~\\&"
    for line in re.split(r"[\r\n\x0b\x1c]+", data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")):
        if line[:3].upper() == "MSH" and len(line) > 8:
            delims = line[3:8]
        if len(line) > 4 and line[3] == delims[0]:
            yield delims, line[:3].upper(), line.split(delims[0])


def person_values(data):
    found = set()
    for delims, name, fields in segments(data):
        for number in PERSON.get(name, []):
            if number >= len(fields) or (name == "OBX" and (fields[2] if len(fields) > 2 else "") not in OBX_TEXT):
                continue
            for repetition in fields[number].split(delims[2]):
                for k, component in enumerate(repetition.split(delims[1]), 1):
                    if name == "PID" and k in CODES.get(number, ()):
                        continue
                    if name == "MRG" and k in CX and number != 7:
                        continue
                    if name not in ("PID", "NTE", "OBX") and k > 1 and number not in (2, 3, 5):
                        continue
                    for leaf in component.split(delims[4]):
                        leaf = leaf.strip()
                        if len(leaf) >= 4 and leaf != '""' and not re.fullmatch(r"[\W\d]{,4}", leaf):
                            found.add(leaf)
    return found


def sender_words(data):
    words = set()
    for delims, name, fields in segments(data):
        if name == "MSH":
            for field in fields[2:4]:
                words.update(re.split(r"[^A-Za-z0-9]+", field))
                words.update(field.split(delims[1]))
    return words


def run(*args, code=0):
    done = subprocess.run([weir, *map(str, args)], capture_output=True, text=True)
    if done.returncode != code:
        faults.append(f"weir {' '.join(map(str, args))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def strings(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def outputs(folder, work):
    draft = work / "draft.weir"
    text = run("profile", folder, "--draft", draft, "--force")
    document = json.loads(run("profile", folder, "--json").splitlines()[-1])
    return text, document, draft


def check_privacy(where, values, exempt, text, document, draft):
    everything = "\n".join([text, *strings(document), draft.read_text()])
    words = set(re.findall(r"[^\s,;:'\"/(){}]+", everything))
    for value in sorted(values):
        if value in exempt:
            continue
        inside = value in words if re.fullmatch(r"\S+", value) else value in everything
        if inside:
            faults.append(f"{where}: a patient's value of {len(value)} characters is in the output")


def check_folder(folder, work, vocabulary):
    text, document, draft = outputs(folder, work)
    run("check", draft)
    hub = work / f"{folder.name}.db"
    ledger = json.loads(run("run", draft, "--in", folder, "--hub", hub, "--json").splitlines()[-1])["feeds"]
    taken = sum(f["applied"] + f["duplicate"] for name, f in ledger.items() if name != "_unrouted")
    refused = {name: f["rejected"] for name, f in ledger.items() if name != "_unrouted" and any(f["rejected"].values())}
    if refused:
        faults.append(f"{folder.name}: the draft refuses {refused}")
    expected = document["well_formed"]
    # A type or sender that has no spelling in a contract is named in the draft.
    left_out = sum(int(n) for n in re.findall(r"^// (\d+) messages are left out", draft.read_text(), re.M))
    if taken != expected - left_out or left_out > 0.02 * document["messages"] + 1:
        faults.append(f"{folder.name}: {taken} of {expected} well-formed messages are taken, {left_out} left out")
    values, senders = set(), set()
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            values |= person_values(data)
            senders |= sender_words(data)
    check_privacy(folder.name, values, vocabulary | senders, text, document, draft)
    print(f"{folder.name}: {taken} of {document['messages']} taken, {len(values)} values looked for")


def check_planted(work, seed):
    """Names and numbers nobody else has, in their fields and misplaced into coded fields, authorities and Z segments."""
    rng = random.Random(seed)
    folder = work / f"planted{seed}"
    folder.mkdir()
    planted = set()

    def word():
        value = "".join(rng.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(rng.randint(4, 9)))
        planted.add(value)
        return value

    codes = 0
    for n in range(40):
        family, given, number, street = word(), word(), word(), word()
        pick = lambda: rng.choice([family, given, number, street, "I", "O", "X9"])
        lines = [f"MSH|^~\\&|APP{n % 3}|FAC|R|R|20260101||ADT^A01|{n}|P|2.5", f"EVN|A01|20260101||{pick()}",
                 f"PID|1||{number}^^^{rng.choice(['HOSP', family])}^{rng.choice(['MR', given])}||{family}^{given}||19610203|{pick()}||{pick()}|1 {street}^^{word()}||{number}",
                 f"NK1|1|{word()}^{word()}|{pick()}|9 {street}", f"PV1|1|{pick()}|||||||||{pick()}||||{pick()}",
                 f"ZPI|{word()}|{pick()}", f"OBX|1|CE|{pick()}||{word()} of {family}^{pick()}|{pick()}", f"NTE|1||{word()} is {given}"]
        codes += lines[4].startswith("PV1|1|I|")
        if rng.random() < 0.2:
            lines.insert(3, f"{word()[:3]}|{family}|{given}")
        if rng.random() < 0.2:  # a field too many: what follows is one place off, and known as a person's nowhere else
            lines[2] = lines[2].replace("PID|1|", "PID|1||" if rng.random() < 0.5 else "PID|", 1)
        (folder / f"{n}.hl7").write_text("\r".join(lines) + "\r")
    text, document, draft = outputs(folder, work)
    for value in planted:
        if value in text or value in json.dumps(document) or value in draft.read_text():
            faults.append(f"seed {seed}: a planted value is in the output")
    shown = sum(s["segments"]["PV1"]["fields"]["2"]["codes"]["values"].get("I", 0) for s in document["senders"])
    if shown != codes:
        faults.append(f"seed {seed}: {codes} messages have the class I, {shown} are counted")


with tempfile.TemporaryDirectory() as temporary:
    work = pathlib.Path(temporary)
    # The report's own words: the same for any sample.
    plain = work / "plain"
    plain.mkdir()
    (plain / "one.hl7").write_text("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rEVN|A01|20260101\rPID|1\rPV1|1|I\r")
    text, document, draft = outputs(plain, work)
    own = "\n".join([text, *strings(document), draft.read_text()])
    vocabulary = set(re.findall(r"[^\s,;:'\"/(){}]+", own))
    for seed in range(8):
        check_planted(work, seed)
    done = 0
    for folder in folders:
        if not folder.is_dir():
            print(f"skipped: no {folder}", file=sys.stderr)
            continue
        for one in sorted(p for p in folder.iterdir() if p.is_dir()) if folder.name == "hl7v2" else [folder]:
            check_folder(one, work, vocabulary)
            done += 1
    if run("profile", plain, "--draft", work / "draft.weir", code=2):
        faults.append("an existing draft was overwritten")
for fault in faults:
    print(fault)
print(f"{done} folders, {len(faults)} faults")
sys.exit(1 if faults else 0)
