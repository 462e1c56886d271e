// Functions: those about elements by what is written, those of text and numbers as the same
// function over the source.
#include <algorithm>

#include "compiler/conform/evaluation.h"

namespace weir::conform {
using ast::Expr;
using ast::ExprKind;
using ir::Node;
using ir::Op;

namespace {

Pieces Under(const Steps& steps, Pieces pieces) {
  for (Piece& piece : pieces) {
    piece.steps.insert(piece.steps.begin(), steps.begin(), steps.end());
  }
  return pieces;
}

}  // namespace

// A function of text or numbers, the same over the value that would be written.
Out Evaluation::TextCall(const std::string& name, const Out& input,
                         const std::vector<Out>& arguments) {
  struct Rule {
    std::string_view name, input, type;
  };
  static constexpr Rule kRules[] = {
#define WEIR_FHIRPATH_FUNCTION(name, min, max, lambda, input, type, cardinality) \
  {#name, #input, #type},
#include "compiler/ir/functions.def"
#undef WEIR_FHIRPATH_FUNCTION
  };
  const Rule* rule = std::find_if(std::begin(kRules), std::end(kRules),
                                  [&](const Rule& r) { return r.name == name; });
  bool text = rule != std::end(kRules) &&
              (rule->input == "StringOne" || name == "toInteger" || name == "toDecimal");
  if (!text || input.kind != Out::Kind::kPieces) {
    return Unknown("`" + name + "`");
  }
  std::vector<Node*> values;
  Steps steps;
  for (const Out& argument : arguments) {
    if (argument.kind != Out::Kind::kPieces || argument.pieces.size() != 1 ||
        argument.pieces[0].value == nullptr) {
      return Unknown("`" + name + "` of a value");
    }
    values.push_back(argument.pieces[0].value);
    steps.insert(steps.end(), argument.pieces[0].steps.begin(), argument.pieces[0].steps.end());
  }
  Pieces out;
  Truth truth;
  for (const Piece& piece : input.pieces) {
    Node* value = w_.Value(piece);
    if (value == nullptr || !TextLike(piece.type) || value->type.name != "System.String") {
      return Unknown("`" + name + "` of `" + piece.type + "`");
    }
    if (rule->type == "Boolean") {
      Formula yes;
      const Node* prefix =
          value->op == Op::kBinary && value->text == "&" && value->kids[0]->op == Op::kLiteral
              ? value->kids[0]
              : value;
      bool literal = values.size() == 1 && values[0]->op == Op::kLiteral;
      if (name == "startsWith" && literal && prefix->op == Op::kLiteral &&
          (prefix == value || prefix->text.size() >= values[0]->text.size())) {
        yes = prefix->text.starts_with(values[0]->text) ? Always() : Never();
      } else {
        std::vector<Node*> kids = {value};
        kids.insert(kids.end(), values.begin(), values.end());
        yes = f_.Atom(f_.New(Op::kCall, Boolean(), std::move(kids), name), {value});
      }
      truth.yes = f_.Or(truth.yes, w_.Some(piece, f_.Some(steps, yes)));
      truth.no = f_.Or(truth.no, w_.Some(piece, f_.Some(steps, f_.Not(yes))));
      continue;
    }
    Piece made = piece;
    std::vector<Node*> kids = {value};
    kids.insert(kids.end(), values.begin(), values.end());
    made.type = "System." + std::string(rule->type);
    made.value = f_.New(Op::kCall, Single(made.type), std::move(kids), name);
    made.steps.insert(made.steps.end(), steps.begin(), steps.end());
    made = If(made, w_.There(piece));
    made.leaf = nullptr;
    made.certain = false;
    out.push_back(std::move(made));
  }
  return rule->type == "Boolean" ? Of(truth) : Of(std::move(out), input.one);
}

Out Evaluation::Call(const Expr& e, const Piece& self) {
  size_t first = e.has_receiver ? 1 : 0, arguments = e.kids.size() - first;
  Out input = e.has_receiver ? Eval(*e.kids[0], self) : Of({self}, true);
  if (input.kind == Out::Kind::kUnknown) {
    return input;
  }
  const std::string& name = e.text;
  bool pieces = input.kind == Out::Kind::kPieces;
  auto argument = [&](size_t i) -> const Expr& { return *e.kids[first + i]; };
  if ((name == "exists" || name == "empty") && arguments <= 1) {
    if (arguments == 1) {
      input = pieces ? Where(input, argument(0)) : Unknown("`exists` of a condition");
      if (input.kind == Out::Kind::kUnknown) {
        return input;
      }
    }
    Touch(input);
    Formula there = Exists(input);
    return Certain(name == "exists" ? there : f_.Not(there));
  }
  if (name == "not" && arguments == 0) {
    Truth truth = AsTruth(input);
    return Of({truth.no, truth.yes});
  }
  if (name == "count" && arguments == 0) {
    Touch(input);
    return CountOf(input);
  }
  if (name == "iif" && arguments >= 2 && !e.has_receiver) {
    Out condition = Eval(argument(0), self);
    Out yes = Eval(argument(1), self),
        no = arguments > 2 ? Eval(argument(2), self) : Of(Pieces{}, true);
    if (condition.kind == Out::Kind::kUnknown || yes.kind == Out::Kind::kUnknown ||
        no.kind == Out::Kind::kUnknown) {
      return {};
    }
    Formula holds = AsTruth(condition).yes;
    if (holds.known()) {
      return holds.always() ? yes : no;
    }
    if (yes.kind == Out::Kind::kTruth || no.kind == Out::Kind::kTruth) {
      Truth a = AsTruth(yes), b = AsTruth(no);
      Formula otherwise = f_.Not(holds);
      return Of({f_.Or(f_.And(holds, a.yes), f_.And(otherwise, b.yes)),
                 f_.Or(f_.And(holds, a.no), f_.And(otherwise, b.no))});
    }
    if (yes.kind != Out::Kind::kPieces || no.kind != Out::Kind::kPieces) {
      return Unknown("`iif` between counts");
    }
    auto plain = [](const Out& out) {
      return out.pieces.size() == 1 && out.pieces[0].leaf == nullptr && out.pieces[0].steps.empty();
    };
    if (plain(yes) && plain(no)) {
      Piece value = yes.pieces[0];
      Node* condition_node = f_.Part(holds);
      if (condition_node == nullptr) {
        return Unknown("more cases than can be told apart");
      }
      value.value = f_.New(Op::kCall, value.value->type,
                           {f_.Part(Always()), condition_node, value.value, no.pieces[0].value},
                           "iif", f_.NewSlots(3));
      value.certain = value.certain && no.pieces[0].certain;
      return Of({value}, true);
    }
    Pieces both;
    for (const Piece& piece : yes.pieces) {
      both.push_back(If(piece, holds));
    }
    for (const Piece& piece : no.pieces) {
      both.push_back(If(piece, f_.Not(holds)));
    }
    return Of(std::move(both), yes.one && no.one);
  }
  if (!pieces) {
    return Unknown("`" + name + "` of a condition");
  }
  if (name == "all" && arguments == 1) {
    Touch(input);
    bool unknown = false;
    Formula all = All(input, e, argument(0), &unknown);
    return unknown ? Out{} : Certain(all);
  }
  if (name == "where" && arguments == 1) {
    return Where(input, argument(0));
  }
  if (name == "select" && arguments == 1) {
    Pieces out;
    bool one = input.one;
    for (const Piece& piece : input.pieces) {
      Out inner = Inside(argument(0), piece);
      if (inner.kind != Out::Kind::kPieces) {
        return Unknown("`select` of a condition");
      }
      one = one && inner.one;
      Pieces under = Under(If(piece, w_.There(piece)).steps, std::move(inner.pieces));
      out.insert(out.end(), under.begin(), under.end());
    }
    return Of(std::move(out), one);
  }
  if (name == "hasValue" && arguments == 0) {
    Touch(input);
    Formula any = Never();
    for (const Piece& piece : input.pieces) {
      if (piece.leaf == nullptr || piece.leaf->op == Op::kPrimitive ||
          piece.leaf->op == Op::kJson) {
        any = f_.Or(any, w_.Exists(piece));
      }
    }
    return Certain(any);
  }
  if ((name == "first" || name == "single") && arguments == 0) {
    return First(input);
  }
  if (name == "trace") {
    return input;
  }
  if ((name == "is" || name == "as" || name == "ofType") && arguments == 1) {
    const Expr& type = argument(0);
    std::string named =
        type.kind == ExprKind::kMember ? type.kids[0]->text + "." + type.text : type.text;
    return Type(input, named, name == "is");
  }
  if (name == "memberOf" && arguments == 1) {
    return MemberOf(input, argument(0).text);
  }
  if (name == "extension" && arguments == 1) {
    Out all = Child(input, "extension");
    Pieces kept;
    for (const Piece& piece : all.pieces) {
      Out url = Child(Of({Here(piece)}, true), "url");
      auto same =
          url.pieces.size() == 1
              ? SameValue(url.pieces[0], Literal("System.String", argument(0).text).pieces[0])
              : Never();
      if (!same) {
        return Unknown("`extension`");
      }
      if (!same->never()) {
        kept.push_back(If(piece, *same));
      }
    }
    return Of(std::move(kept), all.one);
  }
  if (name == "combine" || name == "union") {
    Out other = Eval(argument(0), self);
    if (other.kind != Out::Kind::kPieces) {
      return {};
    }
    Pieces both = input.pieces;
    both.insert(both.end(), other.pieces.begin(), other.pieces.end());
    Out out =
        Of(std::move(both), input.pieces.empty() ? other.one : other.pieces.empty() && input.one);
    out.distinct = name == "union";
    return out;
  }
  if (input.pieces.empty()) {  // whatever it asks, nothing of that kind is written
    return name == "isDistinct" || name == "allTrue" || name == "allFalse" ? Certain(Always())
                                                                           : Of(Pieces{}, true);
  }
  if (name == "isDistinct" && input.one) {
    return Certain(Always());
  }
  std::vector<Out> values;
  for (size_t i = 0; i < arguments; ++i) {
    values.push_back(Eval(argument(i), self));
    if (values.back().kind == Out::Kind::kUnknown) {
      return {};
    }
  }
  if (name == "intersect" && arguments == 1 && values[0].kind == Out::Kind::kPieces &&
      values[0].pieces.empty()) {
    return Of(Pieces{}, true);
  }
  return TextCall(name, input, values);
}

}  // namespace weir::conform
