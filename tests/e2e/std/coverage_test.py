"""weir check --coverage std. Usage: coverage_test.py WEIR STD_FOLDER"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

STD, WEIR = sys.argv.pop(), sys.argv.pop()
SEVEN = ["ADT_A01", "ADT_A02", "ADT_A05", "ADT_A06", "ADT_A09", "ADT_A11", "ADT_A17"]


def coverage(std=STD):
    done = subprocess.run([WEIR, "check", "--coverage", "std", "--json", "--std", str(std)], capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def undecided(document):
    return {(sheet["sheet"], row["source"], row["target"]) for sheet in document["sheets"] for row in sheet["undecided"]}


class CoverageTest(unittest.TestCase):
    def edited(self, file, old, new):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        std = pathlib.Path(folder.name) / "std"
        shutil.copytree(STD, std)
        text = (std / "v2" / file).read_text()
        self.assertIn(old, text)
        (std / "v2" / file).write_text(text.replace(old, new, 1))
        return coverage(std)

    def test_seven_maps_are_decided(self):
        code, document = coverage()
        self.assertEqual(undecided(document), set())
        self.assertEqual(document["faults"], [])
        self.assertEqual([m["map"] for m in document["maps"]], SEVEN)
        for m in document["maps"]:
            for kind in ("messages", "segments", "dataTypes", "tables"):
                self.assertEqual(m[kind]["decided"], m[kind]["rows"], (m["map"], kind))
        self.assertEqual(code, 0)
        # The guide's own numbers, counted over its sheets by another program.
        a01 = document["maps"][0]
        self.assertEqual([a01[k]["rows"] for k in ("messages", "segments", "dataTypes")], [35, 560, 438])

    def test_a_line_less_is_a_row_less(self):
        code, document = self.edited("segments.weir", "  birthDate: PID-7\n", "")
        self.assertEqual((code, undecided(document)), (1, {("PID[Patient]", "PID-7", "birthDate")}))

    def test_another_source_is_not_the_row(self):
        code, document = self.edited("segments.weir", "  birthDate: PID-7\n", "  birthDate: PID-29\n")
        self.assertEqual((code, undecided(document)), (1, {("PID[Patient]", "PID-7", "birthDate")}))

    def test_another_target_code_is_not_the_row(self):
        code, document = self.edited("tables.weir", "  '02' -> TREAT ", "  '02' -> PATRQT ")
        self.assertEqual((code, undecided(document)), (1, {("EventReason", "02", "TREAT")}))

    def test_a_decision_is_of_a_row(self):
        code, document = self.edited("decisions.weir", "//@row DLN.1 ", "//@row DLN.9 ")
        self.assertEqual(code, 1)
        self.assertEqual(undecided(document), {("DLN[Identifier]", "DLN.1", "type.coding.sytem")})
        self.assertIn("DLN.9", document["faults"][0])

    def test_a_row_is_decided_once(self):
        code, document = self.edited("decisions.weir", "//@row DLN.1 type.coding.sytem: m", "//@row DLN.1 type.coding.sytem: x\n//@row DLN.1 type.coding.sytem: m")
        self.assertEqual((code, undecided(document)), (1, set()))
        self.assertIn("twice", document["faults"][0])


if __name__ == "__main__":
    unittest.main()
