// FHIRPath in full, over FHIR resources and in maps that use more than v2 paths and text: every function without a lambda is a helper `wf_NAME` of (context, collections,
// count), operators are `wf_op_…`; lambdas are loops here. Values come with all kinds of items (runtime/kernel/fp.h).
#include <algorithm>

#include "compiler/ir/interp/value.h"
#include "compiler/lower/gen.h"
#include "compiler/lower/regex.h"
#include "runtime/abi/weir_expression.h"
#include "runtime/kernel/fp.h"

namespace weir::lower {
namespace {

using ir::Node;
using ir::Op;

struct Operator {
  std::string_view spelling;
  const char* helper;
};
constexpr Operator kOperators[] = {{"=", "wf_op_equal"},      {"!=", "wf_op_not_equal"},   {"~", "wf_op_equivalent"},
                                   {"!~", "wf_op_not_equivalent"}, {"<", "wf_op_less"},    {"<=", "wf_op_less_equal"},
                                   {">", "wf_op_greater"},    {">=", "wf_op_greater_equal"}, {"and", "wf_op_and"},
                                   {"or", "wf_op_or"},        {"xor", "wf_op_xor"},        {"implies", "wf_op_implies"},
                                   {"in", "wf_op_in"},        {"contains", "wf_op_contains"}, {"+", "wf_op_add"},
                                   {"-", "wf_op_subtract"},   {"*", "wf_op_multiply"},     {"/", "wf_op_divide"},
                                   {"div", "wf_op_div"},      {"mod", "wf_op_mod"},        {"&", "wf_op_concat"},
                                   {"|", "wf_op_union"}};

// What value.cpp lowers to lean helpers, which know texts, Booleans, Integers and v2 items only.
constexpr std::string_view kLeanFunctions[] = {
    "single", "distinct", "upper", "lower",  "trim",  "length",  "uriEscape", "union",       "combine",   "exclude",  "intersect",  "first",    "last",      "tail", "skip",
    "take",   "count",    "where", "select", "trace", "indexOf", "iif",       "lastIndexOf", "substring", "exists",   "empty",      "not",      "all",       "startsWith",
    "endsWith", "contains", "hasValue", "isDistinct"};
bool IsLeanLiteral(const Node& node) {
  return node.type.name == "System.String" || node.type.name == "System.Boolean" || node.type.name == "System.Integer";
}

bool IsLean(const ir::Module& module, const Node& node) {
  bool lean = true;
  switch (node.op) {
    case Op::kLiteral: lean = IsLeanLiteral(node); break;
    case Op::kUnary:
    case Op::kIs:
    case Op::kAs: lean = false; break;
    case Op::kBinary: lean = node.text != "/" && node.text != "div" && node.text != "mod"; break;
    case Op::kCall:
      lean = std::find(std::begin(kLeanFunctions), std::end(kLeanFunctions), node.text) != std::end(kLeanFunctions) ||
             module.FindFunction(node.text) != nullptr;
      break;
    default: break;
  }
  return lean && std::all_of(node.kids.begin(), node.kids.end(), [&](const Node* kid) { return IsLean(module, *kid); });
}

}  // namespace

bool Gen::NeedsFhirPath(const ir::Module& module) {
  auto needs = [&](const Node* node) { return node != nullptr && !IsLean(module, *node); };
  return std::any_of(module.functions.begin(), module.functions.end(), [&](const ir::Function& f) { return needs(f.body); }) ||
         std::any_of(module.feeds.begin(), module.feeds.end(), [&](const ir::Feed& feed) {
           return needs(feed.transform) || needs(feed.suppress) || needs(feed.route) ||
                  std::any_of(feed.duplicate_key.begin(), feed.duplicate_key.end(), needs) ||
                  std::any_of(feed.order_by.begin(), feed.order_by.end(), needs);
         });
}

bool Gen::IsFhirPath(const Node& node) const {
  if (mode_ != Mode::kFull) {
    return mode_ == Mode::kResource;
  }
  switch (node.op) {
    case Op::kLiteral: return !IsLeanLiteral(node);
    case Op::kChild:
    case Op::kEnv:
    case Op::kIs:
    case Op::kAs:
    case Op::kIndex:
    case Op::kUnary:
    case Op::kBinary:
    case Op::kCall: return true;
    default: return false;
  }
}

Value Gen::Writable(Value value, uint32_t kind) {
  return mode_ == Mode::kLean ? value : CallValue("wf_writable", {context_, InMemory({value}), b_.getInt32(kind)});
}

llvm::Value* Gen::InMemory(const std::vector<Value>& values) {
  llvm::AllocaInst* array = EntryAlloca(coll_, values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    llvm::Value* at = b_.CreateConstInBoundsGEP1_64(coll_, array, i);
    b_.CreateStore(values[i].items, b_.CreateStructGEP(coll_, at, 0));
    b_.CreateStore(values[i].count, b_.CreateStructGEP(coll_, at, 1));
  }
  return array;
}

Value Gen::CallFhir(const std::string& helper, const std::vector<Value>& values) {
  llvm::Value* array = InMemory(values);
  return CallValue(helper.c_str(), {context_, array, b_.getInt64(values.size())});
}

Value Gen::EvalFhir(const Node& node) {
  switch (node.op) {
    case Op::kLiteral: return FhirLiteral(node);
    case Op::kEmpty: return Nothing();
    case Op::kVar: return Slot(node.number);
    case Op::kLet:
      SetSlot(node.number, Eval(*node.kids[0]));
      return Eval(*node.kids[1]);
    case Op::kEnv: return FhirEnvironment(node.text);
    case Op::kMessage: return CallValue("wf_root", {context_});
    case Op::kChild:
    case Op::kIs:
    case Op::kAs: {
      const char* helper = node.op == Op::kChild ? "wf_child" : node.op == Op::kIs ? "wf_is" : "wf_as";
      Value in = Eval(*node.kids[0]);
      return CallValue(helper, {context_, InMemory({in}), Global(TextConstant(node.text))});
    }
    case Op::kIndex: {
      Value in = Eval(*node.kids[0]), index = Eval(*node.kids[1]);
      return CallFhir("wf_index", {in, index});
    }
    case Op::kUnary: return CallFhir(node.text == "-" ? "wf_negate" : "wf_plus", {Eval(*node.kids[0])});
    case Op::kBinary:
      for (const Operator& o : kOperators) {
        if (o.spelling == node.text) {
          Value left = Eval(*node.kids[0]), right = Eval(*node.kids[1]);
          return CallFhir(o.helper, {left, right});
        }
      }
      Error("operator " + node.text + " is not lowered");
      return Nothing();
    case Op::kCall: return FhirCall(node);
    default: Error(std::string(ir::OpName(node.op)) + " is not lowered"); return Nothing();
  }
}

// One constant item; `rest`: n and segment.
Value Gen::ItemConstant(llvm::Constant* p, uint64_t rest, uint8_t kind, int level) {
  std::vector<llvm::Constant*> fields = {p, b_.getInt32(static_cast<uint32_t>(rest)), b_.getInt32(static_cast<uint32_t>(rest >> 32)),
                                         b_.getInt8(kind), b_.getInt8(static_cast<uint8_t>(level))};
  while (fields.size() < item_->getNumElements()) {
    fields.push_back(llvm::Constant::getNullValue(item_->getElementType(static_cast<unsigned>(fields.size()))));
  }
  return {Global(llvm::ConstantStruct::get(item_, fields)), b_.getInt64(1)};
}

Value Gen::FhirEnvironment(const std::string& name) {
  auto text = [&](std::string_view value) { return ItemConstant(Bytes(value), value.size(), kernel::kString, 0); };
  if (mode_ == Mode::kResource && (name == "context" || name == "resource" || name == "rootResource")) {
    return CallValue("wf_root", {context_});
  }
  constexpr std::pair<std::string_view, std::string_view> kSystems[] = {
      {"sct", "http://snomed.info/sct"}, {"loinc", "http://loinc.org"}, {"ucum", "http://unitsofmeasure.org"}};
  for (const auto& [known, uri] : kSystems) {
    if (name == known) {
      return text(uri);
    }
  }
  if (name.starts_with("vs-")) {
    return text("http://hl7.org/fhir/ValueSet/" + name.substr(3));
  }
  if (name.starts_with("ext-")) {
    return text("http://hl7.org/fhir/StructureDefinition/" + name.substr(4));
  }
  Error("%" + name + " is not lowered");
  return Nothing();
}

// A constant in memory; its bytes are the kernel's structures, which have the same layout on every target.
Value Gen::FhirLiteral(const Node& node) {
  auto literal = ir::ParseLiteral(node.type.name, node.text);
  if (!literal) {  // an error when it is evaluated, as in the interpreter
    Call("wf_fail", {context_});
    return Nothing();
  }
  auto address = [&](uint64_t bits) { return llvm::ConstantExpr::getIntToPtr(b_.getInt64(bits), ptr_); };
  auto halves = [](const ir::Decimal& d) {
    auto bits = static_cast<unsigned __int128>(d.mantissa);
    return std::pair(static_cast<uint64_t>(bits), static_cast<uint64_t>(bits >> 64));
  };
  if (const auto* text = literal->As<std::string>()) {
    return ItemConstant(Bytes(*text), text->size(), kernel::kString, 0);
  }
  if (const auto* truth = literal->As<bool>()) {
    return ItemConstant(null_, *truth ? 1 : 0, kernel::kBoolean, 0);
  }
  if (const auto* integer = literal->As<int64_t>()) {
    return ItemConstant(address(static_cast<uint64_t>(*integer)), 0, kernel::kInteger, 0);
  }
  if (const auto* decimal = literal->As<ir::Decimal>()) {
    auto [low, high] = halves(*decimal);
    return ItemConstant(address(low), high, kernel::kNumber, decimal->scale);
  }
  if (const auto* t = literal->As<ir::Temporal>()) {
    auto word = [&](int value) { return b_.getInt32(static_cast<uint32_t>(value)); };
    auto byte = [&](int value) { return b_.getInt8(static_cast<uint8_t>(value)); };
    bool time = t->kind == ir::Temporal::Kind::kTime;
    llvm::Constant* fields[] = {word(t->year), word(t->month), word(t->day), word(t->hour), word(t->minute), word(t->second), word(t->nanos),
                                word(t->offset_minutes.value_or(0)), byte(static_cast<int>(t->precision)), byte(t->fraction_digits),
                                byte(t->offset_minutes ? 1 : 0), byte(t->zulu ? 1 : 0), byte(t->minus_zero ? 1 : 0), byte(time ? 1 : 0)};
    static_assert(offsetof(kernel::Temporal, precision) == 32 && offsetof(kernel::Temporal, is_time) == 37);
    return ItemConstant(Global(llvm::ConstantStruct::getAnon(fields)), 0, kernel::kMoment,
                time ? kernel::kTimeMoment : t->kind == ir::Temporal::Kind::kDate ? kernel::kDateMoment : kernel::kDateTimeMoment);
  }
  if (const auto* quantity = literal->As<ir::Quantity>()) {
    auto [low, high] = halves(quantity->value);
    llvm::Constant* fields[] = {b_.getInt64(low), b_.getInt64(high), b_.getInt32(static_cast<uint32_t>(quantity->value.scale)),
                                b_.getInt32(quantity->calendar ? 1 : 0), TextConstant(quantity->unit)};
    static_assert(offsetof(kernel::Amount, unit) == 24);
    return ItemConstant(Global(llvm::ConstantStruct::getAnon(fields)), 0, kernel::kAmount, 0);
  }
  Error("lit " + node.type.name + " is not lowered");
  return Nothing();
}

void Gen::BindFhir(const Node& call, llvm::Value* item, llvm::Value* index) {
  SetSlot(call.number, {item, b_.getInt64(1)});
  SetSlot(call.number + 1, CallValue("wk_integer_value", {context_, index}));
}

// What the lambda answers over all items, joined; `filter` keeps the items it holds for instead.
Value Gen::FhirSelect(const Node& call, Value input, bool filter) {
  llvm::AllocaInst* result = EntryAlloca(coll_);
  auto set = [&](Value v) {
    b_.CreateStore(v.items, b_.CreateStructGEP(coll_, result, 0));
    b_.CreateStore(v.count, b_.CreateStructGEP(coll_, result, 1));
  };
  auto get = [&] {
    return Value{b_.CreateLoad(ptr_, b_.CreateStructGEP(coll_, result, 0)), b_.CreateLoad(b_.getInt64Ty(), b_.CreateStructGEP(coll_, result, 1))};
  };
  set(Nothing());
  Loop(input, [&](llvm::Value* item, llvm::Value* index) {
    BindFhir(call, item, index);
    Value answer = Eval(*call.kids[1]);
    if (!filter) {
      set(CallFhir("wf_combine", {get(), answer}));
      return;
    }
    llvm::Value* holds = b_.CreateICmpEQ(Call("wf_singleton", {context_, InMemory({answer})}), b_.getInt32(kernel::kTrue));
    When(holds, [&]() -> llvm::Value* {
      Value so_far = get();
      set(CallValue("wk_append", {context_, so_far.items, so_far.count, item}));
      return b_.getTrue();
    });
  });
  return get();
}

Value Gen::FhirAll(const Node& call, Value input) {
  llvm::AllocaInst* result = EntryAlloca(b_.getInt32Ty());
  b_.CreateStore(b_.getInt32(1), result);
  Loop(input, [&](llvm::Value* item, llvm::Value* index) {
    // Once false nothing more is evaluated: a later item must not fail the record.
    When(b_.CreateICmpEQ(b_.CreateLoad(b_.getInt32Ty(), result), b_.getInt32(1)), [&]() -> llvm::Value* {
      BindFhir(call, item, index);
      llvm::Value* truth = Call("wf_singleton", {context_, InMemory({Eval(*call.kids[1])})});
      b_.CreateStore(b_.CreateZExt(b_.CreateICmpEQ(truth, b_.getInt32(kernel::kTrue)), b_.getInt32Ty()), result);
      return b_.getTrue();
    });
  });
  return CallValue("wk_boolean_value", {context_, b_.CreateLoad(b_.getInt32Ty(), result)});
}

Value Gen::FhirAggregate(const Node& call, Value input) {
  SetSlot(call.number + 2, call.kids.size() > 2 ? Eval(*call.kids[2]) : Nothing());
  Loop(input, [&](llvm::Value* item, llvm::Value* index) {
    BindFhir(call, item, index);
    Value total = Eval(*call.kids[1]);
    SetSlot(call.number + 2, total);
  });
  return Slot(call.number + 2);
}

// Breadth first: each round goes on from what the round before found for the first time.
Value Gen::FhirRepeat(const Node& call, Value input) {
  llvm::Value *found = InMemory({Nothing()}), *round = InMemory({input});
  llvm::BasicBlock *head = Block("round"), *inside = Block("search"), *done = Block("found");
  auto load = [&](llvm::Value* at) {
    return Value{b_.CreateLoad(ptr_, b_.CreateStructGEP(coll_, at, 0)), b_.CreateLoad(b_.getInt64Ty(), b_.CreateStructGEP(coll_, at, 1))};
  };
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  Value now = load(round);
  b_.CreateCondBr(b_.CreateICmpNE(now.count, b_.getInt64(0)), inside, done);
  b_.SetInsertPoint(inside);
  Value more = FhirSelect(call, now, false);
  Value next = CallValue("wf_repeat_round", {context_, found, InMemory({more})});
  b_.CreateStore(next.items, b_.CreateStructGEP(coll_, round, 0));
  b_.CreateStore(next.count, b_.CreateStructGEP(coll_, round, 1));
  b_.CreateBr(head);
  b_.SetInsertPoint(done);
  return load(found);
}

Value Gen::FhirSort(const Node& call, Value input) {
  size_t keys = call.kids.size() > 1 ? call.kids.size() - 1 : 1;
  std::vector<uint8_t> down(keys, 0);
  for (size_t k = 1; k < call.kids.size(); ++k) {
    down[k - 1] = call.kids[k]->op == Op::kUnary && call.kids[k]->text == "-" ? 1 : 0;
  }
  auto room = [&](uint64_t bytes_per_item) { return Call("wf_room", {context_, b_.CreateMul(input.count, b_.getInt64(bytes_per_item))}); };
  llvm::Value *rows = room(sizeof(kernel::Coll) * keys), *order = room(sizeof(uint64_t));
  // Without room nothing is sorted: the call will be answered with SCRATCH_FULL.
  llvm::Value* has_room = b_.CreateAnd(b_.CreateICmpNE(rows, null_), b_.CreateICmpNE(order, null_));
  return Choose(
      has_room,
      [&] {
        Loop(input, [&](llvm::Value* item, llvm::Value* index) {
          BindFhir(call, item, index);
          for (size_t k = 0; k < keys; ++k) {
            Value key = {item, b_.getInt64(1)};
            if (call.kids.size() > 1) {
              const Node* kid = call.kids[k + 1];
              key = CallFhir("wf_single", {Eval(down[k] != 0 ? *kid->kids[0] : *kid)});
            }
            llvm::Value* at = b_.CreateGEP(coll_, rows, b_.CreateAdd(b_.CreateMul(index, b_.getInt64(keys)), b_.getInt64(k)));
            b_.CreateStore(key.items, b_.CreateStructGEP(coll_, at, 0));
            b_.CreateStore(key.count, b_.CreateStructGEP(coll_, at, 1));
          }
          Call("wf_sort_insert", {context_, order, index, rows, b_.getInt64(keys),
                                  Bytes(std::string_view(reinterpret_cast<const char*>(down.data()), down.size()))});
        });
        return CallValue("wf_sort_end", {context_, InMemory({input}), order});
      },
      [&] { return Nothing(); });
}

Value Gen::FhirIif(const Node& call, Value input) {
  input = CallFhir("wf_single", {input});
  SetSlot(call.number, input);
  SetSlot(call.number + 1, CallValue("wk_integer_value", {context_, b_.getInt64(0)}));
  llvm::Value* truth = Call("wf_truth", {context_, InMemory({Eval(*call.kids[1])})});
  return Choose(b_.CreateICmpEQ(truth, b_.getInt32(kernel::kTrue)), [&] { return Eval(*call.kids[2]); },
                [&] { return call.kids.size() > 3 ? Eval(*call.kids[3]) : Nothing(); });
}

// The unit is asked for only when there is a quantity.
Value Gen::FhirQuantity(const Node& call, Value input) {
  Value quantity = CallFhir("wf_toQuantity", {input});
  Value answer = Choose(
      b_.CreateICmpNE(quantity.count, b_.getInt64(0)), [&] { return CallFhir("wf_inUnit", {quantity, Eval(*call.kids[1])}); }, [&] { return Nothing(); });
  return call.text == "toQuantity" ? answer : CallFhir("wf_converted", {input, answer});
}

// Pattern and flags must be literals: a kernel carries the compiled program, not a compiler.
Value Gen::FhirRegex(const Node& call, Value input) {
  bool replaces = call.text == "replaceMatches";
  const Node& pattern = *call.kids[1];
  const Node* flags = call.kids.size() > (replaces ? 3u : 2u) ? call.kids.back() : nullptr;
  auto is_text = [](const Node& node) { return node.op == Op::kLiteral && node.type.name == "System.String"; };
  llvm::Constant* regex = null_;  // of an empty pattern
  bool readable = pattern.op == Op::kEmpty;
  if (is_text(pattern) && (flags == nullptr || is_text(*flags)) && (flags == nullptr || flags->text.find_first_not_of("im") == std::string::npos)) {
    if (auto program = CompileRegex(pattern.text, flags != nullptr && flags->text.find('i') != std::string::npos)) {
      std::vector<uint32_t> steps;
      for (const kernel::RegexStep& step : program->steps) {
        steps.insert(steps.end(), {step.op, step.x, step.y});
      }
      auto words = [&](const std::vector<uint32_t>& list) { return Global(llvm::ConstantDataArray::get(llvm_, list)); };
      llvm::Constant* fields[] = {words(steps), words(program->ranges), b_.getInt32(static_cast<uint32_t>(program->steps.size())),
                                  b_.getInt32(program->groups)};
      static_assert(sizeof(kernel::RegexStep) == 12 && offsetof(kernel::Regex, step_count) == 16);
      regex = Global(llvm::ConstantStruct::getAnon(fields));
      readable = true;
    }
  }
  if (!readable) {
    Error("the regular expression of " + call.text + " is not lowered");
    return Nothing();
  }
  if (!replaces) {
    return CallValue(call.text == "matches" ? "wf_matches" : "wf_matchesFull", {context_, InMemory({input}), regex});
  }
  Value substitution = Eval(*call.kids[2]);
  return CallValue("wf_replaceMatches", {context_, InMemory({input, substitution}), regex, b_.getInt1(pattern.text.empty())});
}

// Conformance to a base type is its type. Which types there are is known here, not in the kernel.
Value Gen::FhirConformsTo(const Node& call, Value input) {
  constexpr std::string_view kBase = "http://hl7.org/fhir/StructureDefinition/";
  const Node& url = *call.kids[1];
  if (url.op != Op::kLiteral || url.type.name != "System.String" || known_type_ == nullptr) {
    Error("conformsTo of what is not a literal is not lowered");
    return Nothing();
  }
  std::string name = url.text.starts_with(kBase) ? url.text.substr(kBase.size()) : "";
  Value answer = CallValue("wf_is", {context_, InMemory({input}), Global(TextConstant("FHIR." + name))});
  if (name.empty() || !known_type_(name)) {
    When(b_.CreateICmpNE(input.count, b_.getInt64(0)), [&]() -> llvm::Value* {
      Call("wf_fail", {context_});
      return b_.getTrue();
    });
  }
  return answer;
}

Value Gen::FhirCall(const Node& call) {
  const std::string& name = call.text;
  if (module_.FindFunction(name) != nullptr) {
    return EvalUserCall(call);
  }
  Value input = Eval(*call.kids[0]);
  if (name == "trace") {
    return input;
  }
  if (name == "where" || name == "select") {
    return FhirSelect(call, input, name == "where");
  }
  if (name == "exists" && call.kids.size() > 1) {
    return CallFhir("wf_exists", {FhirSelect(call, input, true)});
  }
  if (name == "all") {
    return FhirAll(call, input);
  }
  if (name == "aggregate") {
    return FhirAggregate(call, input);
  }
  if (name == "repeat") {
    return FhirRepeat(call, input);
  }
  if (name == "sort") {
    return FhirSort(call, input);
  }
  if (name == "iif") {
    return FhirIif(call, input);
  }
  if (name == "matches" || name == "matchesFull" || name == "replaceMatches") {
    return FhirRegex(call, input);
  }
  if (name == "conformsTo") {
    return FhirConformsTo(call, input);
  }
  if ((name == "toQuantity" || name == "convertsToQuantity") && call.kids.size() > 1) {
    return FhirQuantity(call, input);
  }
  std::vector<Value> values = {input};
  for (size_t i = 1; i < call.kids.size(); ++i) {
    values.push_back(Eval(*call.kids[i]));
  }
  if (out_.getFunction("wf_" + name) == nullptr) {
    Error("function " + name + " is not lowered");
    return Nothing();
  }
  return CallFhir("wf_" + name, values);
}

void Gen::RunExpressions(const std::vector<Expression>& expressions, const KnownType& known_type, std::vector<std::string>* refused) {
  mode_ = Mode::kResource;
  known_type_ = known_type;
  std::vector<llvm::Constant*> entries;
  for (const Expression& expression : expressions) {
    auto* entry = NewFunction("weir_expression", b_.getInt32Ty(), {ptr_, ptr_});
    llvm::AllocaInst* context = EntryAlloca(llvm::ArrayType::get(b_.getInt64Ty(), (sizeof(kernel::Context) + 7) / 8));
    context->setAlignment(llvm::Align(16));
    context_ = context;
    llvm::Value* status = Call("wf_begin", {context_, entry->getArg(0), entry->getArg(1)});
    llvm::BasicBlock *out = Block("out"), *go = Block("go");
    b_.CreateCondBr(b_.CreateICmpNE(status, b_.getInt32(WEIR_OK)), out, go);
    b_.SetInsertPoint(out);
    b_.CreateRet(status);
    b_.SetInsertPoint(go);
    UseFrame(expression.slot_count);
    llvm::Value* frame = frame_;
    uint64_t frame_bytes = (static_cast<uint64_t>(expression.slot_count) + 3) * sizeof(kernel::Coll);
    b_.CreateMemSet(frame, b_.getInt8(0), frame_bytes, llvm::MaybeAlign(8));  // an unset slot is empty
    Value result = Eval(*expression.node);
    b_.CreateRet(Call("wf_end", {context_, InMemory({result})}));
    refused->push_back(std::exchange(error_, {}));
    if (!refused->back().empty()) {
      entry->eraseFromParent();
      entry = nullptr;
    }
    entries.push_back(entry != nullptr ? static_cast<llvm::Constant*>(entry) : null_);
  }
  llvm::Constant* table = Global(llvm::ConstantArray::get(llvm::ArrayType::get(ptr_, entries.size()), entries));
  llvm::Constant* fields[] = {b_.getInt32(WEIR_ABI_VERSION), b_.getInt32(static_cast<uint32_t>(entries.size())), table};
  llvm::Constant* exported = llvm::ConstantStruct::getAnon(fields);
  new llvm::GlobalVariable(out_, exported->getType(), true, llvm::GlobalValue::ExternalLinkage, exported, "weir_expressions_v1");
}

}  // namespace weir::lower
