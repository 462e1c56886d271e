// Shared by print.cpp and parse.cpp: which node attributes an operation writes.
#pragma once

#include "compiler/ir/ir.h"

namespace weir::ir {

struct OpShape {
  std::string_view name;
  int min_kids, max_kids;  // -1: many
  bool text, number;
};
inline constexpr OpShape kOpShapes[] = {
#define WEIR_IR_OP(name, spelling, min, max, text, number) {spelling, min, max, text, number},
#include "compiler/ir/ops.def"
#undef WEIR_IR_OP
};
inline const OpShape& ShapeOf(Op op) { return kOpShapes[static_cast<size_t>(op)]; }

inline constexpr std::string_view kElseNames[] = {"dead_letter", "original", "text", "value"};

}  // namespace weir::ir
