#include "runtime/v2/reader.h"

#include <algorithm>

#include "runtime/v2/scan.h"

namespace weir::v2 {
namespace {

bool IsAlnum(uint8_t c) { return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'); }
bool IsUpper(uint8_t c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(uint8_t c) { return c >= '0' && c <= '9'; }
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
  }

  // Positions of field separators and of CR and LF within one block, as set bits from `base`.
  bool Block(uint32_t base, uint64_t fields, uint64_t ends) {
    while (ends != 0) {
      uint64_t before = (ends & (0 - ends)) - 1;
      if (!Separators(base, fields & before) || !EndLine(base + static_cast<uint32_t>(__builtin_ctzll(ends)))) {
        return false;
      }
      fields &= ~before;
      ends &= ends - 1;
    }
    return Separators(base, fields);
  }

  bool Finish() {
    if (line_begin_ < size_ && !EndLine(size_)) {
      return false;
    }
    return true;
  }

  uint32_t sep_count() const { return sep_count_; }

  IndexStatus status = IndexStatus::kOk;
  uint8_t flags = 0;

 private:
  bool Separators(uint32_t base, uint64_t bits) {
    if (bits == 0) {
      return true;
    }
    auto count = static_cast<uint32_t>(__builtin_popcountll(bits));
    if (count > limits_.max_separators || sep_count_ > limits_.max_separators - count) {
      status = IndexStatus::kTooManyFields;
      return false;
    }
    if (seps_.size() < sep_count_ + 64 + 8 + 1) {  // and a segment's end
      seps_.resize(std::max<size_t>(2 * seps_.size(), 1024));
    }
    // Eight at a time, wanted or not: a loop that ends where the bits do is mispredicted in nearly every block.
    uint32_t* out = seps_.data() + sep_count_;
    do {
      for (int k = 0; k < 8; ++k, bits &= bits - 1) {
        out[k] = base + static_cast<uint32_t>(__builtin_ctzll(bits | 1ull << 63));
      }
      out += 8;
    } while (bits != 0);
    sep_count_ += count;
    return true;
  }

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
    const uint8_t* id = bytes_ + begin;
    if (end - begin > 3 && id[3] == field_ && IsUpper(id[0]) && IsUpper(id[1]) && (IsUpper(id[2]) || IsDigit(id[2]))) [[likely]] {
      return Open(WEIR_V2_ID(id[0], id[1], id[2]), begin, end);
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
    if (id_end - begin != 3) {
      flags |= WEIR_V2_BAD_SEGMENT_ID;
      return Open(0, begin, end);
    }
    uint32_t name = WEIR_V2_ID(Upper(id[0]), Upper(id[1]), Upper(id[2]));
    if (name != WEIR_V2_ID(id[0], id[1], id[2])) {
      flags |= WEIR_V2_LOWER_CASE_ID;
    }
    return Open(name, begin, end);
  }

  bool Open(uint32_t id, uint32_t begin, uint32_t end) {
    if (segments_.size() >= limits_.max_segments) {
      status = IndexStatus::kTooManySegments;
      return false;
    }
    segments_.push_back({.id = id, .begin = begin, .end = end, .first = open_first_, .fields = 0});
    Close(end);
    return true;
  }

  // Ends the last segment (again, when a line continued it) at `end`, with the end as last offset.
  void Close(uint32_t end) {
    weir_v2_segment& segment = segments_.back();
    if (segment.first + segment.fields < sep_count_ && closed_ == segments_.size()) {
      // A continued line: the old end offset is dropped, separators found since then move up.
      auto at = seps_.begin() + segment.first + segment.fields;
      std::copy(at + 1, seps_.begin() + sep_count_, at);
      --sep_count_;
    }
    segment.end = end;
    segment.fields = sep_count_ - segment.first;
    if (seps_.size() == sep_count_) {
      seps_.push_back(0);
    }
    seps_[sep_count_++] = end;
    closed_ = segments_.size();
    open_first_ = sep_count_;
  }

  const uint8_t* bytes_;
  uint32_t size_;
  uint8_t field_;
  const IndexLimits& limits_;
  std::vector<weir_v2_segment>& segments_;
  std::vector<uint32_t>& seps_;
  uint32_t line_begin_ = 0;
  uint32_t open_first_ = 0;
  uint32_t sep_count_ = 0;  // of seps_, which only grows
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
  if (buffers.masks.size() < size_t{words} * 2) {
    buffers.masks.resize(size_t{words} * 2);
  }
  size_t marks = size_t{words} * WEIR_V2_MARKS;
  if (buffers.marks.size() < marks + WEIR_V2_MARKS) {
    buffers.marks.resize(marks + WEIR_V2_MARKS);
  }
  ScanResult scan = ScanMasks(bytes, size, out->delims, scanner, buffers.masks.data(), buffers.marks.data());
  std::fill_n(buffers.marks.data() + marks, WEIR_V2_MARKS, 0);
  for (uint32_t word = 0; word < words; ++word) {
    if (!builder.Block(word * 64, buffers.masks[2 * size_t{word}], buffers.masks[2 * size_t{word} + 1])) {
      return builder.status;
    }
  }
  if (!builder.Finish()) {
    return builder.status;
  }
  out->flags = static_cast<uint8_t>(builder.flags | (scan.high ? 0 : WEIR_V2_ASCII) | (scan.escape ? WEIR_V2_HAS_ESCAPE : 0));
  out->segment_count = static_cast<uint32_t>(buffers.segments.size());
  out->segments = buffers.segments.data();
  out->sep_count = builder.sep_count();
  out->seps = buffers.seps.data();
  out->marks = buffers.marks.data();
  return out->segment_count > 0 ? IndexStatus::kOk : IndexStatus::kHeader;
}

}  // namespace weir::v2
