"""Two sets of FHIR resources, element by element: resources and list items are paired by content, references by target."""

import re
from datetime import datetime, timezone
from urllib.parse import unquote

IGNORED = {"id", "text", "meta", "resourceType"}  # ids are the store's, narrative is for people, meta is the claim's
AGREE, MISSING, EXTRA, DIFFERENT = "agree", "missing", "extra", "different"


# What a converter makes of a namespace or code system that it knows no URI for is its own; the name in it is the sender's.
LOCAL = re.compile(r"(?:http://example\.com/v2-to-fhir-converter/(?:Identifier|CodeSystem)/|urn:weir:(?:authority|codesystem):)(.*)")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)")


def leaves(value, path=""):
    """(path without indices, text) of every primitive, references left out."""
    if isinstance(value, dict):
        for name, child in value.items():
            if name in IGNORED and not path or name == "reference":
                continue
            yield from leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for child in value:
            yield from leaves(child, path)
    else:
        yield path, canonical(value)


def canonical(value):
    """Text by which two primitives are equal: a dateTime by its instant (FHIRPath, 6.1.1), a local URI by its name."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if local := LOCAL.fullmatch(text):
        return "local:" + unquote(local[1])
    if MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text).astimezone(timezone.utc).isoformat()
        except ValueError:
            return text
    return text


def likeness(a, b):
    """Shared leaves, twice over the sum: 1 for equal content, 0 for nothing in common."""
    if isinstance(a, dict) and isinstance(b, dict) and a.get("url") != b.get("url"):
        return -1.0  # other extensions, which never pair
    x, y = list(leaves(a)), list(leaves(b))
    rest, shared = list(y), 0
    for leaf in x:
        if leaf in rest:
            rest.remove(leaf)
            shared += 1
    return 2 * shared / (len(x) + len(y)) if x or y else 1.0


def paired(expected, ours, score, least):
    """Greedy pairs of the most alike first; then what is left of either side."""
    ranked = sorted(((score(e, o), -i, -j) for i, e in enumerate(expected) for j, o in enumerate(ours)), reverse=True)
    taken_e, taken_o, pairs = set(), set(), []
    for value, i, j in ranked:
        if value >= least and -i not in taken_e and -j not in taken_o:
            taken_e.add(-i)
            taken_o.add(-j)
            pairs.append((expected[-i], ours[-j]))
    return (pairs, [e for i, e in enumerate(expected) if i not in taken_e], [o for j, o in enumerate(ours) if j not in taken_o])


def labelled(path, item):
    """The path of a list's item; extensions are told apart by the last part of their URL."""
    if isinstance(item, dict) and path.rsplit(".", 1)[-1] == "extension" and "url" in item:
        return f"{path}({item['url'].rsplit('/', 1)[-1]})"
    return path


class Comparison:
    """Of two lists of resources; `results` holds (kind, type, path, expected value, our value) per element."""

    def __init__(self, expected, ours):
        self.results = []
        self.partner = {}  # expected "Type/id" -> our "Type/id"
        self.matched, self.only_expected, self.only_ours = [], [], []
        for kind in sorted({r["resourceType"] for r in expected + ours}):
            e, o = ([r for r in side if r["resourceType"] == kind] for side in (expected, ours))
            # Where each side has one resource of a type there is nothing to choose.
            pairs, rest_e, rest_o = paired(e, o, likeness, 0.0 if len(e) == len(o) == 1 else 0.2)
            self.matched += pairs
            self.only_expected += rest_e
            self.only_ours += rest_o
        for e, o in self.matched:
            self.partner[self._name(e)] = self._name(o)
        for e, o in self.matched:
            self.type = e["resourceType"]
            self._compare(e, o, "")

    @staticmethod
    def _name(resource):
        return f"{resource['resourceType']}/{resource.get('id', '')}"

    def _add(self, kind, path, expected, ours):
        self.results.append((kind, self.type, path, expected, ours))

    def _all(self, kind, value, path):
        if isinstance(value, dict):
            for name, child in value.items():
                if not (name in IGNORED and not path):
                    self._all(kind, child, f"{path}.{name}" if path else name)
        elif isinstance(value, list):
            for child in value:
                self._all(kind, child, labelled(path, child))
        else:
            self._add(kind, path, str(value) if kind == MISSING else None, str(value) if kind == EXTRA else None)

    def _score(self, a, b):
        references = [self._reference(x) for x in (a, b)]
        if references[0] and references[1]:
            same = self.partner.get(references[0]) == references[1]
            return (likeness(a, b) + (1.0 if same else 0.0)) / 2
        return likeness(a, b)

    def _reference(self, value):
        if isinstance(value, dict):
            if isinstance(value.get("reference"), str):
                return value["reference"]
            for child in value.values():
                if found := self._reference(child):
                    return found
        return None

    def _compare(self, e, o, path):
        if isinstance(e, dict) and isinstance(o, dict):
            for name in [*e, *(n for n in o if n not in e)]:
                if name in IGNORED and not path:
                    continue
                child = f"{path}.{name}" if path else name
                if name not in o:
                    self._all(MISSING, e[name], child)
                elif name not in e:
                    self._all(EXTRA, o[name], child)
                elif name == "reference":
                    self._add(AGREE if self.partner.get(e[name]) == o[name] else DIFFERENT, child, e[name], o[name])
                else:
                    self._compare(e[name], o[name], child)
        elif isinstance(e, list) and isinstance(o, list):
            if not any(isinstance(x, (dict, list)) for x in e + o):
                pairs, missing, extra = paired(e, o, lambda a, b: float(canonical(a) == canonical(b)), 1.0)
            else:
                pairs, missing, extra = paired(e, o, self._score, 0.2 if len(e) + len(o) > 2 else 0.0)
            for a, b in pairs:
                self._compare(a, b, labelled(path, a))
            self._all(MISSING, missing, path)
            self._all(EXTRA, extra, path)
        elif isinstance(e, (dict, list)) or isinstance(o, (dict, list)):
            self._all(MISSING, e, path)
            self._all(EXTRA, o, path)
        else:
            same = canonical(e) == canonical(o)
            self._add(AGREE if same else DIFFERENT, path, str(e), str(o))
