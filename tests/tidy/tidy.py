#!/usr/bin/env python3
"""Style that can be checked: layering, quarantined libraries, paths of one machine, leftovers. Prints outliers, never blocks on length."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
faults = []

# Who may include whom, lowest first. A folder may include itself and anything before it; runtime never includes compiler.
ORDER = [
    "runtime/base", "runtime/abi", "runtime/v2", "runtime/fhir", "runtime/frame", "runtime/fold", "runtime/kernel", "runtime/hub",
    "runtime/ingest", "runtime/package", "runtime/io", "runtime/operate", "runtime/serve", "runtime/node",
    "compiler/base", "compiler/diag", "compiler/fhir", "compiler/syntax", "compiler/ir", "compiler/conform", "compiler/check",
    "compiler/passes", "compiler/lower", "compiler/jit", "compiler/contract", "compiler/profile", "compiler/driver",
]
QUARANTINE = {  # include pattern -> the only folders that may
    r"antlr4-runtime\.h": ["compiler/syntax"],
    r"llvm/": ["compiler/lower", "compiler/jit"],
    r"sqlite3\.h|sqlcipher/": ["runtime/hub"],
    r"openssl/": ["runtime/serve/tls"],
    r"CLI/|CLI11": ["compiler/driver", "runtime/operate", "runtime/node", "runtime/serve/serve_options"],  # options that both programs offer
}


def folder_of(path):
    return "/".join(path.split("/")[:2])


def tracked(*globs):
    out = subprocess.run(["git", "ls-files", *globs], cwd=root, capture_output=True, text=True, check=True).stdout
    return [line for line in out.splitlines() if line]


for name in tracked("*.h", "*.cpp"):
    text = (root / name).read_text(encoding="utf-8")
    folder = folder_of(name)
    for include in re.findall(r'^#include [<"]([^>"]+)[>"]', text, re.M):
        for pattern, homes in QUARANTINE.items():
            if re.match(pattern, include) and name.startswith(("compiler/", "runtime/")) and not any(name.startswith(h) for h in homes):
                faults.append(f"{name}: includes {include}, which lives in {', '.join(homes)} only")
        target = folder_of(include)
        if folder in ORDER and target in ORDER and ORDER.index(target) > ORDER.index(folder):
            faults.append(f"{name}: {folder} includes {target}, which is above it")
        if folder.startswith("runtime/") and include.startswith("compiler/"):
            faults.append(f"{name}: the runtime includes the compiler ({include})")
    if name.endswith(".h") and "#pragma once" not in text and not name.startswith("runtime/abi") and "#ifndef" not in text:
        faults.append(f"{name}: no #pragma once")

MACHINE = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm|root)/")
for name in tracked():
    if name.endswith((".hl7", ".json", ".ndjson", ".txt", ".bin", ".weirpkg")) or name.startswith(("contracts/registry/", "examples/adt/messages/", "tests/data/")) or name == "tests/tidy/tidy.py":
        continue
    try:
        text = (root / name).read_text(encoding="utf-8")
    except (UnicodeDecodeError, IsADirectoryError):
        continue
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE.search(line):
            faults.append(f"{name}:{number}: a path of one machine")

# Every diagnostic kind is fired by some golden file, or is on the short list with its reason.
kinds = root / "compiler/diag/kinds.def"
if kinds.exists():
    codes = re.findall(r'WEIR_DIAGNOSTIC\(\s*\w+,\s*"?([EW]\d{4})"?', kinds.read_text())
    golden = "\n".join((root / f).read_text(encoding="utf-8", errors="replace") for f in tracked("tests/golden/*", "tests/unit/*"))
    exempt_file = root / "tests/tidy/unfired_diagnostics.txt"
    exempt = {l.split()[0] for l in exempt_file.read_text().splitlines() if l.strip() and not l.startswith("#")} if exempt_file.exists() else set()
    for code in codes:
        fired = code in golden
        if not fired and code not in exempt:
            faults.append(f"compiler/diag/kinds.def: {code} is fired by no golden file")
        if fired and code in exempt:
            faults.append(f"tests/tidy/unfired_diagnostics.txt: {code} is fired after all; drop it from the list")

sizes = sorted(((len((root / f).read_text(encoding="utf-8").splitlines()), f) for f in tracked("*.cpp", "*.h")), reverse=True)
for lines, name in sizes[:5]:
    print(f"longest: {lines:5d} {name}")
for fault in faults:
    print(fault)
print(f"{len(faults)} faults")
sys.exit(1 if faults else 0)
