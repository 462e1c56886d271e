#include "runtime/serve/mllp.h"

namespace weir::serve {
namespace {

constexpr std::string_view kBlank = " \t\r\n\x1C";
constexpr size_t kKeptCapacity = 64u << 10;  // what a connection keeps after a large frame

}  // namespace

void MllpReader::Give(Kind kind, std::string_view rest, const Sink& sink) {
  std::string_view all = rest;
  if (!held_.empty()) {
    held_ += rest;
    all = held_;
  }
  if (kind != Kind::kJunk || all.find_first_not_of(kBlank) != std::string_view::npos) {
    sink(kind, all);
  }
  if (held_.capacity() > kKeptCapacity) {
    held_ = std::string();
  }
  held_.clear();
}

bool MllpReader::Push(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    if (!in_frame_) {
      const size_t start = bytes.find(kFrameStart);
      const std::string_view junk = bytes.substr(0, start);
      if (start != std::string_view::npos) {
        Give(Kind::kJunk, junk, sink);
        in_frame_ = true;
        bytes.remove_prefix(start + 1);
        continue;
      }
      // The blanks between two frames are not worth a buffer.
      if (!held_.empty() || junk.find_first_not_of(kBlank) != std::string_view::npos) {
        held_ += junk;
      }
      return held_.size() <= limits_.junk_bytes_max;
    }
    constexpr char kEdges[] = {kFrameStart, kFrameEnd};
    const size_t edge = bytes.find_first_of(std::string_view(kEdges, 2));
    if (held_.size() + std::min(edge, bytes.size()) > limits_.frame_bytes_max) {
      return false;
    }
    if (edge == std::string_view::npos) {
      held_ += bytes;
      return true;
    }
    const bool ended = bytes[edge] == kFrameEnd;
    Give(ended ? Kind::kFrame : Kind::kInterrupted, bytes.substr(0, edge), sink);
    in_frame_ = !ended;
    bytes.remove_prefix(edge + 1);
  }
  return true;
}

void MllpReader::Finish(const Sink& sink) {
  if (!in_frame_) {
    Give(Kind::kJunk, {}, sink);
  }
  held_.clear();
  in_frame_ = false;
}

}  // namespace weir::serve
