// Values: navigation, operators and functions over collections; lambdas are loops here, never callbacks.
#include "compiler/lower/gen.h"

#include <algorithm>
#include "compiler/ir/interp/value.h"
#include "runtime/kernel/rt.h"
#include "runtime/v2/index.h"

namespace weir::lower {
namespace {

using ir::Node;
using ir::Op;

bool IsLogic(std::string_view op) { return op == "and" || op == "or" || op == "xor" || op == "implies"; }
bool IsComparison(std::string_view op) { return op == "<" || op == "<=" || op == ">" || op == ">="; }

bool Uses(const Node& node, int64_t slot) {
  if (node.op == Op::kVar && node.number == slot) {
    return true;
  }
  for (const Node* kid : node.kids) {
    if (Uses(*kid, slot)) {
      return true;
    }
  }
  return false;
}

struct Named {
  std::string_view name;
  const char* helper;
};
constexpr Named kUnaryFunctions[] = {{"single", "wk_single"}, {"distinct", "wk_distinct"}, {"upper", "wk_upper"},
                                     {"lower", "wk_lower"},   {"trim", "wk_trim"},         {"length", "wk_length"},
                                     {"uriEscape", "wk_uri_escape"}};
constexpr Named kBinaryFunctions[] = {
    {"union", "wk_union"}, {"combine", "wk_combine"}, {"exclude", "wk_exclude"}, {"intersect", "wk_intersect"}};

// Free of variables and binders: the same for the whole record.
bool IsClosed(const Node& node) {
  if (node.op == Op::kVar || node.op == Op::kLet) {
    return false;
  }
  for (size_t i = 0; i < node.kids.size(); ++i) {
    if (!IsClosed(*node.kids[i])) {
      return false;
    }
  }
  return true;
}
bool IsWorthKeeping(Op op) {
  switch (op) {
    case Op::kSegments:
    case Op::kField:
    case Op::kRepetition:
    case Op::kComponent:
    case Op::kSubcomponent:
    case Op::kText:
    case Op::kEvent:
    case Op::kAuthority:
    case Op::kLookup:
    case Op::kKey:
      return true;
    default:
      return false;
  }
}

}  // namespace

int Gen::Intern(const Node& node) {
  if (auto known = ids_.find(&node); known != ids_.end()) {
    return known->second;
  }
  // The slots of a function that binds nothing do not tell two calls apart.
  bool binds = node.op != Op::kCall || std::any_of(node.kids.begin(), node.kids.end(), [&](const Node* kid) {
                 return Uses(*kid, node.number) || Uses(*kid, node.number + 1);
               });
  std::string key = std::to_string(static_cast<int>(node.op)) + ' ' + node.type.name + ' ' + std::to_string(binds ? node.number : -1) + ' ' +
                    std::to_string(node.text.size()) + ' ' + node.text;
  for (const Node* kid : node.kids) {
    key += ' ' + std::to_string(Intern(*kid));
  }
  int id = interned_.emplace(key, static_cast<int>(interned_.size())).first->second;
  ids_[&node] = id;
  return id;
}

void Gen::CountClosed(const Node& node) {
  if (IsWorthKeeping(node.op) && IsClosed(node)) {
    ++uses_[Intern(node)];
  }
  for (const Node* kid : node.kids) {
    CountClosed(*kid);
  }
}

Value Gen::Eval(const Node& node) {
  if (auto value = EvalPath(node)) {  // cheaper than looking a memo up
    return *value;
  }
  if (memo_allowed_ && IsWorthKeeping(node.op)) {
    if (auto id = ids_.find(&node); id != ids_.end()) {
      if (auto memo = memos_.find(id->second); memo != memos_.end()) {
        return Memoised(memo->second, node);
      }
    }
  }
  return EvalPlain(node);
}

Value Gen::Memoised(int memo, const Node& node) {
  llvm::Value* flags = b_.CreateLoad(ptr_, Field(offsetof(kernel::Context, memo_set)));
  llvm::Value* values = b_.CreateLoad(ptr_, Field(offsetof(kernel::Context, memo)));
  llvm::Value* flag = b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), flags, static_cast<uint64_t>(memo));
  llvm::Value* value = b_.CreateConstInBoundsGEP1_64(coll_, values, static_cast<uint64_t>(memo));
  llvm::Value* known = b_.CreateICmpNE(b_.CreateLoad(b_.getInt8Ty(), flag), b_.getInt8(0));
  llvm::Value* items = b_.CreateStructGEP(coll_, value, 0);
  llvm::Value* count = b_.CreateStructGEP(coll_, value, 1);
  return Choose(
      known, [&] { return Value{b_.CreateLoad(ptr_, items), b_.CreateLoad(b_.getInt64Ty(), count)}; },
      [&] {
        Value v = EvalPlain(node);
        b_.CreateStore(v.items, items);
        b_.CreateStore(v.count, count);
        b_.CreateStore(b_.getInt8(1), flag);
        return v;
      });
}

uint32_t Gen::SegmentId(std::string_view id) {
  return id.size() == 3 ? WEIR_V2_ID(uint8_t(id[0]), uint8_t(id[1]), uint8_t(id[2])) : 0;
}

Value Gen::EvalPlain(const Node& node) {
  if (IsFhirPath(node)) {
    return EvalFhir(node);
  }
  if (IsTri(node)) {
    return CallValue("wk_boolean_value", {context_, EvalTri(node)});
  }
  auto input = [&] { return Eval(*node.kids[0]); };
  auto number = b_.getInt32(static_cast<uint32_t>(node.number));
  auto unary = [&](const char* helper, std::vector<llvm::Value*> more) {
    Value v = input();
    more.insert(more.begin(), {context_, v.items, v.count});
    return CallValue(helper, std::move(more));
  };
  switch (node.op) {
    case Op::kLiteral: return EvalLiteral(node);
    case Op::kEmpty: return Nothing();
    case Op::kVar: return Slot(node.number);
    case Op::kLet:
      SetSlot(node.number, input());
      return Eval(*node.kids[1]);
    case Op::kMessage: return CallValue("wk_message", {context_});
    case Op::kSegments: {
      return unary("wk_segments", {b_.getInt32(SegmentId(node.text))});
    }
    case Op::kGroups: return EvalGroups(node);
    case Op::kField: return unary("wk_field", {number});
    case Op::kRepetition: {
      const Node& field = *node.kids[0];
      if (field.op != Op::kField) {
        Error("repetition of something that is not a field is not lowered");
        return Nothing();
      }
      Value segments = Eval(*field.kids[0]);
      return CallValue("wk_repetition", {context_, segments.items, segments.count, b_.getInt32(static_cast<uint32_t>(field.number)), number});
    }
    case Op::kComponent: return unary("wk_component", {number});
    case Op::kSubcomponent: return unary("wk_subcomponent", {number});
    case Op::kText: return unary("wk_text", {b_.getInt1(IsComposite(node.kids[0]->type.name))});
    case Op::kAuthority: return EvalAuthority(node);
    case Op::kEvent: return CallValue("wk_event", {context_});
    case Op::kLookup: return EvalLookup(node);
    case Op::kKey: return EvalKey(node);
    case Op::kIndex: {
      Value v = input(), i = Eval(*node.kids[1]);
      return CallValue("wk_index", {context_, v.items, v.count, i.items, i.count});
    }
    case Op::kCall: return EvalCall(node);
    case Op::kBinary: {
      const char* helper = node.text == "|" ? "wk_union" : node.text == "&" ? "wk_concat" : nullptr;
      bool arithmetic = node.text == "+" || node.text == "-" || node.text == "*";
      if (helper == nullptr && !arithmetic) {
        Error("operator " + node.text + " is not lowered");
        return Nothing();
      }
      Value l = input(), r = Eval(*node.kids[1]);
      std::vector<llvm::Value*> args = {context_, l.items, l.count, r.items, r.count};
      if (arithmetic) {
        args.push_back(b_.getInt32(static_cast<uint8_t>(node.text[0])));
      }
      return CallValue(helper != nullptr ? helper : "wk_arithmetic", args);
    }
    default:
      Error(std::string(ir::OpName(node.op)) + " is not lowered");
      return Nothing();
  }
}

Value Gen::EvalLiteral(const Node& node) {
  const std::string& type = node.type.name;
  auto item = [&](llvm::Constant* p, uint32_t n, kernel::Kind kind) {
    uint8_t clean = kind == kernel::kString && IsClean(node.text) ? kernel::kPlainText : kernel::kUnknownText;
    llvm::Constant* fields[] = {p, b_.getInt32(n), b_.getInt32(0), b_.getInt8(kind), b_.getInt8(0), b_.getInt8(clean),
                                llvm::ConstantAggregateZero::get(llvm::ArrayType::get(b_.getInt8Ty(), 5))};
    return Value{Global(llvm::ConstantStruct::get(item_, fields)), b_.getInt64(1)};
  };
  if (type == "System.String") {
    return item(Bytes(node.text), static_cast<uint32_t>(node.text.size()), kernel::kString);
  }
  auto literal = ir::ParseLiteral(type, node.text);
  if (literal && type == "System.Integer") {
    return item(llvm::ConstantExpr::getIntToPtr(b_.getInt64(static_cast<uint64_t>(*literal->As<int64_t>())), ptr_), 0, kernel::kInteger);
  }
  if (literal && type == "System.Boolean") {
    return item(null_, *literal->As<bool>() ? 1 : 0, kernel::kBoolean);
  }
  Error("lit " + type + " is not lowered");
  return Nothing();
}

Value Gen::EvalKey(const Node& node) {
  size_t slash = node.text.find('/');
  auto sized = [](std::string_view text) {
    std::string out;
    for (int shift = 0; shift < 32; shift += 8) {
      out += static_cast<char>(text.size() >> shift & 0xFF);
    }
    return out + std::string(text);
  };
  std::string_view key = node.text;
  llvm::Constant* names[] = {TextConstant(sized(module_.package)), TextConstant(sized(key.substr(0, slash)) + sized(key.substr(slash + 1)))};
  if (node.kids.size() > kernel::kMostKeyParts) {
    Error("a key of more than 64 parts is not lowered");
    return Nothing();
  }
  llvm::Value* parts = EntryAlloca(coll_, node.kids.size());
  // A part that is empty ends it: what comes after is not evaluated, so it neither counts nor fails.
  std::function<Value(size_t)> from = [&](size_t i) -> Value {
    if (i == node.kids.size()) {
      return CallValue(
          "wk_key",
          {context_, Global(llvm::ConstantArray::get(llvm::ArrayType::get(text_, 2), names)), parts,
           b_.getInt64(node.kids.size()), b_.getInt32(TypeOrdinal(key.substr(0, slash))),
           b_.getInt1(node.number == 1)});
    }
    Value v = Eval(*node.kids[i]);
    llvm::Value* at = b_.CreateConstInBoundsGEP1_64(coll_, parts, i);
    b_.CreateStore(v.items, b_.CreateStructGEP(coll_, at, 0));
    b_.CreateStore(v.count, b_.CreateStructGEP(coll_, at, 1));
    return Choose(Call("wk_key_part", {context_, v.items, v.count}), [&] { return from(i + 1); }, [&] { return Nothing(); });
  };
  return from(0);
}

Value Gen::EvalLookup(const Node& node) {
  const ir::Table* table = module_.FindTable(node.text);
  auto column = [&](const ir::TableRow& row) {
    return node.number == 0 ? row.code : node.number == 1 ? row.display : !row.system.empty() ? row.system : table->target_system;
  };
  auto* row_type = llvm::StructType::get(llvm_, {text_, text_});
  std::vector<llvm::Constant*> rows;
  for (const ir::TableRow& row : table->rows) {
    rows.push_back(llvm::ConstantStruct::get(row_type, {TextConstant(row.from), TextConstant(column(row))}));
  }
  llvm::Constant* otherwise =
      table->otherwise == ir::Table::Else::kValue ? Global(TextConstant(column(table->otherwise_row))) : null_;
  Value in = Eval(*node.kids[0]);
  return CallValue("wk_lookup", {context_, in.items, in.count,
                                 Global(llvm::ConstantArray::get(llvm::ArrayType::get(row_type, rows.size()), rows)),
                                 b_.getInt64(rows.size()), otherwise});
}

namespace {

// A grammar in the flat form of kernel::GroupGrammar.
struct FlatGrammar {
  struct Place {
    const ir::StructureItem* segment;
    std::vector<uint32_t> path;
  };
  std::vector<Place> places;
  std::vector<const ir::StructureItem*> groups;
  bool too_deep = false;

  void Add(const std::vector<ir::StructureItem>& items, std::vector<uint32_t>& path) {
    for (const ir::StructureItem& item : items) {
      if (!item.group) {
        places.push_back({&item, path});
        continue;
      }
      too_deep = too_deep || path.size() == kernel::kMaxGroupDepth;
      path.push_back(static_cast<uint32_t>(groups.size()));
      groups.push_back(&item);
      Add(item.items, path);
      path.pop_back();
    }
  }
};

}  // namespace

uint32_t Gen::GroupName(const std::string& name) { return group_names_.try_emplace(name, static_cast<uint32_t>(group_names_.size())).first->second; }

llvm::Constant* Gen::GroupGrammars() {
  if (grammars_ != nullptr) {
    return grammars_;
  }
  auto* u32 = b_.getInt32Ty();
  auto array = [&](llvm::Type* type, const std::vector<llvm::Constant*>& values) {
    return Global(llvm::ConstantArray::get(llvm::ArrayType::get(type, values.size()), values));
  };
  auto* place_type = llvm::StructType::get(llvm_, {u32, u32, u32, ptr_});
  auto* info_type = llvm::StructType::get(llvm_, {u32, u32});
  auto* grammar_type = llvm::StructType::get(llvm_, {text_, ptr_, b_.getInt64Ty(), ptr_, b_.getInt64Ty(), ptr_});
  std::vector<llvm::Constant*> grammars;
  for (const ir::Structure& structure : module_.structures) {
    FlatGrammar flat;
    std::vector<uint32_t> path;
    flat.Add(structure.items, path);
    if (flat.too_deep) {
      Error("groups nested deeper than 8 are not lowered");
    }
    std::vector<llvm::Constant*> messages, places, groups;
    for (const std::string& message : structure.messages) {
      messages.push_back(TextConstant(message));
    }
    for (const FlatGrammar::Place& place : flat.places) {
      std::vector<llvm::Constant*> steps;
      for (uint32_t step : place.path) {
        steps.push_back(b_.getInt32(step));
      }
      places.push_back(llvm::ConstantStruct::get(place_type, {b_.getInt32(SegmentId(place.segment->name)), b_.getInt32(place.segment->repeats ? 1 : 0),
                                                              b_.getInt32(static_cast<uint32_t>(steps.size())), array(u32, steps)}));
    }
    for (const ir::StructureItem* group : flat.groups) {
      groups.push_back(llvm::ConstantStruct::get(info_type, {b_.getInt32(GroupName(group->name)), b_.getInt32(group->repeats ? 1 : 0)}));
    }
    grammars.push_back(llvm::ConstantStruct::get(
        grammar_type, {TextConstant(structure.name), array(text_, messages), b_.getInt64(messages.size()), array(place_type, places),
                       b_.getInt64(places.size()), array(info_type, groups)}));
  }
  static_assert(sizeof(kernel::GroupPlace) == 24 && sizeof(kernel::GroupGrammar) == 56);
  return grammars_ = array(grammar_type, grammars);
}

Value Gen::EvalGroups(const Node& node) {
  Value in = Eval(*node.kids[0]);
  return CallValue("wk_groups", {context_, in.items, in.count, b_.getInt32(GroupName(node.text)), GroupGrammars(),
                                 b_.getInt64(module_.structures.size())});
}

Value Gen::EvalAuthority(const Node& node) {
  auto* row_type = llvm::StructType::get(llvm_, {text_, text_});
  std::vector<llvm::Constant*> rows;
  llvm::Constant* unknown = null_;
  for (const ir::Authority& authority : module_.authorities) {
    if (authority.name == "unknown") {
      unknown = Global(TextConstant(authority.uri));
      continue;
    }
    for (const std::string& name : authority.namespaces) {
      rows.push_back(llvm::ConstantStruct::get(row_type, {TextConstant(name), TextConstant(authority.uri)}));
    }
  }
  Value in = Eval(*node.kids[0]);
  return CallValue("wk_authority", {context_, in.items, in.count,
                                    Global(llvm::ConstantArray::get(llvm::ArrayType::get(row_type, rows.size()), rows)),
                                    b_.getInt64(rows.size()), unknown});
}

void Gen::BindItem(int64_t slot, llvm::Value* item, llvm::Value* index, const Node& body) {
  SetSlot(slot, {item, b_.getInt64(1)});
  if (index != nullptr && Uses(body, slot + 1)) {
    SetSlot(slot + 1, CallValue("wk_integer_value", {context_, index}));
  }
}

// `where` keeps the items, `select` joins the lambda's answers.
Value Gen::Filter(const Node& call, Value input, bool keep_items) {
  llvm::Value* result = EntryAlloca(coll_);
  auto set = [&](Value v) {
    b_.CreateStore(v.items, b_.CreateStructGEP(coll_, result, 0));
    b_.CreateStore(v.count, b_.CreateStructGEP(coll_, result, 1));
  };
  auto get = [&] {
    return Value{b_.CreateLoad(ptr_, b_.CreateStructGEP(coll_, result, 0)),
                 b_.CreateLoad(b_.getInt64Ty(), b_.CreateStructGEP(coll_, result, 1))};
  };
  set(Nothing());
  Loop(input, [&](llvm::Value* item, llvm::Value* index) {
    BindItem(call.number, item, index, *call.kids[1]);
    if (!keep_items) {
      Value more = Eval(*call.kids[1]), so_far = get();
      set(CallValue("wk_combine", {context_, so_far.items, so_far.count, more.items, more.count}));
      return;
    }
    llvm::Value* holds = b_.CreateICmpEQ(Singleton(*call.kids[1]), b_.getInt32(1));
    When(holds, [&]() -> llvm::Value* {
      Value so_far = get();
      set(CallValue("wk_append", {context_, so_far.items, so_far.count, item}));
      return b_.getTrue();
    });
  });
  return get();
}

Value Gen::EvalUserCall(const Node& node) {
  const ir::Function* function = module_.FindFunction(node.text);
  if (function == nullptr || function->result.is_emit() || function->body == nullptr) {
    Error("function " + node.text + " is not lowered");
    return Nothing();
  }
  return Unpack(CallWithFrame(*function, node, b_.getFalse()));
}

Value Gen::EvalCall(const Node& node) {
  const std::string& name = node.text;
  auto zero = b_.getInt64(0), one = b_.getInt64(1);
  for (const Named& f : kUnaryFunctions) {
    if (f.name == name && node.kids.size() == 1) {
      Value v = Eval(*node.kids[0]);
      return CallValue(f.helper, {context_, v.items, v.count});
    }
  }
  for (const Named& f : kBinaryFunctions) {
    if (f.name == name && node.kids.size() == 2) {
      Value v = Eval(*node.kids[0]), w = Eval(*node.kids[1]);
      Value result = CallValue(f.helper, {context_, v.items, v.count, w.items, w.count});
      return result;
    }
  }
  if (module_.FindFunction(name) != nullptr) {
    return EvalUserCall(node);
  }
  Value in = Eval(*node.kids[0]);
  auto has = [&](Value v) { return b_.CreateICmpNE(v.count, zero); };
  if (name == "first") {
    return {in.items, b_.CreateSelect(has(in), one, zero)};
  }
  if (name == "last" || name == "tail") {
    llvm::Value* skip = b_.CreateSelect(has(in), name == "last" ? b_.CreateSub(in.count, one) : one, zero);
    return {b_.CreateGEP(item_, in.items, skip), b_.CreateSub(in.count, skip)};
  }
  if (name == "skip" || name == "take") {
    Value n = Eval(*node.kids[1]);
    return CallValue("wk_skip_take", {context_, in.items, in.count, n.items, n.count, b_.getInt1(name == "take")});
  }
  if (name == "count") {
    return CallValue("wk_integer_value", {context_, in.count});
  }
  if (name == "where" || name == "select") {
    return Filter(node, in, name == "where");
  }
  if (name == "trace") {
    return in;
  }
  if (name == "indexOf" || name == "lastIndexOf") {
    Value part = Eval(*node.kids[1]);
    return CallValue("wk_index_of", {context_, in.items, in.count, part.items, part.count, b_.getInt1(name == "lastIndexOf")});
  }
  if (name == "substring") {
    Value start = Eval(*node.kids[1]);
    Value length = node.kids.size() > 2 ? Eval(*node.kids[2]) : Nothing();
    return CallValue("wk_substring", {context_, in.items, in.count, start.items, start.count, length.items, length.count,
                                      b_.getInt1(node.kids.size() > 2)});
  }
  if (name == "iif") {
    in = CallValue("wk_single", {context_, in.items, in.count});
    SetSlot(node.number, in);
    if (Uses(*node.kids[1], node.number + 1)) {
      SetSlot(node.number + 1, CallValue("wk_integer_value", {context_, zero}));
    }
    return Choose(Truth(*node.kids[1]), [&] { return Eval(*node.kids[2]); },
                  [&] { return node.kids.size() > 3 ? Eval(*node.kids[3]) : Nothing(); });
  }
  Error("function " + name + " is not lowered");
  return Nothing();
}

bool Gen::IsTri(const Node& node) const {
  if (node.op == Op::kIsNull || node.op == Op::kFits || node.op == Op::kOrdered) {
    return true;
  }
  if (IsFhirPath(node)) {
    return false;
  }
  if (node.op == Op::kBinary) {
    const std::string& op = node.text;
    return IsLogic(op) || IsComparison(op) || op == "=" || op == "!=" || op == "~" || op == "!~" || op == "in" || op == "contains";
  }
  if (node.op != Op::kCall) {
    return false;
  }
  for (std::string_view name : {"exists", "empty", "not", "all", "startsWith", "endsWith", "contains", "hasValue", "isDistinct"}) {
    if (node.text == name) {
      return true;
    }
  }
  return false;
}

namespace {

// Whether evaluating the condition can neither fail the record nor count: then it need not be, where the other side decides.
bool IsTotal(const Node& node) {
  bool self = false;
  switch (node.op) {
    case Op::kLiteral:
    case Op::kEmpty:
    case Op::kVar:
    case Op::kMessage:
    case Op::kSegments:
    case Op::kField:
    case Op::kRepetition:
    case Op::kComponent:
    case Op::kSubcomponent:
    case Op::kText:
    case Op::kEvent:
    case Op::kIsNull:
      self = true;
      break;
    case Op::kFits:
    case Op::kOrdered:
    case Op::kLookup:
      self = std::all_of(node.kids.begin(), node.kids.end(), [](const Node* kid) { return kid->type.single(); });
      break;
    case Op::kBinary:
      self = (IsLogic(node.text) || node.text == "=" || node.text == "!=") && node.kids[0]->type.single() && node.kids[1]->type.single();
      break;
    case Op::kCall:
      self = node.text == "exists" || node.text == "empty" || node.text == "first" || node.text == "where" ||
             (node.text == "not" && node.kids[0]->type.name == "System.Boolean");
      break;
    default:
      break;
  }
  return self && std::all_of(node.kids.begin(), node.kids.end(), [](const Node* kid) { return IsTotal(*kid); });
}

}  // namespace

llvm::Value* Gen::EvalLogic(const Node& node) {
  llvm::Value* a = Singleton(*node.kids[0]);
  if ((node.text == "and" || node.text == "or") && mode_ == Mode::kLean && IsTotal(*node.kids[1])) {
    llvm::Value* deciding = b_.getInt32(node.text == "and" ? 0 : 1);
    llvm::BasicBlock *from = b_.GetInsertBlock(), *other = Block("other"), *done = Block("decided");
    b_.CreateCondBr(b_.CreateICmpEQ(a, deciding), done, other);
    b_.SetInsertPoint(other);
    llvm::Value* b = Singleton(*node.kids[1]);
    // Empty unless the other side decides.
    llvm::Value* joined = b_.CreateSelect(b_.CreateICmpEQ(a, b_.getInt32(2)), b_.CreateSelect(b_.CreateICmpEQ(b, deciding), b, a), b);
    llvm::BasicBlock* last = b_.GetInsertBlock();
    b_.CreateBr(done);
    b_.SetInsertPoint(done);
    llvm::PHINode* phi = b_.CreatePHI(b_.getInt32Ty(), 2);
    phi->addIncoming(deciding, from);
    phi->addIncoming(joined, last);
    return phi;
  }
  llvm::Value* b = Singleton(*node.kids[1]);
  auto is = [&](llvm::Value* v, uint32_t k) { return b_.CreateICmpEQ(v, b_.getInt32(k)); };
  auto negate = [&](llvm::Value* v) { return b_.CreateSelect(is(v, 2), v, b_.CreateXor(v, b_.getInt32(1))); };
  if (node.text == "implies") {
    a = negate(a);
  }
  llvm::Value* unknown = b_.CreateOr(is(a, 2), is(b, 2));
  if (node.text == "xor") {
    return b_.CreateSelect(unknown, b_.getInt32(2), b_.CreateXor(a, b));
  }
  uint32_t deciding = node.text == "and" ? 0 : 1;
  return b_.CreateSelect(b_.CreateOr(is(a, deciding), is(b, deciding)), b_.getInt32(deciding),
                         b_.CreateSelect(unknown, b_.getInt32(2), b_.getInt32(1 - deciding)));
}

llvm::Value* Gen::EvalAll(const Node& call) {
  llvm::Value* result = EntryAlloca(b_.getInt32Ty());
  Value in = Eval(*call.kids[0]);
  b_.CreateStore(b_.getInt32(1), result);
  Loop(in, [&](llvm::Value* item, llvm::Value* index) {
    // Once false nothing more is evaluated: a later item must not fail the record.
    When(b_.CreateICmpEQ(b_.CreateLoad(b_.getInt32Ty(), result), b_.getInt32(1)), [&]() -> llvm::Value* {
      BindItem(call.number, item, index, *call.kids[1]);
      llvm::Value* holds = b_.CreateICmpEQ(Singleton(*call.kids[1]), b_.getInt32(1));
      b_.CreateStore(b_.CreateZExt(holds, b_.getInt32Ty()), result);
      return b_.getTrue();
    });
  });
  return b_.CreateLoad(b_.getInt32Ty(), result);
}

llvm::Value* Gen::EvalTri(const Node& node) {
  auto tri = [&](llvm::Value* bit) { return b_.CreateZExt(bit, b_.getInt32Ty()); };
  auto flip = [&](llvm::Value* v) {
    return b_.CreateSelect(b_.CreateICmpEQ(v, b_.getInt32(2)), v, b_.CreateXor(v, b_.getInt32(1)));
  };
  const std::string& name = node.text;
  if (node.op == Op::kIsNull) {
    const Node* segments = nullptr;
    auto any_null = [&]() -> llvm::Value* {
      Value v = Written(*node.kids[0]);
      return Call("wk_any_null", {context_, v.items, v.count});
    };
    auto path = PathOf(*node.kids[0], &segments);
    if (!path) {
      return any_null();
    }
    // Most fields that a map looks at in vain are empty.
    PathArgs at = Arguments(*segments, *path);
    llvm::Value* written = Call("wk_field_written", {context_, at.items, at.count, b_.getInt32(path->field())});
    llvm::BasicBlock *from = b_.GetInsertBlock(), *look = Block("look"), *done = Block("done");
    b_.CreateCondBr(written, look, done);
    b_.SetInsertPoint(look);
    llvm::Value* null = any_null();
    llvm::BasicBlock* looked = b_.GetInsertBlock();
    b_.CreateBr(done);
    b_.SetInsertPoint(done);
    llvm::PHINode* phi = b_.CreatePHI(b_.getInt32Ty(), 2);
    phi->addIncoming(b_.getInt32(0), from);
    phi->addIncoming(null, looked);
    return phi;
  }
  if (node.op == Op::kFits) {
    uint32_t kind = PrimitiveKind(node.text);
    Value v = Writable(Eval(*node.kids[0]), kind);
    return tri(Call("wk_fits", {context_, v.items, v.count, b_.getInt32(kind)}));
  }
  if (node.op == Op::kOrdered) {
    bool decimals = node.text == "decimal";
    uint32_t kind = decimals ? kernel::kDecimal : kernel::kDateTime;
    Value first = Writable(Eval(*node.kids[0]), kind), second = Writable(Eval(*node.kids[1]), kind);
    return tri(Call(decimals ? "wk_ordered_decimal" : "wk_ordered", {context_, first.items, first.count, second.items, second.count}));
  }
  if (node.op == Op::kBinary) {
    if (IsLogic(name)) {
      return EvalLogic(node);
    }
    Value l = Eval(*node.kids[0]), r = Eval(*node.kids[1]);
    if (name == "contains") {
      std::swap(l, r);
    }
    std::vector<llvm::Value*> args = {context_, l.items, l.count, r.items, r.count};
    if (IsComparison(name)) {
      args.push_back(b_.getInt32(name == "<" ? 0 : name == "<=" ? 1 : name == ">" ? 2 : 3));
      return Call("wk_compare", args);
    }
    bool equality = name == "=" || name == "!=";
    llvm::Value* v = Call(equality ? "wk_equal" : name.ends_with("~") ? "wk_equivalent" : "wk_in", args);
    return name[0] == '!' ? flip(v) : v;
  }
  if (name == "not") {
    return flip(Singleton(*node.kids[0]));
  }
  if (name == "all") {
    return EvalAll(node);
  }
  if ((name == "exists" && node.kids.size() == 1) || name == "empty") {
    llvm::Value* exists = Exists(*node.kids[0]);
    return tri(name == "exists" ? exists : b_.CreateNot(exists));
  }
  Value in = Eval(*node.kids[0]);
  if (name == "exists") {
    return tri(b_.CreateICmpNE(Filter(node, in, true).count, b_.getInt64(0)));
  }
  if (name == "hasValue") {
    return tri(b_.CreateICmpEQ(in.count, b_.getInt64(1)));
  }
  if (name == "isDistinct") {
    return tri(b_.CreateICmpEQ(CallValue("wk_distinct", {context_, in.items, in.count}).count, in.count));
  }
  Value part = Eval(*node.kids[1]);
  return Call("wk_string_test", {context_, in.items, in.count, part.items, part.count,
                                 b_.getInt32(name == "startsWith" ? 0 : name == "endsWith" ? 1 : 2)});
}

llvm::Value* Gen::Truth(const Node& node) {
  if (IsTri(node)) {
    return b_.CreateICmpEQ(EvalTri(node), b_.getInt32(1));
  }
  Value v = Eval(node);
  return b_.CreateICmpEQ(Call("wk_truth", {context_, v.items, v.count}), b_.getInt32(1));
}

llvm::Value* Gen::Singleton(const Node& node) {
  if (IsTri(node)) {
    return EvalTri(node);
  }
  Value v = Eval(node);
  return Call("wk_singleton", {context_, v.items, v.count});
}

// What was written, absent and null occurrences too (`isnull`).
Value Gen::Written(const Node& path) {
  auto n = b_.getInt32(static_cast<uint32_t>(path.number));
  switch (path.op) {
    case Op::kField: {
      Value v = Eval(*path.kids[0]);
      return CallValue("wk_written_field", {context_, v.items, v.count, n});
    }
    case Op::kComponent:
    case Op::kSubcomponent: {
      Value v = Written(*path.kids[0]);
      return CallValue("wk_written_piece", {context_, v.items, v.count, n, b_.getInt1(path.op == Op::kSubcomponent)});
    }
    case Op::kRepetition: {
      Value v = Written(*path.kids[0]);
      auto last = b_.getInt64(static_cast<uint64_t>(path.number));
      llvm::Value* there = b_.CreateICmpUGE(v.count, last);
      return {b_.CreateGEP(item_, v.items, b_.getInt64(static_cast<uint64_t>(path.number - 1))),
              b_.CreateZExt(there, b_.getInt64Ty())};
    }
    case Op::kText: return Written(*path.kids[0]);
    case Op::kCall:
      if (path.text == "first" || path.text == "single" || path.text == "last") {
        return Written(*path.kids[0]);
      }
      return Eval(path);
    default: return Eval(path);
  }
}

}  // namespace weir::lower
