#include "compiler/ir/ir.h"

#include <algorithm>
#include <utility>

namespace weir::ir {
namespace {

constexpr std::string_view kOpNames[] = {
#define WEIR_IR_OP(name, spelling, ...) spelling,
#include "compiler/ir/ops.def"
#undef WEIR_IR_OP
};

}  // namespace

std::string_view OpName(Op op) { return kOpNames[static_cast<size_t>(op)]; }

Node* Module::New(Op op, Type type, std::vector<Node*> kids, std::string text, int64_t number,
                  Span span) {
  nodes_.push_back(Node{op, std::move(type), std::move(text), number, std::move(kids), span});
  return &nodes_.back();
}

const Function* Module::FindFunction(std::string_view name) const {
  auto found = std::find_if(functions.begin(), functions.end(),
                            [&](const Function& f) { return f.name == name; });
  return found != functions.end() ? &*found : nullptr;
}

const Table* Module::FindTable(std::string_view name) const {
  auto found =
      std::find_if(tables.begin(), tables.end(), [&](const Table& t) { return t.name == name; });
  return found != tables.end() ? &*found : nullptr;
}

}  // namespace weir::ir
