#!/usr/bin/env python3
"""bench/hub.py BENCH STORE_SOURCES WORK: the hub against the bare store, plain and encrypted, at the same batch size.

Builds the store's program in WORK from the shared sources, then runs both in interleaved rounds, one database each, and gives
the medians and the median of the ratios. Both verify what they wrote."""
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

bench, sources, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
ROUNDS, MESSAGES, BATCH = 5, "10000", "1000"
shutil.rmtree(work, ignore_errors=True)
for folder in ("store", "limit"):  # the store includes the other's generator
    shutil.copytree(sources / folder, work / folder)
subprocess.run(["make", "-s", "-C", str(work / "store"), "CXX=clang++-19", "store-cipher"], check=True, stdout=subprocess.DEVNULL)
key = "00112233445566778899aabbccddeeff" * 2
(work / "key").write_text(key)


def rate(*command):
    done = subprocess.run([str(c) for c in command], cwd=work, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["msgs_per_s"]


result = {}
for name, ours, theirs in (("plain", [], []), ("encrypted", ["--key-file", work / "key"], ["--key", key])):
    hub, store = [], []
    for _ in range(ROUNDS):
        store.append(rate(work / "store/store-cipher", "--messages", MESSAGES, "--batch", BATCH, "--json", *theirs))
        hub.append(rate(pathlib.Path(bench).resolve(), "--messages", MESSAGES, "--batch", BATCH, *ours))
    result[name] = {"hub": round(statistics.median(hub)), "store": round(statistics.median(store)),
                    "ratio": round(statistics.median(h / s for h, s in zip(hub, store)), 3)}
print(json.dumps({"messages": int(MESSAGES), "mean_batch": int(BATCH), "rounds": ROUNDS, **result}))
