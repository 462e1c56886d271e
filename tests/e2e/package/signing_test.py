#!/usr/bin/env python3
"""signing_test.py WEIR NODE TEST_KERNEL: `weir keygen`, `weir build --sign`, and what weir-node makes of packages that are unsigned, signed by
others, changed, cut short, or of another target or ABI. Every refusal has its code, and a refused package leaves no hub."""
import hashlib
import os
import pathlib
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import unittest

WEIR, NODE, TEST_KERNEL = sys.argv[1:4]
del sys.argv[1:4]

SOURCE = """edition 1
package signed
use fhir r4, std.v2 1.0

authority east = "urn:oid:2.16.840.1.113883.3.999.1" from 'EAST'
keyspace mrn of Patient = PID-3[authority east, type MR].first().1

feed one version 1.0.0 {
  owner "tests@signed.example"
  from MSH-4 = 'EAST'
  accept ADT^A01 processing P
  versions any else 2.5.1
  timezone "UTC"
  require mrn
  duplicate same MSH-10 and same content
  order by MSH-7
}

map patient from one to Patient {
  key mrn
  gender: 'unknown'
}
"""
MESSAGE = b"MSH|^~\\&|S|EAST|R|H|20240101120000||ADT^A01^ADT_A01|1|P|2.5.1\rPID|1||42^^^EAST^MR\r"


def entries_of(package):
    data, at, found = package.read_bytes(), 12, []
    for _ in range(struct.unpack_from("<I", data, 8)[0]):
        name_size, size = struct.unpack_from("<IQ", data, at)
        at += 12
        found.append((data[at:at + name_size].decode(), data[at + name_size:at + name_size + size]))
        at += name_size + size
    return found


def encode(entries):
    data = b"WEIRPKG1" + struct.pack("<I", len(entries))
    for name, content in entries:
        data += struct.pack("<IQ", len(name), len(content)) + name.encode() + content
    return data + hashlib.sha256(data).digest()


class SigningTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "one.weir").write_text(SOURCE)
        (cls.folder / "one.hl7").write_bytes(MESSAGE)
        for name in ("ours", "theirs"):
            subprocess.run([WEIR, "keygen", cls.folder / name], check=True)
        build = [WEIR, "build", cls.folder / "one.weir", "-o"]
        subprocess.run([*build, cls.folder / "unsigned.weirpkg"], check=True)
        subprocess.run([*build, cls.folder / "signed.weirpkg", "--sign", cls.folder / "ours.key"], check=True)
        cls.signed = cls.folder / "signed.weirpkg"

    def run_with(self, program, package, *options):
        hub = self.folder / "hub.db"
        hub.unlink(missing_ok=True)
        done = subprocess.run([program, "run", package, "--in", self.folder / "one.hl7", "--hub", hub, *options], capture_output=True, text=True)
        return done, hub.exists()

    def refused(self, package, code, *options):
        for all_options in (options, (*options, "--trusted-keys", self.folder / "ours.pub")):
            done, hub_made = self.run_with(NODE, package, *all_options)
            self.assertEqual((done.returncode, hub_made), (2, False), done.stderr)
            self.assertIn(f"package/{code}:", done.stderr)

    def written(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def test_signed_by_a_trusted_key(self):
        both = self.written("both.pub", (self.folder / "theirs.pub").read_bytes() + b"# comment\n\n" + (self.folder / "ours.pub").read_bytes())
        for trusted in (self.folder / "ours.pub", both):
            done, _ = self.run_with(NODE, self.signed, "--trusted-keys", trusted)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        done, _ = self.run_with(WEIR, self.signed, "--trusted-keys", both)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_nobody_vouches(self):
        self.refused(self.folder / "unsigned.weirpkg", "unsigned")
        done, _ = self.run_with(NODE, self.signed, "--trusted-keys", self.folder / "theirs.pub")
        self.assertIn("package/untrusted:", done.stderr)
        done, _ = self.run_with(NODE, self.signed)
        self.assertIn("package/untrusted:", done.stderr)
        for package in (self.signed, self.folder / "unsigned.weirpkg"):
            self.assertEqual(self.run_with(NODE, package, "--allow-unsigned")[0].returncode, 0)
            done, _ = self.run_with(WEIR, package)  # the author's tool takes it and says so
            self.assertEqual(done.returncode, 0)
            self.assertIn("note: no trusted key vouches", done.stderr)

    def test_changed_after_signing(self):
        entries = entries_of(self.signed)
        names = [name for name, _ in entries]
        self.assertEqual(names[-1], "signature")
        for name in names:
            changed = [(n, c[:-1] + bytes([c[-1] ^ 1]) if n == name else c) for n, c in entries]
            self.refused(self.written("changed.weirpkg", encode(changed)), "signature", "--allow-unsigned")
        self.refused(self.written("more.weirpkg", encode([*entries, ("more", b"x")])), "signature", "--allow-unsigned")
        self.refused(self.written("twice.weirpkg", encode([*entries, entries[-1]])), "signature", "--allow-unsigned")
        self.refused(self.written("short.weirpkg", encode([*entries[:-1], ("signature", entries[-1][1][:50])])), "signature", "--allow-unsigned")
        self.refused(self.written("bare.weirpkg", encode(entries[:-1])), "unsigned")
        # Our signature of one package is none of another.
        other = dict(entries_of(self.folder / "unsigned.weirpkg"))
        other["manifest.json"] += b" "
        self.refused(self.written("moved.weirpkg", encode([*other.items(), entries[-1]])), "signature", "--allow-unsigned")

    def test_not_the_bytes_that_were_written(self):
        data = self.signed.read_bytes()
        for size in range(0, len(data), max(1, len(data) // 40)):
            self.refused(self.written("cut.weirpkg", data[:size]), "foreign" if size < 8 else "damaged", "--allow-unsigned")
        for at in range(8, len(data), len(data) // 40):
            self.refused(self.written("bit.weirpkg", data[:at] + bytes([data[at] ^ 4]) + data[at + 1:]), "damaged", "--allow-unsigned")
        self.refused(self.folder / "one.weir", "foreign", "--allow-unsigned")
        self.refused(self.folder / "none.weirpkg", "unreadable", "--allow-unsigned")
        body = b"WEIRPKG1" + struct.pack("<I", 7)
        self.refused(self.written("odd.weirpkg", body + hashlib.sha256(body).digest()), "malformed", "--allow-unsigned")

    def test_not_for_this_machine(self):
        entries = [e for e in entries_of(self.signed) if e[0] != "signature"]
        elsewhere = [(name.replace("x86_64", "riscv64").replace("aarch64", "riscv64"), content) for name, content in entries]
        self.refused(self.written("elsewhere.weirpkg", encode(elsewhere)), "target", "--allow-unsigned")
        garbage = [(name, content if name == "manifest.json" else b"\x7fELF" + b"\0" * 100) for name, content in entries]
        self.refused(self.written("garbage.weirpkg", encode(garbage)), "kernel", "--allow-unsigned")
        # The ABI's version is the kernel's first number; it and the size of the structure stand together nowhere else.
        kernel = pathlib.Path(TEST_KERNEL).read_bytes()
        at = [i for i in range(0, len(kernel) - 8, 8) if struct.unpack_from("<II", kernel, i)[1] == 40 and 0 < struct.unpack_from("<I", kernel, i)[0] < 10]
        stale = bytearray(kernel)
        for i in at:
            struct.pack_into("<I", stale, i, 99)
        self.assertTrue(at)
        host = next(name for name, _ in entries if name.endswith(".so") and ".v3." not in name)
        self.refused(self.written("stale.weirpkg", encode([("manifest.json", b"{}"), (host, bytes(stale))])), "abi", "--allow-unsigned")

    def test_keys(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.folder / "ours.key").st_mode), 0o600)
        again = subprocess.run([WEIR, "keygen", self.folder / "ours"], capture_output=True)
        self.assertEqual(again.returncode, 2)  # a key is never overwritten
        swapped, _ = self.run_with(NODE, self.signed, "--trusted-keys", self.folder / "ours.key")
        self.assertEqual(swapped.returncode, 2)
        build = [WEIR, "build", self.folder / "one.weir", "-o", self.folder / "no.weirpkg", "--sign"]
        for key in ("ours.pub", "one.weir", "none.key"):
            self.assertEqual(subprocess.run([*build, self.folder / key], capture_output=True).returncode, 2)
        self.assertFalse((self.folder / "no.weirpkg").exists())

    def test_every_code_is_explained(self):
        listed = pathlib.Path(__file__).resolve().parents[3] / "runtime/package/refusals.def"
        codes = [line.split('"')[1] for line in listed.read_text().splitlines() if line.startswith("WEIR_REFUSAL(")]
        self.assertEqual(len(codes), 10)
        for code in codes:
            told = subprocess.run([WEIR, "explain", f"package/{code}"], capture_output=True, text=True)
            self.assertTrue(told.returncode == 0 and told.stdout.startswith(f"package/{code}: "), told)


if __name__ == "__main__":
    unittest.main()
