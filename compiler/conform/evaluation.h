// FHIRPath over `Written`: the state of evaluating one condition (holds.h). Each construct's file
// adds its part.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/conform/holds.h"

namespace weir::conform {

// A sum: so many for certain, one for each formula that holds, and counts known at run time.
struct Count {
  int64_t base = 0;
  std::vector<Formula> ones;
  std::vector<std::pair<ir::Node*, Formula>> sums;  // the number, and whether it is more than none
};

// What an expression yields: elements, a truth value, or a count.
struct Out {
  enum class Kind : uint8_t { kUnknown, kPieces, kTruth, kCount };
  Kind kind = Kind::kUnknown;
  Pieces pieces;
  bool one = true;        // at most one of them is there
  bool distinct = false;  // some may be counted twice: they were united
  Truth truth;
  Count count;
};

class Evaluation {
 public:
  Evaluation(Written& written, const ValueSetTable& value_set, const Piece& resource,
             bool strengthen)
      : w_(written),
        f_(written.formulas()),
        value_set_(value_set),
        resource_(resource),
        strengthen_(strengthen) {}

  Out Eval(const ast::Expr& e, const Piece& self);
  Truth AsTruth(const Out& out);
  const std::string& asks() const { return asks_; }
  bool touched() const { return touched_; }

 private:
  Out Unknown(std::string what) {
    if (asks_.empty()) {
      asks_ = std::move(what);
    }
    return {};
  }
  static Out Of(Truth truth) {
    Out out;
    out.kind = Out::Kind::kTruth;
    out.truth = std::move(truth);
    return out;
  }
  Out Certain(Formula yes) { return Of({yes, f_.Not(yes)}); }
  static Out Of(Pieces pieces, bool one) {
    Out out;
    out.kind = Out::Kind::kPieces;
    out.pieces = std::move(pieces);
    out.one = one || out.pieces.empty() || (out.pieces.size() == 1 && !Repeats(out.pieces[0]));
    return out;
  }
  Out Literal(const char* type, std::string text) {
    ir::Node* node =
        f_.New(ir::Op::kLiteral, {.name = type, .required = true, .max = ir::Max::kOne}, {},
               std::move(text));
    return Of({{.steps = {},
                .leaf = nullptr,
                .frame = nullptr,
                .value = node,
                .type = type,
                .certain = true}},
              true);
  }
  static bool Repeats(const Piece& piece) {
    return std::any_of(piece.steps.begin(), piece.steps.end(),
                       [](const Step& step) { return step.kind == Step::Kind::kEach; });
  }

  // What the whole condition is decided by, not what its parts look at on the way.
  void Touch(const Out& out) {
    touched_ = touched_ || (depth_ == 0 && out.kind == Out::Kind::kPieces && !out.pieces.empty());
  }
  Out Inside(const ast::Expr& e, const Piece& piece);
  Out Child(const Out& input, const std::string& name);
  Out Call(const ast::Expr& e, const Piece& self);
  Out TextCall(const std::string& name, const Out& input, const std::vector<Out>& arguments);
  Out Binary(const ast::Expr& e, const Piece& self);
  Out Logic(ast::Operator op, const ast::Expr& e, const Piece& self);
  Out Compare(const std::string& op, const Out& left, const Out& right);
  Out CompareCount(const Count& count, const std::string& op, int64_t with);
  Out Equal(const Out& left, const Out& right);
  Formula Ordered(ir::Node* first, ir::Node* second, const char* kind);
  std::optional<Formula> SameValue(const Piece& a, const Piece& b);
  Out MemberOf(const Out& input, const std::string& url);
  Out CountOf(const Out& input);
  Out First(const Out& input);
  Formula AtLeast(const Count& count, int64_t least);
  Formula Exists(const Out& out);
  Formula All(const Out& input, const ast::Expr& e, const ast::Expr& criterion, bool* unknown);
  Out Where(const Out& input, const ast::Expr& criterion);
  Out Type(const Out& input, const std::string& name, bool is);
  bool IsOf(const Piece& piece, std::string_view type) const;

  Written& w_;
  Formulas& f_;
  const ValueSetTable& value_set_;
  const Piece& resource_;
  bool strengthen_;
  std::string asks_;
  bool touched_ = false;
  int depth_ = 0;  // of conditions on items
};

// The same piece seen from itself: what is below it is told without the steps to it.
Piece Here(const Piece& piece);
// The piece under one more condition.
Piece If(Piece piece, Formula condition);
bool Numeric(std::string_view type);   // FHIR's and FHIRPath's numbers
bool TextLike(std::string_view type);  // texts that compare as they are written

}  // namespace weir::conform
