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

// Emits the kids in functions of a bearable size; `emit` takes a range of them and answers whether it wrote.
llvm::Value* Gen::EmitParts(const std::vector<Node*>& kids, llvm::Value* in_array,
                            const std::function<llvm::Value*(size_t, size_t)>& emit) {
  llvm::Value* wrote = b_.getFalse();
  for (size_t i = 0; i < kids.size();) {
    size_t size = 0, end = i;
    while (end < kids.size() && (end == i || size + Size(*kids[end]) <= kPartNodes)) {
      size += Size(*kids[end++]);
    }
    if (i == 0 && end == kids.size()) {
      return emit(i, end);
    }
    llvm::Function* part = Outline("part", [&] { return emit(i, end); }, b_.getInt1Ty());
    wrote = b_.CreateOr(b_.CreateCall(part, {context_, frame_, in_array}), wrote);
    i = end;
  }
  return wrote;
}

// The JSON of what is the same for every record.
std::optional<std::string> Gen::ConstantJson(const Node& node) {
  switch (node.op) {
    case Op::kJson: return node.text;
    case Op::kMember: {
      auto value = ConstantJson(*node.kids[0]);
      return value ? std::optional(Quoted(node.text) + ":" + *value) : std::nullopt;
    }
    case Op::kObject:
    case Op::kArray: {
      std::string all;
      for (const Node* kid : node.kids) {
        auto one = ConstantJson(*kid);
        if (!one) {
          return std::nullopt;
        }
        all += (all.empty() ? "" : ",") + *one;
      }
      if (all.empty()) {
        return std::nullopt;
      }
      return node.op == Op::kObject ? "{" + all + "}" : "[" + all + "]";
    }
    case Op::kFirst: return ConstantJson(*node.kids[0]);
    default: return std::nullopt;
  }
}

// Whether it writes one value or none: not a list of them.
bool Gen::IsOne(const Node& node) {
  switch (node.op) {
    case Op::kEach:
    case Op::kSequence: return false;
    case Op::kEmitCall: {
      const ir::Function* function = module_.FindFunction(node.text);
      return function != nullptr && function->body != nullptr && IsOne(*function->body);
    }
    case Op::kMember: return true;
    case Op::kWhen:
    case Op::kLet: return IsOne(*node.kids[1]);
    case Op::kCount: return IsOne(*node.kids[0]);
    case Op::kFirst:
      for (const Node* kid : node.kids) {
        if (!IsOne(*kid)) {
          return false;
        }
      }
      return true;
    default: return true;
  }
}

void Gen::Put(const Lead& lead, std::string_view text) {
  if (lead.in_array != nullptr) {
    Call("wk_separate", {context_, lead.in_array});
  }
  std::string all = lead.text + std::string(text);
  if (!all.empty()) {
    Call("wk_put", {context_, Bytes(all), b_.getInt64(all.size()), b_.getInt1(lead.comma)});
  }
}

// For values that cannot write it themselves.
llvm::Value* Gen::PutTail(const Lead& lead, llvm::Value* wrote) {
  if (lead.tail.empty()) {
    return wrote;
  }
  return When(wrote, [&]() -> llvm::Value* {
    Put({}, lead.tail);
    return b_.getTrue();
  });
}

// Constant members are joined with the braces and with each other; once one is written, later commas are certain.
llvm::Value* Gen::EmitContainer(const Node& node, const Lead& lead) {
  bool array = node.op == Op::kArray, sure = false;
  if (node.kids.size() == 1 && IsOne(*node.kids[0])) {  // written with its only part or not at all
    return Emit(*node.kids[0], {lead.text + (array ? "[" : "{"), lead.comma, lead.in_array, (array ? "]" : "}") + lead.tail});
  }
  for (const Node* kid : node.kids) {
    sure = sure || ConstantJson(*kid).has_value();
  }
  Lead pending = lead;
  pending.tail.clear();
  pending.text += array ? "[" : "{";
  bool open = true;      // nothing of the container is before `pending`, and `pending` starts it
  bool certain = false;  // something of the container is written in any case
  auto flush = [&] {
    if (open || !pending.text.empty()) {
      Put(pending, "");
    }
    pending = {};
    open = false;
  };
  auto body = [&]() -> llvm::Value* {
    bool empty = true;  // the container has nothing before `pending`'s end
    size_t parts = 0;
    for (const Node* kid : node.kids) {
      parts += Size(*kid);
    }
    if (parts > kPartNodes) {
      flush();
    }
    llvm::Value* wrote = EmitParts(node.kids, b_.getFalse(), [&](size_t begin, size_t end) -> llvm::Value* {
      llvm::Value* any = b_.getFalse();
      for (size_t i = begin; i < end; ++i) {
        const Node& kid = *node.kids[i];
        if (auto constant = ConstantJson(kid)) {
          if (open && empty) {
            pending.text += *constant;
          } else {
            if (pending.text.empty()) {
              pending.comma = !certain;
            }
            pending.text += "," + *constant;
          }
          empty = false;
          certain = true;
          continue;
        }
        flush();
        empty = false;
        Lead own{",", !certain, nullptr, ""};
        const Node* value = &kid;
        if (kid.op == Op::kMember) {
          own.text += Quoted(kid.text) + ":";
          value = kid.kids[0];
        }
        any = b_.CreateOr(Emit(*value, own), any);
      }
      if (parts > kPartNodes) {
        flush();
      }
      return any;
    });
    Put(pending, (array ? "]" : "}") + lead.tail);
    return sure ? b_.getTrue() : wrote;
  };
  return sure ? body() : Rollback(body);
}

llvm::Value* Gen::EmitEach(const Node& node, const Lead& lead) {
  llvm::Value* any = EntryAlloca(b_.getInt1Ty());
  Value over = Eval(*node.kids[0]);
  b_.CreateStore(b_.getFalse(), any);
  Loop(over, [&](llvm::Value* item, llvm::Value*) {
    SetSlot(node.number, {item, b_.getInt64(1)});
    llvm::Value* wrote = Emit(*node.kids[1], lead);
    b_.CreateStore(b_.CreateOr(wrote, b_.CreateLoad(b_.getInt1Ty(), any)), any);
  });
  return b_.CreateLoad(b_.getInt1Ty(), any);
}

llvm::Value* Gen::EmitSequence(const Node& node, const Lead& lead) {
  return EmitParts(node.kids, lead.in_array != nullptr ? lead.in_array : b_.getFalse(), [&](size_t begin, size_t end) {
    Lead own = lead;
    if (own.in_array != nullptr) {
      own.in_array = in_array_;
    }
    llvm::Value* any = b_.getFalse();
    for (size_t i = begin; i < end; ++i) {
      llvm::Value* one = Emit(*node.kids[i], own);
      any = b_.CreateOr(one, any);
    }
    return any;
  });
}

llvm::Value* Gen::EmitCall(const Node& node, const Lead& lead) {
  const ir::Function* function = module_.FindFunction(node.text);
  if (function == nullptr || function->body == nullptr || !function->result.is_emit()) {
    Error("emission function " + node.text + " is missing");
    return b_.getFalse();
  }
  if (lead.text == "," && lead.comma) {
    return PutTail(lead, CallWithFrame(*function, node, b_.getTrue()));
  }
  if (lead.text.empty()) {
    return PutTail(lead, CallWithFrame(*function, node, lead.in_array != nullptr ? lead.in_array : b_.getFalse()));
  }
  return PutTail(lead, Rollback([&] {
    Put(lead, "");
    return CallWithFrame(*function, node, b_.getFalse());
  }));
}

llvm::Value* Gen::EmitPrimitive(const Node& node, const Lead& lead) {
  uint32_t kind = PrimitiveKind(node.text);
  auto site = static_cast<size_t>(node.number);
  bool degrade = site < module_.sites.size() && module_.sites[site].degrade;
  auto how = b_.getInt64(kernel::Writing::Of(lead.text.size(), lead.tail.size(), lead.comma, kind, degrade, static_cast<uint32_t>(site)).bits);
  auto write = [&]() -> llvm::Value* {
    const Node* segments = nullptr;
    if (auto path = PathOf(*node.kids[0], &segments)) {
      // A v2 value's text is decoded where it is written.
      kernel::Path text = path->text() ? *path : kernel::Path{path->bits | kernel::Path::Of(0, 0, 0, 0, true, true, false).bits};
      PathArgs at = Arguments(*segments, text);
      const char* helper = kind == kernel::kText ? "wk_path_text" : kind == kernel::kCode ? "wk_path_code" : "wk_path_primitive";
      return Call(ShapedHelper(helper, text).c_str(), {context_, at.items, at.count, at.path, LeadBytes(lead), how});
    }
    Value v = Writable(Eval(*node.kids[0]), kind);
    return Call("wk_primitive", {context_, v.items, v.count, LeadBytes(lead), how});
  };
  if (lead.in_array == nullptr) {
    return write();
  }
  return Rollback([&] {
    Call("wk_separate", {context_, lead.in_array});
    return write();
  });
}

llvm::Value* Gen::EmitReference(const Node& node, const Lead& lead) {
  std::string quoted = Quoted(node.text + "/");
  std::string text = lead.text + "{\"reference\":" + quoted.substr(0, quoted.size() - 1), tail = "\"}" + lead.tail;
  auto write = [&] {
    Value v = Eval(*node.kids[0]);
    auto how = b_.getInt64(kernel::Writing::Of(text.size(), tail.size(), lead.comma, 0, false, 0).bits);
    return Call("wk_reference", {context_, v.items, v.count, Bytes(text + tail), how});
  };
  if (lead.in_array == nullptr) {
    return write();
  }
  return Rollback([&] {
    Call("wk_separate", {context_, lead.in_array});
    return write();
  });
}

llvm::Value* Gen::Emit(const Node& node, const Lead& lead) {
  if (lead.text.size() > kernel::Writing::kMostLead - 100 || lead.tail.size() > kernel::Writing::kMostTail - 10) {
    Error("a constant of more than 1 MiB, or containers nested deeper than 50, are not lowered");
  }
  if (auto constant = ConstantJson(node)) {
    Put(lead, *constant + lead.tail);
    return b_.getTrue();
  }
  switch (node.op) {
    case Op::kObject:
    case Op::kArray: return EmitContainer(node, lead);
    case Op::kMember: return Emit(*node.kids[0], {lead.text + Quoted(node.text) + ":", lead.comma, lead.in_array, lead.tail});
    case Op::kEach: return EmitEach(node, lead);  // IsOne: has no tail, nor has a sequence
    case Op::kWhen: return When(Truth(*node.kids[0]), [&] { return Emit(*node.kids[1], lead); });
    case Op::kFirst: {
      llvm::Value* wrote = Emit(*node.kids[0], lead);
      for (size_t i = 1; i < node.kids.size(); ++i) {
        llvm::Value* later = When(b_.CreateNot(wrote), [&] { return Emit(*node.kids[i], lead); });
        wrote = b_.CreateOr(wrote, later);
      }
      return wrote;
    }
    case Op::kSequence: return EmitSequence(node, lead);
    case Op::kLet:
      SetSlot(node.number, Eval(*node.kids[0]));
      return Emit(*node.kids[1], lead);
    case Op::kPrimitive: return EmitPrimitive(node, lead);
    case Op::kReference: return EmitReference(node, lead);
    case Op::kEmitCall: return EmitCall(node, lead);
    case Op::kCount: {
      llvm::Value* wrote = Emit(*node.kids[0], lead);
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

void Gen::Contribute(const Node& node) {
  IfId(*node.kids[0], [&](llvm::Value* id) {
    size_t blank = node.text.find(' ');
    std::string_view op = std::string_view(node.text).substr(0, blank);
    uint32_t code = op == "put" ? WEIR_OP_PUT : op == "fill" ? WEIR_OP_FILL : WEIR_OP_PATCH;
    std::string type = blank == std::string::npos ? "" : node.text.substr(blank + 1);
    Value tag = Eval(*node.kids[1]);
    llvm::Value* begin = Call("wk_body_begin", {context_, tag.items, tag.count});
    llvm::Value* wrote = Emit(*node.kids[2], {});
    Call("wk_body_end",
         {context_, begin, wrote, b_.getInt32(code),
          b_.getInt32(static_cast<uint32_t>(node.number)), b_.getInt32(TypeOrdinal(type)), id});
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
        Call("wk_retract",
             {context_, tags.items, tags.count, b_.getInt32(static_cast<uint32_t>(node.number)),
              b_.getInt32(TypeOrdinal(node.text)), id});
      });
      break;
    case Op::kAlias: {  // both ids are evaluated: the survivor's may fail the record although there is no loser
      Value first = Eval(*node.kids[0]);
      llvm::Value* loser = Call("wk_id", {context_, first.items, first.count});
      IfId(*node.kids[1], [&](llvm::Value* survivor) {
        When(b_.CreateICmpNE(loser, null_), [&]() -> llvm::Value* {
          Call("wk_alias", {context_, b_.getInt32(TypeOrdinal(node.text)), loser, survivor});
          return b_.getTrue();
        });
      });
      break;
    }
    default: Error(std::string(ir::OpName(node.op)) + " is not an effect"); break;
  }
}

}  // namespace weir::lower
