// MLLP from bytes to frames, in any chunking: <0B> content <1C> <0D>. Pure. Forgiving where nothing is lost by it: the CR after the end
// byte may be missing or LF, and bytes between frames that are not blank are handed on as junk, because every byte is accounted for.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace weir::serve {

inline constexpr char kFrameStart = 0x0B, kFrameEnd = 0x1C;

struct MllpLimits {
  size_t frame_bytes_max = 64u << 20;  // the reader's own limit of a message
  size_t junk_bytes_max = 4u << 10;    // between two frames; a peer that sends more does not speak MLLP
};

class MllpReader {
 public:
  enum class Kind : unsigned char {
    kFrame,        // content between the two bytes
    kJunk,         // what was outside of frames
    kInterrupted,  // content of a frame that a new start byte cut short
  };
  using Sink = std::function<void(Kind, std::string_view)>;  // the bytes are valid until it returns

  explicit MllpReader(MllpLimits limits) : limits_(limits) {}

  // False: beyond a limit; the connection is of no further use. Calls `sink` for what is complete before that.
  bool Push(std::string_view bytes, const Sink& sink);
  // At the end of the connection. An open frame is nothing: its sender has no answer.
  void Finish(const Sink& sink);

  bool in_frame() const { return in_frame_; }
  size_t held_bytes() const { return held_.size(); }

 private:
  void Give(Kind kind, std::string_view rest, const Sink& sink);

  MllpLimits limits_;
  std::string held_;  // of the frame, or of the junk
  bool in_frame_ = false;
};

}  // namespace weir::serve
