#!/usr/bin/env python3
"""The rows of HL7's v2-to-FHIR guide (CC0) that the seven ADT maps reach, for `weir check --coverage std`.

Usage: extract_v2_to_fhir.py FOLDER OUTPUT; FOLDER holds messages, segments, datatypes and tables.jsonl.

A sheet is a line `KIND TAB SHEET TAB N`, KIND M message, S segment, D data type, T table, N its rows without a target;
its rows follow, each `TAB SOURCE TAB TARGET TAB CONDITION TAB CONSTANT TAB SHEETS`, trailing tabs left out. CONDITION is
the id of conditions.jsonl, or `narrative`; CONSTANT is `=` where the guide assigns a value and does not copy the
source; SHEETS are those the row calls. A table's row is `TAB CODE TAB TARGET CODE`.
"""
import json
import pathlib
import sys

SEVEN = ["ADT_A01", "ADT_A02", "ADT_A05", "ADT_A06", "ADT_A09", "ADT_A11", "ADT_A17"]


def key(name):  # 15 data types differ in letter case from their sheet's name, 5 tables by `/` or a blank
    return name.lower().replace("/", "").replace(" ", "")


def clean(text):
    return " ".join(str(text).split())


def main(folder, output):
    read = lambda name: [json.loads(line) for line in open(pathlib.Path(folder) / f"{name}.jsonl", encoding="utf-8")]
    sheets = {kind: {key(s["map"]): s for s in read(name)}
              for kind, name in (("M", "messages"), ("S", "segments"), ("D", "datatypes"), ("T", "tables"))}
    reached = {kind: set() for kind in "MSDT"}

    def reach(kind, name):
        if key(name) in reached[kind]:
            return
        reached[kind].add(key(name))
        for row in sheets[kind][key(name)]["rows"]:
            for field, called in (("segmap", "S"), ("dtmap", "D"), ("tablemap", "T")):
                if row.get(field) and "target" in row:
                    reach(called, row[field])

    for name in SEVEN:
        reach("M", name)
    with open(output, "w", encoding="utf-8", newline="\n") as out:
        for kind in "MSDT":
            for sheet in sorted((sheets[kind][k] for k in reached[kind]), key=lambda s: s["map"]):
                targeted = "tcode" if kind == "T" else "target"
                rows = [r for r in sheet["rows"] if r.get(targeted)]
                out.write(f"{kind}\t{sheet['map']}\t{len(sheet['rows']) - len(rows)}\n")
                source = ""
                for row in rows:
                    if kind == "T":
                        out.write(f"\t{clean(row.get('code', ''))}\t{clean(row['tcode'])}\n")
                        continue
                    source = row.get("id", source)
                    called = [sheets[c][key(row[f])]["map"] for f, c in (("segmap", "S"), ("dtmap", "D"), ("tablemap", "T")) if row.get(f)]
                    condition = row.get("cond") or ("narrative" if row.get("narrative") else "")
                    cells = [clean(source), clean(row["target"]), condition, "=" if row.get("assign") else "", ",".join(called)]
                    out.write("\t" + "\t".join(cells).rstrip("\t") + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
