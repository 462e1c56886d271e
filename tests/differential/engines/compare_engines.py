#!/usr/bin/env python3
"""compare_engines.py WEIR WEIR_NODE SOURCE… -- INPUT…: interpreter, JIT and ahead-of-time kernel over the same records.

Every line of `weir map` must be the same bytes in all three. Prints records and records with resources, and fails when the
records with resources are fewer than 200 although the recorded messages of $WEIR_SHARED are there."""
import json
import pathlib
import subprocess
import sys
import tempfile


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout.splitlines()


def main():
    weir, node, *rest = sys.argv[1:]
    split = rest.index("--")
    sources, inputs = rest[:split], [i for i in rest[split + 1:] if pathlib.Path(i).exists()]
    bad = 0
    with_resources_of_all = 0
    for source in sources:
        with tempfile.TemporaryDirectory() as folder:
            package = pathlib.Path(folder) / "kernel.weirpkg"
            run(weir, "build", source, "-o", package)
            cache = pathlib.Path(folder) / "cache"
            engines = {
                "interp": run(weir, "map", source, "--engine", "interp", "--in", *inputs),
                "jit": run(weir, "map", source, "--cache", cache, "--in", *inputs),
                "aot": run(node, "map", "--allow-unsigned", package, "--in", *inputs),
            }
        oracle = engines["interp"]
        with_resources = sum(1 for line in oracle if json.loads(line).get("resources"))
        with_resources_of_all += with_resources
        for name in ("jit", "aot"):
            lines = engines[name]
            differing = [i for i in range(max(len(oracle), len(lines))) if i >= len(oracle) or i >= len(lines) or oracle[i] != lines[i]]
            bad += len(differing)
            for i in differing[:5]:  # where, not what: records hold patient data
                where = json.loads(oracle[i]) if i < len(oracle) else {"source": "?", "index": i}
                print(f"{name} differs: {where['source']} #{where['index']}")
        print(f"{pathlib.Path(source).name}: {len(oracle)} records, {with_resources} with resources, {'equal' if bad == 0 else 'DIFFERENT'} in interp, jit, aot")
    shared = len(inputs) > 1
    if shared and with_resources_of_all < 200:
        sys.exit(f"only {with_resources_of_all} records with resources: the comparison says too little")
    sys.exit(1 if bad else 0)


main()
