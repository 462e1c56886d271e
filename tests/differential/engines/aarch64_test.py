#!/usr/bin/env python3
"""aarch64_test.py WEIR SOURCE_DIR SHARED: a package for aarch64, its kernel run under qemu-aarch64, against this host's kernel.

Both kernels answer the same messages through run_kernel.cpp, compiled for each machine; the answers must be the same bytes.
The shared objects may need no symbol from anywhere (docs/artifact.md)."""
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

TRIPLES = {"x86_64": "x86_64-unknown-linux-gnu", "aarch64": "aarch64-unknown-linux-gnu"}
COMPILERS = {"x86_64": "clang++-19", "aarch64": "aarch64-linux-gnu-g++"}
LEAST_RESOURCES = 40
SKIP = 77


def entries(package):
    """The container's entries: "WEIRPKG1", count, then name size, content size, name, content."""
    data = package.read_bytes()
    if data[:8] != b"WEIRPKG1":
        sys.exit("not a package")
    (count,), at = struct.unpack_from("<I", data, 8), 12
    found = {}
    for _ in range(count):
        name_size, size = struct.unpack_from("<IQ", data, at)
        at += 12
        name = data[at:at + name_size].decode()
        found[name] = data[at + name_size:at + name_size + size]
        at += name_size + size
    return found


def main():
    weir, source, shared = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    missing = [tool for tool in ("qemu-aarch64", *COMPILERS.values()) if shutil.which(tool) is None]
    if missing or not pathlib.Path("/usr/aarch64-linux-gnu/lib").exists():
        print(f"SKIPPED: the aarch64 kernel was NOT run, missing: {' '.join(missing) or 'aarch64 libc'}")
        sys.exit(SKIP)
    messages = [p for folder in (source / "examples/adt/messages", shared / "data/hl7v2/linuxforhealth__hl7v2-fhir-converter", source / "tests/data")
                if folder.exists() for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix in (".hl7", ".txt")]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command = [weir, "build", source / "examples/adt/adt.weir", "-o", folder / "adt.weirpkg"]
        for triple in TRIPLES.values():
            command += ["--target", triple]
        subprocess.run(command, check=True)
        kernels = entries(folder / "adt.weirpkg")
        answers = {}
        for machine, triple in TRIPLES.items():
            kernel, runner = folder / f"{machine}.so", folder / f"run_{machine}"
            kernel.write_bytes(kernels[f"{triple}.so"])
            undefined = subprocess.run(["llvm-nm-19", "-D", "--undefined-only", kernel], check=True, capture_output=True, text=True).stdout
            if undefined:
                sys.exit(f"the {machine} kernel needs symbols:\n{undefined}")
            sources = [source / p for p in ("tests/differential/engines/run_kernel.cpp", "runtime/frame/framer.cpp", "runtime/v2/reader.cpp",
                                            "runtime/v2/scan.cpp", "runtime/v2/view.cpp", "runtime/v2/charset.cpp")]
            subprocess.run([COMPILERS[machine], "-std=c++20", "-O1", f"-I{source}", *sources, "-o", runner, "-ldl"], check=True)
            emulator = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"] if machine == "aarch64" else []
            answers[machine] = subprocess.run([*emulator, runner, kernel, *messages], check=True, capture_output=True).stdout
        resources = answers["x86_64"].count(b'{"resourceType"')
        print(f"{len(messages)} files, {resources} resources, {len(answers['x86_64'])} bytes of answers")
        if resources < LEAST_RESOURCES:
            sys.exit("too few resources: the comparison says too little")
        if answers["x86_64"] != answers["aarch64"]:
            sys.exit("the aarch64 kernel answers otherwise than this host's")


main()
