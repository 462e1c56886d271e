#!/usr/bin/env python3
"""check_fields.py WEIR SOURCE ROWS MESSAGES LEAST: of the populated fields that HL7's guide gives a target in the maps of the
seven ADT events, how many does SOURCE read? Fails below LEAST per cent. Fields it does not read are listed with their counts."""
import collections
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import v2  # noqa: E402

SEVEN = ["A01", "A02", "A05", "A06", "A09", "A11", "A17"]


def targets(rows):
    """Fields with a target row in the segment sheets that each of the seven message sheets calls."""
    sheets, calls, name, kind = collections.defaultdict(set), collections.defaultdict(set), "", ""
    for line in pathlib.Path(rows).read_text().splitlines():
        cells = line.split("\t")
        if cells[0]:
            kind, name = cells[0], cells[1]
            continue
        if kind == "M" and len(cells) > 5:
            calls[name[-3:]].update(c for c in cells[5].split(",") if c)
        field = re.match(r"([A-Z][A-Z0-9]{2}-\d+)", cells[1])
        if kind == "S" and field and cells[2]:
            sheets[name].add(field.group(1))
    return {event: set().union(*(sheets[s] for s in calls[event])) for event in SEVEN}


def main():
    weir, source, rows, messages, least = sys.argv[1:]
    if not pathlib.Path(messages).exists():
        print(f"no {messages}")
        sys.exit(77)
    done = subprocess.run([weir, "check", "--fields", source], capture_output=True, text=True, check=True)
    mapped = set(done.stdout.split())
    wanted = targets(rows)
    populated, reached, missing = 0, 0, collections.Counter()
    seen = set()
    for path in v2.files_below(messages):
        for record in v2.frame(pathlib.Path(path).read_bytes()):
            if record.kind != "message" or record.raw in seen:
                continue
            seen.add(record.raw)
            message = v2.Message(record.raw)
            event = message.text("MSH", 9, 2) if message.fault is None else ""
            if message.fault is not None or message.text("MSH", 9) != "ADT" or event not in SEVEN:
                continue
            for segment, fields in message.segments:
                for n, value in enumerate(fields, 1):
                    field = f"{segment}-{n}"
                    if field in wanted[event] and value.strip(b"^~& \t") and value.strip() != b'""':
                        populated += 1
                        reached += field in mapped
                        missing[field] += field not in mapped
    share = 100 * reached / max(populated, 1)
    print(f"{populated} populated fields with a target row, {reached} read: {share:.1f} %")
    print("not read: " + ", ".join(f"{field} {count}" for field, count in missing.most_common(40) if count))
    sys.exit(0 if populated and share >= float(least) else 1)


main()
