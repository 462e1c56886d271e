"""A second reader of HL7 v2 files, for tests only: framing, delimiters, segments, fields, as docs/v2-reader.md puts it.

Written from the document, not from runtime/: its agreement with weir says something only as long as neither copies the other.
"""

import os
import re
from dataclasses import dataclass

ENVELOPES = (b"FHS", b"BHS", b"BTS", b"FTS")
BLANK = b" \t\0\x1a"  # 0x1A: the DOS end of file
ALNUM = re.compile(rb"[0-9A-Za-z]")


@dataclass(frozen=True)
class Record:
    """A message or a run of junk lines; envelope segments are no records and have no index."""

    index: int
    kind: str  # "message" or "junk"
    raw: bytes  # line ends as CR, no blank lines


def _is_delimiter(byte):
    return b" " < byte < b"\x7f" and not ALNUM.match(byte)


def _header(line):
    """The upper-case id of a line that looks like MSH or an envelope segment, else b''."""
    name = line[:3].upper()
    if name == b"MSH" or name in ENVELOPES:
        if len(line) > 3 and _is_delimiter(line[3:4]):
            return name
        if len(line) == 3 and name != b"MSH":
            return name
    return b""


def _control_id(msh):
    fields = msh.split(msh[3:4])
    return fields[9] if len(fields) > 9 else b""


def frame(data):
    """Cuts a file into records: lines decide, envelopes and their counts do not."""
    records, lines, kind = [], [], None
    before = b""  # the id of the line before, b"" after anything but a header

    def close():
        nonlocal lines, kind, before
        if lines:
            records.append(Record(len(records), kind, b"".join(line + b"\r" for line in lines)))
        lines, kind, before = [], None, b""

    for piece, end in re.findall(rb"([^\r\n\x0b\x1c]*)([\r\n\x0b\x1c]|\Z)", data):
        line = piece.removeprefix(b"\xef\xbb\xbf")
        if line.strip(BLANK):
            text = line.lstrip(b" \t")
            name = _header(text)
            doubled = name == b"MSH" and before == b"MSH" and _control_id(text) == _control_id(lines[0].lstrip(b" \t"))
            if name in ENVELOPES:
                close()
            else:
                if name == b"MSH" and not doubled:
                    close()
                    kind, line = "message", text
                kind = kind or "junk"
                lines.append(line)
                before = name
        if end in (b"\x0b", b"\x1c"):  # MLLP: end of message, and the start of another
            close()
    close()
    return records


class Message:
    """Segments and fields of one message record. `fault` is the code for which the reader refuses it, else None."""

    def __init__(self, raw):
        self.fault = None
        self.segments = []  # (upper-case id, or "" when it is no segment id; fields from 1)
        self._delimiters(raw)
        if self.fault is None:
            self._lines(raw)
            self._charset(raw)

    def _delimiters(self, raw):
        self.field = raw[3:4]
        self.component = self.repetition = self.escape = self.subcomponent = None
        taken = [self.field]
        encoding = raw[4 : 4 + 4].split(self.field)[0].split(b"\r")[0]
        for i, name in enumerate(("component", "repetition", "escape", "subcomponent")):
            byte = encoding[i : i + 1]
            if not byte:
                break
            if not _is_delimiter(byte):
                self.fault = "header"
            if byte not in taken:  # one that repeats another splits nothing
                taken.append(byte)
                setattr(self, name, byte)
        if not encoding:
            self.fault = "header"

    def _lines(self, raw):
        whole = []
        for line in raw.split(b"\r"):
            line = line.rstrip(b" \t")
            if not line:
                continue
            starts = re.match(rb"[0-9A-Za-z]{1,4}(?=" + re.escape(self.field) + rb"|\Z)", line)
            if starts or not whole:
                whole.append(line)
            else:
                whole[-1] += b"\r" + line  # a continued line
        for line in whole:
            parts = line.split(self.field)
            name = parts[0].upper().decode("ascii", "replace")
            fields = ([self.field] if name == "MSH" else []) + parts[1:]
            self.segments.append((name if len(name) == 3 else "", fields))

    def _charset(self, raw):
        """Valid UTF-8 is taken as it is; other bytes need a declared character set that we know (MSH-18)."""
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            known = (b"8859/1", b"8859/15", b"WINDOWS-1252")
            declared = self.raw_field("MSH", 18).split(self.repetition or b"~")
            if not any(name.strip().upper() in known for name in declared):
                self.fault = "charset"

    def named(self, name):
        return [fields for segment, fields in self.segments if segment == name]

    def raw_field(self, name, n):
        for fields in self.named(name):
            return fields[n - 1] if n <= len(fields) else b""
        return b""

    def repeats(self, value):
        return value.split(self.repetition) if self.repetition else [value]

    def component_of(self, repetition, n):
        """Text of component n; its first subcomponent; HL7's null and blanks are empty."""
        parts = repetition.split(self.component) if self.component else [repetition]
        part = parts[n - 1] if n <= len(parts) else b""
        part = part.split(self.subcomponent)[0] if self.subcomponent else part
        text = part.strip(b" \t\r\n").decode("utf-8", "replace")
        return "" if text == '""' else text

    def text(self, name, n, component=1):
        return self.component_of(self.repeats(self.raw_field(name, n))[0], component)

    def content(self, without):
        """What two records must share to have the same content (docs/ir.md, Content digest)."""
        tails = b"".join(d for d in (self.component, self.repetition, self.subcomponent) if d) + b" \t\r"
        result = []
        for name, fields in self.segments:
            kept = []
            for n, value in enumerate(fields, 1):
                if (name, n) in without:
                    value = b""
                elif name != "MSH" or n > 2:
                    value = value.rstrip(tails)
                kept.append(value)
            while kept and not kept[-1]:
                kept.pop()
            result.append((name, tuple(kept)))
        return tuple(result)


def files_below(folder):
    """Files of a folder in the order in which `weir run` reads them: by whole path, hidden ones left out."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        found += [os.path.join(root, name) for name in names if not name.startswith(".")]
    return sorted(found, key=os.fsencode)
