#!/usr/bin/env python3
"""weir test: outcomes, lines, exit codes, JSON and JUnit, in both engines. Usage: contract_test.py WEIR SOURCE_DIR"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

weir, root = sys.argv[1], pathlib.Path(sys.argv[2])
here = pathlib.Path(__file__).parent
faults = []


def run(source, *args, code, scratch=None):
    environment = os.environ | ({"TMPDIR": str(scratch)} if scratch else {})
    done = subprocess.run([weir, "test", str(source), *args], capture_output=True, text=True, env=environment)
    if done.returncode != code:
        faults.append(f"{source.name} {args}: exit {done.returncode} and not {code}\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def line_of(source, text):
    lines = source.read_text().splitlines()
    found = [n for n, line in enumerate(lines, 1) if text in line]
    if len(found) != 1:
        faults.append(f"{source.name}: `{text}` stands in {len(found)} lines")
    return found[0]


def equal(what, got, expected):
    if got != expected:
        faults.append(f"{what}: {got!r} and not {expected!r}")


# What holds, in each engine; and the example's own tests.
for engine in ("interp", "jit", "both"):
    document = json.loads(run(here / "pass.weir", "--engine", engine, "--json", code=0).splitlines()[-1])
    equal(engine, (document["tests"], document["failed"]), (4, 0))
run(root / "examples/adt/adt.weir", code=0)

# What fails, each at the line of its expectation, in both engines.
fail = here / "fail.weir"
document = json.loads(run(fail, "--json", code=1).splitlines()[-1])
expected = {"wrong status": "expect Encounter.status = 'finished'", "nothing comes of a refused message": "expect Patient.exists()",
            "empty is not true": "expect Patient.birthDate = @1961-02-03"}
equal("names", [case["name"] for case in document["cases"]], list(expected))
for case in document["cases"]:
    line = line_of(fail, expected[case["name"]])
    equal(case["name"], [(f["engine"], f["line"]) for f in case["failures"]], [("interp", line), ("jit", line)])
messages = [case["failures"][0]["message"] for case in document["cases"]]
for message, part in zip(messages, ["left : in-progress\n    right: finished", "`given` 1 was rejected: schema/required at mrn", "left : empty"]):
    if part not in message:
        faults.append(f"`{part}` is not said in: {message}")

# What cannot be run is an error of the source.
broken = here / "broken.weir"
document = json.loads(run(broken, "--json", code=3).splitlines()[-1])
equal("broken", [case["failures"][0]["line"] for case in document["cases"]],
      [line_of(broken, "Encounter.colour"), line_of(broken, "expect Encounter.status"), line_of(broken, "three.hl7"), line_of(broken, "nothing expected")])

with tempfile.TemporaryDirectory() as work:
    for source, code, counts in ((here / "pass.weir", 0, ("4", "0", "0")), (fail, 1, ("3", "3", "0")), (broken, 3, ("4", "0", "4"))):
        report = pathlib.Path(work) / "junit.xml"
        run(source, "--junit", str(report), code=code)
        suite = xml.parse(report).getroot()
        equal(f"{source.name} JUnit", (suite.get("tests"), suite.get("failures"), suite.get("errors")), counts)
        equal(f"{source.name} cases", len(suite.findall("testcase")), int(counts[0]))
    scratch = pathlib.Path(work) / "scratch"
    scratch.mkdir()
    run(fail, code=1, scratch=scratch)
    equal("left behind", list(scratch.iterdir()), [])
run(here / "nowhere.weir", code=3)

for fault in faults:
    print(fault)
print(f"{len(faults)} faults")
sys.exit(1 if faults else 0)
