#!/usr/bin/env python3
"""Structural facts of HL7 v2 (names, types, cardinalities, tables) from hl7apy (MIT) -> hl7v2.defs, one line a definition.

Usage: extract_hl7v2.py HL7APY_SOURCE_FOLDER OUTPUT

Line: kind TAB name TAB versions TAB body. Identical bodies of several versions share a line.
  M  message structure: tokens `SEG min max` and `{GROUP min max` … `}`; max -1 is unbounded
  S  segment: fields `;`-joined, each `position name type min max table|-`
  T  composite data type: components, each `position name type table|-`
  C  code table: codes joined by TAB
  A  trigger event with the structure of another one (HL7 table 0354): TYPE_TRIGGER -> structure
"""
import importlib
import re
import sys

VERSIONS = ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2"]

# HL7 table 0354: which triggers share a structure. Facts of the standard, the same in 2.4 and later.
SHARED = {
    "ADT_A01": "A04 A08 A13", "ADT_A05": "A14 A28 A31", "ADT_A06": "A07", "ADT_A09": "A10 A11",
    "ADT_A21": "A22 A23 A25 A26 A27 A29 A32 A33", "ADT_A30": "A34 A35 A36 A46 A47 A48 A49", "ADT_A39": "A40 A41 A42",
    "ADT_A43": "A44", "ADT_A50": "A51", "ADT_A52": "A53", "ADT_A54": "A55", "ADT_A61": "A62",
    "MDM_T01": "T03 T05 T07 T09 T11", "MDM_T02": "T04 T06 T08 T10",
    "SIU_S12": "S13 S14 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S26", "BAR_P01": "P05", "PPR_PC1": "PC2 PC3",
}


def camel(name):
    parts = [p for p in re.split(r"[^A-Za-z0-9]+", name or "") if p]
    return (parts[0].lower() + "".join(p.capitalize() for p in parts[1:])) if parts else "-"


def children(struct):
    """A one-child sequence stands unwrapped in the source, an empty one is missing."""
    rows = struct[1] if len(struct) > 1 else ()
    return (rows,) if rows and isinstance(rows[0], str) else rows


def content(struct, groups, name, seen=()):
    out = []
    for child, _, (low, high), kind in children(struct):
        if kind == "SEG":
            out.append(f"{child} {low} {high}")
        elif child not in seen:
            short = child[len(name) + 1:] if child.startswith(name + "_") else child
            out.append(f"{{{short} {low} {high}")
            out.append(content(groups[child], groups, name, seen + (child,)))
            out.append("}")
    return " ".join(out)


def main(source, output):
    sys.path.insert(0, source)
    lines = {}
    for version in VERSIONS:
        module = "hl7apy.v" + version.replace(".", "_")
        try:
            load = lambda part: importlib.import_module(f"{module}.{part}")
            messages, groups = load("messages").MESSAGES, load("groups").GROUPS
            segments, fields = load("segments").SEGMENTS, load("fields").FIELDS
            types, leaves = load("datatypes").DATATYPES_STRUCTS, load("datatypes").DATATYPES
        except ImportError:
            continue
        try:
            tables = load("tables").TABLES
        except ImportError:  # before 2.3.1 the source has none
            tables = {}
        add = lambda kind, name, body: lines.setdefault((kind, name, body), []).append(version)
        for name, struct in messages.items():
            add("M", name, content(struct, groups, name))
        for name, struct in segments.items():
            rows = []
            for field, _, (low, high), _ in children(struct):
                kind = fields.get(field)
                if kind is None:  # a placeholder row of the source
                    continue
                rows.append(f"{field.split('_')[-1]} {camel(kind[3])} {kind[2] or '-'} {low} {high} {kind[4] or '-'}")
            add("S", name, ";".join(rows))
        for name, struct in types.items():
            rows = []
            for component, *_ in ((struct,) if struct and isinstance(struct[0], str) else struct):
                kind = leaves.get(component)
                if kind is None:
                    continue
                rows.append(f"{component.split('_')[-1]} {camel(kind[3])} {kind[2] or '-'} {kind[4] or '-'}")
            add("T", name, ";".join(rows))
        for name, table in tables.items():
            codes = table[1] if isinstance(table, (tuple, list)) and len(table) > 1 and isinstance(table[1], (tuple, list)) else ()
            add("C", name, "\t".join(str(c) for c in codes))
    for structure, triggers in SHARED.items():
        for trigger in triggers.split():
            name = structure.split("_")[0] + "_" + trigger
            own = {v for (kind, n, _), versions in lines.items() if kind == "M" and n == name for v in versions}
            lines[("A", name, structure)] = [v for v in VERSIONS if v not in own]
    with open(output, "w", encoding="utf-8", newline="\n") as out:
        order = {v: i for i, v in enumerate(VERSIONS)}
        for (kind, name, body), versions in sorted(lines.items(), key=lambda x: (x[0][0], x[0][1], order[x[1][0]])):
            out.write(f"{kind}\t{name}\t{','.join(versions)}\t{body}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
