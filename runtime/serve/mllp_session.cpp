#include "runtime/serve/mllp_session.h"

namespace weir::serve {

void MllpSession::Receive(std::string_view bytes) {
  const bool good = reader_.Push(bytes, [this](MllpReader::Kind kind, std::string_view content) { OnFrame(kind, content); });
  if (!good) {
    Refuse(reader_.in_frame() ? "frame_too_large" : "not_mllp");
  }
}

void MllpSession::End() {
  if (reader_.in_frame()) {
    ++scene_.metrics.cut_frames;
  }
  reader_.Finish([this](MllpReader::Kind kind, std::string_view content) { OnFrame(kind, content); });
}

void MllpSession::OnFrame(MllpReader::Kind kind, std::string_view bytes) {
  if (!refused.empty()) {
    return;  // nothing behind a message that was not stored may be stored before it
  }
  if (!rights_.Known()) {
    return Refuse("not_allowed");  // the list of clients has changed
  }
  const uint64_t number = first_entry_ + entries_.size();
  entries_.push_back({.answered = kind == MllpReader::Kind::kFrame});
  const auto take = [&](const frame::Frame& frame) {
    ++entries_[number - first_entry_].expected;  // a commit on the way may have moved the front
    taking_ = frame.bytes;
    scene_.intake.Take(frame, {.source = source_, .ticket = {id_, number}, .client = rights_.client()});
    taking_ = {};
  };
  if (kind == MllpReader::Kind::kFrame) {
    ++scene_.metrics.frames;
    frame::Framer framer({}, [&](const frame::Frame& frame) {
      if (frame.kind != frame::FrameKind::kEnvelope) {
        take(frame);
      }
    });
    framer.Push(bytes);
    framer.Finish();
  } else {
    take({.kind = frame::FrameKind::kJunk, .bytes = bytes});
  }
  Entry& entry = entries_[number - first_entry_];
  if (entry.expected == 0) {
    Add(entry, {}, {Fate::kRejected, 100, {}, "schema/header"});  // an empty frame: its sender waits all the same
  }
  entry.complete = true;
  Drain();
}

void MllpSession::OnSettled(uint64_t number, const Settled& settled) {
  if (number < first_entry_) {
    return;
  }
  Entry& entry = entries_[number - first_entry_];
  ++entry.settled;
  if (entry.answered && !untold_) {
    const Header header = ReadHeader(settled.record != nullptr ? settled.record->raw : taking_);
    Verdict verdict{.fate = Fate::kNotStored, .error = 207, .code = "store"};
    if (settled.forbidden) {
      verdict = {.fate = Fate::kRejected, .error = 207, .code = "access/feed"};
    } else if (settled.stored) {
      verdict = Judge(*settled.record, header, scene_.intake.manifest(), settled.taken != nullptr ? settled.taken->letter : hub::SiteInfo());
    }
    const bool told = Add(entry, header, verdict);
    // Original mode, and a sender that wants no accept acknowledgement, have no word for "not now, send again" but the end of the
    // connection. An answer to a later frame would be taken for this one's.
    if (verdict.fate == Fate::kNotStored && !told) {
      untold_ = true;
      Refuse("not_stored");
    }
  }
  Drain();
}

bool MllpSession::Add(Entry& entry, const Header& header, const Verdict& verdict) {
  if (entry.accepts + entry.applications == 0) {
    entry.first = header;
  }
  const Acknowledgements made =
      Acknowledge(header, verdict, {scene_.io.WallMicros(), scene_.control_prefix + std::to_string(scene_.next_control++)});
  for (const auto& [text, count, into] : {std::tuple(&made.accept, &entry.accepts, &entry.accept),
                                          std::tuple(&made.application, &entry.applications, &entry.application)}) {
    if (!text->empty()) {
      ++scene_.metrics.answers[std::string(CodeOf(*text))];
      ++*count;
      *into += *text;
    }
  }
  return !made.accept.empty() || !made.application.empty();
}

void MllpSession::Send(const Header& first, const std::string& text, size_t count) {
  if (count > 0) {
    out += kFrameStart;
    out += count == 1 ? text : Batch(first, text, count);
    out += kFrameEnd;
    out += '\r';
  }
}

void MllpSession::Drain() {
  while (!entries_.empty() && entries_.front().complete && entries_.front().settled == entries_.front().expected) {
    const Entry& entry = entries_.front();
    Send(entry.first, entry.accept, entry.accepts);
    Send(entry.first, entry.application, entry.applications);
    entries_.pop_front();
    ++first_entry_;
  }
}

}  // namespace weir::serve
