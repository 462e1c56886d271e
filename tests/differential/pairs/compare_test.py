"""compare.py itself: what agrees, what does not, and that a changed value cannot pass for an equal one."""

import unittest

import compare


def results(expected, ours):
    return [(kind, path, peer, mine) for kind, _, path, peer, mine in compare.Comparison(expected, ours).results]


def kinds(expected, ours):
    return {kind for kind, *_ in results(expected, ours)}


PATIENT = {"resourceType": "Patient", "id": "1", "gender": "male", "name": [{"family": "A", "given": ["B", "C"]}, {"family": "D"}]}


class CompareTest(unittest.TestCase):
    def test_order_of_lists_and_ids_do_not_matter(self):
        other = {**PATIENT, "id": "2", "meta": {"profile": ["x"]}, "name": [{"family": "D"}, {"given": ["C", "B"], "family": "A"}]}
        self.assertEqual(kinds([PATIENT], [other]), {compare.AGREE})

    def test_every_kind_of_difference_is_seen(self):
        other = {**PATIENT, "gender": "female", "birthDate": "1970", "name": [{"family": "A", "given": ["B"]}, {"family": "D"}]}
        found = results([PATIENT], [other])
        self.assertIn((compare.DIFFERENT, "gender", "male", "female"), found)
        self.assertIn((compare.EXTRA, "birthDate", None, "1970"), found)
        self.assertIn((compare.MISSING, "name.given", "C", None), found)

    def test_references_agree_by_what_they_point_to(self):
        def visit(patient, name):
            return [{"resourceType": "Patient", "id": patient, "gender": "male"},
                    {"resourceType": "Encounter", "id": name, "status": "planned", "subject": {"reference": f"Patient/{patient}"}}]
        self.assertEqual(kinds(visit("1", "2"), visit("8", "9")), {compare.AGREE})
        wrong = visit("8", "9")
        wrong[1]["subject"]["reference"] = "Patient/7"
        self.assertIn((compare.DIFFERENT, "subject.reference", "Patient/1", "Patient/7"), results(visit("1", "2"), wrong))

    def test_instants_and_local_uris(self):
        self.assertEqual(compare.canonical("1988-08-18T14:41:00+05:30"), compare.canonical("1988-08-18T11:26:00+02:15"))
        self.assertNotEqual(compare.canonical("1988-08-18T14:41:00+05:30"), compare.canonical("1988-08-18T14:41:00+02:15"))
        self.assertEqual(compare.canonical("http://example.com/v2-to-fhir-converter/Identifier/A B"), compare.canonical("urn:weir:authority:A%20B"))
        self.assertNotEqual(compare.canonical("urn:weir:authority:A"), compare.canonical("urn:oid:1.2"))

    def test_extensions_are_told_apart_by_url(self):
        def with_extension(url):
            return {"resourceType": "Patient", "id": "1", "extension": [{"url": f"http://x/{url}", "valueString": "a"}]}
        self.assertEqual({(kind, path) for kind, path, *_ in results([with_extension("p")], [with_extension("q")])},
                         {(compare.MISSING, "extension(p).url"), (compare.MISSING, "extension(p).valueString"),
                          (compare.EXTRA, "extension(q).url"), (compare.EXTRA, "extension(q).valueString")})

    def test_unlike_resources_are_not_paired(self):
        people = [{"resourceType": "Practitioner", "id": str(n), "name": [{"family": family}]} for n, family in enumerate("ABC")]
        result = compare.Comparison(people[:2], people[2:])
        self.assertEqual((len(result.matched), len(result.only_expected), len(result.only_ours)), (0, 2, 1))


if __name__ == "__main__":
    unittest.main()
