// The index for C++ readers that want clarity before speed: slices of the message, nothing decoded, nothing owned.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/v2/index.h"

namespace weir::v2 {

// Absent: nothing but blanks and deeper delimiters. Null: exactly `""`, HL7's "delete". Design, section 3.
enum class Presence : uint8_t { kAbsent, kNull, kValue };

std::string_view Trim(std::string_view text);
Presence PresenceOf(std::string_view slice, const weir_v2_delims& delims);

// Part `number` (from 1) of `text` split at `delimiter`; empty beyond the last. A delimiter equal to the field
// separator (not declared by MSH-2) splits nothing.
std::string_view Part(std::string_view text, uint32_t number, uint8_t delimiter, const weir_v2_delims& delims);
uint32_t PartCount(std::string_view text, uint8_t delimiter, const weir_v2_delims& delims);

class SegmentView {
 public:
  SegmentView(const weir_v2_index& index, uint32_t ordinal) : index_(&index), segment_(&index.segments[ordinal]) {}

  uint32_t id() const { return segment_->id; }
  std::string_view name() const;
  bool is_header() const;  // MSH, FHS, BHS: field 1 is the separator itself
  uint32_t field_count() const { return segment_->fields + (is_header() ? 1 : 0); }
  // Field `number`, from 1, all its repetitions.
  std::string_view Field(uint32_t number) const;
  std::string_view text() const;

 private:
  const weir_v2_index* index_;
  const weir_v2_segment* segment_;
};

class MessageView {
 public:
  explicit MessageView(const weir_v2_index& index) : index_(&index) {}
  const weir_v2_index& index() const { return *index_; }
  const weir_v2_delims& delims() const { return index_->delims; }
  uint32_t segment_count() const { return index_->segment_count; }
  SegmentView segment(uint32_t ordinal) const { return {*index_, ordinal}; }
  // First segment with this id at or after `from`; segment_count() when there is none.
  uint32_t Find(uint32_t id, uint32_t from = 0) const;

 private:
  const weir_v2_index* index_;
};

constexpr uint32_t SegmentId(std::string_view name) {
  return name.size() == 3 ? WEIR_V2_ID(static_cast<uint8_t>(name[0]), static_cast<uint8_t>(name[1]), static_cast<uint8_t>(name[2])) : 0;
}

}  // namespace weir::v2
