// The rules of docs/ir.md that every pass must keep. The first broken one is told with the
// operation it was found at.
#include <set>

#include "compiler/ir/text_form.h"

namespace weir::ir {
namespace {

constexpr std::string_view kFunctions[] = {
#define WEIR_FHIRPATH_FUNCTION(name, ...) #name,
#include "compiler/ir/functions.def"
#undef WEIR_FHIRPATH_FUNCTION
};
constexpr std::string_view kBinary[] = {
    "=", "!=", "~",   "!~",  "<",   "<=", ">",   ">=", "+",       "-",        "*",
    "/", "&",  "div", "mod", "and", "or", "xor", "in", "implies", "contains", "|"};
constexpr int kMaxDepth = 1000;

template <typename List>
bool In(const List& list, std::string_view name) {
  for (std::string_view item : list) {
    if (item == name) {
      return true;
    }
  }
  return false;
}

bool WellFormedPart(std::string_view part) {
  if (part == "any" || part == "emit") {
    return true;
  }
  for (std::string_view prefix : {"System.", "FHIR.", "v2."}) {
    if (part.starts_with(prefix) && part.size() > prefix.size()) {
      return part.find_first_of(" ()\"#:\n") == std::string_view::npos;
    }
  }
  return false;
}

bool WellFormed(std::string_view type) {
  std::string_view last;
  while (true) {
    size_t bar = type.find('|');
    std::string_view part = type.substr(0, bar);
    if (!WellFormedPart(part) || !(last < part)) {  // parts of a choice are sorted and distinct
      return false;
    }
    if (bar == std::string_view::npos) {
      return true;
    }
    last = part;
    type.remove_prefix(bar + 1);
  }
}

enum class Position : uint8_t { kValue, kEmission, kEffect };

class Verifier {
 public:
  explicit Verifier(const Module& module) : module_(module) {}

  std::optional<std::string> Run() {
    std::set<std::string_view> names;
    for (const Function& function : module_.functions) {
      where_ = "function " + function.name;
      if (!names.insert(function.name).second) {
        Fail("defined twice");
      }
      std::set<int64_t> bound;
      for (const Param& param : function.params) {
        CheckSlot(param.slot, function.slot_count);
        bound.insert(param.slot);
      }
      if (function.body == nullptr) {
        Fail("has no body");
      } else {
        slots_ = function.slot_count;
        Visit(*function.body, function.result.is_emit() ? Position::kEmission : Position::kValue,
              bound, 0);
      }
    }
    for (const Feed& feed : module_.feeds) {
      where_ = "feed " + feed.name;
      slots_ = feed.slot_count;
      if (feed.zone >= static_cast<int32_t>(module_.zones.size())) {
        Fail("unknown zone");
      }
      VisitRoot(feed.route, Position::kValue);
      VisitRoot(feed.suppress, Position::kValue);
      for (const Node* part : feed.duplicate_key) {
        VisitRoot(part, Position::kValue);
      }
      for (const Node* part : feed.order_by) {
        VisitRoot(part, Position::kValue);
      }
      VisitRoot(feed.transform, Position::kEffect);
    }
    for (const Function& function : module_.functions) {
      where_ = "function " + function.name;
      std::set<const Function*> callers;
      if (!error_ && function.body != nullptr && Reaches(*function.body, function, &callers)) {
        Fail("calls itself");
      }
    }
    for (const Table& table : module_.tables) {
      where_ = "table " + table.name;
      for (size_t i = 1; i < table.rows.size(); ++i) {
        if (!(table.rows[i - 1].from < table.rows[i].from)) {
          Fail("rows are not sorted and unique");
        }
      }
      if (table.otherwise == Table::Else::kDeadLetter && table.site >= module_.sites.size()) {
        Fail("unknown site");
      }
    }
    return error_;
  }

 private:
  void Fail(std::string_view why) {
    if (!error_) {
      error_ = where_ + ": " + std::string(why);
    }
  }
  void CheckSlot(int64_t slot, int64_t count) {
    if (slot < 0 || slot >= count) {
      Fail("slot out of range");
    }
  }
  void CheckSite(int64_t site) {
    if (site < 0 || site >= static_cast<int64_t>(module_.sites.size())) {
      Fail("unknown site");
    }
  }
  void VisitRoot(const Node* node, Position position) {
    if (node != nullptr) {
      Visit(*node, position, {}, 0);
    }
  }

  // Whether `node` leads to a call of `target`; the language has no recursion.
  bool Reaches(const Node& node, const Function& target, std::set<const Function*>* seen) const {
    if (node.op == Op::kEmitCall || (node.op == Op::kCall && !In(kFunctions, node.text))) {
      const Function* called = module_.FindFunction(node.text);
      if (called == &target) {
        return true;
      }
      if (called != nullptr && called->body != nullptr && seen->insert(called).second &&
          Reaches(*called->body, target, seen)) {
        return true;
      }
    }
    for (const Node* kid : node.kids) {
      if (kid != nullptr && Reaches(*kid, target, seen)) {
        return true;
      }
    }
    return false;
  }

  // What the operation yields, and what its kids must yield.
  static bool IsEmission(Op op) { return op >= Op::kObject && op <= Op::kCount; }
  static bool IsEffect(Op op) { return op >= Op::kRequire; }
  static bool IsControl(Op op) { return op == Op::kEach || op == Op::kWhen || op == Op::kSequence; }

  void Visit(const Node& node, Position position, std::set<int64_t> bound, int depth) {
    if (error_) {
      return;
    }
    std::string outer = where_;
    const OpShape& shape = ShapeOf(node.op);
    where_ += " > " + std::string(shape.name);
    if (depth > kMaxDepth) {
      Fail("nested too deeply");
    }
    int kids = static_cast<int>(node.kids.size());
    if (kids < shape.min_kids || (shape.max_kids >= 0 && kids > shape.max_kids)) {
      Fail("wrong number of kids");
    }
    if (!WellFormed(node.type.name)) {
      Fail("type name is not well-formed");
    }
    bool fits = position == Position::kValue ? !IsEmission(node.op) && !IsEffect(node.op)
                : position == Position::kEmission
                    ? IsEmission(node.op) || node.op == Op::kLet
                    : IsEffect(node.op) || IsControl(node.op) || node.op == Op::kLet;
    if (!fits) {
      Fail("stands where it cannot");
    }
    if (!error_) {
      CheckAttributes(node, bound);
    }
    for (size_t i = 0; i < node.kids.size() && !error_; ++i) {
      if (node.kids[i] == nullptr) {
        Fail("kid is missing");
        break;
      }
      std::set<int64_t> inner = bound;
      if ((node.op == Op::kLet || node.op == Op::kEach) && i == 1) {
        inner.insert(node.number);
      }
      if (node.op == Op::kCall && i >= 1 && In(kFunctions, node.text)) {
        inner.insert({node.number, node.number + 1, node.number + 2});
      }
      Visit(*node.kids[i], KidPosition(node, i, position), std::move(inner), depth + 1);
    }
    where_ = outer;
  }

  static Position KidPosition(const Node& node, size_t kid, Position own) {
    switch (node.op) {
      case Op::kObject:
      case Op::kMember:
      case Op::kArray:
      case Op::kFirst:
      case Op::kSequence:
      case Op::kCount:
        return own;
      case Op::kLet:
      case Op::kEach:
      case Op::kWhen:
        return kid == 0 ? Position::kValue : own;
      case Op::kContribute:
        return kid == 2 ? Position::kEmission : Position::kValue;
      default:
        return Position::kValue;
    }
  }

  void CheckAttributes(const Node& node, const std::set<int64_t>& bound) {
    switch (node.op) {
      case Op::kVar:
        if (!bound.contains(node.number)) {
          Fail("slot is not bound");
        }
        break;
      case Op::kLet:
      case Op::kEach:
        CheckSlot(node.number, slots_);
        break;
      case Op::kCall:
        if (!In(kFunctions, node.text) && module_.FindFunction(node.text) == nullptr) {
          Fail("unknown function");
        }
        break;
      case Op::kBinary:
        if (!In(kBinary, node.text)) {
          Fail("unknown operator");
        }
        break;
      case Op::kUnary:
        if (node.text != "+" && node.text != "-") {
          Fail("unknown operator");
        }
        break;
      case Op::kOrdered:
        if (node.text != "dateTime" && node.text != "decimal") {
          Fail("orders neither times nor numbers");
        }
        break;
      case Op::kLookup:
        if (module_.FindTable(node.text) == nullptr) {
          Fail("unknown table");
        }
        if (node.number < 0 || node.number > 2) {
          Fail("unknown column");
        }
        break;
      case Op::kField:
      case Op::kRepetition:
      case Op::kComponent:
      case Op::kSubcomponent:
        if (node.number < 1) {
          Fail("positions count from 1");
        }
        break;
      case Op::kKey:
        if (node.text.find('/') == std::string::npos) {
          Fail("key needs Type/keyspace");
        }
        if (node.number != 0 &&
            (node.number != 1 || node.kids.size() < 2 || node.kids[0]->op != Op::kKey)) {
          Fail("a key is within a key and has parts of its own");
        }
        break;
      case Op::kPrimitive:
      case Op::kRequire:
      case Op::kReject:
        CheckSite(node.number);
        break;
      case Op::kEmitCall: {
        const Function* function = module_.FindFunction(node.text);
        if (function == nullptr || !function->result.is_emit()) {
          Fail("unknown emission function");
        } else if (function->params.size() != node.kids.size()) {
          Fail("wrong number of arguments");
        }
        break;
      }
      case Op::kContribute:
      case Op::kRetract:
        if (node.number < 0 || node.number >= static_cast<int64_t>(module_.maps.size())) {
          Fail("unknown map");
        }
        break;
      default:
        break;
    }
  }

  const Module& module_;
  int64_t slots_ = 0;
  std::string where_;
  std::optional<std::string> error_;
};

}  // namespace

std::optional<std::string> Verify(const Module& module) { return Verifier(module).Run(); }

}  // namespace weir::ir
