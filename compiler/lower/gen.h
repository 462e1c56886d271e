// The code generator's inside: one object per module. Values are (items, count) pairs in registers, emissions answer
// whether they wrote, conditions are 0 false, 1 true, 2 empty. Slots live in a frame in memory, so that any subtree can
// become a function of (context, frame) and no function grows beyond what LLVM handles in linear time.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/ir/ir.h"
#include "compiler/lower/lower.h"
#include "runtime/kernel/rt.h"

namespace weir::lower {

struct Value {
  llvm::Value* items;
  llvm::Value* count;
};

// What is written around a value, if the value is.
struct Lead {
  std::string text;
  bool comma = false;                // the text starts with one, which the first in its container leaves out
  llvm::Value* in_array = nullptr;   // decided at run time: a comma and nothing else
  std::string tail;
};

class Gen {
 public:
  // `out` already holds the helpers.
  Gen(const ir::Module& module, llvm::Module& out);
  void Run();
  // Whether the module uses more of FHIRPath than lean maps do.
  static bool NeedsFhirPath(const ir::Module& module);
  // One entry per expression instead of feeds; `refused`: why each is not lowered, or "".
  void RunExpressions(const std::vector<Expression>& expressions, const KnownType& known_type, std::vector<std::string>* refused);
  const std::string& error() const { return error_; }

 private:
  // value.cpp
  Value Eval(const ir::Node& node);
  Value EvalPlain(const ir::Node& node);
  Value EvalCall(const ir::Node& node);
  Value EvalUserCall(const ir::Node& node);
  Value EvalKey(const ir::Node& node);
  uint32_t TypeOrdinal(std::string_view type) const {
    return static_cast<uint32_t>(std::find(types_.begin(), types_.end(), type) - types_.begin());
  }
  Value EvalLookup(const ir::Node& node);
  Value EvalAuthority(const ir::Node& node);
  Value EvalGroups(const ir::Node& node);
  llvm::Constant* GroupGrammars();
  uint32_t GroupName(const std::string& name);
  static uint32_t SegmentId(std::string_view id);
  Value EvalLiteral(const ir::Node& node);
  Value Filter(const ir::Node& call, Value input, bool keep_items);
  Value Written(const ir::Node& path);

  // path.cpp
  struct PathArgs {
    llvm::Value *items, *count, *path;
  };
  static std::optional<kernel::Path> PathOf(const ir::Node& node, const ir::Node** segments);
  static std::string ShapedHelper(const char* name, kernel::Path path);
  PathArgs Arguments(const ir::Node& segments, kernel::Path path);
  std::optional<Value> EvalPath(const ir::Node& node);
  llvm::Value* Exists(const ir::Node& node);  // i1
  static bool IsComposite(std::string_view type);
  llvm::Value* EvalTri(const ir::Node& node);
  llvm::Value* EvalLogic(const ir::Node& node);
  llvm::Value* EvalAll(const ir::Node& call);
  llvm::Value* Truth(const ir::Node& node);      // i1; empty is false, not a Boolean fails
  llvm::Value* Singleton(const ir::Node& node);  // tri
  bool IsTri(const ir::Node& node) const;
  void BindItem(int64_t slot, llvm::Value* item, llvm::Value* index, const ir::Node& body);
  Value Choose(llvm::Value* condition, const std::function<Value()>& yes, const std::function<Value()>& no);
  Value Memoised(int memo, const ir::Node& node);
  void CountClosed(const ir::Node& node);
  int Intern(const ir::Node& node);

  // fhirpath.cpp
  bool IsFhirPath(const ir::Node& node) const;  // in this mode
  Value Writable(Value value, uint32_t kind);    // what a primitive is written from, as text where its kind is not lean
  Value EvalFhir(const ir::Node& node);
  Value ItemConstant(llvm::Constant* p, uint64_t rest, uint8_t kind, int level);
  Value FhirLiteral(const ir::Node& node);
  Value FhirEnvironment(const std::string& name);
  Value FhirCall(const ir::Node& call);
  Value FhirSelect(const ir::Node& call, Value input, bool filter);
  Value FhirAll(const ir::Node& call, Value input);
  Value FhirAggregate(const ir::Node& call, Value input);
  Value FhirRepeat(const ir::Node& call, Value input);
  Value FhirSort(const ir::Node& call, Value input);
  Value FhirQuantity(const ir::Node& call, Value input);
  Value FhirRegex(const ir::Node& call, Value input);
  Value FhirConformsTo(const ir::Node& call, Value input);
  Value FhirIif(const ir::Node& call, Value input);
  void BindFhir(const ir::Node& call, llvm::Value* item, llvm::Value* index);
  Value CallFhir(const std::string& helper, const std::vector<Value>& values);
  llvm::Value* InMemory(const std::vector<Value>& values);  // an array of kernel::Coll

  // emit.cpp
  llvm::Value* Emit(const ir::Node& node, const Lead& lead);
  llvm::Value* EmitContainer(const ir::Node& node, const Lead& lead);
  llvm::Value* EmitEach(const ir::Node& node, const Lead& lead);
  llvm::Value* EmitSequence(const ir::Node& node, const Lead& lead);
  llvm::Value* EmitPrimitive(const ir::Node& node, const Lead& lead);
  llvm::Value* EmitReference(const ir::Node& node, const Lead& lead);
  llvm::Value* EmitCall(const ir::Node& node, const Lead& lead);
  llvm::Value* EmitParts(const std::vector<ir::Node*>& kids, llvm::Value* in_array, const std::function<llvm::Value*(size_t begin, size_t end)>& emit);
  void Put(const Lead& lead, std::string_view text);  // without the tail
  llvm::Value* PutTail(const Lead& lead, llvm::Value* wrote);
  llvm::Constant* LeadBytes(const Lead& lead) { return Bytes(lead.text + lead.tail); }
  bool IsOne(const ir::Node& node);
  static std::optional<std::string> ConstantJson(const ir::Node& node);
  llvm::Value* When(llvm::Value* condition, const std::function<llvm::Value*()>& body);
  llvm::Value* Rollback(const std::function<llvm::Value*()>& body);
  void Effect(const ir::Node& node);
  void Contribute(const ir::Node& node);
  void IfId(const ir::Node& id, const std::function<void(llvm::Value*)>& body);
  void Loop(Value over, const std::function<void(llvm::Value* item, llvm::Value* index)>& body);

  // feed.cpp
  void Transform();
  void Probe();
  llvm::Value* Undoes(const ir::Node& effect);
  void ProbeFeed(size_t ordinal, llvm::Value* probe);
  void UseFrame(int64_t slots);
  void SetZone(const ir::Feed& feed);
  llvm::Value* ExcludedList(const std::vector<std::string>& names, uint64_t* count);
  llvm::Value* TextList(const std::vector<std::string>& texts);
  void ExportKernel();

  // shared
  void Error(std::string message) {
    if (error_.empty()) {
      error_ = std::move(message);
    }
  }
  llvm::Value* Call(const char* helper, std::vector<llvm::Value*> args);
  Value CallValue(const char* helper, std::vector<llvm::Value*> args);
  Value Unpack(llvm::Value* pair) { return {b_.CreateExtractValue(pair, 0), b_.CreateExtractValue(pair, 1)}; }
  Value Nothing() { return {null_, b_.getInt64(0)}; }
  llvm::Constant* Bytes(std::string_view text);              // pointer to the bytes, kConstantSlack more behind them
  llvm::Constant* TextConstant(std::string_view text);       // kernel::Constant, and so kernel::Text
  static bool IsClean(std::string_view text);                // its own JSON text
  llvm::Constant* Global(llvm::Constant* value);             // pointer to a constant
  Value Slot(int64_t slot);
  void SetSlot(int64_t slot, Value value);
  llvm::AllocaInst* EntryAlloca(llvm::Type* type, uint64_t count = 1);
  llvm::BasicBlock* Block(const char* name);
  llvm::Function* NewFunction(const std::string& name, llvm::Type* result, std::vector<llvm::Type*> args);
  // Runs `body` inside a new function of (context, frame, in_array) and answers the function.
  llvm::Function* Outline(const char* name, const std::function<llvm::Value*()>& body, llvm::Type* result);
  llvm::Function* FunctionOf(const ir::Function& function);
  llvm::Value* CallWithFrame(const ir::Function& function, const ir::Node& call, llvm::Value* in_array);
  llvm::Value* Field(size_t offset) { return b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), context_, offset); }
  uint32_t PrimitiveKind(std::string_view name);
  llvm::Value* Cursor();
  static size_t Size(const ir::Node& node);

  const ir::Module& module_;
  std::vector<std::string> types_;  // by ordinal
  llvm::Module& out_;
  llvm::LLVMContext& llvm_;
  llvm::IRBuilder<> b_;
  llvm::PointerType* ptr_;
  llvm::Constant* null_;
  llvm::StructType* coll_;   // {items, count}
  llvm::StructType* text_;   // {p, n}
  llvm::StructType* item_;
  llvm::Value* context_ = nullptr;
  llvm::Value* frame_ = nullptr;
  llvm::Value* in_array_ = nullptr;
  bool memo_allowed_ = true;
  // Lean: v2 maps that use nothing else. Full: maps with more of FHIRPath. Resource: expressions over a tape.
  enum class Mode : uint8_t { kLean, kFull, kResource };
  Mode mode_ = Mode::kLean;
  KnownType known_type_;
  std::unordered_map<std::string, int> interned_;
  std::unordered_map<const ir::Node*, int> ids_;
  std::map<int, int> uses_;                 // of a closed expression
  std::map<int, int> memos_;
  std::map<std::string, llvm::Function*> functions_;
  std::map<std::string, llvm::Constant*> bytes_;
  std::map<std::string, uint32_t> group_names_;
  llvm::Constant* grammars_ = nullptr;
  std::string error_;
};

}  // namespace weir::lower
