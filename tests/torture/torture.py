"""The parts of scripts/torture, one after the other, and what they found as one line of JSON or of text."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
KILL = [sys.executable, ROOT / "tests/torture/kill.py", BUILD / "weir"]
PACKAGE = BUILD / "tests/sim/sim.weirpkg"
WRONG = ("lost", "doubled", "reordered")
# What a death of the process, and a straight run beside it, must bring to light. The simulator is asked about many more.
KILL_MISTAKES = ("answer_before_commit", "order_of_arrival", "no_dedupe", "partial_commit")
KILLS_OF_A_SAMPLE = 100  # fewer are CI's, which has two minutes


class Torture:
    def __init__(self, arguments):
        self.arguments = arguments
        self.result = {"runs": 0, **dict.fromkeys(WRONG, 0), "other": 0, "failed": []}

    def fail(self, part, again):
        self.result["failed"].append(part)
        print(f"{part} FAILED, again with: {again}", file=sys.stderr)

    def json_of(self, process):
        """The last line of the output, and whether the process was content."""
        output, _ = process.communicate()
        lines = output.decode().strip().splitlines()
        return json.loads(lines[-1]) if lines else None, process.returncode == 0

    def run(self, command):
        return self.json_of(subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE))

    def add(self, found, runs):
        self.result["runs"] += runs
        for name in WRONG:
            self.result[name] += found[name]

    def sim_mistakes(self):
        command = [BUILD / "weir-sim-bugs"]
        self.result["bugs"], fine = self.run(command)
        if not fine:
            self.fail("mistakes in the simulator", command[0])

    def sim(self, count, seed):
        """On two cores: seeds from `seed` on."""
        half = count // 2
        shares = [(seed, count - half), (seed + count - half, half)]
        processes = [subprocess.Popen([BUILD / "weir-sim", "--seed", str(first), "--runs", str(runs), "--json"], stdout=subprocess.PIPE)
                     for first, runs in shares if runs > 0]
        total = {"runs": 0, "lives": 0, "records": 0, "answers": 0, "simulated_seconds": 0, "faults": {}, "seeds": []}
        for process in processes:
            found, fine = self.json_of(process)
            if found is None:
                self.fail("simulation", "weir-sim, which ended by itself")
                continue
            self.add(found, found["runs"])
            self.result["other"] += found["failed"] if not any(found[name] for name in WRONG) else 0
            for name in ("runs", "lives", "records", "answers", "simulated_seconds", "seeds"):
                total[name] += found[name]
            for name, times in found["faults"].items():
                total["faults"][name] = total["faults"].get(name, 0) + times
            for failed in found["seeds"]:
                self.fail("simulation", f"build/release/weir-sim --seed {failed} --trace")
        self.result["sim"] = total

    def kill_mistakes(self, count):
        for name in KILL_MISTAKES[:None if count >= KILLS_OF_A_SAMPLE else 2]:
            command = [*KILL, BUILD / "weir-node", BUILD / "weir-node-bugs", PACKAGE, 20, 1, "--mistake", name]
            _, fine = self.run(command)
            if not fine:
                self.fail(f"mistake {name} in killed nodes", " ".join(map(str, command)))

    def kill(self, count, seed):
        command = [*KILL, BUILD / "weir-node", BUILD / "weir-node", PACKAGE, count, seed]
        found, fine = self.run(command)
        if found is not None:
            self.result["kill"] = found
            self.add(found, found["kills"])
            self.result["other"] += found["other"]
        if not fine:
            self.fail("killed nodes", " ".join(map(str, command)))

    def minutes(self, minutes, seed):
        share = minutes * 12
        tests = BUILD / "tests"
        parts = [
            ("programs", {"WEIR_ENGINES_SECONDS": share, "WEIR_ENGINES_SEED": seed}, [tests / "engines_programs_test"]),
            ("expressions", {"WEIR_ENGINES_SECONDS": share, "WEIR_ENGINES_SEED": seed}, [tests / "fhirpath_random_test"]),
            ("hub", {"WEIR_TORTURE_SEEDS": share // 2 + 12}, [tests / "hub_set_property_test"]),
            ("fuzz", {}, [ROOT / "scripts/fuzz", share]),  # two targets
        ]
        for name, variables, command in parts:
            words = {k: str(v) for k, v in variables.items()}
            command = [str(c) for c in command]
            done = subprocess.run(command, env={**os.environ, **words}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            print(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'}", file=sys.stderr)
            if done.returncode != 0:
                sys.stderr.write(done.stdout.decode(errors="replace")[-4000:])
                self.fail(name, " ".join([f"{k}={v}" for k, v in words.items()] + command))
        self.result["minutes"] = minutes


def main():
    parser = argparse.ArgumentParser(prog="scripts/torture")
    for name in ("sim", "kill", "minutes"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.sim is None and arguments.kill is None and arguments.minutes is None:
        arguments.sim, arguments.kill, arguments.minutes = 10_000, 500, 60
    torture = Torture(arguments)
    if arguments.sim:
        torture.sim_mistakes()
        torture.sim(arguments.sim, arguments.seed)
    if arguments.kill:
        torture.kill_mistakes(arguments.kill)
        torture.kill(arguments.kill, arguments.seed)
    if arguments.minutes:
        torture.minutes(arguments.minutes, arguments.seed)
    result = torture.result
    result["seed"] = arguments.seed
    result["commit"] = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    if arguments.json:
        print(json.dumps(result))
    else:
        print(f"{result['runs']} runs: {result['lost']} lost, {result['doubled']} doubled, {result['reordered']} reordered, {result['other']} otherwise wrong; "
              f"failed parts: {', '.join(result['failed']) or 'none'}; seed {result['seed']}, commit {result['commit']}")
    return 1 if result["failed"] else 0


sys.exit(main())
