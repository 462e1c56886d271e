// Emission and effects: runs a tree of emission nodes into canonical JSON bytes, and a transform
// into contributions.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/interp/eval.h"

namespace weir::ir {

struct Contribution {
  weir_op op = WEIR_OP_PATCH;
  uint32_t map = 0;
  std::string type, id, other_id, tag, body;
};

class Emitter {
 public:
  Emitter(Evaluator& eval, TraceObserver* observer) : eval_(eval), observer_(observer) {}

  // Whether it wrote; text() holds what was written.
  bool Emit(const Node& node);
  const std::string& text() const { return out_; }

  void Run(const Node& effect);
  std::vector<Contribution>& contributions() { return contributions_; }

 private:
  bool EmitMember(const Node& node);
  bool EmitContainer(const Node& node, char open, char close);
  bool EmitEach(const Node& node);
  bool EmitPrimitive(const Node& node);
  bool EmitCall(const Node& node);
  bool Write(std::string_view text);  // one value; sets the comma inside an array
  void Separate();
  void Observe(const Node& node, bool wrote, std::string text);
  void Contribute(const Node& node);
  void Retract(const Node& node);
  void Alias(const Node& node);
  std::optional<std::string> Id(const Node& node);

  Evaluator& eval_;
  TraceObserver* observer_;
  std::string out_;
  bool in_array_ = false;
  uint32_t depth_ = 0;
  std::vector<Contribution> contributions_;
};

bool IsOid(std::string_view text);   // with `urn:oid:`
bool IsUuid(std::string_view text);  // with `urn:uuid:`, lower case

// What `primitive` converts: the one item as a System value; nothing when there is none, or empty text.
std::optional<Item> PrimitiveInput(Evaluator& eval, const Node& value);
bool Fits(Evaluator& eval, const Node& value, std::string_view kind);
bool Ordered(Evaluator& eval, const Node& first, const Node& second, std::string_view kind);

// The JSON text of one FHIR primitive; nothing when the value is refused. `degraded` is set when
// precision was cut.
std::optional<std::string> PrimitiveJson(std::string_view kind, const Item& system,
                                         const Zone* zone, bool* degraded);

}  // namespace weir::ir
