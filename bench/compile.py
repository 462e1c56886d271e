#!/usr/bin/env python3
"""bench/compile.py WEIR: cold start, warm start and check, medians of interleaved rounds; the output is compared in each round."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

weir = sys.argv[1]
root = pathlib.Path(__file__).resolve().parents[1]
source = root / "examples/adt/adt.weir"
message = root / "examples/adt/messages/rethinkhealth/adt-a01-full.hl7"
lines = sum(len(p.read_text().splitlines()) for p in [source, *(root / "dsl/std/v2").glob("*.weir")])


def timed(*command):
    start = time.perf_counter()
    done = subprocess.run([str(c) for c in command], capture_output=True, check=True)
    return time.perf_counter() - start, done.stdout


cold, warm, check, outputs = [], [], [], set()
for _ in range(5):
    with tempfile.TemporaryDirectory() as cache:
        command = (weir, "map", source, "--cache", cache, "--in", message)
        for times in (cold, warm):
            seconds, out = timed(*command)
            times.append(seconds)
            outputs.add(out)
    check.append(timed(weir, "check", source)[0])
print(json.dumps({"cold_s": round(statistics.median(cold), 3), "warm_s": round(statistics.median(warm), 3),
                  "check_s": round(statistics.median(check), 3), "check_lines": lines, "equal": len(outputs) == 1}))
sys.exit(0 if len(outputs) == 1 else 1)
