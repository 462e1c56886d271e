#!/usr/bin/env python3
"""cli_test.py WEIR SOURCE_DIR: what design section 6 promises of the command line: exit codes, one JSON document as the last line of
standard output, wrong input named, and an interrupted run that leaves a hub which a second run completes."""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

WEIR, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
ADT = str(SOURCE / "examples/adt/adt.weir")
MESSAGES = SOURCE / "examples/adt/messages"
failures = []


def run(*words, code=0):
    done = subprocess.run([WEIR, *map(str, words)], capture_output=True, text=True)
    if done.returncode != code:
        failures.append(f"weir {' '.join(map(str, words))}: exit {done.returncode}, not {code}: {done.stderr.strip()[:200]}")
    return done


def expect(what, holds):
    if not holds:
        failures.append(what)


def exit_codes(tmp):
    run("--version")
    run("frobnicate", code=2)
    run("check", code=2)
    run("check", tmp, code=2)                       # a folder without sources
    run("check", SOURCE / "examples")
    run("run", ADT, "--in", tmp / "none", "--hub", tmp / "none.db", code=2)
    run("build", ADT, "-o", tmp / "no/such/x.weirpkg", code=2)
    broken = tmp / "broken.weir"
    broken.write_text("edition 1\npackage broken\nfeed {\n")
    run("check", broken, code=3)
    run("map", broken, "--in", MESSAGES, code=3)
    expect("a hub that is not there is not made by reading it", run("hub", "ledger", "--hub", tmp / "none.db", code=2) and not (tmp / "none.db").exists())


def json_documents(tmp):
    report = json.loads(run("check", "--json", SOURCE / "examples").stdout.splitlines()[-1])
    expect("check --json counts the warnings it lists", report["errors"] == 0 and len(report["diagnostics"]) == report["warnings"])
    sarif = json.loads(run("check", "--format", "sarif", SOURCE / "examples").stdout)
    expect("SARIF 2.1.0 with a run for each source", sarif["version"] == "2.1.0" and len(sarif["runs"]) == len(list((SOURCE / "examples").rglob("*.weir"))))
    hub = tmp / "json.db"
    mine = json.loads(run("run", ADT, "--in", MESSAGES, "--hub", hub, "--json").stdout.splitlines()[-1])
    whole = json.loads(run("hub", "ledger", "--hub", hub, "--json").stdout.splitlines()[-1])
    for name, feed in mine["feeds"].items():
        parts = feed["applied"] + feed["duplicate"] + feed["suppressed"] + feed["in_flight"] + sum(feed["rejected"].values())
        expect(f"the ledger of {name} balances", feed["received"] == parts)
    expect("the run's ledger is the new hub's", mine["feeds"] == whole["feeds"])


OWN = {b"MSH": (10,), b"PID": (2, 3, 4, 18), b"PV1": (19,), b"MRG": (1, 5)}  # control ids, patients, visits


def big_file(path, copies):
    """The sample messages `copies` times, each copy of other patients, visits and control ids."""
    text = b"\r".join(p.read_bytes().replace(b"\r\n", b"\r").replace(b"\n", b"\r").strip(b"\r") for p in sorted(MESSAGES.rglob("*.hl7")))
    with path.open("wb") as out:
        for copy in range(copies):
            for line in text.split(b"\r"):
                fields = line.split(b"|")
                for n in OWN.get(fields[0], ()):
                    n -= fields[0] == b"MSH"
                    if n < len(fields) and fields[n]:
                        fields[n] = b"~".join(b"%d-%b" % (copy, one) if one else one for one in fields[n].split(b"~"))
                out.write(b"|".join(fields) + b"\r")


def interrupted(tmp):
    source = tmp / "big.hl7"
    big_file(source, 60)
    run("run", ADT, "--in", source, "--hub", tmp / "whole.db")
    wanted = run("hub", "digest", "--hub", tmp / "whole.db").stdout
    hub, stopped = tmp / "cut.db", False
    for delay in (1.2, 0.8, 0.5, 0.3):  # on a fast machine a long delay lets it finish
        child = subprocess.Popen([WEIR, "run", ADT, "--in", source, "--hub", hub], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(delay)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        if child.returncode == 130:
            stopped = True
            break
        for part in tmp.glob("cut.db*"):
            part.unlink()
    expect("the run could be interrupted", stopped)
    if hub.exists():
        run("hub", "verify", "--hub", hub)
    run("run", ADT, "--in", source, "--hub", hub)
    expect("interrupted and run again gives the digest of one run", run("hub", "digest", "--hub", hub).stdout == wanted)


with tempfile.TemporaryDirectory() as folder:
    for part in (exit_codes, json_documents, interrupted):
        part(pathlib.Path(folder))
print("\n".join(failures) or "the command line keeps its promises")
sys.exit(1 if failures else 0)
