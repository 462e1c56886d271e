"""weir map against what another converter expects, element by element, for the ADT pairs of pairs.tsv.

    pairs.py WEIR SHARED [--engine E] [--json] [--all]     exit 0: none differs and enough agree, 1: not, 77: no SHARED

An element is a primitive value of a resource that both sides have. It agrees, differs by design (a rule of rules.tsv says
why, citing the guide's map row or R4), or differs. Resources that only one side has need a rule too; they are counted apart.
"""

import argparse
import collections
import fnmatch
import json
import os
import subprocess
import sys

import compare

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
MOST_RULES = 40
LEAST_AGREEMENT = 0.70
PEER_ONLY, OURS_ONLY = "peer-only", "ours-only"
# What the ADT part of std.v2 writes (dsl/std/v2/segments.weir, messages.weir, datatypes.weir), but Observation: the peer groups
# OBX into components by its own rule, which the guide leaves open (errata E14).
TYPES = ("Account", "AllergyIntolerance", "Condition", "Coverage", "Encounter", "Location", "Organization", "Patient",
         "Practitioner", "Procedure", "RelatedPerson", "MessageHeader", "Provenance", "PractitionerRole", "Device")
# Triggers without a map of std.v2 that could agree: the guide has none, the peer writes a Linkage.
UNMAPPED = {"A40": "a merge: the guide has no map; weir merges, the peer writes a Linkage",
            "A41": "not mapped", "A47": "not mapped"}


class Rules:
    """rules.tsv: name, the most elements it may explain (so that it hides no new difference), kinds, patterns, reason, citation."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            head, *rows = (line.rstrip("\n").split("\t") for line in lines)
        assert head == ["rule", "most", "kinds", "elements", "reason", "citation"], head
        assert all(len(row) == 6 and all(row) for row in rows), "a rule without reason or citation"
        assert len(rows) <= MOST_RULES, f"{len(rows)} rules, at most {MOST_RULES}"
        self.rows = [(name, kinds.split(), elements.split()) for name, _, kinds, elements, _, _ in rows]
        self.most = {name: int(most) for name, most, *_ in rows}
        self.used = collections.Counter()

    def find(self, kind, element):
        for name, kinds, elements in self.rows:
            if kind in kinds and any(fnmatch.fnmatchcase(element, pattern) for pattern in elements):
                self.used[name] += 1
                return name
        return None


def adt_pairs(shared):
    with open(os.path.join(shared, "data/pairs.tsv"), encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    for source, expected, kind in rows:
        if not kind.startswith("hl7v2->"):
            continue
        with open(os.path.join(shared, "data", source), "rb") as file:
            header = next(iter(file.read().lstrip(b"\xef\xbb\xbf\x0b").splitlines()), b"").decode("utf-8", "replace")
        fields = header.split(header[3:4])
        code = fields[8].split(header[4:5]) if len(fields) > 8 else []
        if code[:1] == ["ADT"]:
            yield source, expected, code[1]


def mapped(weir, engine, paths):
    feed = os.path.join(HERE, "../../../examples/adt/adt.weir")
    done = subprocess.run([weir, "map", feed, "--engine", engine, "--in", *paths], stdout=subprocess.PIPE, check=True)
    return {line["source"]: line for line in map(json.loads, done.stdout.splitlines())}


def of_types(resources):
    return [r for r in resources if r["resourceType"] in TYPES]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("weir")
    options.add_argument("shared")
    options.add_argument("--engine", default="jit")
    options.add_argument("--json", action="store_true", help="the report as one JSON document")
    options.add_argument("--all", action="store_true", help="list every element that differs, also by design")
    args = options.parse_args()
    if not os.path.isfile(os.path.join(args.shared, "data/pairs.tsv")):
        print(f"SKIPPED: no pairs at {args.shared}; set WEIR_SHARED")
        return SKIPPED
    rules = Rules(os.path.join(HERE, "rules.tsv"))
    everything = list(adt_pairs(args.shared))
    others = [(source, trigger) for source, _, trigger in everything if trigger in UNMAPPED]
    pairs = [(source, expected) for source, expected, trigger in everything if trigger not in UNMAPPED]
    lines = mapped(args.weir, args.engine, [os.path.join(args.shared, "data", source) for source, _ in pairs])

    by_type = collections.defaultdict(collections.Counter)
    by_rule, resources, differ, other_types = collections.Counter(), collections.Counter(), [], collections.Counter()
    for source, expected in pairs:
        ours = lines[os.path.join(args.shared, "data", source)]
        with open(os.path.join(args.shared, "data", expected), encoding="utf-8") as file:
            peer = [entry["resource"] for entry in json.load(file)["entry"]]
        other_types.update(r["resourceType"] for r in peer if r["resourceType"] not in TYPES)
        result = compare.Comparison(of_types(peer), of_types(ours.get("resources", [])))
        found = [(kind, f"{kind_of}.{path}", peers, mine) for kind, kind_of, path, peers, mine in result.results]
        for kind, rest in ((PEER_ONLY, result.only_expected), (OURS_ONLY, result.only_ours)):
            found += [(kind, r["resourceType"], None, None) for r in rest]
        resources["both"] += len(result.matched)
        for kind, element, peers, mine in found:
            rule = None if kind == compare.AGREE else rules.find(kind, element)
            status = "agree" if kind == compare.AGREE else "design" if rule else "differ"
            if kind in (PEER_ONLY, OURS_ONLY):
                resources[kind] += 1
            else:
                by_type[element.split(".")[0]][status] += 1
            if rule:
                by_rule[rule] += 1
            if status == "differ" or (args.all and status == "design"):
                differ.append({"status": status, "rule": rule, "kind": kind, "element": element, "peer": peers, "weir": mine,
                               "message": os.path.basename(source)})

    total = sum(by_type.values(), collections.Counter())
    count = sum(total.values())
    agreement = total["agree"] / count if count else 0.0
    unexplained = sum(d["status"] == "differ" for d in differ)
    overused = {name: f"{rules.used[name]} of {most}" for name, most in rules.most.items() if rules.used[name] > most}
    unused = [name for name, *_ in rules.rows if name not in rules.used]
    report = {"pairs": len(pairs), "others": [{"message": os.path.basename(s), "trigger": t, "why": UNMAPPED[t]} for s, t in others],
              "elements": count, "agree": total["agree"], "by_design": total["design"], "differ": unexplained,
              "agreement": round(agreement, 4), "types": {t: dict(c) for t, c in sorted(by_type.items())},
              "resources": dict(resources), "rules": dict(sorted(by_rule.items())), "unused_rules": unused, "overused_rules": overused,
              "types_not_written": dict(sorted(other_types.items()))}
    if args.json:
        print(json.dumps({**report, "differences": differ}))
    else:
        print_table(report, differ)
    good = unexplained == 0 and agreement >= LEAST_AGREEMENT and not unused and not overused
    return 0 if good else 1


def print_table(report, differ):
    grouped = collections.defaultdict(list)
    for d in differ:
        grouped[(d["status"], d["rule"] or "-", d["element"], d["kind"])].append(d)
    for (status, rule, element, kind), items in sorted(grouped.items(), key=lambda item: -len(item[1])):
        example = items[0]
        print(f"{len(items):5} {status} {rule} {element} {kind}: peer {example['peer']!r}, weir {example['weir']!r} ({example['message']})")
    print(f"{'type':20}{'agree':>7}{'design':>7}{'differ':>7}")
    for name, c in report["types"].items():
        print(f"{name:20}{c.get('agree', 0):7}{c.get('design', 0):7}{c.get('differ', 0):7}")
    print(f"{report['pairs']} pairs, {report['elements']} elements: {report['agree']} agree ({100 * report['agreement']:.1f} %), "
          f"{report['by_design']} differ by design ({len(report['rules'])} rules), {report['differ']} differ")
    print("resources: " + ", ".join(f"{n} {k}" for k, n in report["resources"].items()))
    print("not compared: " + ", ".join(f"{o['message']} ({o['why']})" for o in report["others"]))
    print("types not compared: " + ", ".join(f"{t} {n}" for t, n in report["types_not_written"].items()))
    if report["unused_rules"]:
        print("rules that explain nothing: " + " ".join(report["unused_rules"]))
    if report["overused_rules"]:
        print("rules that explain more than they may: " + ", ".join(f"{r} {n}" for r, n in report["overused_rules"].items()))


if __name__ == "__main__":
    sys.exit(main())
