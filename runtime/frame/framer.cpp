#include "runtime/frame/framer.h"

#include <utility>

namespace weir::frame {
namespace {

constexpr char kStartBlock = '\x0B';
constexpr char kEndBlock = '\x1C';

bool IsLineEnd(char c) { return c == '\r' || c == '\n' || c == kStartBlock || c == kEndBlock; }

bool IsBlankLine(std::string_view line) {
  for (char c : line) {
    if (c != ' ' && c != '\t' && c != '\0' && c != '\x1A') {  // 0x1A: DOS end of file
      return false;
    }
  }
  return true;
}

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

bool IsDelimiter(char c) {
  return c > ' ' && c < 127 && !((c >= '0' && c <= '9') || (Upper(c) >= 'A' && Upper(c) <= 'Z'));
}

// The upper-case segment id of a header-like line, empty when it is none.
std::string_view HeaderId(std::string_view line, char* id) {
  if (line.size() < 4 || !IsDelimiter(line[3])) {
    return {};
  }
  for (int i = 0; i < 3; ++i) {
    id[i] = Upper(line[static_cast<size_t>(i)]);
  }
  return {id, 3};
}

bool IsEnvelope(std::string_view line) {
  char id[3];
  std::string_view name = HeaderId(line, id);
  if (name.empty() && line.size() == 3) {  // a bare BTS or FTS
    for (int i = 0; i < 3; ++i) {
      id[i] = Upper(line[static_cast<size_t>(i)]);
    }
    name = {id, 3};
  }
  return name == "FHS" || name == "BHS" || name == "BTS" || name == "FTS";
}

std::string_view ControlId(std::string_view msh) {
  char separator = msh[3];
  size_t at = 3;
  for (int field = 2; field <= 9; ++field) {
    at = msh.find(separator, at + 1);
    if (at == std::string_view::npos) {
      return {};
    }
  }
  return msh.substr(at + 1, msh.find(separator, at + 1) - at - 1);
}

}  // namespace

void Framer::Push(std::string_view chunk) {
  size_t begin = 0;
  for (size_t i = 0; i < chunk.size(); ++i) {
    if (!IsLineEnd(chunk[i])) {
      continue;
    }
    std::string_view piece = chunk.substr(begin, i - begin);
    if (line_.empty()) {
      Line(piece, position_ + begin, chunk[i]);
    } else {
      line_.append(piece);
      std::string line = std::exchange(line_, {});
      Line(line, line_offset_, chunk[i]);
    }
    begin = i + 1;
  }
  if (begin < chunk.size()) {
    if (line_.empty()) {
      line_offset_ = position_ + begin;
    }
    line_.append(chunk.substr(begin));
    if (line_.size() > options_.max_record_bytes) {  // a line without end: hand on what we hold
      std::string line = std::exchange(line_, {});
      Line(line, line_offset_, '\0');
      Flush();
    }
  }
  position_ += chunk.size();
}

void Framer::Finish() {
  if (!line_.empty()) {
    std::string line = std::exchange(line_, {});
    Line(line, line_offset_, '\0');
  }
  Flush();
}

void Framer::Line(std::string_view line, uint64_t offset, char end) {
  constexpr std::string_view kBom = "\xEF\xBB\xBF";
  if (line.starts_with(kBom)) {
    line.remove_prefix(kBom.size());
    offset += kBom.size();
  }
  if (!IsBlankLine(line)) {
    std::string_view text = line;
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {  // an indented header is a header
      text.remove_prefix(1);
    }
    char id[3];
    bool is_msh = HeaderId(text, id) == "MSH";
    bool is_envelope = IsEnvelope(text);
    bool doubled = is_msh && open_ && last_was_msh_ && kind_ == FrameKind::kMessage && ControlId(text) == control_id_;
    if ((is_msh && !doubled) || is_envelope) {
      Flush();
      offset += static_cast<uint64_t>(text.data() - line.data());
      line = text;
      kind_ = is_msh ? FrameKind::kMessage : FrameKind::kEnvelope;
      control_id_ = is_msh ? std::string(ControlId(text)) : std::string();
    }
    if (!open_) {
      if (!is_msh && !is_envelope) {
        kind_ = FrameKind::kJunk;
      }
      open_ = true;
      record_offset_ = offset;
    }
    record_.append(line);
    record_.push_back('\r');
    last_was_msh_ = is_msh;
    if (is_envelope || record_.size() > options_.max_record_bytes) {
      Flush();
    }
  }
  if (end == kEndBlock || end == kStartBlock) {
    Flush();
  }
}

void Framer::Flush() {
  if (!open_) {
    return;
  }
  sink_({.kind = kind_, .offset = record_offset_, .bytes = record_});
  record_.clear();
  open_ = false;
  last_was_msh_ = false;
}

}  // namespace weir::frame
