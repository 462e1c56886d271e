#include "compiler/ir/interp/eval.h"

#include <array>
#include <unordered_map>

#include "compiler/ir/interp/emit.h"

namespace weir::ir {
namespace {

using FunctionPointer = Items (*)(Evaluator&, const Node&, Items);
struct Builtin {
  std::string_view name;
  size_t min_args, max_args;
  FunctionPointer call;
};
constexpr Builtin kBuiltins[] = {
#define WEIR_FHIRPATH_FUNCTION(name, min, max, ...) {#name, min, max, Fn_##name},
#include "compiler/ir/functions.def"
#undef WEIR_FHIRPATH_FUNCTION
};

const Builtin* FindBuiltin(std::string_view name) {
  static const std::unordered_map<std::string_view, const Builtin*> kByName = [] {
    std::unordered_map<std::string_view, const Builtin*> map;
    for (const Builtin& builtin : kBuiltins) {
      map.emplace(builtin.name, &builtin);
    }
    return map;
  }();
  auto found = kByName.find(name);
  return found != kByName.end() ? found->second : nullptr;
}

}  // namespace

void Evaluator::SetRoot(const Json* root) { root_ = root; }

void Evaluator::SetKey(const uint8_t key[16], std::string_view name_space) {
  key_.assign(reinterpret_cast<const char*>(key), 16);
  name_space_ = name_space;
}

void Evaluator::Fail(std::string message) {
  if (!failed()) {
    failure_ = {Failure::Kind::kError, std::move(message), 0};
  }
}
void Evaluator::Reject(uint32_t site) {
  if (!failed()) {
    failure_ = {Failure::Kind::kRejected, "", site};
  }
}
void Evaluator::Limit(std::string message) {
  if (!failed()) {
    failure_ = {Failure::Kind::kLimit, std::move(message), 0};
  }
}

void Evaluator::SetSlot(int64_t slot, Items items) {
  auto at = static_cast<size_t>(slot);
  if (at >= frame_.size()) {
    frame_.resize(at + 1);
  }
  frame_[at] = std::move(items);
}

const Items& Evaluator::Slot(int64_t slot) {
  if (static_cast<size_t>(slot) >= frame_.size()) {
    frame_.resize(static_cast<size_t>(slot) + 1);
  }
  return frame_[static_cast<size_t>(slot)];
}

Items Evaluator::Eval(const Node& node) {
  if (failed()) {
    return {};
  }
  if (++steps_ > options_.max_steps) {
    Limit("too many steps");
    return {};
  }
  if (depth_ >= options_.max_depth) {
    Limit("expression nested too deeply");
    return {};
  }
  ++depth_;
  Items result;
  switch (node.op) {
    case Op::kLiteral:
      if (auto item = ParseLiteral(node.type.name, node.text)) {
        result.push_back(*item);
      } else {
        Fail("malformed literal");
      }
      break;
    case Op::kEmpty:
      break;
    case Op::kVar:
      result = Slot(node.number);
      break;
    case Op::kLet:
      SetSlot(node.number, Eval(*node.kids[0]));
      result = Eval(*node.kids[1]);
      break;
    case Op::kEnv:
      result = EvalEnvironment(node.text);
      break;
    case Op::kMessage:
      if (message_ != nullptr || root_ != nullptr) {
        result.push_back(RootItem());
      }
      break;
    case Op::kChild:
      for (const Item& item : Eval(*node.kids[0])) {
        Items more = Child(item, node.text);
        result.insert(result.end(), more.begin(), more.end());
      }
      break;
    case Op::kGroups:
    case Op::kSegments:
    case Op::kField:
    case Op::kComponent:
    case Op::kSubcomponent:
    case Op::kText:
      if (message_ == nullptr) {
        Fail("no v2 message");
        break;
      }
      result = message_->Navigate(node, Eval(*node.kids[0]));
      break;
    case Op::kRepetition:
      if (message_ == nullptr || node.kids[0]->op != Op::kField) {
        Fail("repetition needs a v2 field");
        break;
      }
      result = RepetitionOf(*this, node);
      break;
    case Op::kIsNull:
      if (message_ == nullptr) {
        Fail("no v2 message");
        break;
      }
      result = OneBoolean(IsNullPath(*this, *node.kids[0]));
      break;
    case Op::kFits:
      result = OneBoolean(Fits(*this, *node.kids[0], node.text));
      break;
    case Op::kOrdered:
      result = OneBoolean(Ordered(*this, *node.kids[0], *node.kids[1], node.text));
      break;
    case Op::kAuthority:
      result = EvalAuthority(node);
      break;
    case Op::kEvent:
      if (message_ != nullptr && !message_->Event().empty()) {
        result = OneString(message_->Event());
      }
      break;
    case Op::kLookup:
      result = EvalLookup(node);
      break;
    case Op::kKey:
      result = EvalKey(node);
      break;
    case Op::kBinary:
      result = EvalBinary(node);
      break;
    case Op::kUnary:
      result = EvalUnary(node);
      break;
    case Op::kIndex: {
      Items input = Eval(*node.kids[0]);
      auto index = SingleInteger(Eval(*node.kids[1]));
      if (index && *index >= 0 && static_cast<size_t>(*index) < input.size()) {
        result.push_back(input[static_cast<size_t>(*index)]);
      }
      break;
    }
    case Op::kIs: {
      Items input = Eval(*node.kids[0]);
      if (const Item* item = Single(input)) {
        result = OneBoolean(IsType(*item, node.text, false));
      }
      break;
    }
    case Op::kAs:  // over several items too: R4's own dom-3 needs it
      for (const Item& item : Eval(*node.kids[0])) {
        if (IsType(item, node.text, false)) {
          result.push_back(item);
        }
      }
      break;
    case Op::kCall:
      result = EvalCall(node);
      break;
    case Op::kObject:
    case Op::kMember:
    case Op::kArray:
    case Op::kEach:
    case Op::kWhen:
    case Op::kFirst:
    case Op::kSequence:
    case Op::kPrimitive:
    case Op::kJson:
    case Op::kReference:
    case Op::kEmitCall:
    case Op::kCount:
    case Op::kRequire:
    case Op::kReject:
    case Op::kContribute:
    case Op::kRetract:
    case Op::kAlias:
      Fail(std::string(OpName(node.op)) + " is not a value");
      break;
  }
  --depth_;
  if (failed()) {
    return {};
  }
  if (result.size() > options_.max_items) {
    Limit("collection too large");
    return {};
  }
  return result;
}

bool Evaluator::Truth(const Node& node) {
  Items items = Eval(node);
  auto item = SingleSystem(items);
  if (!item) {
    return false;
  }
  const bool* value = item->As<bool>();
  if (value == nullptr) {
    Fail("a condition is not a Boolean");
    return false;
  }
  return *value;
}

Items Evaluator::EvalFunction(const Function& function, std::vector<Items> arguments) {
  Items result;
  InFrame(function, std::move(arguments), [&] {
    if (function.body != nullptr) {
      result = Eval(*function.body);
    }
  });
  return result;
}

Items Evaluator::EvalLambda(const Node& call, const Node& body, const Item& self, size_t index) {
  SetSlot(call.number, One(self));
  SetSlot(call.number + 1, OneInteger(static_cast<int64_t>(index)));
  return Eval(body);
}

Items Evaluator::EvalCall(const Node& node) {
  if (const Builtin* builtin = FindBuiltin(node.text)) {
    size_t arguments = node.kids.size() - 1;
    if (arguments < builtin->min_args || arguments > builtin->max_args) {
      Fail("wrong number of arguments of " + node.text);
      return {};
    }
    Items input = Eval(*node.kids[0]);
    return failed() ? Items{} : builtin->call(*this, node, std::move(input));
  }
  const Function* function = module_.FindFunction(node.text);
  if (function == nullptr || function->result.is_emit()) {
    Fail("unknown function " + node.text);
    return {};
  }
  std::vector<Items> arguments;
  for (const Node* kid : node.kids) {
    arguments.push_back(Eval(*kid));
  }
  return failed() ? Items{} : EvalFunction(*function, std::move(arguments));
}

Items Evaluator::EvalEnvironment(std::string_view name) {
  if (name == "context" || name == "resource" || name == "rootResource") {
    return root_ != nullptr || message_ != nullptr ? One(RootItem()) : Items{};
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kSystems = {
      {{"sct", "http://snomed.info/sct"},
       {"loinc", "http://loinc.org"},
       {"ucum", "http://unitsofmeasure.org"}}};
  for (const auto& [known, uri] : kSystems) {
    if (name == known) {
      return OneString(std::string(uri));
    }
  }
  if (name.starts_with("vs-")) {
    return OneString("http://hl7.org/fhir/ValueSet/" + std::string(name.substr(3)));
  }
  if (name.starts_with("ext-")) {
    return OneString("http://hl7.org/fhir/StructureDefinition/" + std::string(name.substr(4)));
  }
  Fail("unknown environment variable");
  return {};
}

const Item* Evaluator::Single(const Items& items) {
  if (items.size() > 1) {
    Fail("more than one item where one is allowed");
  }
  return items.size() == 1 ? items.data() : nullptr;
}

std::optional<Item> Evaluator::SingleSystem(const Items& items) {
  const Item* item = Single(items);
  return item != nullptr ? ToSystem(*item) : std::nullopt;
}

std::optional<std::string> Evaluator::SingleString(const Items& items) {
  auto item = SingleSystem(items);
  if (!item) {
    return std::nullopt;
  }
  if (const std::string* text = item->As<std::string>()) {
    return *text;
  }
  // A FHIR date or time is written as text and may be read as such.
  if (items[0].As<FhirNode>() != nullptr && item->As<Temporal>() != nullptr) {
    return items[0].As<FhirNode>()->value->text;
  }
  Fail("a String is expected");
  return std::nullopt;
}

std::optional<int64_t> Evaluator::SingleInteger(const Items& items) {
  auto item = SingleSystem(items);
  if (!item) {
    return std::nullopt;
  }
  if (const int64_t* value = item->As<int64_t>()) {
    return *value;
  }
  Fail("an Integer is expected");
  return std::nullopt;
}

std::optional<bool> Evaluator::SingleBoolean(const Items& items) {
  auto item = SingleSystem(items);
  if (!item) {
    return std::nullopt;
  }
  const bool* value = item->As<bool>();
  return value != nullptr ? *value : true;
}

std::optional<std::string> Evaluator::StringArgument(const Node& call, size_t argument) {
  return SingleString(EvalKid(call, argument + 1));
}

Result<std::vector<Item>> Evaluate(const Module& module, const Node& node, int64_t slot_count,
                                   const Json* root, const EvalOptions& options) {
  Evaluator eval(module, options);
  eval.SetRoot(root);
  eval.EnterFrame(slot_count);
  Items items = eval.Eval(node);
  if (eval.failed()) {
    return Error{eval.failure().kind == Failure::Kind::kRejected ? "rejected"
                                                                 : eval.failure().message};
  }
  return items;
}

}  // namespace weir::ir
