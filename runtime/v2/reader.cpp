#include "runtime/v2/reader.h"

#include <algorithm>
#include <optional>

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

// Turns lines into segments.
class Builder {
 public:
  Builder(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims, const IndexLimits& limits, IndexBuffers& buffers)
      : bytes_(bytes), size_(size), field_(delims.field), limits_(limits), segments_(buffers.segments) {}

  // `ends`: the places in `seps` of line ends, or of the message's, since the last call. Offsets
  // that belong to no segment are taken out; answers how many are left. Nothing: too many segments.
  std::optional<uint32_t> EndLines(const uint32_t* ends, uint32_t count, uint32_t* seps, uint32_t sep_count) {
    seps_ = seps;
    uint32_t from = kept_;
    for (uint32_t i = 0; i < count; ++i) {
      Move(from, ends[i] + 1);
      uint32_t end = kept_ + (ends[i] - from);
      from = ends[i] + 1;
      if (!EndLine(end)) {
        return std::nullopt;
      }
    }
    Move(from, sep_count);
    return kept_ + (sep_count - from);
  }

  uint32_t segment_count() const { return count_; }
  uint8_t flags() const { return flags_; }

 private:
  void Move(uint32_t from, uint32_t to) {
    if (from != kept_) [[unlikely]] {
      std::copy(seps_ + from, seps_ + to, seps_ + kept_);
    }
  }

  // A line of blanks is nothing; one that starts with a segment id is a segment; any other goes on
  // with the one before.
  bool EndLine(uint32_t end) {
    const uint32_t begin = begin_, stop = seps_[end];
    begin_ = stop + 1;
    const uint8_t* id = bytes_ + begin;
    if (stop - begin > 3 && bytes_[stop - 1] > ' ' && (stop == size_ || bytes_[stop] == '\r') && id[3] == field_ && IsUpper(id[0]) &&
        IsUpper(id[1]) && (IsUpper(id[2]) || IsDigit(id[2]))) [[likely]] {
      return Open(WEIR_V2_ID(id[0], id[1], id[2]), begin, end);
    }
    return EndOddLine(begin, end);
  }

  __attribute__((noinline)) bool EndOddLine(uint32_t begin, uint32_t end) {
    uint32_t& stop = seps_[end];
    if (stop < size_ && bytes_[stop] == '\n') {
      flags_ |= WEIR_V2_MIXED_ENDS;
    }
    while (stop > begin && IsBlank(bytes_[stop - 1])) {
      --stop;
    }
    if (begin == stop) {
      return true;
    }
    const uint8_t* id = bytes_ + begin;
    uint32_t id_end = begin;
    while (id_end < stop && id_end - begin < 5 && IsAlnum(bytes_[id_end])) {
      ++id_end;
    }
    bool starts = id_end > begin && (id_end == stop || bytes_[id_end] == field_) && id_end - begin <= 4;
    if (!starts && count_ != 0) {
      flags_ |= WEIR_V2_CONTINUED_LINE;
      Continue(end);
      return true;
    }
    if (id_end - begin != 3) {
      flags_ |= WEIR_V2_BAD_SEGMENT_ID;
      return Open(0, begin, end);
    }
    uint32_t name = WEIR_V2_ID(Upper(id[0]), Upper(id[1]), Upper(id[2]));
    if (name != WEIR_V2_ID(id[0], id[1], id[2])) {
      flags_ |= WEIR_V2_LOWER_CASE_ID;
    }
    return Open(name, begin, end);
  }

  bool Open(uint32_t id, uint32_t begin, uint32_t end) {
    if (count_ >= limits_.max_segments) {
      return false;
    }
    if (count_ == segments_.size()) {
      segments_.resize(std::max<size_t>(2 * segments_.size(), 64));
    }
    segments_[count_++] = {.id = id, .begin = begin, .end = seps_[end], .first = kept_, .fields = end - kept_};
    kept_ = end + 1;
    return true;
  }

  // The old end of the last segment goes, the line's separators follow the others.
  void Continue(uint32_t end) {
    weir_v2_segment& segment = segments_[count_ - 1];
    std::copy(seps_ + kept_, seps_ + end + 1, seps_ + kept_ - 1);
    segment.end = seps_[end - 1];
    segment.fields = end - 1 - segment.first;
    kept_ = end;
  }

  const uint8_t* bytes_;
  uint32_t size_;
  uint8_t field_;
  const IndexLimits& limits_;
  std::vector<weir_v2_segment>& segments_;  // which only grows
  uint32_t* seps_ = nullptr;
  uint32_t kept_ = 0;   // offsets of the segments so far, their ends included; the line's follow
  uint32_t begin_ = 0;  // of the line
  uint32_t count_ = 0;
  uint8_t flags_ = 0;
};

template <typename Vector>
void Grow(Vector& vector, size_t size) {
  if (vector.size() < size) {
    vector.resize(std::max(2 * vector.size(), size));
  }
}

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

IndexStatus BuildIndex(const uint8_t* bytes, uint32_t size, const IndexLimits& limits, IndexBuffers& buffers, weir_v2_index* out,
                       Scanner scanner) {
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
  const uint32_t blocks = (size + 63) / 64;
  const size_t stride = size_t{blocks} + 1;  // a word of zeros behind each kind
  Grow(buffers.marks, stride * WEIR_V2_MARKS);
  ScanTarget target{};
  for (size_t kind = 0; kind < WEIR_V2_MARKS; ++kind) {
    target.marks[kind] = buffers.marks.data() + kind * stride;
    target.marks[kind][blocks] = 0;
    out->marks[kind] = target.marks[kind];
  }
  Builder builder(bytes, size, out->delims, limits, buffers);
  ScanState scan;
  for (uint32_t first = 0; first < blocks; first += kScanBlocks) {
    Grow(buffers.seps, size_t{scan.sep_count} + kScanBlocks * 64 + kScanSlack);
    Grow(buffers.ends, kScanBlocks * 64 + kScanSlack);
    target.seps = buffers.seps.data();
    target.ends = buffers.ends.data();
    scan.end_count = 0;
    uint32_t last = std::min(first + kScanBlocks, blocks);
    Scan(bytes, size, first, last, out->delims, scanner, target, &scan);
    if (last == blocks && bytes[size - 1] != '\r' && bytes[size - 1] != '\n') {  // the message's end is the last line's
      target.ends[scan.end_count++] = scan.sep_count;
      target.seps[scan.sep_count++] = size;
    }
    auto kept = builder.EndLines(target.ends, scan.end_count, target.seps, scan.sep_count);
    if (!kept) {
      return IndexStatus::kTooManySegments;
    }
    scan.sep_count = *kept;
    if (scan.sep_count > limits.max_separators) {
      return IndexStatus::kTooManyFields;
    }
  }
  out->flags = static_cast<uint8_t>(builder.flags() | (scan.high != 0 ? 0 : WEIR_V2_ASCII) | (scan.ill_formed ? 0 : WEIR_V2_UTF8) |
                                    (scan.escape != 0 && out->delims.escape != out->delims.field ? WEIR_V2_HAS_ESCAPE : 0));
  out->segment_count = builder.segment_count();
  out->segments = buffers.segments.data();
  out->sep_count = scan.sep_count;
  out->seps = buffers.seps.data();
  return out->segment_count > 0 ? IndexStatus::kOk : IndexStatus::kHeader;
}

}  // namespace weir::v2
