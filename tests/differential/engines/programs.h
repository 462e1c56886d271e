// Random IR programs over v2 messages, of every operation that the code generator takes.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "compiler/ir/ir.h"

namespace weir::engines {

class ProgramMaker {
 public:
  explicit ProgramMaker(uint32_t seed) : random_(seed) {}
  std::unique_ptr<ir::Module> Make();

 private:
  // What a variable in scope holds.
  enum class Kind : uint8_t { kGroup, kSegment, kField, kComponent, kString, kInteger };
  struct Variable {
    int64_t slot;
    Kind kind;
  };

  ir::Node* New(ir::Op op, const std::string& type, std::vector<ir::Node*> kids, std::string text = {}, int64_t number = 0);
  ir::Node* Call(const std::string& name, const std::string& type, std::vector<ir::Node*> kids, int64_t slot = 0);
  ir::Node* String(const std::string& text);
  ir::Node* Integer(int64_t value);
  ir::Node* Variable_(Kind kind);  // null when none is in scope
  ir::Node* Collection(Kind kind, int depth);
  ir::Node* Reshaped(ir::Node* input, Kind kind, int depth);
  ir::Node* Groups(int depth);
  ir::Node* Segments(int depth);
  ir::Node* Fields(int depth);
  ir::Node* Components(int depth);
  ir::Node* Strings(int depth);
  ir::Node* Integers(int depth);
  ir::Node* Condition(int depth);
  ir::Node* FullValue(int depth, std::string* type);  // without "System."
  ir::Node* FullString(int depth);
  ir::Node* FullCondition(int depth);
  ir::Node* Id(int depth);
  ir::Node* Emission(int depth);
  ir::Node* Object(int depth);
  ir::Node* Effect(int depth);
  void AddTables();
  void AddStructures();
  ir::Node* Let(int depth, bool effect);

  unsigned Below(unsigned n) { return random_() % n; }
  const std::string& Of(const std::vector<std::string>& list) { return list[Below(static_cast<unsigned>(list.size()))]; }
  int64_t Site() { return Below(static_cast<unsigned>(module_->sites.size())); }
  template <typename Body>
  auto With(Kind kind, int64_t slot, Body body) {
    scope_.push_back({slot, kind});
    auto result = body();
    scope_.pop_back();
    return result;
  }
  int64_t NewSlots() { return (slots_ += 3) - 3; }

  bool full_ = false;  // the program uses more of FHIRPath than lean maps
  std::mt19937 random_;
  ir::Module* module_ = nullptr;
  std::vector<Variable> scope_;
  int64_t slots_ = 0;
  bool calls_ = false;  // the emission function may be called
};

}  // namespace weir::engines
