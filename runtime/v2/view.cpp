#include "runtime/v2/view.h"

#include <algorithm>

namespace weir::v2 {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

Presence PresenceOf(std::string_view slice, const weir_v2_delims& delims) {
  std::string_view text = Trim(slice);
  if (text == "\"\"") {
    return Presence::kNull;
  }
  for (char c : text) {
    auto byte = static_cast<uint8_t>(c);
    if (byte != ' ' && byte != '\t' && byte != delims.component && byte != delims.subcomponent && byte != delims.repetition) {
      return Presence::kValue;
    }
  }
  return Presence::kAbsent;
}

std::string_view Part(std::string_view text, uint32_t number, uint8_t delimiter, const weir_v2_delims& delims) {
  if (number == 0) {
    return {};
  }
  if (delimiter == delims.field) {
    return number == 1 ? text : std::string_view();
  }
  for (uint32_t i = 1;; ++i) {
    size_t at = text.find(static_cast<char>(delimiter));
    if (i == number) {
      return text.substr(0, at);
    }
    if (at == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(at + 1);
  }
}

uint32_t PartCount(std::string_view text, uint8_t delimiter, const weir_v2_delims& delims) {
  uint32_t count = 1;
  if (delimiter != delims.field) {
    for (char c : text) {
      count += static_cast<uint8_t>(c) == delimiter ? 1 : 0;
    }
  }
  return count;
}

std::string_view SegmentView::text() const {
  return {reinterpret_cast<const char*>(index_->bytes) + segment_->begin, segment_->end - segment_->begin};
}

std::string_view SegmentView::name() const { return text().substr(0, 3); }

bool SegmentView::is_header() const {
  return segment_->id == SegmentId("MSH") || segment_->id == SegmentId("FHS") || segment_->id == SegmentId("BHS");
}

std::string_view SegmentView::Field(uint32_t number) const {
  const char* bytes = reinterpret_cast<const char*>(index_->bytes);
  if (is_header()) {
    if (number == 1) {
      return text().substr(std::min<size_t>(3, text().size()), 1);  // a bare "MSH" has none
    }
    --number;
  }
  if (number == 0 || number > segment_->fields) {
    return {};
  }
  uint32_t begin = index_->seps[segment_->first + number - 1] + 1;
  uint32_t end = index_->seps[segment_->first + number];
  return begin < end ? std::string_view(bytes + begin, end - begin) : std::string_view();
}

uint32_t MessageView::Find(uint32_t id, uint32_t from) const {
  for (uint32_t i = from; i < index_->segment_count; ++i) {
    if (index_->segments[i].id == id) {
      return i;
    }
  }
  return index_->segment_count;
}

}  // namespace weir::v2
