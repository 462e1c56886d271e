"""OBX[Observation]: what each OBX-2 makes of OBX-5, as the guide's conditions say. Usage: observation_test.py WEIR SOURCE"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE, WEIR = sys.argv.pop(), sys.argv.pop()
HEAD = ("MSH|^~\\&|A|B|C|D|20240101120000||ADT^A01^ADT_A01|1|P|2.5.1\rEVN|A01|20240101120000\r"
        "PID|1||42^^^EAST^MR||Doe^Jane||19800101|F|||||||||||||77^^^EAST^MR\rPD1|||||||Y\rPV1|1|I\r")
MG = {"unit": "milligram", "system": "http://unitsofmeasure.org", "code": "mg"}

# OBX-2, OBX-5, what value[x] is; the guide's row conditions are in contracts/registry/v2-to-fhir.rows and its sheet.
VALUES = [
    ("NM", "5.2", {"valueQuantity": {"value": 5.2} | MG}),
    ("ST", "text", {"valueString": "text"}),
    ("CWE", "1^one^L", {"valueCodeableConcept": {"coding": [{"system": "urn:weir:codesystem:L", "code": "1", "display": "one"}], "text": "one"}}),
    ("NR", "3^7", {"valueRange": {"low": {"value": 3}, "high": {"value": 7}}}),
    ("DR", "20240101^20240102", {"valuePeriod": {"start": "2024-01-01", "end": "2024-01-02"}}),
    ("DT", "20240102", {"valueDateTime": "2024-01-02"}),
    ("TS", "202401021230", {"valueDateTime": "2024-01-02T12:30:00-05:00"}),
    ("TM", "1230", {"valueTime": "12:30:00"}),
    ("SN", "<^3", {"valueQuantity": {"value": 3, "comparator": "<"} | MG}),
    ("SN", "=^7", {"valueQuantity": {"value": 7} | MG}),
    ("SN", "^1^-^2", {"valueRange": {"low": {"value": 1} | MG, "high": {"value": 2} | MG}}),
    ("SN", "^1^:^128", {"valueRatio": {"numerator": {"value": 1} | MG, "denominator": {"value": 128} | MG}}),
    ("SN", ">^1^/^128", {"valueRatio": {"numerator": {"value": 1, "comparator": ">"} | MG, "denominator": {"value": 128} | MG}}),
    ("SN", "<>^5", {"valueString": "<> 5"}),
    ("SN", "^2^+", {"valueString": "2 +"}),
    ("SN", "<>^1^-^2", {"valueString": "<> 1 - 2"}),
]


def resources(*segments):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "m.hl7"
        file.write_bytes((HEAD + "\r".join(segments) + "\r").encode())
        answers = []
        for engine in ("interp", "jit"):
            done = subprocess.run([WEIR, "map", SOURCE, "--engine", engine, "--cache", "none", "--in", str(file)],
                                  capture_output=True, text=True, check=True)
            answers.append(json.loads(done.stdout)["resources"])
        assert answers[0] == answers[1], "the engines differ"
        return answers[0]


class ObservationTest(unittest.TestCase):
    def test_every_value_type(self):
        rows = [f"OBX|{i}|{kind}|C{i}^x^L||{value}|mg^milligram^UCUM|||||F" for i, (kind, value, _) in enumerate(VALUES)]
        made = {r["code"]["coding"][0]["code"]: {k: v for k, v in r.items() if k.startswith("value")}
                for r in resources(*rows) if r["resourceType"] == "Observation"}
        for i, (kind, value, expected) in enumerate(VALUES):
            with self.subTest(kind=kind, value=value):
                self.assertEqual(made[f"C{i}"], expected)

    def test_not_asked_is_said_only_without_a_value(self):
        absent, present = [r for r in resources("OBX|1|ST|A^x^L||||||||N", "OBX|2|ST|B^x^L||text||||||N")
                           if r["resourceType"] == "Observation" and "valueCodeableConcept" not in r]
        self.assertEqual(absent["dataAbsentReason"]["coding"][0]["code"], "not-asked")
        self.assertNotIn("dataAbsentReason", present)  # obs-6
        self.assertEqual(present["valueString"], "text")

    def test_living_will_and_mother(self):
        made = resources("OBX|1|ST|A^x^L||text||||||F")
        will = next(r for r in made if r.get("code", {}).get("coding", [{}])[0].get("code") == "75320-2")
        self.assertEqual(will["valueCodeableConcept"]["coding"][0]["code"], "Y")
        mother = next(r for r in made if r["resourceType"] == "RelatedPerson")
        self.assertEqual(mother["identifier"][0]["value"], "77")
        self.assertEqual(mother["relationship"][0]["coding"][0]["code"], "MTH")


if __name__ == "__main__":
    unittest.main()
