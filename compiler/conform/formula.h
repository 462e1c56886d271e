// Conditions over the source, as the checker proves them and kernels ask them. A formula is a
// decision diagram over atoms: that a path is there, that it equals a literal, that some item meets
// a condition, and conditions that are not understood. What atoms mean to each other (a component
// is there only where its field is, one value equals one literal at most) is added when something
// is proved. True is true; false and empty are both `not`.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/conform/bdd.h"
#include "compiler/ir/ir.h"

namespace weir::conform {

struct Formula {
  Bdd::Ref ref = Bdd::kTrue;

  bool known() const { return ref <= Bdd::kTrue; }
  bool always() const { return ref == Bdd::kTrue; }
  bool never() const { return ref == Bdd::kFalse; }
};

inline Formula Always() { return {}; }
inline Formula Never() { return {Bdd::kFalse}; }

// FHIRPath's three values: true, false, and neither.
struct Truth {
  Formula yes = Never(), no = Never();
};

// What stands around something, outermost first: a condition, or every item of a collection.
struct Step {
  enum class Kind : uint8_t { kIf, kEach };
  Kind kind = Kind::kIf;
  Formula condition;
  ir::Node* collection = nullptr;
  int64_t slot = 0;
};
using Steps = std::vector<Step>;

class Formulas {
 public:
  // `*slots`: the next free slot of the function that conditions will stand in; the pointer follows
  // the function.
  Formulas(ir::Module& module, int64_t* const& slots) : module_(module), slots_(slots) {}

  // A new question: earlier formulas mean nothing any more. `Drop` gives back the slots that were
  // taken since.
  void Begin();
  void Drop() { *slots_ = first_slot_; }

  Formula And(Formula a, Formula b) { return {bdd_.And(a.ref, b.ref)}; }
  Formula Or(Formula a, Formula b) { return {bdd_.Or(a.ref, b.ref)}; }
  Formula Not(Formula a) { return {bdd_.Not(a.ref)}; }
  Truth Of(const ir::Node* condition);
  Formula Exists(ir::Node* value);
  Formula Fits(ir::Node* value, const std::string& kind);  // as a FHIR primitive of that type
  Formula Equal(ir::Node* a, ir::Node* b);  // both are there, and the same text or number
  // A condition that is true or false, taken as it is; what must be there for it to be true.
  Formula Atom(ir::Node* condition, const std::vector<const ir::Node*>& needs);
  // Under all the steps there is a case where it holds; in every case it holds.
  Formula Some(const Steps& steps, Formula inner);
  Formula Every(const Steps& steps, Formula inner) { return Not(Some(steps, Not(inner))); }
  Formula AtLeast(const std::vector<Formula>& which, size_t least);

  // Whether it holds wherever `given` does.
  bool Proved(Formula goal, const std::vector<Formula>& given);
  // The formula as an IR condition, as short as can be where only cases of `given` count: the
  // question's answer, a tree whose slots follow those that were taken when it began. Null: too
  // long.
  ir::Node* Condition(Formula formula, const std::vector<Formula>& given = {});
  // The same for use within the question: nodes are shared, and slots are the question's own.
  ir::Node* Part(Formula formula) { return Shared(formula, {}); }
  // The question became too large: nothing that was answered counts.
  bool full() const { return bdd_.full(); }

  // Nodes of the question: they are gone with it.
  ir::Node* New(ir::Op op, const ir::Type& type, const std::vector<ir::Node*>& kids,
                std::string_view text = {}, int64_t number = 0);
  ir::Node* New(ir::Op op, const ir::Type& type, std::initializer_list<ir::Node*> kids = {},
                std::string_view text = {}, int64_t number = 0);
  ir::Node* Text(std::string text);
  ir::Node* Var(int64_t slot, const std::string& type);
  int64_t NewSlots(int64_t count);
  const ir::Module& module() const { return module_; }

 private:
  struct AtomInfo {
    ir::Node* node = nullptr;
    std::string path, literal;       // of an equality
    ir::Node* collection = nullptr;  // of `some item of it meets a condition`
    ir::Node* body = nullptr;        // that condition, of the item in `slot`
    int64_t slot = 0;
    std::vector<std::string> needs;  // its own key, and those of what must be there
  };
  ir::Node* Bound(ir::Node* node, int64_t slot, ir::Node* value);
  ir::Node* Choice(ir::Node* node);
  Formula Make(ir::Node* node, const std::string& key, const std::vector<const ir::Node*>& needs);
  Formula Quantify(ir::Node* collection, int64_t slot, Formula inner, int split);
  Bdd::Ref Theory(std::set<uint32_t> atoms);
  Bdd::Ref Known(Formula about, const std::vector<Formula>& given);
  ir::Node* CommonNeed(Formula formula);
  ir::Node* Shared(Formula formula, const std::vector<Formula>& given);
  ir::Node* Cover(Bdd::Ref least, Bdd::Ref most, Bdd::Ref* covered);
  ir::Node* Tree(const ir::Node* node, std::map<int64_t, int64_t>* names, size_t* count);

  ir::Module& module_;
  int64_t* const& slots_;
  int64_t first_slot_ = 0;
  std::deque<ir::Node> scratch_;  // used again by the next question
  size_t scratch_used_ = 0;
  Bdd bdd_;
  std::vector<AtomInfo> atoms_;
  std::unordered_map<std::string, uint32_t> index_;
};

ir::Type Boolean();
ir::Type Single(std::string name);

}  // namespace weir::conform
