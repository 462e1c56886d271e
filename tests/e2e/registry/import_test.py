"""weir import on small packages whose right answer can be read off them. Usage: import_test.py WEIR"""
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

WEIR = sys.argv.pop(1)
SYSTEM = "http://example.org/colours"
SET = "http://example.org/ValueSet/warm"

PROFILE = {
    "resourceType": "StructureDefinition", "id": "paint", "url": "http://example.org/StructureDefinition/paint",
    "name": "Paint", "kind": "resource", "type": "Basic", "derivation": "constraint", "version": "1.0.0",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Basic",
    "snapshot": {"element": [{"path": "Basic", "min": 0, "max": "*"},
                             {"path": "Basic.code", "min": 1, "max": "1", "type": [{"code": "CodeableConcept"}],
                              "binding": {"strength": "required", "valueSet": SET + "|1.0.0"}}]}}
COLOURS = {
    "resourceType": "CodeSystem", "id": "colours", "url": SYSTEM, "content": "complete", "hierarchyMeaning": "is-a",
    "concept": [{"code": "warm", "property": [{"code": "abstract", "valueBoolean": True}],
                 "concept": [{"code": "red", "concept": [{"code": "crimson"}]}, {"code": "yellow"}]}, {"code": "blue"}]}


def warm(**compose):
    return {"resourceType": "ValueSet", "id": "warm", "url": SET, "compose": compose}


class ImportTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.at = pathlib.Path(self.folder.name)

    def package(self, file, definitions, name="hl7.fhir.test.paint", manifest=None):
        path = self.at / file
        with tarfile.open(path, "w:gz") as tar:
            files = {"package.json": manifest if manifest is not None else {"name": name, "version": "1.0.0"}}
            files |= {f"{d['resourceType']}-{d['id']}.json": d for d in definitions}
            for member, content in files.items():
                data = json.dumps(content).encode()
                info = tarfile.TarInfo("package/" + member)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return str(path)

    def run_import(self, *arguments):
        return subprocess.run([WEIR, "import", *arguments, "-o", str(self.at / "out")], capture_output=True, text=True)

    def lines(self, name="test-paint-1.0.0"):
        text = (self.at / "out" / (name + ".defs")).read_text()
        return dict(line.split("\t", 1) for line in text.splitlines())

    def test_codes_of_a_filter_leave_out_what_is_no_real_concept(self):
        is_a = {"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": "warm"}]}
        exclude = {"system": SYSTEM, "concept": [{"code": "yellow"}]}
        done = self.run_import(self.package("p.tgz", [PROFILE, COLOURS, warm(include=[is_a], exclude=[exclude])]), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["notEnumerable"], [])
        self.assertEqual(json.loads(self.lines()["ValueSet/" + SET]), {SYSTEM: ["crimson", "red"]})

    def test_a_second_parent_makes_a_filter_unanswerable(self):
        graph = COLOURS | {"property": [{"code": "subsumedBy", "type": "code"}]}
        is_a = {"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": "warm"}]}
        done = self.run_import(self.package("p.tgz", [PROFILE, graph, warm(include=[is_a])]))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("ValueSet/" + SET, self.lines())
        self.assertIn(SET, done.stderr)

    def test_sets_of_another_package_come_with_its_code_systems(self):
        fewer = COLOURS | {"concept": [{"code": "red"}]}
        first = self.package("p.tgz", [PROFILE, COLOURS, warm(include=[{"system": SYSTEM, "concept": [{"code": "blue"}]}])])
        other = self.package("q.tgz", [fewer, warm(include=[{"system": SYSTEM}])])
        done = self.run_import(first, "--sets-from", other, "--set", SET)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(self.lines()["ValueSet/" + SET]), {SYSTEM: ["red"]})

    def test_every_line_has_its_hash(self):
        self.run_import(self.package("p.tgz", [PROFILE]), "--name", "mine")
        hashes = dict(reversed(line.split("  ", 1)) for line in (self.at / "out/mine.sha256").read_text().splitlines())
        self.assertEqual(hashes, {key: hashlib.sha256(text.encode()).hexdigest() for key, text in self.lines("mine").items()})

    def assert_refused(self, done, says):
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn(says, done.stderr)
        self.assertFalse(list((self.at / "out").glob("*")) if (self.at / "out").exists() else [])

    def test_refusals_write_nothing(self):
        (self.at / "text.tgz").write_text("no archive")
        self.assert_refused(self.run_import(str(self.at / "absent.tgz")), "absent.tgz")
        self.assert_refused(self.run_import(str(self.at / "text.tgz")), "text.tgz")
        self.assert_refused(self.run_import(self.package("m.tgz", [PROFILE], manifest={"name": 7})), "not a FHIR package")
        self.assert_refused(self.run_import(self.package("e.tgz", [COLOURS])), "no definition")
        broken = PROFILE | {"url": 7}
        self.assert_refused(self.run_import(self.package("b.tgz", [broken])), "not a definition of FHIR")
        self.assert_refused(self.run_import(self.package("s.tgz", [PROFILE]), "--sets-from", str(self.at / "s.tgz")), "--set")


if __name__ == "__main__":
    unittest.main()
