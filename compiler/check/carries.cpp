// Whether what an emission writes holds an element, in every item it writes: a profile's demands below the top level,
// as `Patient.identifier.system`.
#include "compiler/check/generator.h"

namespace weir::check {

using ir::Node;
using ir::Op;

// A function's condition for use elsewhere: its slots behind those in use here.
Node* Generator::Shift(const Node* node, int64_t by) {
  std::vector<Node*> kids;
  for (const Node* kid : node->kids) {
    kids.push_back(Shift(kid, by));
  }
  bool slot = node->op == Op::kVar || node->op == Op::kLet || node->op == Op::kEach || node->op == Op::kCall;
  return New(node->op, node->type, std::move(kids), node->text, node->number + (slot ? by : 0), node->span);
}

// Null: always. `never`: no line of some object writes it.
Node* Generator::Carries(const Node* emission, const std::string& child, bool* never) {
  switch (emission->op) {
    case Op::kObject: {
      auto written = objects_.find(emission);
      if (written == objects_.end()) {
        return nullptr;  // made by the compiler itself
      }
      auto found = written->second.find(child);
      if (found == written->second.end()) {
        *never = true;
        return nullptr;
      }
      return found->second.always || found->second.present == nullptr ? nullptr : Clone(found->second.present);
    }
    case Op::kFirst:
    case Op::kArray: {
      Node* all = nullptr;
      for (const Node* kid : emission->kids) {
        all = And(all, Carries(kid, child, never));
      }
      return all;
    }
    case Op::kMember:
    case Op::kCount:
      return Carries(emission->kids[0], child, never);
    case Op::kWhen: {
      Node* inner = Carries(emission->kids[1], child, never);
      if (inner == nullptr) {
        return nullptr;
      }
      auto yes = [&] { return New(Op::kLiteral, BooleanType(), {}, "true"); };
      int64_t slot = *slots_;
      *slots_ += 3;
      return New(Op::kCall, BooleanType(), {yes(), Clone(emission->kids[0]), inner, yes()}, "iif", slot);  // not `implies`: empty is false here
    }
    case Op::kLet: {
      Node* inner = Carries(emission->kids[1], child, never);
      return inner == nullptr ? nullptr : New(Op::kLet, BooleanType(), {Clone(emission->kids[0]), inner}, "", emission->number);
    }
    case Op::kEach: {
      Node* inner = Carries(emission->kids[1], child, never);
      if (inner == nullptr) {
        return nullptr;
      }
      int64_t slot = *slots_;
      *slots_ += 3;  // $this, $index, $total
      Node* bound = New(Op::kLet, BooleanType(), {Var(slot, Of(emission->kids[0]->type.name, true, ir::Max::kOne)), inner}, "", emission->number);
      return New(Op::kCall, BooleanType(), {Clone(emission->kids[0]), bound}, "all", slot);
    }
    case Op::kEmitCall: {
      const ir::Function* function = c_.module.FindFunction(emission->text);
      Node* inner = function == nullptr ? nullptr : Carries(function->body, child, never);
      if (inner == nullptr) {
        return nullptr;
      }
      int64_t base = *slots_;
      *slots_ += function->slot_count;
      return New(Op::kLet, BooleanType(), {Clone(emission->kids[0]), Shift(inner, base)}, "", base + function->params[0].slot);
    }
    default:
      return nullptr;
  }
}

}  // namespace weir::check
