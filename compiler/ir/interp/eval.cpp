#include "compiler/ir/interp/eval.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "compiler/ir/interp/siphash.h"
#include "compiler/ir/interp/text.h"

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

std::string ResourceType(const Json& json) {
  const Json* type = json.kind == Json::Kind::kObject ? json.Find("resourceType") : nullptr;
  return type != nullptr ? type->text : "";
}

std::string GuessType(const Json& json) {
  switch (json.kind) {
    case Json::Kind::kBoolean:
      return "boolean";
    case Json::Kind::kNumber:
      return "decimal";
    case Json::Kind::kString:
      return "string";
    default:
      return ResourceType(json);
  }
}

// The items of one JSON member: arrays are spread, each primitive keeps the sibling that belongs to
// it.
void Spread(const Json* value, const Json* sibling, const std::string& type, Items* out) {
  auto add = [&](const Json* v, const Json* s) {
    if (v != nullptr && v->kind == Json::Kind::kNull) {
      v = nullptr;
    }
    if (s != nullptr && s->kind == Json::Kind::kNull) {
      s = nullptr;
    }
    if (v == nullptr && s == nullptr) {
      return;
    }
    std::string own = v != nullptr ? ResourceType(*v) : "";
    out->push_back(Item{FhirNode{v, s,
                                 !own.empty()                    ? own
                                 : !type.empty() || v == nullptr ? type
                                                                 : GuessType(*v)}});
  };
  bool array = (value != nullptr && value->kind == Json::Kind::kArray) ||
               (value == nullptr && sibling != nullptr && sibling->kind == Json::Kind::kArray);
  if (!array) {
    add(value, sibling);
    return;
  }
  size_t values = value != nullptr ? value->items.size() : 0;
  size_t siblings = sibling != nullptr ? sibling->items.size() : 0;
  for (size_t i = 0; i < std::max(values, siblings); ++i) {
    add(i < values ? &value->items[i] : nullptr, i < siblings ? &sibling->items[i] : nullptr);
  }
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

Item Evaluator::RootItem() const {
  if (message_ != nullptr) {
    return Item{message_->Root()};
  }
  return Item{FhirNode{root_, nullptr, root_ != nullptr ? ResourceType(*root_) : ""}};
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

Items Evaluator::Child(const Item& item, std::string_view name) {
  Items out;
  if (const TypeInfo* info = item.As<TypeInfo>()) {
    return name == "namespace" ? OneString(info->name_space)
           : name == "name"    ? OneString(info->name)
                               : out;
  }
  const FhirNode* node = item.As<FhirNode>();
  if (node == nullptr) {
    return out;
  }
  const TypeModel* types = options_.types;
  const Json* holder = node->value;
  if (holder == nullptr || holder->kind != Json::Kind::kObject) {
    holder = node->sibling;  // `id` and `extension` of a primitive
  }
  if (holder == nullptr || holder->kind != Json::Kind::kObject || name == "resourceType") {
    return out;
  }
  auto take = [&](std::string_view member, const std::string& type) {
    const Json* value = holder->Find(member);
    const Json* sibling = holder->Find("_" + std::string(member));
    if (value != nullptr || sibling != nullptr) {
      Spread(value, sibling, type, &out);
      return true;
    }
    return false;
  };
  std::string holder_type = holder == node->sibling ? "Element" : node->type;
  TypeModel::Child direct = types != nullptr ? types->ChildOf(holder_type, name)
                                             : TypeModel::Child{std::string(name), ""};
  if (direct.name == name && take(name, direct.type)) {
    return out;
  }
  if (types == nullptr) {
    return out;
  }
  for (const auto& [member, value] : holder->members) {
    std::string_view plain = member;
    bool sibling_only = plain.starts_with("_") && holder->Find(plain.substr(1)) == nullptr;
    if (plain.starts_with("_")) {
      plain.remove_prefix(1);
    }
    if ((member[0] == '_' && !sibling_only) || !plain.starts_with(name) || plain == name) {
      continue;
    }
    TypeModel::Child child = types->ChildOf(holder_type, plain);
    if (child.name == name) {
      take(plain, child.type);
      break;
    }
  }
  return out;
}

Items Evaluator::Children(const Item& item) {
  Items out;
  const FhirNode* node = item.As<FhirNode>();
  if (node == nullptr) {
    return out;
  }
  const Json* holder = node->value != nullptr && node->value->kind == Json::Kind::kObject
                           ? node->value
                           : node->sibling;
  if (holder == nullptr || holder->kind != Json::Kind::kObject) {
    return out;
  }
  std::string holder_type = holder == node->sibling ? "Element" : node->type;
  for (const auto& [member, value] : holder->members) {
    std::string_view plain = member;
    if (plain == "resourceType" || plain == "fhir_comments") {
      continue;
    }
    if (plain.starts_with("_")) {
      plain.remove_prefix(1);
      if (holder->Find(plain) != nullptr) {
        continue;
      }
    }
    std::string type =
        options_.types != nullptr ? options_.types->ChildOf(holder_type, plain).type : "";
    Spread(holder->Find(plain), holder->Find("_" + std::string(plain)), type, &out);
  }
  return out;
}

bool Evaluator::IsType(const Item& item, std::string_view type, bool exact_primitive) {
  std::string name = TypeName(item);
  if (name == type) {
    return true;
  }
  bool qualified = type.starts_with("System.") || type.starts_with("FHIR.");
  if (const FhirNode* node = item.As<FhirNode>()) {
    if (type.starts_with("System.")) {
      return false;
    }
    std::string_view bare = qualified ? type.substr(5) : type;
    if (node->type == bare) {
      return true;
    }
    if (exact_primitive && IsFhirPrimitive(node->type)) {
      return false;
    }
    return options_.types != nullptr && options_.types->IsSubtype(node->type, bare);
  }
  return !qualified && name == "System." + std::string(type);
}

std::string Evaluator::ResourceId(std::string_view type_and_keyspace,
                                  const std::vector<std::string>& parts) const {
  size_t slash = type_and_keyspace.find('/');
  std::string bytes;
  auto add = [&bytes](std::string_view part) {
    auto size = static_cast<uint32_t>(part.size());
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>((size >> shift) & 255));
    }
    bytes += part;
  };
  add(name_space_.empty() ? std::string_view(module_.package) : std::string_view(name_space_));
  add(type_and_keyspace.substr(0, slash));
  add(slash == std::string_view::npos ? "" : type_and_keyspace.substr(slash + 1));
  for (const std::string& part : parts) {
    add(part);
  }
  return ToHex(SipHash128(key_, bytes));
}

Items Evaluator::EvalKey(const Node& node) {
  std::vector<std::string> parts;
  for (const Node* kid : node.kids) {
    auto part = SingleString(Eval(*kid));
    if (!part || part->empty()) {
      return {};
    }
    parts.push_back(std::move(*part));
  }
  return failed() ? Items{} : OneString(ResourceId(node.text, parts));
}

Items Evaluator::EvalLookup(const Node& node) {
  auto text = SingleString(Eval(*node.kids[0]));
  const Table* table = module_.FindTable(node.text);
  if (table == nullptr) {
    Fail("unknown table");
  }
  if (!text || failed()) {
    return {};
  }
  const TableRow* row = table->otherwise == Table::Else::kValue ? &table->otherwise_row : nullptr;
  for (const TableRow& candidate : table->rows) {
    if (candidate.from == *text) {
      row = &candidate;
    }
  }
  if (row == nullptr) {
    return {};
  }
  std::string value = node.number == 0 ? row->code : node.number == 1 ? row->display : row->system;
  if (node.number == 2 && value.empty()) {
    value = table->target_system;
  }
  return value.empty() ? Items{} : OneString(std::move(value));
}

Items Evaluator::EvalAuthority(const Node& node) {
  Items input = Eval(*node.kids[0]);
  const Item* item = Single(input);
  const V2Item* hd = item != nullptr ? item->As<V2Item>() : nullptr;
  if (hd == nullptr || message_ == nullptr) {
    return {};
  }
  std::string name = message_->Piece(*hd, 1), universal = message_->Piece(*hd, 2),
              kind = message_->Piece(*hd, 3);
  const Authority* unknown = nullptr;
  for (const Authority& authority : module_.authorities) {
    if (authority.name == "unknown") {
      unknown = &authority;
      continue;
    }
    for (const std::string& declared : authority.namespaces) {
      if (!name.empty() && declared == name) {
        return OneString(authority.uri);
      }
    }
  }
  bool oid =
      !universal.empty() && universal.find_first_not_of("0123456789.") == std::string::npos &&
      universal.find('.') != std::string::npos && universal[0] >= '0' && universal[0] <= '2' &&
      universal.back() != '.' && universal.find("..") == std::string::npos;
  std::string uri;
  if (kind == "ISO" && oid) {
    uri = "urn:oid:" + universal;
  } else if (kind == "UUID" && !universal.empty()) {
    uri = "urn:uuid:" + AsciiLower(universal);
  } else if (kind == "URI" && !universal.empty()) {
    uri = universal;
  } else if (unknown != nullptr && !(name.empty() && universal.empty())) {
    uri = unknown->uri + PercentEncode(name.empty() ? universal : name);
    counters_[WEIR_COUNT_UNKNOWN_AUTHORITY] =
        1;  // a flag: how often an expression runs is the engine's business
  }
  return uri.empty() ? Items{} : OneString(std::move(uri));
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
