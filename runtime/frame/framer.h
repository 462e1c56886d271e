// From the bytes of a file or stream to records. Every non-blank byte of the input belongs to exactly one record: a
// message, an envelope segment (FHS, BHS, BTS, FTS) or junk; blanks, line ends, a BOM and MLLP's framing bytes between records belong to
// none. Works on chunks and holds at most one record; a bad message never takes its neighbours with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weir::frame {

enum class FrameKind : uint8_t { kMessage, kEnvelope, kJunk };

struct Frame {
  FrameKind kind = FrameKind::kJunk;
  uint64_t offset = 0;      // in the input
  std::string_view bytes;   // valid until the callback returns; a message ends before its trailing line ends and MLLP bytes
};

struct FramerOptions {
  // A record longer than this is cut there and handed on as it is; the reader refuses it (`too_large`). Bounds memory.
  size_t max_record_bytes = 64u << 20;
};

// Rules, by physical line (CR, LF or CRLF; 0x0B and 0x1C count as line ends):
// - A line that starts with MSH and a delimiter (any case) begins a message, unless the line before is MSH too and this one has the
//   same MSH-10: then the sender doubled the header (quirk 30), and it stays in its message.
// - FHS, BHS, BTS and FTS lines are envelopes, in any order and number; their counts decide nothing.
// - Inside a message every other line belongs to it (the reader joins continued lines); 0x1C ends the message, a blank line does not.
// - Outside a message, lines up to the next of the above are one junk record.
class Framer {
 public:
  using Sink = std::function<void(const Frame&)>;
  Framer(FramerOptions options, Sink sink) : options_(options), sink_(std::move(sink)) {}

  void Push(std::string_view chunk);
  void Finish();

 private:
  void Line(std::string_view line, uint64_t offset, char end);
  void Flush();

  FramerOptions options_;
  Sink sink_;
  std::string line_;         // a line cut by a chunk's end
  std::string record_;
  FrameKind kind_ = FrameKind::kJunk;
  bool open_ = false;
  bool last_was_msh_ = false;
  std::string control_id_;   // of the open message's header
  uint64_t record_offset_ = 0;
  uint64_t position_ = 0;    // of the next byte pushed
  uint64_t line_offset_ = 0;
};

}  // namespace weir::frame
