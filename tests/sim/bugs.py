#!/usr/bin/env python3
"""Mistakes that the simulator must notice before its silence counts. Usage: bugs.py SOURCE OUT | bugs.py SOURCE --files

Each is a change to the runtime's own text. Copies of the files are written with all of them in, each behind `SEEDED`, a switch of the process;
the sources themselves stay free of it. A mistake whose place is gone is said and left out, and the harness fails when too few are left.
"""
import pathlib
import sys

BUGS = [
    ("answer_before_commit", "most batches are committed later, and answered at once", [
        ("runtime/hub/hub.cpp", 'db.Exec("BEGIN IMMEDIATE");\n  write();\n  inbox->Save();',
         'if (!SEEDED || sqlite3_get_autocommit(db.handle()) != 0) {\n    db.Exec("BEGIN IMMEDIATE");\n  }\n  write();\n  inbox->Save();'),
        ("runtime/hub/hub.cpp", 'db.Exec("COMMIT");\n  if (db.ok()) {', 'if (!SEEDED || inbox->next_msg() % 3 == 0) {\n    db.Exec("COMMIT");\n  }\n  if (db.ok()) {')]),
    ("counters_outside", "the ledger is written after the transaction", [
        ("runtime/hub/hub.cpp", "  inbox->Save();\n", "  if (!SEEDED) {\n    inbox->Save();\n  }\n"),
        ("runtime/hub/hub.cpp", "  if (db.ok()) {\n    return {};\n  }\n  sqlite3_exec(", "  if (SEEDED) {\n    inbox->Save();\n  }\n  if (db.ok()) {\n    return {};\n  }\n  sqlite3_exec(")]),
    ("store_error_swallowed", "a batch that failed is answered as stored", [
        ("runtime/hub/hub.cpp", '"ROLLBACK", nullptr, nullptr, nullptr);\n  return db.error();',
         '"ROLLBACK", nullptr, nullptr, nullptr);\n  return SEEDED ? Result<void>() : Result<void>(db.error());')]),
    ("no_dedupe", "a copy is a new message", [("runtime/hub/outcomes.cpp", "group.winner = group_.Int(1);", "group.winner = SEEDED ? 0 : group_.Int(1);")]),
    ("dedupe_by_key_only", "a control id used again is a copy", [
        ("runtime/hub/outcomes.cpp", "if (group_.Bytes(0) == View(identity.content)) {", "if (group_.Bytes(0) == View(identity.content) || SEEDED) {")]),
    ("dead_letter_dropped", "a refused message leaves no dead letter", [
        ("runtime/hub/outcomes.cpp", "if (IsRejected(attempt.outcome)) {", "if (IsRejected(attempt.outcome) && !SEEDED) {")]),
    ("partial_commit", "a message is committed before what it contributes", [
        ("runtime/hub/inbox.cpp", "  outcomes.Register(attempt);\n",
         '  if (SEEDED) {\n    db_.Exec("COMMIT");\n    db_.Exec("BEGIN IMMEDIATE");\n  }\n  outcomes.Register(attempt);\n')]),
    ("lost_position", "source positions are not written", [
        ("runtime/hub/inbox.cpp", "position_.Run(source.number, source.position, source.watermark);",
         "if (!SEEDED) {\n      position_.Run(source.number, source.position, source.watermark);\n    }")]),
    ("stale_watermark", "a watermark does not survive the process", [
        ("runtime/hub/inbox.cpp", "source.watermark = load.Int(0);", "source.watermark = SEEDED ? std::nullopt : std::optional<int64_t>(load.Int(0));")]),
    ("order_of_arrival", "what came last is taken for the newest", [
        ("runtime/hub/resources.cpp", "const bool newer = ord < node->ord", "const bool newer = SEEDED || ord < node->ord")]),
    ("log_not_renewed", "after a failed fsync the next process trusts the page cache", [
        ("runtime/hub/schema.cpp", "if (!options.read_only && !options.visit) {", "if (!options.read_only && !options.visit && !SEEDED) {")]),
    ("answer_of_another", "the answers of a batch change places", [
        ("runtime/serve/intake.cpp", ".record = &records[i]", ".record = &records[SEEDED ? origins.size() - 1 - i : i]")]),
    ("untold", "a message that was not stored is passed over in silence, and the next one answered", [
        ("runtime/serve/mllp_session.cpp", "if (verdict.fate == Fate::kNotStored && !told) {", "if (verdict.fate == Fate::kNotStored && !told && (!SEEDED || !header.Enhanced())) {")]),
    ("cut_frame_taken", "what came of a frame before the connection ended is a message", [
        ("runtime/serve/mllp.cpp", "  if (!in_frame_) {\n    Give(Kind::kJunk, {}, sink);\n  }",
         "  if (!in_frame_) {\n    Give(Kind::kJunk, {}, sink);\n  } else if (SEEDED) {\n    Give(Kind::kFrame, {}, sink);\n  }")]),
    ("post_half_stored", "a POST that was not stored whole is answered 200", [
        ("runtime/serve/http_session.cpp", "  if (!all_stored_) {", "  if (!all_stored_ && !SEEDED) {")]),
    ("moved_before_commit", "a file goes to `done` before its records are committed", [
        ("runtime/serve/watcher.cpp", "file_->settled == file_->records)", "(file_->settled == file_->records || SEEDED))")]),
    ("file_forgotten", "a file that could not be read once is never tried again", [
        ("runtime/serve/watcher.cpp", "waits = !due || stuck->second.taken;", "waits = !due || stuck->second.taken || SEEDED;")]),
    ("limits_by_wall_clock", "limits of time are measured by a clock that jumps", [
        ("runtime/serve/node.cpp", "      now_us_ = io_.SteadyMicros();\n      for", "      now_us_ = SEEDED ? io_.WallMicros() : io_.SteadyMicros();\n      for")]),
    ("answers_kept", "what was written to a peer stays in memory", [
        ("runtime/serve/node.cpp", "      session.out.clear();\n      connection.written = 0;", "      if (!SEEDED) {\n        session.out.clear();\n        connection.written = 0;\n      }")]),
]


def main():
    source = pathlib.Path(sys.argv[1])
    if sys.argv[2] == "--files":
        print(";".join(sorted({name for _, _, edits in BUGS for name, _, _ in edits})))
        return
    out = pathlib.Path(sys.argv[2])
    texts, applied = {}, []
    for spelled, what, edits in BUGS:
        changed, number = dict(texts), len(applied) + 1
        for name, old, new in edits:
            text = changed.get(name) or (source / name).read_text(encoding="utf-8")
            if text.count(old) != 1:
                print(f"tests/sim/bugs.py: `{spelled}`: its place in {name} is there {text.count(old)} times; say where the mistake goes now", file=sys.stderr)
                break
            changed[name] = text.replace(old, new.replace("SEEDED", f"::weir::sim::Seeded({number})"))
        else:
            texts = changed
            applied.append((spelled, what))
    for name in {name for _, _, edits in BUGS for name, _, _ in edits}:
        text = texts.get(name) or (source / name).read_text(encoding="utf-8")
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('#include "tests/sim/seeded.h"\n' + text, encoding="utf-8")
    lines = "".join(f'{{"{spelled}", "{what}"}},\n' for spelled, what in applied)
    (out / "seeded_bugs.inc").write_text(lines, encoding="utf-8")


main()
