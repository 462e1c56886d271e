// The evaluator's inside: one object per record. A failure is remembered and everything after it
// answers empty, so operators need no error paths of their own; whoever started the evaluation asks
// `failure()` at the end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/interp/interp.h"
#include "compiler/ir/interp/v2.h"

namespace weir::ir {

struct Failure {
  enum class Kind : uint8_t { kNone, kError, kRejected, kLimit };
  Kind kind = Kind::kNone;
  std::string message;  // kError, kLimit: for people; names operations, never data
  uint32_t site = 0;    // kRejected
};

class Evaluator {
 public:
  Evaluator(const Module& module, const EvalOptions& options)
      : module_(module), options_(options) {}

  void SetRoot(const Json* root);
  void SetMessage(const V2Message* message) { message_ = message; }
  void SetZone(const Zone* zone) { zone_ = zone; }
  void SetKey(const uint8_t key[16], std::string_view name_space);
  void EnterFrame(int64_t slots) { frame_.assign(static_cast<size_t>(slots) + 3, {}); }

  Items Eval(const Node& node);
  bool Truth(const Node& node);  // empty is false; anything but one Boolean fails
  Items EvalFunction(const Function& function, std::vector<Items> arguments);
  // Runs `body` with fresh slots that hold the parameters.
  template <typename Body>
  void InFrame(const Function& function, std::vector<Items> arguments, Body body) {
    std::vector<Items> saved(static_cast<size_t>(function.slot_count) + 3);
    saved.swap(frame_);
    for (size_t i = 0; i < function.params.size() && i < arguments.size(); ++i) {
      SetSlot(function.params[i].slot, std::move(arguments[i]));
    }
    body();
    saved.swap(frame_);
  }
  // Binds $this, $index, $total of a lambda and evaluates it.
  Items EvalLambda(const Node& call, const Node& body, const Item& self, size_t index);
  Items EvalKid(const Node& node, size_t kid) {
    return kid < node.kids.size() ? Eval(*node.kids[kid]) : Items{};
  }
  void SetSlot(int64_t slot, Items items);
  const Items& Slot(int64_t slot);

  // One item or none; more is a run-time singleton failure.
  const Item* Single(const Items& items);
  std::optional<Item> SingleSystem(const Items& items);  // after implicit conversion
  std::optional<std::string> SingleString(const Items& items);
  std::optional<int64_t> SingleInteger(const Items& items);
  std::optional<bool> SingleBoolean(
      const Items& items);  // singleton evaluation: one item of another type is true
  std::optional<std::string> StringArgument(const Node& call, size_t argument);

  Items Children(const Item& item);
  Items Child(const Item& item, std::string_view name);
  Item RootItem() const;
  bool IsType(const Item& item, std::string_view type, bool exact_primitive);

  std::optional<bool> EqualItems(const Item& a, const Item& b);
  std::optional<bool> EqualCollections(const Items& a, const Items& b);
  bool EquivalentItems(const Item& a, const Item& b);
  bool EquivalentCollections(const Items& a, const Items& b);
  std::optional<int> CompareItems(const Item& a, const Item& b);
  bool Contains(const Items& items, const Item& item);

  // A key `within` another, by its id (docs/ir.md, `key`).
  struct KeyWithin {
    std::string type, parent_type, parent;  // `parent`: its id
    std::string own;                        // 16 bytes
    bool named = false;
  };
  // A contribution, an alias or a reference names this id.
  void NameKey(std::string_view id);
  std::vector<std::pair<std::string_view, const KeyWithin*>> NamedKeys() const;

  void Fail(std::string message);
  void Reject(uint32_t site);
  void Limit(std::string message);
  bool failed() const { return failure_.kind != Failure::Kind::kNone; }
  const Failure& failure() const { return failure_; }

  const Module& module() const { return module_; }
  const EvalOptions& options() const { return options_; }
  const V2Message* message() const { return message_; }
  const Zone* zone() const { return zone_; }
  uint32_t* counters() { return counters_; }

 private:
  Items EvalBinary(const Node& node);
  Items EvalUnary(const Node& node);
  Items EvalCall(const Node& node);
  Items EvalEnvironment(std::string_view name);
  Items EvalLookup(const Node& node);
  Items EvalKey(const Node& node);
  std::string Hash(const std::vector<std::string>& parts) const;
  Items EvalAuthority(const Node& node);

  const Module& module_;
  const EvalOptions& options_;
  const Json* root_ = nullptr;
  const V2Message* message_ = nullptr;
  const Zone* zone_ = nullptr;
  std::string key_ =
      std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16);  // the published test key
  std::string name_space_;
  std::map<std::string, KeyWithin, std::less<>> keys_;  // by id: what was evaluated of this record
  std::vector<Items> frame_;
  Failure failure_;
  uint32_t counters_[WEIR_COUNTERS] = {};
  uint32_t depth_ = 0;
  size_t steps_ = 0;
};

// One function per line of functions.def; the input is kid 0, already evaluated.
#define WEIR_FHIRPATH_FUNCTION(name, ...) \
  Items Fn_##name(Evaluator& eval, const Node& call, Items input);
#include "compiler/ir/functions.def"
#undef WEIR_FHIRPATH_FUNCTION

inline Items One(Item item) { return Items{std::move(item)}; }
inline Items OneBoolean(bool value) { return Items{Item{value}}; }
inline Items OneInteger(int64_t value) { return Items{Item{value}}; }
inline Items OneString(std::string value) { return Items{Item{std::move(value)}}; }

}  // namespace weir::ir
