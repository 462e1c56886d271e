// Paths from a segment to a component's text, which most lines of a v2 map are, become one call with the path as a constant.
#include "compiler/lower/gen.h"
#include "runtime/kernel/rt.h"

namespace weir::lower {
namespace {

using ir::Node;
using ir::Op;
using kernel::Path;

constexpr std::string_view kPrimitives[] = {"DT", "DTM", "FT", "GTS", "ID", "IS", "NM", "NUL", "SI", "SNM", "ST", "TM", "TN", "TX"};

bool IsFirst(const Node& node) { return node.op == Op::kCall && node.text == "first" && node.kids.size() == 1; }
// A v2 data type's value; not a message, group or segment.
bool IsInField(std::string_view type) { return type.starts_with("v2.") && type.find('.', 3) == type.npos && type != "v2.message"; }
bool InRange(int64_t number, uint32_t most) { return number > 0 && number <= most; }

}  // namespace

bool Gen::IsComposite(std::string_view type) {
  for (std::string_view primitive : kPrimitives) {
    if (type.starts_with("v2.") && type.substr(3) == primitive) {
      return false;
    }
  }
  return true;
}

std::optional<Path> Gen::PathOf(const Node& node, const Node** segments) {
  const Node* at = &node;
  bool first_of_all = false, text = false, composite = false;
  uint32_t parts[2] = {}, count = 0, occurrence = Path::kAll;
  if (IsFirst(*at)) {
    first_of_all = true;
    at = at->kids[0];
  }
  if (at->op == Op::kText) {
    text = true;
    at = at->kids[0];
    composite = IsComposite(at->type.name);
  }
  for (; at->op == Op::kComponent; at = at->kids[0]) {
    if (count == 2 || !InRange(at->number, Path::kMostPart)) {
      return std::nullopt;
    }
    parts[count++] = static_cast<uint32_t>(at->number);
  }
  bool navigated = text || count != 0;
  if (IsFirst(*at) && at->kids[0]->op == Op::kField) {
    occurrence = Path::kFirst;
    at = at->kids[0];
  } else if (at->op == Op::kRepetition) {
    if (!InRange(at->number, Path::kMostOccurrence)) {
      return std::nullopt;
    }
    occurrence = Path::kFirst + static_cast<uint32_t>(at->number);
    at = at->kids[0];
  }
  uint32_t field = 0;
  if (at->op == Op::kField) {
    if (!InRange(at->number, Path::kMostField)) {
      return std::nullopt;
    }
    field = static_cast<uint32_t>(at->number);
    at = at->kids[0];
  } else if (!navigated || occurrence != Path::kAll || at->op != Op::kVar || !IsInField(at->type.name)) {
    return std::nullopt;
  }
  *segments = at;
  return Path::Of(field, occurrence, count == 0 ? 0 : parts[count - 1], count == 2 ? parts[0] : 0, text, composite,
                  first_of_all);
}

// The helper of path.cpp that knows the path's shape.
std::string Gen::ShapedHelper(const char* name, Path path) {
  bool component = path.component() != 0;
  return std::string(name) + (path.field() == 0 ? (component ? "_value_component" : "_value") : component ? "_field_component" : "_field");
}

// A segment of the whole message is named, not passed: the helper collects it once per record.
Gen::PathArgs Gen::Arguments(const Node& segments, Path path) {
  llvm::Value* constant = b_.getInt64(path.bits);
  if (memo_allowed_ && segments.op == Op::kSegments && segments.kids[0]->op == Op::kMessage && SegmentId(segments.text) != 0) {
    if (auto id = ids_.find(&segments); id != ids_.end()) {
      if (auto memo = memos_.find(id->second); memo != memos_.end()) {
        return {null_, b_.getInt64(uint64_t{SegmentId(segments.text)} | static_cast<uint64_t>(memo->second) << 32), constant};
      }
    }
  }
  Value v = Eval(segments);
  return {v.items, v.count, constant};
}

std::optional<Value> Gen::EvalPath(const Node& node) {
  const Node* segments = nullptr;
  auto path = PathOf(node, &segments);
  if (!path) {
    return std::nullopt;
  }
  PathArgs at = Arguments(*segments, *path);
  return CallValue(ShapedHelper("wk_path", *path).c_str(), {context_, at.items, at.count, at.path});
}

// Whether there is anything, without making it.
llvm::Value* Gen::Exists(const Node& node) {
  const Node* segments = nullptr;
  if (auto path = PathOf(node, &segments)) {
    PathArgs at = Arguments(*segments, *path);
    return b_.CreateICmpNE(Call(ShapedHelper("wk_path_count", *path).c_str(), {context_, at.items, at.count, at.path}), b_.getInt64(0));
  }
  return b_.CreateICmpNE(Eval(node).count, b_.getInt64(0));
}

}  // namespace weir::lower
