// Entry points: transform, probe, the exported structure; functions and frames.
#include <algorithm>
#include <charconv>

#include "compiler/ir/manifest.h"
#include "compiler/lower/gen.h"
#include "runtime/kernel/rt.h"
#include "runtime/v2/index.h"

namespace weir::lower {

using ir::Node;
using ir::Op;

Gen::Gen(const ir::Module& module, llvm::Module& out)
    : module_(module),
      types_(ir::ResourceTypes(module)),
      out_(out),
      llvm_(out.getContext()),
      b_(llvm_),
      ptr_(llvm::PointerType::get(llvm_, 0)),
      null_(llvm::ConstantPointerNull::get(ptr_)) {
  coll_ = llvm::StructType::get(llvm_, {ptr_, b_.getInt64Ty()});
  text_ = llvm::StructType::get(llvm_, {ptr_, b_.getInt32Ty(), b_.getInt32Ty()});
  item_ = llvm::StructType::get(llvm_, {ptr_, b_.getInt32Ty(), b_.getInt32Ty(), b_.getInt8Ty(), b_.getInt8Ty(),
                                        b_.getInt8Ty(), llvm::ArrayType::get(b_.getInt8Ty(), 5)});
  static_assert(sizeof(kernel::Item) == 24 && sizeof(kernel::Text) == 16 && sizeof(kernel::Constant) == 16 && sizeof(kernel::Coll) == 16);
}

void Gen::Run() {
  mode_ = NeedsFhirPath(module_) ? Mode::kFull : Mode::kLean;
  auto count = [&](const Node* node) {
    if (node != nullptr) {
      CountClosed(*node);
    }
  };
  for (const ir::Function& function : module_.functions) {
    count(function.body);
  }
  for (const ir::Feed& feed : module_.feeds) {
    count(feed.transform);
    count(feed.suppress);
    std::for_each(feed.duplicate_key.begin(), feed.duplicate_key.end(), count);
    std::for_each(feed.order_by.begin(), feed.order_by.end(), count);
  }
  for (const auto& [id, uses] : uses_) {
    if (uses > 1) {
      int next = static_cast<int>(memos_.size());
      memos_[id] = next;
    }
  }
  Transform();
  Probe();
  ExportKernel();
}

size_t Gen::Size(const Node& node) {
  size_t size = 1;
  for (const Node* kid : node.kids) {
    size += Size(*kid);
  }
  return size;
}

llvm::Value* Gen::Call(const char* helper, std::vector<llvm::Value*> args) {
  llvm::Function* function = out_.getFunction(helper);
  if (function == nullptr || function->arg_size() != args.size()) {
    Error(std::string("helper ") + helper + " does not fit");
    return llvm::UndefValue::get(function != nullptr ? function->getReturnType() : b_.getInt1Ty());
  }
  llvm::CallInst* call = b_.CreateCall(function, args);
  for (unsigned i = 0; i < args.size(); ++i) {
    if (function->hasParamAttribute(i, llvm::Attribute::ZExt)) {
      call->addParamAttr(i, llvm::Attribute::ZExt);
    }
  }
  return call;
}

Value Gen::CallValue(const char* helper, std::vector<llvm::Value*> args) {
  llvm::Value* pair = Call(helper, std::move(args));
  return error_.empty() ? Unpack(pair) : Nothing();
}

llvm::Constant* Gen::Bytes(std::string_view text) {
  llvm::Constant*& known = bytes_[std::string(text)];
  if (known == nullptr) {
    std::string padded = std::string(text) + std::string(kernel::kConstantSlack, '\0');
    known = Global(llvm::ConstantDataArray::getString(llvm_, padded, /*AddNull=*/false));
  }
  return known;
}

llvm::Constant* Gen::TextConstant(std::string_view text) {
  return llvm::ConstantStruct::get(
      text_, {Bytes(text), b_.getInt32(static_cast<uint32_t>(text.size())), b_.getInt32(IsClean(text) ? kernel::kPlainText : kernel::kUnknownText)});
}

bool Gen::IsClean(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x20 && c != '"' && c != '\\'; });
}

llvm::Constant* Gen::Global(llvm::Constant* value) {
  auto* global = new llvm::GlobalVariable(out_, value->getType(), /*isConstant=*/true, llvm::GlobalValue::PrivateLinkage, value, "k");
  global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);  // the module owns it
  return global;
}

llvm::AllocaInst* Gen::EntryAlloca(llvm::Type* type, uint64_t count) {
  llvm::BasicBlock& entry = b_.GetInsertBlock()->getParent()->getEntryBlock();
  llvm::IRBuilder<> at(&entry, entry.begin());
  return at.CreateAlloca(type, at.getInt64(std::max<uint64_t>(count, 1)));
}

llvm::BasicBlock* Gen::Block(const char* name) { return llvm::BasicBlock::Create(llvm_, name, b_.GetInsertBlock()->getParent()); }

llvm::Function* Gen::NewFunction(const std::string& name, llvm::Type* result, std::vector<llvm::Type*> args) {
  auto* type = llvm::FunctionType::get(result, args, false);
  auto* function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, name, out_);
  function->addFnAttr("no-builtins");  // as the helpers: inlining wants equals, and nothing may become a libc call
  function->addFnAttr(llvm::Attribute::NoUnwind);
  b_.SetInsertPoint(llvm::BasicBlock::Create(llvm_, "entry", function));
  return function;
}

llvm::Function* Gen::Outline(const char* name, const std::function<llvm::Value*()>& body, llvm::Type* result) {
  llvm::IRBuilderBase::InsertPointGuard guard(b_);
  llvm::Value *context = context_, *frame = frame_, *in_array = in_array_;
  llvm::Function* function = NewFunction(name, result, {ptr_, ptr_, b_.getInt1Ty()});
  context_ = function->getArg(0);
  frame_ = function->getArg(1);
  in_array_ = function->getArg(2);
  llvm::Value* answer = body();
  if (answer == nullptr) {
    b_.CreateRetVoid();
  } else {
    b_.CreateRet(answer);
  }
  context_ = context;
  frame_ = frame;
  in_array_ = in_array;
  return function;
}

Value Gen::Slot(int64_t slot) {
  llvm::Value* at = b_.CreateConstInBoundsGEP1_64(coll_, frame_, static_cast<uint64_t>(slot));
  return {b_.CreateLoad(ptr_, b_.CreateStructGEP(coll_, at, 0)), b_.CreateLoad(b_.getInt64Ty(), b_.CreateStructGEP(coll_, at, 1))};
}

void Gen::SetSlot(int64_t slot, Value value) {
  llvm::Value* at = b_.CreateConstInBoundsGEP1_64(coll_, frame_, static_cast<uint64_t>(slot));
  b_.CreateStore(value.items, b_.CreateStructGEP(coll_, at, 0));
  b_.CreateStore(value.count, b_.CreateStructGEP(coll_, at, 1));
}

Value Gen::Choose(llvm::Value* condition, const std::function<Value()>& yes, const std::function<Value()>& no) {
  llvm::BasicBlock *then = Block("yes"), *otherwise = Block("no"), *done = Block("done");
  b_.CreateCondBr(condition, then, otherwise);
  b_.SetInsertPoint(then);
  Value a = yes();
  llvm::BasicBlock* from_a = b_.GetInsertBlock();
  b_.CreateBr(done);
  b_.SetInsertPoint(otherwise);
  Value b = no();
  llvm::BasicBlock* from_b = b_.GetInsertBlock();
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  auto join = [&](llvm::Value* x, llvm::Value* y) {
    llvm::PHINode* phi = b_.CreatePHI(x->getType(), 2);
    phi->addIncoming(x, from_a);
    phi->addIncoming(y, from_b);
    return phi;
  };
  llvm::Value* items = join(a.items, b.items);
  return {items, join(a.count, b.count)};
}

llvm::Function* Gen::FunctionOf(const ir::Function& function) {
  auto known = functions_.find(function.name);
  if (known != functions_.end()) {
    if (known->second == nullptr) {
      Error("function " + function.name + " calls itself");
    }
    return known->second;
  }
  functions_[function.name] = nullptr;
  bool emits = function.result.is_emit();
  llvm::Function* made = Outline(
      "map",
      [&]() -> llvm::Value* {
        if (emits) {
          return Emit(*function.body, {"", false, in_array_, ""});
        }
        Value v = Eval(*function.body);
        llvm::Value* pair = b_.CreateInsertValue(llvm::UndefValue::get(coll_), v.items, 0);
        return b_.CreateInsertValue(pair, v.count, 1);
      },
      emits ? static_cast<llvm::Type*>(b_.getInt1Ty()) : coll_);
  return functions_[function.name] = made;
}

llvm::Value* Gen::CallWithFrame(const ir::Function& function, const Node& call, llvm::Value* in_array) {
  llvm::Function* target = FunctionOf(function);
  auto size = static_cast<uint64_t>(function.slot_count) + 3;
  llvm::Value* frame = EntryAlloca(coll_, size);
  for (size_t i = 0; i < function.params.size() && i < call.kids.size(); ++i) {
    Value v = Eval(*call.kids[i]);
    llvm::Value* at = b_.CreateConstInBoundsGEP1_64(coll_, frame, static_cast<uint64_t>(function.params[i].slot));
    b_.CreateStore(v.items, b_.CreateStructGEP(coll_, at, 0));
    b_.CreateStore(v.count, b_.CreateStructGEP(coll_, at, 1));
  }
  if (target == nullptr) {
    return llvm::UndefValue::get(function.result.is_emit() ? static_cast<llvm::Type*>(b_.getInt1Ty()) : coll_);
  }
  return b_.CreateCall(target, {context_, frame, in_array});
}

void Gen::UseFrame(int64_t slots) { frame_ = EntryAlloca(coll_, static_cast<uint64_t>(slots) + 3); }

void Gen::SetZone(const ir::Feed& feed) {
  auto ordinal = static_cast<size_t>(feed.zone);
  llvm::Constant* zone = null_;
  if (feed.zone >= 0 && ordinal < module_.zones.size() && !module_.zones[ordinal].transitions.empty()) {
    const ir::Zone& from = module_.zones[ordinal];
    auto* row = llvm::StructType::get(llvm_, {b_.getInt64Ty(), b_.getInt64Ty()});
    std::vector<llvm::Constant*> rows;
    for (auto [instant, offset] : from.transitions) {
      rows.push_back(llvm::ConstantStruct::get(row, {b_.getInt64(static_cast<uint64_t>(instant)),
                                                     b_.getInt64(static_cast<uint64_t>(int64_t{offset}))}));
    }
    auto* type = llvm::StructType::get(llvm_, {ptr_, b_.getInt32Ty(), b_.getInt32Ty()});
    zone = Global(llvm::ConstantStruct::get(
        type, {Global(llvm::ConstantArray::get(llvm::ArrayType::get(row, rows.size()), rows)),
               b_.getInt32(static_cast<uint32_t>(rows.size())), b_.getInt32(from.name == "UTC" ? 1 : 0)}));
  } else if (feed.zone >= 0 && ordinal < module_.zones.size()) {  // a zone without rules is at offset 0
    auto* type = llvm::StructType::get(llvm_, {ptr_, b_.getInt32Ty(), b_.getInt32Ty()});
    zone = Global(llvm::ConstantStruct::get(type, {null_, b_.getInt32(0), b_.getInt32(module_.zones[ordinal].name == "UTC" ? 1 : 0)}));
  }
  b_.CreateStore(zone, Field(offsetof(kernel::Context, zone)));
}

void Gen::Transform() {
  auto* entry = NewFunction("weir_transform", b_.getInt32Ty(), {b_.getInt32Ty(), ptr_, ptr_, ptr_});
  llvm::AllocaInst* context = EntryAlloca(llvm::ArrayType::get(b_.getInt64Ty(), (sizeof(kernel::Context) + 7) / 8));
  context->setAlignment(llvm::Align(16));
  context_ = context;
  auto ret_if = [&](llvm::Value* condition, llvm::Value* status) {
    llvm::BasicBlock *out = Block("out"), *go = Block("go");
    b_.CreateCondBr(condition, out, go);
    b_.SetInsertPoint(out);
    b_.CreateRet(status);
    b_.SetInsertPoint(go);
  };
  auto bad = b_.getInt32(WEIR_BAD_INPUT);
  ret_if(b_.CreateICmpUGE(entry->getArg(0), b_.getInt32(static_cast<uint32_t>(module_.feeds.size()))), bad);
  llvm::Value* status = Call("wk_begin", {context_, entry->getArg(1), entry->getArg(2), entry->getArg(3), b_.getInt64(memos_.size())});
  ret_if(b_.CreateICmpNE(status, b_.getInt32(0)), status);
  ret_if(b_.CreateNot(Call("wk_valid", {context_})), bad);
  b_.CreateStore(b_.getInt32(ir::EvaluationSite(module_)), Field(offsetof(kernel::Context, error_site)));
  b_.CreateStore(b_.getInt32(ir::LimitSite(module_)), Field(offsetof(kernel::Context, limit_site)));
  llvm::BasicBlock *done = Block("finish"), *none = Block("none");
  llvm::SwitchInst* by_feed = b_.CreateSwitch(entry->getArg(0), none, static_cast<unsigned>(module_.feeds.size()));
  b_.SetInsertPoint(none);
  b_.CreateRet(bad);
  for (size_t i = 0; i < module_.feeds.size(); ++i) {
    const ir::Feed& feed = module_.feeds[i];
    llvm::BasicBlock* block = Block("feed");
    by_feed->addCase(b_.getInt32(static_cast<uint32_t>(i)), block);
    b_.SetInsertPoint(block);
    SetZone(feed);
    UseFrame(feed.slot_count);
    if (feed.transform != nullptr) {
      Effect(*feed.transform);
    }
    b_.CreateBr(done);
  }
  b_.SetInsertPoint(done);
  b_.CreateRet(Call("wk_transform_end", {context_}));
}

llvm::Value* Gen::TextList(const std::vector<std::string>& texts) {
  std::vector<llvm::Constant*> list;
  for (const std::string& text : texts) {
    list.push_back(TextConstant(text));
  }
  return Global(llvm::ConstantArray::get(llvm::ArrayType::get(text_, list.size()), list));
}

llvm::Value* Gen::ExcludedList(const std::vector<std::string>& names, uint64_t* count) {
  auto* row = llvm::StructType::get(llvm_, {b_.getInt32Ty(), b_.getInt32Ty()});
  std::vector<llvm::Constant*> rows;
  for (const std::string& name : names) {  // "MSH-7"
    uint32_t field = 0;
    if (name.size() > 4 && name[3] == '-' &&
        std::from_chars(name.data() + 4, name.data() + name.size(), field).ptr == name.data() + name.size()) {
      uint32_t id = WEIR_V2_ID(uint8_t(name[0]), uint8_t(name[1]), uint8_t(name[2]));
      rows.push_back(llvm::ConstantStruct::get(row, {b_.getInt32(id), b_.getInt32(field)}));
    }
  }
  *count = rows.size();
  return Global(llvm::ConstantArray::get(llvm::ArrayType::get(row, rows.size()), rows));
}

namespace {
bool HasRetract(const Node& node) {
  return node.op == Op::kRetract || std::any_of(node.kids.begin(), node.kids.end(), [](const Node* kid) { return HasRetract(*kid); });
}
}  // namespace

// Whether the effects would retract something; after a failure nothing does.
llvm::Value* Gen::Undoes(const Node& effect) {
  if (!HasRetract(effect)) {
    return b_.getFalse();
  }
  auto alive = [&] { return b_.CreateICmpEQ(Call("wk_failed", {context_}), b_.getInt32(0)); };
  switch (effect.op) {
    case Op::kRetract: return alive();
    case Op::kSequence: {
      llvm::Value* any = b_.getFalse();
      for (const Node* kid : effect.kids) {
        llvm::Value* next = When(b_.CreateNot(any), [&] { return Undoes(*kid); });
        any = b_.CreateOr(any, next);
      }
      return any;
    }
    case Op::kWhen: return When(Truth(*effect.kids[0]), [&] { return Undoes(*effect.kids[1]); });
    case Op::kLet:
      SetSlot(effect.number, Eval(*effect.kids[0]));
      return Undoes(*effect.kids[1]);
    case Op::kEach: {
      llvm::Value* any = EntryAlloca(b_.getInt1Ty());
      Value over = Eval(*effect.kids[0]);
      b_.CreateStore(b_.getFalse(), any);
      Loop(over, [&](llvm::Value* item, llvm::Value*) {
        When(b_.CreateNot(b_.CreateLoad(b_.getInt1Ty(), any)), [&]() -> llvm::Value* {
          SetSlot(effect.number, {item, b_.getInt64(1)});
          b_.CreateStore(Undoes(*effect.kids[1]), any);
          return b_.getTrue();
        });
      });
      return b_.CreateLoad(b_.getInt1Ty(), any);
    }
    default: return b_.getFalse();
  }
}

void Gen::ProbeFeed(size_t ordinal, llvm::Value* probe) {
  bool routed = ordinal < module_.feeds.size();
  static const std::vector<std::string> kTransport = {"MSH-7", "MSH-13"};  // what no feed takes is digested without
  uint64_t excluded = 0;
  llvm::Value* list = ExcludedList(routed ? module_.feeds[ordinal].content_except : kTransport, &excluded);
  Call("wk_digest", {context_, probe, list, b_.getInt64(excluded)});
  Call("wk_probe_event", {context_, probe});
  llvm::Value *undoes = b_.getFalse(), *suppressed = b_.getFalse(), *parts = null_;
  size_t part_count = 0;
  if (routed) {
    const ir::Feed& feed = module_.feeds[ordinal];
    part_count = feed.duplicate_key.size();
    parts = EntryAlloca(coll_, part_count);
    for (size_t i = 0; i < part_count; ++i) {
      Value v = Eval(*feed.duplicate_key[i]);
      llvm::Value* at = b_.CreateConstInBoundsGEP1_64(coll_, parts, i);
      b_.CreateStore(v.items, b_.CreateStructGEP(coll_, at, 0));
      b_.CreateStore(v.count, b_.CreateStructGEP(coll_, at, 1));
    }
  }
  Call("wk_probe_key", {context_, probe, parts, b_.getInt64(part_count)});
  if (routed) {
    const ir::Feed& feed = module_.feeds[ordinal];
    llvm::Value* timed = b_.getFalse();
    for (const Node* alternative : feed.order_by) {
      llvm::Value* now = When(b_.CreateNot(timed), [&] {
        Value v = Eval(*alternative);
        return Call("wk_probe_time", {context_, probe, v.items, v.count});
      });
      timed = b_.CreateOr(timed, now);
    }
    undoes = feed.transform != nullptr ? Undoes(*feed.transform) : undoes;
  }
  Call("wk_probe_order", {context_, probe, undoes});
  if (routed && module_.feeds[ordinal].suppress != nullptr) {
    suppressed = Truth(*module_.feeds[ordinal].suppress);
  }
  b_.CreateRet(Call("wk_probe_end", {context_, probe, suppressed}));
}

void Gen::Probe() {
  auto* entry = NewFunction("weir_probe", b_.getInt32Ty(), {ptr_, ptr_, ptr_, ptr_});
  llvm::AllocaInst* context = EntryAlloca(llvm::ArrayType::get(b_.getInt64Ty(), (sizeof(kernel::Context) + 7) / 8));
  context->setAlignment(llvm::Align(16));
  context_ = context;
  llvm::Value* probe = entry->getArg(3);
  llvm::BasicBlock *bad = Block("bad"), *given = Block("given");
  b_.CreateCondBr(b_.CreateICmpEQ(probe, null_), bad, given);
  b_.SetInsertPoint(bad);
  b_.CreateRet(b_.getInt32(WEIR_BAD_INPUT));
  b_.SetInsertPoint(given);
  llvm::Value* status = Call("wk_begin", {context_, entry->getArg(0), entry->getArg(1), entry->getArg(2), b_.getInt64(memos_.size())});
  llvm::BasicBlock *out = Block("out"), *clear = Block("clear"), *unrouted = Block("unrouted"), *route = Block("route");
  b_.CreateCondBr(b_.CreateICmpNE(status, b_.getInt32(0)), out, clear);
  b_.SetInsertPoint(out);
  b_.CreateRet(status);
  b_.SetInsertPoint(clear);
  Call("wk_probe_clear", {probe});
  b_.CreateStore(b_.getInt32(ir::EvaluationSite(module_)), Field(offsetof(kernel::Context, error_site)));
  b_.CreateStore(b_.getInt32(ir::LimitSite(module_)), Field(offsetof(kernel::Context, limit_site)));
  b_.CreateCondBr(Call("wk_valid", {context_}), route, unrouted);
  b_.SetInsertPoint(unrouted);
  b_.CreateRet(b_.getInt32(WEIR_UNROUTED));
  b_.SetInsertPoint(route);
  for (size_t i = 0; i < module_.feeds.size(); ++i) {
    const ir::Feed& feed = module_.feeds[i];
    std::vector<std::string> versions = feed.version_else.empty() ? feed.versions : std::vector<std::string>{};
    llvm::Value* lists[] = {TextList(feed.accept), TextList(feed.processing), TextList(versions)};
    llvm::Constant* rules[] = {llvm::cast<llvm::Constant>(lists[0]), llvm::cast<llvm::Constant>(lists[1]), llvm::cast<llvm::Constant>(lists[2]),
                               b_.getInt64(feed.accept.size()), b_.getInt64(feed.processing.size()), b_.getInt64(versions.size())};
    SetZone(feed);
    UseFrame(feed.slot_count);
    llvm::Value* taken = Call("wk_accepts", {context_, Global(llvm::ConstantStruct::getAnon(rules))});
    if (feed.route != nullptr) {
      // Not memoised: a route's failure is forgotten, the values it met must not be.
      memo_allowed_ = false;
      taken = When(taken, [&] { return Call("wk_routed", {context_, Truth(*feed.route)}); });
      memo_allowed_ = true;
    }
    llvm::BasicBlock *mine = Block("mine"), *next = Block("next");
    b_.CreateCondBr(taken, mine, next);
    b_.SetInsertPoint(mine);
    b_.CreateStore(b_.getInt32(static_cast<uint32_t>(i)), b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), probe, offsetof(weir_probe, feed)));
    ProbeFeed(i, probe);
    b_.SetInsertPoint(next);
  }
  b_.CreateStore(null_, Field(offsetof(kernel::Context, zone)));
  ProbeFeed(module_.feeds.size(), probe);
}

void Gen::ExportKernel() {
  std::string manifest = ir::Manifest(module_);
  llvm::Constant* fields[] = {b_.getInt32(WEIR_ABI_VERSION),
                              b_.getInt32(sizeof(weir_kernel)),
                              out_.getFunction("weir_probe"),
                              out_.getFunction("weir_transform"),
                              Bytes(manifest),
                              b_.getInt32(static_cast<uint32_t>(manifest.size()))};
  llvm::Constant* kernel = llvm::ConstantStruct::getAnon(fields);
  new llvm::GlobalVariable(out_, kernel->getType(), true, llvm::GlobalValue::ExternalLinkage, kernel, "weir_kernel_v1");
}

}  // namespace weir::lower
