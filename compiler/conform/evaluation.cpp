// Expressions, elements and filters.
#include "compiler/conform/evaluation.h"

namespace weir::conform {
using ast::Expr;
using ast::ExprKind;
using ast::Operator;
using ir::Node;
using ir::Op;

Piece Here(const Piece& piece) {
  Piece here = piece;
  here.steps.clear();
  here.certain = true;
  return here;
}

Piece If(Piece piece, Formula condition) {
  if (!condition.always()) {
    piece.steps.push_back(
        {.kind = Step::Kind::kIf, .condition = condition, .collection = nullptr, .slot = 0});
  }
  return piece;
}

// An expression about the piece itself.
Out Evaluation::Inside(const Expr& e, const Piece& piece) {
  Formula outer = w_.TakeRejected();
  ++depth_;
  Out out = Eval(e, Here(piece));
  --depth_;
  Formula inner = w_.TakeRejected();
  w_.Reject(outer);
  w_.Reject(w_.Some(piece, inner));
  return out;
}

Formula Evaluation::Exists(const Out& out) {
  switch (out.kind) {
    case Out::Kind::kPieces: {
      Formula any = Never();
      for (const Piece& piece : out.pieces) {
        any = f_.Or(any, w_.Exists(piece));
      }
      return any;
    }
    case Out::Kind::kTruth:
      return f_.Or(out.truth.yes, out.truth.no);
    default:
      return Always();  // a count always is
  }
}

// FHIRPath's singleton evaluation: one item that is no Boolean counts as true.
Truth Evaluation::AsTruth(const Out& out) {
  if (out.kind == Out::Kind::kTruth) {
    return out.truth;
  }
  if (out.kind == Out::Kind::kCount) {
    return {Always(), Never()};
  }
  Truth all;
  for (const Piece& piece : out.pieces) {
    bool boolean = piece.type == "boolean" || piece.type == "System.Boolean";
    if (!boolean) {
      all.yes = f_.Or(all.yes, w_.Exists(piece));
      continue;
    }
    Out literal = Literal("System.Boolean", "true");
    Formula same = SameValue(piece, literal.pieces[0])
                       .value_or(Never());  // none: an element that has no value
    all.yes = f_.Or(all.yes, w_.Some(piece, same));
    all.no = f_.Or(all.no, w_.Some(piece, f_.Not(same)));
  }
  return all;
}

Out Evaluation::Child(const Out& input, const std::string& name) {
  Pieces out;
  bool one = input.one;
  for (const Piece& piece : input.pieces) {
    Pieces below = w_.Child(piece, name);
    one = one && below.size() <= 1 && (below.empty() || !Repeats(below[0]) || Repeats(piece));
    out.insert(out.end(), below.begin(), below.end());
  }
  if (input.one && !one) {  // several lines to an element that takes one exclude each other
    one = std::all_of(input.pieces.begin(), input.pieces.end(), [&](const Piece& piece) {
      auto found = w_.types().FindElement(piece.type, name);
      return found && found.element->max == 1;
    });
  }
  return Of(std::move(out), one);
}

bool Evaluation::IsOf(const Piece& piece, std::string_view type) const {
  if (type.starts_with("FHIR.")) {
    type.remove_prefix(5);
  }
  if (type.starts_with("System.") || piece.type.starts_with("System.")) {
    std::string_view bare = piece.type.starts_with("System.")
                                ? std::string_view(piece.type).substr(7)
                                : std::string_view(piece.type);
    return piece.type.starts_with("System.") &&
           bare == (type.starts_with("System.") ? type.substr(7) : type);
  }
  return w_.types().IsSubtype(piece.type, type);
}

Out Evaluation::Type(const Out& input, const std::string& name, bool is) {
  if (input.kind != Out::Kind::kPieces) {
    return Unknown(is ? "`is` of a condition" : "`as` of a condition");
  }
  Pieces fitting;
  Truth truth;
  for (const Piece& piece : input.pieces) {
    bool fits = IsOf(piece, name);
    if (is) {
      Formula& side = fits ? truth.yes : truth.no;
      side = f_.Or(side, w_.Exists(piece));
    } else if (fits) {
      fitting.push_back(piece);
    }
  }
  return is ? Of(truth) : Of(std::move(fitting), input.one);
}

Out Evaluation::Where(const Out& input, const Expr& criterion) {
  Pieces kept;
  for (const Piece& piece : input.pieces) {
    Out out = Inside(criterion, piece);
    if (out.kind == Out::Kind::kUnknown) {
      return out;
    }
    Formula yes = AsTruth(out).yes;
    if (!yes.never()) {
      kept.push_back(If(piece, yes));
    }
  }
  Out out = Of(std::move(kept), input.one);
  out.distinct = input.distinct;
  return out;
}

Formula Evaluation::All(const Out& input, const Expr& e, const Expr& criterion, bool* unknown) {
  Formula all;
  for (const Piece& piece : input.pieces) {
    Out out = Inside(criterion, piece);
    if (out.kind == Out::Kind::kUnknown) {
      *unknown = true;
      return all;
    }
    // A claim may ask for more than it must: also of items that would turn out to hold nothing.
    bool stronger = strengthen_ && e.implicit;
    all = f_.And(all, stronger ? f_.Every(piece.steps, AsTruth(out).yes)
                               : w_.Every(piece, AsTruth(out).yes));
  }
  return all;
}

Out Evaluation::First(const Out& input) {
  if (input.one) {
    return input;
  }
  Pieces out;
  Formula earlier = Never();
  for (const Piece& piece : input.pieces) {
    if (Repeats(piece)) {
      return Unknown("the first of several");
    }
    out.push_back(If(piece, f_.Not(earlier)));
    earlier = f_.Or(earlier, w_.Exists(piece));
  }
  return Of(std::move(out), true);
}

Out Evaluation::Logic(Operator op, const Expr& e, const Piece& self) {
  Out left = Eval(*e.kids[0], self);
  bool known = left.kind != Out::Kind::kUnknown;
  Truth a = known ? AsTruth(left) : Truth{};
  if (known &&
      ((op == Operator::kAnd && a.no.always()) || (op == Operator::kOr && a.yes.always()) ||
       (op == Operator::kImplies && a.no.always()))) {
    return Of(op == Operator::kAnd ? Truth{Never(), Always()} : Truth{Always(), Never()});
  }
  Out right = Eval(*e.kids[1], self);
  if (right.kind != Out::Kind::kUnknown) {
    Truth b = AsTruth(right);
    if ((op == Operator::kAnd && b.no.always()) ||
        ((op == Operator::kOr || op == Operator::kImplies) && b.yes.always())) {
      return Of(op == Operator::kAnd ? Truth{Never(), Always()} : Truth{Always(), Never()});
    }
    if (known) {
      switch (op) {
        case Operator::kAnd:
          return Of({f_.And(a.yes, b.yes), f_.Or(a.no, b.no)});
        case Operator::kOr:
          return Of({f_.Or(a.yes, b.yes), f_.And(a.no, b.no)});
        case Operator::kImplies:
          return Of({f_.Or(a.no, b.yes), f_.And(a.yes, b.no)});
        default:
          return Of({f_.Or(f_.And(a.yes, b.no), f_.And(a.no, b.yes)),
                     f_.Or(f_.And(a.yes, b.yes), f_.And(a.no, b.no))});
      }
    }
  }
  return {};
}

Out Evaluation::Binary(const Expr& e, const Piece& self) {
  if (e.op == Operator::kAnd || e.op == Operator::kOr || e.op == Operator::kXor ||
      e.op == Operator::kImplies) {
    return Logic(e.op, e, self);
  }
  Out left = Eval(*e.kids[0], self), right = Eval(*e.kids[1], self);
  if (left.kind == Out::Kind::kUnknown || right.kind == Out::Kind::kUnknown) {
    return {};
  }
  std::string op(ast::Spelling(e.op));
  switch (e.op) {
    case Operator::kUnion: {
      if (left.kind != Out::Kind::kPieces || right.kind != Out::Kind::kPieces) {
        return Unknown("`|` of conditions");
      }
      Pieces both = left.pieces;
      both.insert(both.end(), right.pieces.begin(), right.pieces.end());
      Out out =
          Of(std::move(both), left.pieces.empty() ? right.one : right.pieces.empty() && left.one);
      out.distinct = true;
      return out;
    }
    case Operator::kIn:
    case Operator::kContains: {
      const Out& item = e.op == Operator::kIn ? left : right;
      const Out& all = e.op == Operator::kIn ? right : left;
      if (item.kind != Out::Kind::kPieces || all.kind != Out::Kind::kPieces || !item.one) {
        return Unknown("`" + op + "` of these");
      }
      Formula yes = Never();
      for (const Piece& a : item.pieces) {
        for (const Piece& b : all.pieces) {
          auto same = SameValue(a, b);
          if (!same) {
            return Unknown("whether two `" + a.type + "` are equal");
          }
          yes = f_.Or(yes, w_.Some(a, w_.Some(b, *same)));
        }
      }
      Formula there = Exists(item);
      return Of({yes, f_.And(there, f_.Not(yes))});
    }
    case Operator::kEqual:
    case Operator::kNotEqual:
    case Operator::kLess:
    case Operator::kLessEq:
    case Operator::kGreater:
    case Operator::kGreaterEq:
      return Compare(op, left, right);
    case Operator::kPlus:
      if (left.kind == Out::Kind::kCount && right.kind == Out::Kind::kCount) {
        Out out = left;
        out.count.base += right.count.base;
        out.count.ones.insert(out.count.ones.end(), right.count.ones.begin(),
                              right.count.ones.end());
        out.count.sums.insert(out.count.sums.end(), right.count.sums.begin(),
                              right.count.sums.end());
        return out;
      }
      break;
    default:
      break;
  }
  // Other operators on single values stay what they are, over the values that would be written.
  if (left.kind == Out::Kind::kPieces && right.kind == Out::Kind::kPieces &&
      left.pieces.size() == 1 && right.pieces.size() == 1 && left.one && right.one &&
      left.pieces[0].leaf == nullptr && right.pieces[0].leaf == nullptr) {
    Piece piece = left.pieces[0];
    piece.steps.insert(piece.steps.end(), right.pieces[0].steps.begin(),
                       right.pieces[0].steps.end());
    piece.value = f_.New(Op::kBinary, Single(piece.value->type.name),
                         {left.pieces[0].value, right.pieces[0].value}, op);
    piece.certain = false;
    return Of({piece}, true);
  }
  return Unknown("`" + op + "`");
}

Out Evaluation::Eval(const Expr& e, const Piece& self) {
  switch (e.kind) {
    case ExprKind::kEmpty:
      return Of(Pieces{}, true);
    case ExprKind::kBoolean:
      return Certain(e.text == "true" ? Always() : Never());
    case ExprKind::kString:
      return Literal("System.String", e.text);
    case ExprKind::kInteger:
      return Literal("System.Integer", e.text);
    case ExprKind::kDecimal:
      return Literal("System.Decimal", e.text);
    case ExprKind::kThis:
      return Of({self}, true);
    case ExprKind::kEnv:
      if (e.text == "resource" || e.text == "rootResource" || e.text == "context") {
        return e.text == "context" || resource_.leaf == nullptr ? Unknown("`%" + e.text + "`")
                                                                : Of({resource_}, true);
      }
      return e.text == "ucum"    ? Literal("System.String", "http://unitsofmeasure.org")
             : e.text == "sct"   ? Literal("System.String", "http://snomed.info/sct")
             : e.text == "loinc" ? Literal("System.String", "http://loinc.org")
                                 : Unknown("`%" + e.text + "`");
    case ExprKind::kName:
      if (!e.text.empty() && e.text[0] >= 'A' && e.text[0] <= 'Z' &&
          w_.types().IsSubtype(self.type, e.text)) {
        return Of({self}, true);
      }
      return Child(Of({self}, true), e.text);
    case ExprKind::kMember: {
      Out input = Eval(*e.kids[0], self);
      return input.kind == Out::Kind::kPieces    ? Child(input, e.text)
             : input.kind == Out::Kind::kUnknown ? input
                                                 : Unknown("an element of a condition");
    }
    case ExprKind::kCall:
      return Call(e, self);
    case ExprKind::kBinary:
      return Binary(e, self);
    case ExprKind::kTypeOp: {
      Out input = Eval(*e.kids[0], self);
      return input.kind == Out::Kind::kUnknown ? input : Type(input, e.text, e.op == Operator::kIs);
    }
    default:
      return Unknown("an expression of this kind");
  }
}

Answer Holds(Written& written, const ValueSetTable& value_set, const ast::Expr& expr,
             const Piece& context, const Piece& resource, bool strengthen) {
  Evaluation evaluation(written, value_set, resource, strengthen);
  Piece self = context;
  self.certain = true;
  written.TakeRejected();
  Out out = evaluation.Eval(expr, self);
  Answer answer;
  answer.touched = evaluation.touched();
  if (out.kind == Out::Kind::kUnknown) {
    answer.asks = evaluation.asks();
  } else {
    answer.holds = evaluation.AsTruth(out).yes;
  }
  answer.rejected = written.TakeRejected();
  return answer;
}

}  // namespace weir::conform
