#include "runtime/fold/fold.h"

#include <cstring>

namespace weir::fold {
namespace {

struct Slice {
  const uint8_t* data = nullptr;
  uint32_t size = 0;

  bool Is(std::string_view text) const {
    return size == text.size() && memcmp(data, text.data(), size) == 0;
  }
};

// Walks the top-level members of a canonical JSON object. Names are compared as written: canonical
// JSON escapes none.
class Members {
 public:
  Members(const uint8_t* body, uint32_t size) : at_(body), end_(body + size) {
    ok_ = size >= 2 && *at_++ == '{';
  }
  bool ok() const { return ok_; }

  bool Next(Slice* name, Slice* value) {
    if (!ok_ || at_ >= end_) {
      return Stop(false);
    }
    if (*at_ == '}') {
      return Stop(at_ + 1 == end_);
    }
    if (!first_ && *at_++ != ',') {
      return Stop(false);
    }
    first_ = false;
    if (at_ >= end_ || *at_ != '"') {
      return Stop(false);
    }
    const uint8_t* begin = at_ + 1;
    if (!SkipString() || at_ >= end_ || *at_ != ':') {
      return Stop(false);
    }
    *name = {begin, static_cast<uint32_t>(at_ - begin - 1)};
    begin = ++at_;
    if (!SkipValue()) {
      return Stop(false);
    }
    *value = {begin, static_cast<uint32_t>(at_ - begin)};
    return true;
  }

 private:
  bool Stop(bool ok) {
    ok_ = ok;
    at_ = end_;
    return false;
  }
  bool SkipString() {  // at the opening quote
    for (++at_; at_ < end_; ++at_) {
      if (*at_ == '"') {
        return ++at_, true;
      }
      if (*at_ == '\\') {
        ++at_;
      }
    }
    return false;
  }
  bool SkipValue() {
    uint32_t depth = 0;
    const uint8_t* begin = at_;
    while (at_ < end_) {
      switch (*at_) {
        case '"':
          if (!SkipString()) {
            return false;
          }
          continue;
        case '{':
        case '[':
          ++depth;
          break;
        case '}':
        case ']':
          if (depth == 0) {
            return at_ > begin;
          }
          --depth;
          break;
        case ',':
          if (depth == 0) {
            return at_ > begin;
          }
          break;
        default:
          break;
      }
      ++at_;
    }
    return false;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true, first_ = true;
};

bool TagListed(const Item& retract, const Item& item) {
  for (uint32_t begin = 0; begin <= retract.tag_size;) {
    uint32_t end = begin;
    while (end < retract.tag_size && retract.tag[end] != ',') {
      ++end;
    }
    if (end - begin == item.tag_size && memcmp(retract.tag + begin, item.tag, item.tag_size) == 0) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

class Folder {
 public:
  Folder(ElementTable order, uint8_t* out, uint32_t capacity)
      : order_(order), out_(out), capacity_(capacity) {
    memset(winners_, 0, sizeof winners_);
    memset(slots_, 0, sizeof(Slot) * (order.count < kMaxElements ? order.count : kMaxElements));
  }

  // `turn` is 1 + the position in the fold; later turns win whole groups. A fill takes only groups
  // no other mentions.
  FoldStatus Take(const Item& item, uint32_t turn, bool fill) {
    Members members(item.body, item.body_size);
    Slice name, value;
    uint32_t cursor = 0;  // bodies are in element order, so the next name is found at once
    bool claims = false;
    while (members.Next(&name, &value)) {
      if (name.Is("resourceType")) {
        type_ = value;
      } else if (name.Is("id")) {
        id_ = value;
      } else if (name.Is("meta")) {
        claims = !value.Is("null");
        if (!fill || meta_.data == nullptr) {
          meta_ = value;
        }
      } else if (!TakeElement(name, value, turn, fill, &cursor)) {
        return FoldStatus::kTooWide;
      }
    }
    all_claim_ = all_claim_ && claims;
    return members.ok() ? FoldStatus::kOk : FoldStatus::kMalformed;
  }

  FoldResult Write(std::string_view id) {
    bool any = false;
    Append("{\"resourceType\":");
    Append(type_);
    if (!id.empty()) {
      Append(",\"id\":\"");
      Append(id);
      Append("\"");
    } else if (id_.data != nullptr) {
      Append(",\"id\":");
      Append(id_);
    }
    // A profile was judged body by body: it holds of the whole only when every body claims it.
    if (meta_.data != nullptr && all_claim_) {
      Append(",\"meta\":");
      Append(meta_);
    }
    for (uint32_t e = 0; e < Known(); ++e) {
      const Slot& slot = slots_[e];
      if (slot.turn == 0 || slot.turn != Turn(winners_[order_.elements[e].group])) {
        continue;
      }
      any |= Member(
          {reinterpret_cast<const uint8_t*>(order_.elements[e].name), order_.elements[e].size},
          slot.value);
    }
    for (uint32_t u = 0; u < unknown_count_; ++u) {
      any |= Member(unknown_[u].name, unknown_[u].slot.value);
    }
    Append("}");
    if (!any) {
      return {FoldStatus::kOk, 0};
    }
    return used_ > capacity_ ? FoldResult{FoldStatus::kFull, 0}
                             : FoldResult{FoldStatus::kOk, static_cast<uint32_t>(used_)};
  }

 private:
  struct Slot {
    Slice value;
    uint32_t turn = 0;
  };
  struct Unknown {
    Slice name;
    Slot slot;
    uint32_t winner = 0;
  };
  static constexpr uint32_t kFillBit = 0x80000000u;
  static uint32_t Turn(uint32_t winner) { return winner & ~kFillBit; }

  uint32_t Known() const { return order_.count < kMaxElements ? order_.count : kMaxElements; }

  // Does this turn own the group from now on?
  static bool Claim(uint32_t* winner, uint32_t turn, bool fill) {
    if (fill && *winner != 0 && (*winner & kFillBit) == 0) {
      return false;
    }
    *winner = fill ? turn | kFillBit : turn;
    return true;
  }

  bool TakeElement(Slice name, Slice value, uint32_t turn, bool fill, uint32_t* cursor) {
    for (uint32_t step = 0, e = *cursor; step < Known(); ++step, ++e) {
      if (e >= Known()) {
        e = 0;
      }
      const Element& element = order_.elements[e];
      if (element.size != name.size || memcmp(element.name, name.data, name.size) != 0) {
        continue;
      }
      *cursor = e + 1;
      if (Claim(&winners_[element.group], turn, fill)) {
        slots_[e] = {value, turn};
      }
      return true;
    }
    for (uint32_t u = 0; u < unknown_count_; ++u) {
      Unknown& other = unknown_[u];
      if (other.name.size != name.size || memcmp(other.name.data, name.data, name.size) != 0) {
        continue;
      }
      if (Claim(&other.winner, turn, fill)) {
        other.slot = {value, turn};
      }
      return true;
    }
    if (unknown_count_ == kMaxUnknown) {
      return false;
    }
    unknown_[unknown_count_++] = {name, {value, turn}, fill ? turn | kFillBit : turn};
    return true;
  }

  bool Member(Slice name, Slice value) {
    if (value.Is("null")) {
      return false;
    }
    Append(",\"");
    Append(name);
    Append("\":");
    Append(value);
    return true;
  }
  void Append(std::string_view text) {
    Append(
        Slice{reinterpret_cast<const uint8_t*>(text.data()), static_cast<uint32_t>(text.size())});
  }
  void Append(Slice slice) {  // counts on past the end, so that kFull is decided once
    if (used_ + slice.size <= capacity_) {
      memcpy(out_ + used_, slice.data, slice.size);
    }
    used_ += slice.size;
  }

  ElementTable order_;
  uint8_t* out_;
  uint64_t capacity_, used_ = 0;
  Slice type_, id_, meta_;
  bool all_claim_ = true;
  uint32_t winners_[kMaxElements];  // by group: the turn that owns it, kFillBit when a fill does
  Slot slots_[kMaxElements];
  Unknown unknown_[kMaxUnknown];
  uint32_t unknown_count_ = 0;
};

}  // namespace

void MarkRetracted(const Item* items, uint32_t count, uint8_t* marks) noexcept {
  if (count == 0) {
    return;  // marks may be null then
  }
  memset(marks, 0, count);
  for (uint32_t i = 0; i < count; ++i) {
    if (items[i].op != WEIR_OP_RETRACT) {
      continue;
    }
    for (uint32_t j = i; j-- > 0;) {
      if (marks[j] || items[j].op == WEIR_OP_RETRACT || items[j].map != items[i].map) {
        continue;
      }
      if (!TagListed(items[i], items[j])) {
        continue;
      }
      marks[j] = 1;
      break;
    }
  }
}

FoldResult Fold(ElementTable order, const Item* items, uint32_t count, std::string_view id,
                uint8_t* marks, uint8_t* out, uint32_t capacity) noexcept {
  MarkRetracted(items, count, marks);
  uint32_t first = 0;  // the last living replace resets everything before it
  for (uint32_t i = count; i-- > 0;) {
    if (items[i].op == WEIR_OP_PUT && !marks[i]) {
      first = i;
      break;
    }
  }
  Folder folder(order, out, capacity);
  bool any = false;
  for (const bool fill : {false, true}) {
    for (uint32_t i = first; i < count; ++i) {
      const bool is_fill = items[i].op == WEIR_OP_FILL;
      if (marks[i] || is_fill != fill || items[i].op == WEIR_OP_RETRACT ||
          items[i].op == WEIR_OP_ALIAS) {
        continue;
      }
      const FoldStatus status = folder.Take(items[i], i + 1, fill);
      if (status != FoldStatus::kOk) {
        return {status, 0};
      }
      any = true;
    }
  }
  return any ? folder.Write(id) : FoldResult{};
}

bool IsPlain(const uint8_t* body, uint32_t size) noexcept {
  Members members(body, size);
  Slice name, value;
  bool any = false;
  while (members.Next(&name, &value)) {
    if (value.Is("null")) {
      return false;
    }
    any |= !name.Is("resourceType") && !name.Is("id") && !name.Is("meta");
  }
  return any && members.ok();
}

std::string_view TopLevelMember(std::string_view body, std::string_view member) noexcept {
  Members members(reinterpret_cast<const uint8_t*>(body.data()),
                  static_cast<uint32_t>(body.size()));
  Slice name, value;
  while (members.Next(&name, &value)) {
    if (name.Is(member)) {
      return {reinterpret_cast<const char*>(value.data), value.size};
    }
  }
  return {};
}

}  // namespace weir::fold
