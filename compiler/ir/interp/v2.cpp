#include "compiler/ir/interp/v2.h"

#include <algorithm>

#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/text.h"
#include "runtime/v2/index.h"

namespace weir::ir {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsEnd(char c) { return c == '\r' || c == '\n'; }

}  // namespace

bool IsPrimitiveV2(std::string_view type) {
  for (std::string_view primitive :
       {"DT", "DTM", "FT", "GTS", "ID", "IS", "NM", "NUL", "SI", "SNM", "ST", "TM", "TN", "TX"}) {
    if (type == primitive) {
      return true;
    }
  }
  return false;
}

V2Message::V2Message(std::string_view bytes, const weir_v2_index* index)
    : bytes_(bytes), index_(index) {
  Scan();
}

void V2Message::Scan() {
  if (index_ != nullptr) {
    for (uint32_t i = 0; i < index_->segment_count; ++i) {
      const weir_v2_segment& segment = index_->segments[i];
      if (segment.id != 0 && segment.end >= segment.begin + 3) {
        segments_.push_back({bytes_.substr(segment.begin, 3), segment.begin, segment.end});
      }
    }
  }
  for (size_t at = index_ != nullptr ? bytes_.size() : 0; at < bytes_.size();) {
    size_t end = at;
    while (end < bytes_.size() && !IsEnd(bytes_[end])) {
      ++end;
    }
    size_t last = end;
    while (last > at && IsBlank(bytes_[last - 1])) {
      --last;
    }
    if (last >= at + 3) {
      segments_.push_back(
          {bytes_.substr(at, 3), static_cast<uint32_t>(at), static_cast<uint32_t>(last)});
    }
    at = end + 1;
  }
  if (segments_.empty() || AsciiUpper(segments_[0].id) != "MSH" ||
      segments_[0].end < segments_[0].begin + 6) {
    return;
  }
  const char* header = bytes_.data() + segments_[0].begin;
  field_ = header[3];
  // A delimiter that MSH-2 leaves out stays off: it equals the field separator, which never occurs
  // inside a field.
  char* rest[] = {&component_, &repetition_, &escape_, &subcomponent_};
  bool ended = false;
  for (size_t i = 0; i < 4; ++i) {
    ended = ended || segments_[0].begin + 4 + i >= segments_[0].end || header[4 + i] == field_;
    *rest[i] = ended ? field_ : header[4 + i];
  }
  valid_ = true;
}

bool V2Message::IsHeader(uint32_t ordinal) const {
  return AsciiUpper(segments_[ordinal].id) == "MSH";
}

std::vector<V2Item> V2Message::Fields(uint32_t ordinal) const {
  const Segment& segment = segments_[ordinal];
  std::vector<V2Item> fields;
  auto add = [&](uint32_t begin, uint32_t end) {
    fields.push_back({V2Level::kField, begin, end, ordinal});
  };
  uint32_t at = segment.begin + 3;
  if (at >= segment.end || bytes_[at] != field_) {
    return fields;
  }
  if (AsciiUpper(segment.id) == "MSH") {
    add(at, at + 1);
  }
  while (at < segment.end) {  // `at` is on a separator
    uint32_t end = at + 1;
    while (end < segment.end && bytes_[end] != field_) {
      ++end;
    }
    add(at + 1, end);
    at = end;
  }
  return fields;
}

Items V2Message::Occurrences(const V2Item& segment, int64_t n) const {
  std::vector<V2Item> fields = Fields(segment.segment);
  Items out;
  if (n < 1 || static_cast<size_t>(n) > fields.size()) {
    return out;
  }
  V2Item field = fields[static_cast<size_t>(n) - 1];
  if ((IsHeader(segment.segment) && n <= 2) || repetition_ == field_) {
    out.push_back(Item{field});
    return out;
  }
  uint32_t begin = field.begin;
  for (uint32_t at = field.begin; at <= field.end; ++at) {
    if (at == field.end || bytes_[at] == repetition_) {
      out.push_back(Item{V2Item{V2Level::kField, begin, at, field.segment}});
      begin = at + 1;
    }
  }
  return out;
}

char V2Message::Deeper(V2Level level) const {
  return level == V2Level::kField       ? component_
         : level == V2Level::kComponent ? subcomponent_
                                        : field_;
}

V2Item V2Message::Component(const V2Item& item, int64_t n) const {
  V2Level level = item.level == V2Level::kField ? V2Level::kComponent : V2Level::kSubcomponent;
  char delimiter = Deeper(item.level);
  uint32_t begin = item.begin;
  for (uint32_t at = item.begin; at <= item.end; ++at) {
    if (at == item.end || (bytes_[at] == delimiter && delimiter != field_)) {
      if (--n == 0) {
        return {level, begin, at, item.segment};
      }
      begin = at + 1;
    }
  }
  return {level, item.end, item.end, item.segment};
}

bool V2Message::Present(const V2Item& item) const {
  if (item.level < V2Level::kField) {
    return true;
  }
  std::string_view slice = Slice(item);
  bool something = std::any_of(slice.begin(), slice.end(), [&](char c) {
    bool delimiter = (item.level == V2Level::kField && c == component_) ||
                     (item.level != V2Level::kSubcomponent && c == subcomponent_);
    return !IsBlank(c) && !delimiter;
  });
  // MSH-1 and MSH-2 are made of delimiters.
  bool header = IsHeader(item.segment) && item.end <= segments_[item.segment].begin + 9;
  return (something || (header && !slice.empty())) && !IsNull(item);
}

bool V2Message::IsNull(const V2Item& item) const {
  return item.level >= V2Level::kField && TrimBlanks(Slice(item)) == "\"\"";
}

std::string V2Message::Text(const V2Item& item, bool composite) const {
  std::string_view slice = Slice(item);
  if (IsHeader(item.segment) && item.level == V2Level::kField &&
      item.begin <= segments_[item.segment].begin + 4) {
    return std::string(slice);  // MSH-1 and MSH-2 as written
  }
  if (composite && item.level == V2Level::kField) {
    V2Item first = Component(item, 1);
    slice = Slice(Component(first, 1));
  } else if (composite && item.level == V2Level::kComponent) {
    slice = Slice(Component(item, 1));
  }
  if (TrimBlanks(slice) == "\"\"") {
    return "";
  }
  return std::string(TrimBlanks(Unescape(slice)));
}

std::string V2Message::Piece(const V2Item& item, int64_t n) const {
  V2Item piece = Component(item, n);
  return Present(piece) ? Text(piece, true) : "";
}

std::string V2Message::FieldText(std::string_view id, int64_t field, int64_t component) const {
  for (uint32_t i = 0; i < segments_.size(); ++i) {
    if (AsciiUpper(segments_[i].id) != id) {
      continue;
    }
    for (const Item& item : Occurrences(V2Item{V2Level::kSegment, 0, 0, i}, field)) {
      const V2Item& occurrence = *item.As<V2Item>();
      V2Item piece = component > 0 ? Component(occurrence, component) : occurrence;
      return Present(piece) ? Text(piece, true) : "";
    }
    return "";
  }
  return "";
}

std::string V2Message::Event() const {
  std::string event = FieldText("MSH", 9, 2);
  return AsciiUpper(event.empty() ? FieldText("EVN", 1, 1) : event);
}

std::string_view V2Message::TrimTrailing(std::string_view slice) const {
  while (!slice.empty()) {
    char c = slice.back();
    if (!IsBlank(c) && c != component_ && c != repetition_ && c != subcomponent_) {
      break;
    }
    slice.remove_suffix(1);
  }
  return slice;
}

// An escape runs to the next escape character. Anything that is none keeps its opening character
// and is read on after it, so that `C:\temp\F\x` still holds one real escape.
std::string V2Message::Unescape(std::string_view slice) const {
  std::string out;
  for (size_t at = 0; at < slice.size(); ++at) {
    size_t end = slice[at] == escape_ && escape_ != field_ ? slice.find(escape_, at + 1)
                                                           : std::string_view::npos;
    if (end == std::string_view::npos) {
      out.push_back(slice[at]);
      continue;
    }
    std::string_view body = slice.substr(at + 1, end - at - 1);
    bool known = true;
    if (body == "F") {
      out.push_back(field_);
    } else if (body == "S") {
      out.push_back(component_);
    } else if (body == "T") {
      out.push_back(subcomponent_);
    } else if (body == "R") {
      out.push_back(repetition_);
    } else if (body == "E") {
      out.push_back(escape_);
    } else if (body == "H" || body == "N") {
      // highlighting starts or ends
    } else if (body == ".br") {
      out.push_back('\n');
    } else if (body.starts_with(".sp")) {
      std::string_view count = TrimBlanks(body.substr(3));
      int lines = count.empty() ? 1 : 0;
      for (char c : count) {
        lines = c >= '0' && c <= '9' ? std::min(100, lines * 10 + (c - '0')) : lines;
      }
      out.append(static_cast<size_t>(lines), '\n');
    } else if (body.starts_with(".")) {
      // other formatting has no text
    } else if (body.starts_with("X") && body.size() >= 3) {
      auto bytes = FromHex(body.substr(1));
      known = bytes && IsUtf8(*bytes) && std::all_of(bytes->begin(), bytes->end(), [](char c) {
                auto byte = static_cast<unsigned char>(c);
                return byte >= 0x20 ? byte != 0x7F : c == '\t' || c == '\n' || c == '\r';
              });
      if (known) {
        out += *bytes;
      }
    } else {
      known = false;
    }
    if (known) {
      at = end;
    } else {
      out.push_back(slice[at]);
    }
  }
  return out;
}

void V2Message::AddSegments(const V2Item& item, std::string_view id, Items* out) const {
  if (item.level == V2Level::kSegment) {
    if (AsciiUpper(segments_[item.segment].id) == id) {
      out->push_back(Item{item});
    }
    return;
  }
  for (uint32_t i = item.begin; i < item.end; ++i) {
    if (AsciiUpper(segments_[i].id) == id &&
        (item.level == V2Level::kMessage || Direct(group_of_[i], item))) {
      out->push_back(Item{V2Item{V2Level::kSegment, segments_[i].begin, segments_[i].end, i}});
    }
  }
}

Items V2Message::Navigate(const Node& node, const Items& input) const {
  Items out;
  auto add = [&](const V2Item& item) {
    if (Present(item)) {
      out.push_back(Item{item});
    }
  };
  // The data type decides whether a delimiter inside is structure; it is the input node's.
  std::string_view type = node.kids[0]->type.name;
  bool composite = !(type.starts_with("v2.") && IsPrimitiveV2(type.substr(3)));
  for (const Item& item : input) {
    const V2Item* v2 = item.As<V2Item>();
    if (v2 == nullptr) {
      if (node.op == Op::kText && item.As<std::string>() != nullptr) {
        out.push_back(item);
      }
      continue;
    }
    switch (node.op) {
      case Op::kGroups:
        AddGroups(*v2, node.text, &out);
        break;
      case Op::kSegments:
        AddSegments(*v2, node.text, &out);
        break;
      case Op::kField:
        for (const Item& occurrence : Occurrences(*v2, node.number)) {
          add(*occurrence.As<V2Item>());
        }
        break;
      case Op::kComponent:
        add(Component(*v2, node.number));
        break;
      case Op::kSubcomponent:
        add(Component(v2->level == V2Level::kField ? Component(*v2, 1) : *v2, node.number));
        break;
      case Op::kText: {
        std::string text = Text(*v2, composite);
        if (!text.empty()) {
          out.push_back(Item{std::move(text)});
        }
        break;
      }
      default:
        break;
    }
  }
  return out;
}

namespace {

// Written occurrences of a path, null and absent ones too.
Items Written(Evaluator& eval, const Node& path) {
  const V2Message& message = *eval.message();
  Items out;
  switch (path.op) {
    case Op::kField:
      for (const Item& segment : eval.Eval(*path.kids[0])) {
        if (const V2Item* v2 = segment.As<V2Item>()) {
          Items more = message.Occurrences(*v2, path.number);
          out.insert(out.end(), more.begin(), more.end());
        }
      }
      return out;
    case Op::kComponent:
    case Op::kSubcomponent:
      for (const Item& item : Written(eval, *path.kids[0])) {
        if (const V2Item* v2 = item.As<V2Item>()) {
          bool from_field = path.op == Op::kSubcomponent && v2->level == V2Level::kField;
          out.push_back(
              Item{message.Component(from_field ? message.Component(*v2, 1) : *v2, path.number)});
        }
      }
      return out;
    case Op::kRepetition: {
      Items all = Written(eval, *path.kids[0]);
      auto n = static_cast<size_t>(path.number);
      return n >= 1 && n <= all.size() ? Items{all[n - 1]} : Items{};
    }
    case Op::kCall:
      if (path.text == "first" || path.text == "single" || path.text == "last") {
        return Written(eval, *path.kids[0]);
      }
      return eval.Eval(path);
    case Op::kText:
      return Written(eval, *path.kids[0]);
    default:
      return eval.Eval(path);
  }
}

}  // namespace

bool IsNullPath(Evaluator& eval, const Node& path) {
  for (const Item& item : Written(eval, path)) {
    const V2Item* v2 = item.As<V2Item>();
    if (v2 != nullptr && eval.message()->IsNull(*v2)) {
      return true;
    }
  }
  return false;
}

// `repetition n` counts written occurrences, so it cannot work on the present ones `field` yields.
Items RepetitionOf(Evaluator& eval, const Node& node) {
  const Node& field = *node.kids[0];
  Items out;
  for (const Item& segment : eval.Eval(*field.kids[0])) {
    const V2Item* v2 = segment.As<V2Item>();
    Items all = v2 != nullptr ? eval.message()->Occurrences(*v2, field.number) : Items{};
    auto n = static_cast<size_t>(node.number);
    if (n >= 1 && n <= all.size() && eval.message()->Present(*all[n - 1].As<V2Item>())) {
      out.push_back(all[n - 1]);
    }
  }
  return out;
}

}  // namespace weir::ir
