#include "runtime/v2/reader.h"

#include "runtime/v2/scan.h"

namespace weir::v2 {
namespace {

bool IsAlnum(uint8_t c) { return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'); }
bool IsBlank(uint8_t c) { return c == ' ' || c == '\t'; }
bool Usable(uint8_t c) { return c > ' ' && c < 127 && !IsAlnum(c); }
uint8_t Upper(uint8_t c) { return c >= 'a' && c <= 'z' ? static_cast<uint8_t>(c - 32) : c; }

// MSH-1 and MSH-2. A character of MSH-2 that repeats an earlier delimiter is left out: it could split nothing more.
bool ReadDelimiters(const uint8_t* bytes, uint32_t size, weir_v2_delims* delims) {
  if (size < 4 || Upper(bytes[0]) != 'M' || Upper(bytes[1]) != 'S' || Upper(bytes[2]) != 'H' || !Usable(bytes[3])) {
    return false;
  }
  uint8_t field = bytes[3];
  *delims = {field, field, field, field, field};
  uint8_t* slots[] = {&delims->component, &delims->repetition, &delims->escape, &delims->subcomponent};
  uint32_t at = 4;
  for (uint8_t* slot : slots) {
    if (at >= size || bytes[at] == field || bytes[at] == '\r' || bytes[at] == '\n') {
      break;
    }
    uint8_t c = bytes[at++];
    if (!Usable(c)) {
      return false;
    }
    bool repeated = c == delims->component || c == delims->repetition || c == delims->escape || c == delims->subcomponent;
    if (!repeated) {
      *slot = c;
    }
  }
  return at > 4;  // without any encoding character there is no telling what this is
}

// Turns delimiter positions, which come in order, into segments.
class Builder {
 public:
  Builder(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims, const IndexLimits& limits, IndexBuffers& buffers)
      : bytes_(bytes), size_(size), field_(delims.field), limits_(limits), segments_(buffers.segments), seps_(buffers.seps) {
    segments_.clear();
    seps_.clear();
  }

  // Positions of field separators, CR and LF within one block, as set bits from `base`.
  bool Block(uint32_t base, uint64_t bits) {
    while (bits != 0) {
      uint32_t at = base + static_cast<uint32_t>(__builtin_ctzll(bits));
      bits &= bits - 1;
      uint8_t c = bytes_[at];
      if (c == field_) {
        if (seps_.size() >= limits_.max_separators) {
          status = IndexStatus::kTooManyFields;
          return false;
        }
        seps_.push_back(at);
      } else if (!EndLine(at)) {
        return false;
      }
    }
    return true;
  }

  bool Finish() {
    if (line_begin_ < size_ && !EndLine(size_)) {
      return false;
    }
    return true;
  }

  IndexStatus status = IndexStatus::kOk;
  uint8_t flags = 0;

 private:
  // A line of blanks is nothing; one that starts with a segment id is a segment; any other goes on with the one before.
  bool EndLine(uint32_t end) {
    uint32_t begin = line_begin_;
    line_begin_ = end + 1;
    if (end < size_ && bytes_[end] == '\n') {
      flags |= WEIR_V2_MIXED_ENDS;
    }
    while (end > begin && IsBlank(bytes_[end - 1])) {
      --end;
    }
    if (begin == end) {
      return true;
    }
    uint32_t id_end = begin;
    while (id_end < end && id_end - begin < 5 && IsAlnum(bytes_[id_end])) {
      ++id_end;
    }
    bool starts = id_end > begin && (id_end == end || bytes_[id_end] == field_) && id_end - begin <= 4;
    if (!starts && !segments_.empty()) {
      flags |= WEIR_V2_CONTINUED_LINE;
      Close(end);
      return true;
    }
    if (segments_.size() >= limits_.max_segments) {
      status = IndexStatus::kTooManySegments;
      return false;
    }
    uint32_t id = 0;
    if (id_end - begin == 3) {
      const uint8_t* p = bytes_ + begin;
      id = WEIR_V2_ID(Upper(p[0]), Upper(p[1]), Upper(p[2]));
      if (id != WEIR_V2_ID(p[0], p[1], p[2])) {
        flags |= WEIR_V2_LOWER_CASE_ID;
      }
    } else {
      flags |= WEIR_V2_BAD_SEGMENT_ID;
    }
    segments_.push_back({.id = id, .begin = begin, .end = end, .first = open_first_, .fields = 0});
    Close(end);
    return true;
  }

  // Ends the last segment (again, when a line continued it) at `end`, with the end as last offset.
  void Close(uint32_t end) {
    weir_v2_segment& segment = segments_.back();
    if (segment.first + segment.fields < seps_.size() && closed_ == segments_.size()) {
      // A continued line: the old end offset is dropped, separators found since then move up.
      seps_.erase(seps_.begin() + segment.first + segment.fields);
    }
    segment.end = end;
    segment.fields = static_cast<uint32_t>(seps_.size()) - segment.first;
    seps_.push_back(end);
    closed_ = segments_.size();
    open_first_ = static_cast<uint32_t>(seps_.size());
  }

  const uint8_t* bytes_;
  uint32_t size_;
  uint8_t field_;
  const IndexLimits& limits_;
  std::vector<weir_v2_segment>& segments_;
  std::vector<uint32_t>& seps_;
  uint32_t line_begin_ = 0;
  uint32_t open_first_ = 0;
  size_t closed_ = 0;
};

}  // namespace

std::string_view Code(IndexStatus status) {
  switch (status) {
    case IndexStatus::kOk:
      return "ok";
    case IndexStatus::kHeader:
      return "header";
    case IndexStatus::kTooLarge:
      return "too_large";
    case IndexStatus::kTooManySegments:
      return "too_many_segments";
    case IndexStatus::kTooManyFields:
      return "too_many_fields";
  }
  return "header";
}

IndexStatus BuildIndex(const uint8_t* bytes, uint32_t size, const IndexLimits& limits, IndexBuffers& buffers,
                       weir_v2_index* out, Scanner scanner) {
  *out = {};
  out->struct_size = sizeof(weir_v2_index);
  out->bytes = bytes;
  out->size = size;
  if (size > limits.max_bytes) {
    return IndexStatus::kTooLarge;
  }
  if (!ReadDelimiters(bytes, size, &out->delims)) {
    return IndexStatus::kHeader;
  }
  Builder builder(bytes, size, out->delims, limits, buffers);
  uint32_t words = (size + 63) / 64;
  if (buffers.masks.size() < words) {
    buffers.masks.resize(words);
  }
  ScanResult scan = ScanMasks(bytes, size, out->delims, scanner, buffers.masks.data());
  for (uint32_t word = 0; word < words; ++word) {
    if (!builder.Block(word * 64, buffers.masks[word])) {
      return builder.status;
    }
  }
  if (!builder.Finish()) {
    return builder.status;
  }
  out->flags = static_cast<uint8_t>(builder.flags | (scan.high ? 0 : WEIR_V2_ASCII) | (scan.escape ? WEIR_V2_HAS_ESCAPE : 0));
  out->segment_count = static_cast<uint32_t>(buffers.segments.size());
  out->segments = buffers.segments.data();
  out->sep_count = static_cast<uint32_t>(buffers.seps.size());
  out->seps = buffers.seps.data();
  return out->segment_count > 0 ? IndexStatus::kOk : IndexStatus::kHeader;
}

}  // namespace weir::v2
