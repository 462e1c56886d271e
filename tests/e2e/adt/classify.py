"""What examples/adt/adt.weir must make of each record, worked out from its contract alone (no code of weir's).

    classify.py FOLDER    prints file, index, event, class and evidence of every record in every file that holds an ADT message
"""

import sys
from dataclasses import dataclass

import v2

# accept ADT^A01..A17, A25..A29, A31, A38, A40, A60 processing any; versions 2.1..2.8 else 2.5.1 refuses none
ACCEPTED = {f"A{n:02}" for n in [*range(1, 18), *range(25, 30), 31, 38, 40, 60]}
TRANSPORT = {("MSH", 7), ("MSH", 13)}  # what `same content` leaves out


@dataclass(frozen=True)
class Verdict:
    file: str
    index: int
    is_adt: bool
    event: str
    expected: str  # applied, duplicate, or rejected:CLASS/CODE
    evidence: str


def event_of(message):
    return (message.text("MSH", 9, 2) or message.text("EVN", 1)).upper()


def medical_record_number(message):
    """keyspace mrn: PID-3[type MR].first().1 else PID-3.first().1 else PID-2.first().1; its authority is never missing."""
    repeats = message.repeats(message.raw_field("PID", 3))
    typed = [r for r in repeats if message.component_of(r, 5) == "MR"]
    for candidates in (typed, repeats, message.repeats(message.raw_field("PID", 2))):
        if candidates and message.component_of(candidates[0], 1):
            return message.component_of(candidates[0], 1)
    return ""


def refusal(record, message):
    """The reason not to apply the record, were it the only one: (class/code, evidence), or None."""
    if record.kind == "junk":
        return "schema/junk", "lines outside any message"
    if message.fault:
        return f"schema/{message.fault}", "MSH-1 and MSH-2 are no delimiters" if message.fault == "header" else "MSH-18"
    code, event = message.text("MSH", 9), event_of(message)
    if code != "ADT" or event not in ACCEPTED:
        return "schema/unrouted", f"{code or 'no type'}^{event or 'no event'} is not accepted"
    if not medical_record_number(message):
        return "schema/required", "no identifier in PID-3 or PID-2"
    return None


def identity(record, message, routed):
    """What makes two records the same. Without a readable key, the bytes."""
    if routed:
        key = tuple(message.text("MSH", n) for n in (3, 4, 10))
        if any(key):
            return ("key", key, message.content(TRANSPORT))
    return ("raw", record.raw)


def classify(files):
    """Verdicts for [(name, bytes)] in the order in which they are read."""
    seen, verdicts = {}, []
    for name, data in files:
        for record in v2.frame(data):
            message = v2.Message(record.raw) if record.kind == "message" else None
            readable = message is not None and message.fault is None
            event = event_of(message) if readable else ""
            # A message that forgot MSH-9 is an ADT message if its EVN says so.
            is_adt = readable and (message.text("MSH", 9) or ("ADT" if event.startswith("A") else "")) == "ADT"
            why = refusal(record, message)
            routed = why is None or why[0] == "schema/required"
            same = identity(record, message, routed)
            expected, evidence = (f"rejected:{why[0]}", why[1]) if why else ("applied", "")
            if same in seen:
                first = seen[same]
                expected = "duplicate"
                evidence = f"of {first.file}#{first.index}" + ("" if why is None else f", itself {first.expected}")
            verdict = Verdict(name, record.index, is_adt, event, expected, evidence)
            seen.setdefault(same, verdict)
            verdicts.append(verdict)
    return verdicts


def read(folder):
    return [(path[len(folder) :].lstrip("/"), open(path, "rb").read()) for path in v2.files_below(folder)]


def in_adt_files(verdicts):
    adt = {v.file for v in verdicts if v.is_adt}
    return [v for v in verdicts if v.file in adt]


if __name__ == "__main__":
    for v in in_adt_files(classify(read(sys.argv[1].rstrip("/")))):
        print(v.file, v.index, v.event, v.expected, v.evidence, sep="\t")
