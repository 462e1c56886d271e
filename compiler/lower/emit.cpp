// Emission and effects. A node that writes nothing leaves the cursor where it was: omit-empty is a stored cursor.
#include "compiler/ir/interp/json.h"
#include "compiler/ir/manifest.h"
#include "compiler/lower/gen.h"
#include "runtime/kernel/rt.h"

namespace weir::lower {
namespace {

using ir::Node;
using ir::Op;

// LLVM is quadratic in a function's size; a part of this many nodes is some 30 members (notes on LLVM 19, measured).
constexpr size_t kPartNodes = 250;

struct PrimitiveName {
  std::string_view name;
  kernel::PrimitiveKind kind;
};
constexpr PrimitiveName kPrimitives[] = {
    {"string", kernel::kText}, {"markdown", kernel::kText}, {"code", kernel::kCode}, {"uri", kernel::kUri}, {"url", kernel::kUri},
    {"canonical", kernel::kUri}, {"id", kernel::kId}, {"oid", kernel::kOid}, {"uuid", kernel::kUuid}, {"boolean", kernel::kBool},
    {"integer", kernel::kInt}, {"positiveInt", kernel::kPositiveInt}, {"unsignedInt", kernel::kUnsignedInt},
    {"decimal", kernel::kDecimal}, {"date", kernel::kDate}, {"dateTime", kernel::kDateTime}, {"instant", kernel::kInstant},
    {"time", kernel::kTime}};

struct CounterName {
  std::string_view name;
  uint64_t counter;
};
constexpr CounterName kCounters[] = {{"degraded", WEIR_COUNT_DEGRADED}, {"omitted", WEIR_COUNT_OMITTED},
                                     {"unknown_authority", WEIR_COUNT_UNKNOWN_AUTHORITY},
                                     {"profile_dropped", WEIR_COUNT_PROFILE_DROPPED}};

std::string Quoted(std::string_view text) {
  std::string out;
  ir::WriteJsonString(text, &out);
  return out;
}

}  // namespace

uint32_t Gen::PrimitiveKind(std::string_view name) {
  for (const PrimitiveName& p : kPrimitives) {
    if (p.name == name) {
      return p.kind;
    }
  }
  Error("primitive " + std::string(name) + " is not lowered");
  return kernel::kText;
}

llvm::Value* Gen::Cursor() { return b_.CreateLoad(ptr_, Field(offsetof(kernel::Context, cur))); }

llvm::Value* Gen::Rollback(const std::function<llvm::Value*()>& body) {
  llvm::Value* mark = Cursor();
  llvm::Value* wrote = body();
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(wrote); known != nullptr && known->isOne()) {
    return wrote;
  }
  llvm::Value* cursor = Field(offsetof(kernel::Context, cur));
  b_.CreateStore(b_.CreateSelect(wrote, b_.CreateLoad(ptr_, cursor), mark), cursor);
  return wrote;
}

llvm::Value* Gen::When(llvm::Value* condition, const std::function<llvm::Value*()>& body) {
  llvm::BasicBlock* from = b_.GetInsertBlock();
  llvm::BasicBlock *yes = Block("when"), *done = Block("done");
  b_.CreateCondBr(condition, yes, done);
  b_.SetInsertPoint(yes);
  llvm::Value* wrote = body();
  llvm::BasicBlock* last = b_.GetInsertBlock();
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  llvm::PHINode* phi = b_.CreatePHI(b_.getInt1Ty(), 2);
  phi->addIncoming(b_.getFalse(), from);
  phi->addIncoming(wrote, last);
  return phi;
}

void Gen::Loop(Value over, const std::function<void(llvm::Value*, llvm::Value*)>& body) {
  llvm::BasicBlock *from = b_.GetInsertBlock(), *head = Block("head"), *inside = Block("item"), *done = Block("end");
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  llvm::PHINode* index = b_.CreatePHI(b_.getInt64Ty(), 2);
  index->addIncoming(b_.getInt64(0), from);
  b_.CreateCondBr(b_.CreateICmpULT(index, over.count), inside, done);
  b_.SetInsertPoint(inside);
  body(b_.CreateGEP(item_, over.items, index), index);
  index->addIncoming(b_.CreateAdd(index, b_.getInt64(1)), b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(done);
}

llvm::Value* Gen::EmitAll(const Node* const* kids, size_t count, llvm::Value* in_array) {
  llvm::Value* wrote = b_.getFalse();
  for (size_t i = 0; i < count;) {
    size_t size = 0, end = i;
    while (end < count && (end == i || size + Size(*kids[end]) <= kPartNodes)) {
      size += Size(*kids[end++]);
    }
    if (i == 0 && end == count) {
      for (; i < count; ++i) {
        llvm::Value* one = Emit(*kids[i], in_array);
        wrote = b_.CreateOr(one, wrote);
      }
      break;
    }
    llvm::Function* part = Outline(
        "part",
        [&]() -> llvm::Value* {
          llvm::Value* any = b_.getFalse();
          for (size_t k = i; k < end; ++k) {
            llvm::Value* one = Emit(*kids[k], in_array_);
            any = b_.CreateOr(one, any);
          }
          return any;
        },
        b_.getInt1Ty());
    wrote = b_.CreateOr(b_.CreateCall(part, {context_, frame_, in_array}), wrote);
    i = end;
  }
  return wrote;
}

llvm::Value* Gen::EmitContainer(const Node& node, llvm::Value* in_array) {
  bool array = node.op == Op::kArray;
  Call("wk_separate", {context_, in_array});
  Call("wk_put", {context_, Bytes(array ? "[" : "{"), b_.getInt64(1)});
  llvm::Value* wrote = EmitAll(node.kids.data(), node.kids.size(), b_.getInt1(array));
  Call("wk_put", {context_, Bytes(array ? "]" : "}"), b_.getInt64(1)});
  return wrote;
}

llvm::Value* Gen::EmitMember(const Node& node) {
  std::string literal = "," + Quoted(node.text) + ":";
  const Node& kid = *node.kids[0];
  if (kid.op == Op::kJson) {  // name and value in one store
    literal += kid.text;
    Call("wk_member", {context_, Bytes(literal), b_.getInt64(literal.size())});
    return b_.getTrue();
  }
  return Rollback([&] {
    Call("wk_member", {context_, Bytes(literal), b_.getInt64(literal.size())});
    return Emit(kid, b_.getFalse());
  });
}

llvm::Value* Gen::EmitEach(const Node& node, llvm::Value* in_array) {
  llvm::Value* any = EntryAlloca(b_.getInt1Ty());
  Value over = Eval(*node.kids[0]);
  b_.CreateStore(b_.getFalse(), any);
  Loop(over, [&](llvm::Value* item, llvm::Value*) {
    SetSlot(node.number, {item, b_.getInt64(1)});
    llvm::Value* wrote = Emit(*node.kids[1], in_array);
    b_.CreateStore(b_.CreateOr(wrote, b_.CreateLoad(b_.getInt1Ty(), any)), any);
  });
  return b_.CreateLoad(b_.getInt1Ty(), any);
}

llvm::Value* Gen::EmitCall(const Node& node, llvm::Value* in_array) {
  const ir::Function* function = module_.FindFunction(node.text);
  if (function == nullptr || function->body == nullptr || !function->result.is_emit()) {
    Error("emission function " + node.text + " is missing");
    return b_.getFalse();
  }
  return CallWithFrame(*function, node, in_array);
}

llvm::Value* Gen::Emit(const Node& node, llvm::Value* in_array) {
  switch (node.op) {
    case Op::kObject:
    case Op::kArray: return Rollback([&] { return EmitContainer(node, in_array); });
    case Op::kMember: return EmitMember(node);
    case Op::kEach: return EmitEach(node, in_array);
    case Op::kWhen: return When(Truth(*node.kids[0]), [&] { return Emit(*node.kids[1], in_array); });
    case Op::kFirst: {
      llvm::Value* wrote = Emit(*node.kids[0], in_array);
      for (size_t i = 1; i < node.kids.size(); ++i) {
        llvm::Value* later = When(b_.CreateNot(wrote), [&] { return Emit(*node.kids[i], in_array); });
        wrote = b_.CreateOr(wrote, later);
      }
      return wrote;
    }
    case Op::kSequence: return EmitAll(node.kids.data(), node.kids.size(), in_array);
    case Op::kLet:
      SetSlot(node.number, Eval(*node.kids[0]));
      return Emit(*node.kids[1], in_array);
    case Op::kPrimitive: {
      uint32_t kind = PrimitiveKind(node.text);
      Value v = Eval(*node.kids[0]);
      auto site = static_cast<size_t>(node.number);
      bool degrade = site < module_.sites.size() && module_.sites[site].degrade;
      return Call("wk_primitive", {context_, v.items, v.count, b_.getInt32(kind), b_.getInt32(static_cast<uint32_t>(site)),
                                   b_.getInt1(degrade), in_array});
    }
    case Op::kJson: return Call("wk_json", {context_, Bytes(node.text), b_.getInt64(node.text.size()), in_array});
    case Op::kReference: {
      std::string quoted = Quoted(node.text + "/");
      std::string prefix = "{\"reference\":" + quoted.substr(0, quoted.size() - 1);
      Value v = Eval(*node.kids[0]);
      return Call("wk_reference", {context_, v.items, v.count, Bytes(prefix), b_.getInt64(prefix.size()), in_array});
    }
    case Op::kEmitCall: return EmitCall(node, in_array);
    case Op::kCount: {
      llvm::Value* wrote = Emit(*node.kids[0], in_array);
      for (const CounterName& c : kCounters) {
        if (c.name == node.text) {
          llvm::Value* counter = Field(offsetof(kernel::Context, counters) + c.counter * sizeof(uint32_t));
          b_.CreateStore(b_.CreateAdd(b_.CreateLoad(b_.getInt32Ty(), counter), b_.CreateZExt(wrote, b_.getInt32Ty())), counter);
          return wrote;
        }
      }
      Error("count " + node.text + " is not lowered");
      return wrote;
    }
    default:
      Error(std::string(ir::OpName(node.op)) + " is not an emission");
      return b_.getFalse();
  }
}

void Gen::IfId(const Node& node, const std::function<void(llvm::Value*)>& body) {
  Value v = Eval(node);
  llvm::Value* id = Call("wk_id", {context_, v.items, v.count});
  When(b_.CreateICmpNE(id, null_), [&]() -> llvm::Value* {
    body(id);
    return b_.getTrue();
  });
}

namespace {
uint32_t TypeOrdinal(const ir::Module& module, std::string_view type) {
  std::vector<std::string> types = ir::ResourceTypes(module);
  return static_cast<uint32_t>(std::find(types.begin(), types.end(), type) - types.begin());
}
}  // namespace

void Gen::Contribute(const Node& node) {
  IfId(*node.kids[0], [&](llvm::Value* id) {
    size_t blank = node.text.find(' ');
    std::string_view op = std::string_view(node.text).substr(0, blank);
    uint32_t code = op == "put" ? WEIR_OP_PUT : op == "fill" ? WEIR_OP_FILL : WEIR_OP_PATCH;
    std::string type = blank == std::string::npos ? "" : node.text.substr(blank + 1);
    Value tag = Eval(*node.kids[1]);
    llvm::Value* begin = Call("wk_body_begin", {context_, tag.items, tag.count});
    llvm::Value* wrote = Emit(*node.kids[2], b_.getFalse());
    Call("wk_body_end", {context_, begin, wrote, b_.getInt32(code), b_.getInt32(static_cast<uint32_t>(node.number)),
                         b_.getInt32(TypeOrdinal(module_, type)), id});
  });
}

void Gen::Effect(const Node& node) {
  switch (node.op) {
    case Op::kSequence:
      for (const Node* kid : node.kids) {
        Effect(*kid);
      }
      break;
    case Op::kWhen:
      When(Truth(*node.kids[0]), [&]() -> llvm::Value* {
        Effect(*node.kids[1]);
        return b_.getTrue();
      });
      break;
    case Op::kEach:
      Loop(Eval(*node.kids[0]), [&](llvm::Value* item, llvm::Value*) {
        SetSlot(node.number, {item, b_.getInt64(1)});
        Effect(*node.kids[1]);
      });
      break;
    case Op::kLet:
      SetSlot(node.number, Eval(*node.kids[0]));
      Effect(*node.kids[1]);
      break;
    case Op::kRequire:
      When(b_.CreateNot(Truth(*node.kids[0])), [&]() -> llvm::Value* {
        Call("wk_reject", {context_, b_.getInt32(static_cast<uint32_t>(node.number))});
        return b_.getTrue();
      });
      break;
    case Op::kReject: Call("wk_reject", {context_, b_.getInt32(static_cast<uint32_t>(node.number))}); break;
    case Op::kContribute: {
      llvm::Function* part = Outline(
          "contribute",
          [&]() -> llvm::Value* {
            Contribute(node);
            return nullptr;
          },
          b_.getVoidTy());
      b_.CreateCall(part, {context_, frame_, b_.getFalse()});
      break;
    }
    case Op::kRetract:
      IfId(*node.kids[0], [&](llvm::Value* id) {
        Value tags = Eval(*node.kids[1]);
        Call("wk_retract", {context_, tags.items, tags.count, b_.getInt32(static_cast<uint32_t>(node.number)),
                            b_.getInt32(TypeOrdinal(module_, node.text)), id});
      });
      break;
    case Op::kAlias: {  // both ids are evaluated: the survivor's may fail the record although there is no loser
      Value first = Eval(*node.kids[0]);
      llvm::Value* loser = Call("wk_id", {context_, first.items, first.count});
      IfId(*node.kids[1], [&](llvm::Value* survivor) {
        When(b_.CreateICmpNE(loser, null_), [&]() -> llvm::Value* {
          Call("wk_alias", {context_, b_.getInt32(TypeOrdinal(module_, node.text)), loser, survivor});
          return b_.getTrue();
        });
      });
      break;
    }
    default: Error(std::string(ir::OpName(node.op)) + " is not an effect"); break;
  }
}

}  // namespace weir::lower
