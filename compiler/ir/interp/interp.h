// The reference interpreter: evaluates any IR tree over a v2 message or a FHIR JSON resource. It is
// the oracle of the kernels, so it shares no date, decimal, escape, hash or JSON code with
// runtime/kernel and prefers the plain way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/interp/value.h"
#include "compiler/ir/ir.h"
#include "runtime/abi/weir_kernel.h"
#include "runtime/base/result.h"

namespace weir::ir {

// What the interpreter asks about FHIR types; compiler/ir/interp/type_model.h adapts
// fhir::TypeTable.
class TypeModel {
 public:
  struct Child {
    std::string name;  // element name; `value` for the JSON member `valueQuantity`
    std::string type;  // "HumanName", "string", "Patient.contact"; "" when unknown
  };
  virtual ~TypeModel() = default;
  // The element that the JSON member `member` of a node of type `type` is; an unknown one keeps its
  // name.
  virtual Child ChildOf(std::string_view type, std::string_view member) const = 0;
  virtual bool IsSubtype(std::string_view type, std::string_view base) const = 0;
  virtual bool IsPrimitive(std::string_view type) const = 0;
  virtual bool Exists(std::string_view type) const = 0;
};

struct EvalOptions {
  uint32_t max_depth = 400;  // recursion of trees and documents: bounds the C++ stack
  size_t max_items =
      1u << 20;  // items of one collection: bounds memory against `repeat` and `combine`
  size_t max_steps = 50'000'000;  // node evaluations of one record: bounds time
  size_t max_output = 16u << 20;  // bytes of canonical JSON of one record
  // Fixed clock of now(), today(), timeOfDay(); an interpreter never reads the system's.
  std::string now = "2026-01-01T00:00:00.000+00:00";
  const TypeModel* types = nullptr;  // needed for FHIR input only
};

// One FHIRPath evaluation over a FHIR resource (`root` may be null: no context).
Result<std::vector<Item>> Evaluate(const Module& module, const Node& node, int64_t slot_count,
                                   const Json* root, const EvalOptions& options);

// What `weir try` and lineage see: one record per member, require and contribute that was
// evaluated.
struct TraceEntry {
  const Node* node = nullptr;
  bool wrote = false;
  std::string text;  // the JSON it wrote
  uint32_t depth = 0;
};
class TraceObserver {
 public:
  virtual ~TraceObserver() = default;
  virtual void OnNode(const TraceEntry& entry) = 0;
};

// The interpreter behind the ABI of runtime/abi/weir_kernel.h; one instance per thread.
class InterpretedKernel {
 public:
  InterpretedKernel(const Module& module, EvalOptions options);
  ~InterpretedKernel();

  weir_status Probe(const weir_input& input, const weir_snapshot& snapshot, weir_output* output,
                    weir_probe* probe);
  weir_status Transform(uint32_t feed, const weir_input& input, const weir_snapshot& snapshot,
                        weir_output* output, TraceObserver* observer = nullptr);
  const std::string& manifest() const;
  // Why the last record was rejected, for `weir try`; says types and functions, never data.
  const std::string& last_error() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::ir
