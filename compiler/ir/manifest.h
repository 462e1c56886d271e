// The manifest a kernel carries: what the hub must know of feeds, maps, types and sites, by
// ordinal. The interpreter and lower/ write the same text, so ordinals mean the same in every
// engine.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/ir.h"

namespace weir::ir {

// Ordinals of weir_contribution.type: the element orders' types first, then any other type a map or
// a key names.
std::vector<std::string> ResourceTypes(const Module& module);

// Sites every module has without declaring them, after its own: what an evaluation itself can fail
// with.
uint32_t EvaluationSite(
    const Module& module);  // transform/cardinality: more than one item, a type that does not fit
uint32_t LimitSite(const Module& module);  // transform/limit

std::string Manifest(const Module& module);

}  // namespace weir::ir
