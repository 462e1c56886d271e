// Equality, order, and whether a code is in a value set.
#include <algorithm>
#include <charconv>
#include <set>

#include "compiler/conform/evaluation.h"
#include "compiler/conform/node_key.h"

namespace weir::conform {
using ir::Node;
using ir::Op;

namespace {

bool Temporal(std::string_view type) {
  return type == "date" || type == "dateTime" || type == "instant";
}
std::string_view Flipped(std::string_view op) {
  return op == "<" ? ">" : op == "<=" ? ">=" : op == ">" ? "<" : "<=";
}

}  // namespace

bool Numeric(std::string_view type) {
  return type == "decimal" || type == "integer" || type == "positiveInt" || type == "unsignedInt" ||
         type == "System.Integer" || type == "System.Decimal";
}
bool TextLike(std::string_view type) {
  static const std::set<std::string_view> kText = {"string", "code",         "markdown", "uri",
                                                   "url",    "canonical",    "oid",      "uuid",
                                                   "id",     "System.String"};
  return kText.contains(type);
}

Formula Evaluation::Ordered(Node* first, Node* second, const char* kind) {
  auto text = [&](Node* node) {
    return node->op == Op::kLiteral && Numeric(node->type.name) ? f_.Text(node->text) : node;
  };
  return f_.Atom(f_.New(Op::kOrdered, Boolean(), {text(first), text(second)}, kind),
                 {first, second});
}

// Both are there: whether they are equal.
std::optional<Formula> Evaluation::SameValue(const Piece& a, const Piece& b) {
  Node *x = w_.Value(a), *y = w_.Value(b);
  if (x == nullptr || y == nullptr) {
    return std::nullopt;
  }
  auto boolean = [](const Piece& piece) {
    return piece.type == "boolean" || piece.type == "System.Boolean";
  };
  if (boolean(a) && boolean(b)) {
    const Node* literal = y->op == Op::kLiteral ? y : x;
    Node* other = literal == y ? x : y;
    if (literal->op != Op::kLiteral) {
      return std::nullopt;
    }
    if (other->op == Op::kLiteral) {
      return other->text == literal->text ? Always() : Never();
    }
    if (other->type.name == "System.Boolean") {
      return literal->text == "true" ? f_.Of(other).yes : f_.Of(other).no;
    }
    bool wanted = literal->text == "true";  // a v2 text: what `primitive boolean` writes as true
    return f_.Or(f_.Equal(other, f_.Text(wanted ? "Y" : "N")),
                 f_.Equal(other, f_.Text(literal->text)));
  }
  if (TextLike(a.type) && TextLike(b.type)) {
    const Node* literal = y->op == Op::kLiteral ? y : x;
    bool collapses =
        (a.type == "code" || b.type == "code") && literal->text.find(' ') != std::string::npos;
    return collapses || x->type.name != "System.String" || y->type.name != "System.String"
               ? std::nullopt
               : std::optional(f_.Equal(x, y));
  }
  if (Numeric(a.type) && Numeric(b.type)) {
    return f_.And(Ordered(x, y, "decimal"), Ordered(y, x, "decimal"));
  }
  return std::nullopt;
}

Out Evaluation::Equal(const Out& left, const Out& right) {
  if (left.kind == Out::Kind::kTruth || right.kind == Out::Kind::kTruth) {
    Truth a = AsTruth(left), b = AsTruth(right);
    return Of({f_.Or(f_.And(a.yes, b.yes), f_.And(a.no, b.no)),
               f_.Or(f_.And(a.yes, b.no), f_.And(a.no, b.yes))});
  }
  if (left.pieces.empty() || right.pieces.empty()) {
    return Of(Truth{});
  }
  Touch(left);
  if (!left.one || !right.one) {
    return Unknown("whether several values equal others");
  }
  Truth truth;
  for (const Piece& a : left.pieces) {
    for (const Piece& b : right.pieces) {
      auto same = SameValue(a, b);
      if (!same) {
        return Unknown("whether two `" + a.type + "` are equal");
      }
      auto where = [&](Formula f) { return w_.Some(a, w_.Some(b, f)); };
      truth.yes = f_.Or(truth.yes, where(*same));
      truth.no = f_.Or(truth.no, where(f_.Not(*same)));
    }
  }
  return Of(truth);
}

Out Evaluation::Compare(const std::string& op, const Out& left, const Out& right) {
  auto literal = [](const Out& out) -> std::optional<int64_t> {
    if (out.kind != Out::Kind::kPieces || out.pieces.size() != 1 ||
        out.pieces[0].value == nullptr || out.pieces[0].value->op != Op::kLiteral ||
        out.pieces[0].type != "System.Integer") {
      return std::nullopt;
    }
    int64_t number = 0;
    const std::string& text = out.pieces[0].value->text;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  };
  if (left.kind == Out::Kind::kCount || right.kind == Out::Kind::kCount) {
    bool counted = left.kind == Out::Kind::kCount;
    auto number = literal(counted ? right : left);
    bool equality = op == "=" || op == "!=";
    return !number ? Unknown("how two counts compare")
                   : CompareCount(counted ? left.count : right.count,
                                  counted || equality ? op : std::string(Flipped(op)), *number);
  }
  if (op == "=") {
    return Equal(left, right);
  }
  if (op == "!=") {
    Out out = Equal(left, right);
    std::swap(out.truth.yes, out.truth.no);
    return out;
  }
  if (left.kind != Out::Kind::kPieces || right.kind != Out::Kind::kPieces || !left.one ||
      !right.one) {
    return Unknown("`" + op + "` between these");
  }
  Truth truth;
  for (const Piece& a : left.pieces) {
    for (const Piece& b : right.pieces) {
      // Quantities of one unit: as far as the standard compares them without a table of units.
      bool quantities = !a.type.starts_with("System.") &&
                        w_.types().IsSubtype(a.type, "Quantity") &&
                        w_.types().IsSubtype(b.type, "Quantity");
      Piece x = Here(a), y = Here(b);
      Formula comparable;
      if (quantities) {
        Out low = Child(Of({x}, true), "value"), high = Child(Of({y}, true), "value");
        Out low_code = Child(Of({x}, true), "code"), high_code = Child(Of({y}, true), "code");
        if (low.pieces.empty() || high.pieces.empty()) {
          continue;  // without a number nothing compares: empty
        }
        if (low.pieces.size() > 1 || high.pieces.size() > 1) {
          return Unknown("`" + op + "` between quantities with several numbers");
        }
        if (!low_code.pieces.empty() || !high_code.pieces.empty()) {
          Out same = Equal(low_code, high_code);
          if (same.kind == Out::Kind::kUnknown) {
            return same;
          }
          comparable =
              f_.And(comparable,
                     f_.Or(same.truth.yes, f_.Not(f_.Or(Exists(low_code), Exists(high_code)))));
        }
        x = low.pieces[0];
        y = high.pieces[0];
      }
      bool times = Temporal(x.type) && Temporal(y.type);
      Node *one = w_.Value(x), *other = w_.Value(y);
      if (one == nullptr || other == nullptr || (!times && !(Numeric(x.type) && Numeric(y.type)))) {
        return Unknown("`" + op + "` between `" + a.type + "` and `" + b.type + "`");
      }
      auto ordered = [&](Node* first, Node* second) {
        return Ordered(first, second, times ? "dateTime" : "decimal");
      };
      Formula yes = op == "<="   ? ordered(one, other)
                    : op == ">=" ? ordered(other, one)
                    : op == "<"  ? f_.Not(ordered(other, one))
                                 : f_.Not(ordered(one, other));
      auto where = [&](Formula f) {
        Formula inside = quantities ? w_.Some(x, w_.Some(y, f)) : f;
        return w_.Some(a, w_.Some(b, f_.And(comparable, inside)));
      };
      truth.yes = f_.Or(truth.yes, where(yes));
      truth.no = f_.Or(truth.no, where(f_.Not(yes)));
    }
  }
  return Of(truth);
}

// A code in a value set, each in its table.
Out Evaluation::MemberOf(const Out& input, const std::string& url) {
  Truth truth;
  for (const Piece& piece : input.pieces) {
    if (w_.types().IsSubtype(piece.type, "CodeableConcept")) {
      Out codings = MemberOf(Child(Of({Here(piece)}, true), "coding"), url);
      if (codings.kind == Out::Kind::kUnknown) {
        return codings;
      }
      truth.yes = f_.Or(truth.yes, w_.Some(piece, codings.truth.yes));
      truth.no = f_.Or(truth.no, w_.Some(piece, f_.Not(codings.truth.yes)));
      continue;
    }
    bool coded =
        w_.types().IsSubtype(piece.type, "Coding") || w_.types().IsSubtype(piece.type, "Quantity");
    std::string table = value_set_(url, coded);
    if (table.empty()) {
      return Unknown("the codes of " + url);
    }
    const ir::Table* rows = w_.module().FindTable(table);
    auto listed = [&](Node* key) -> Formula {
      if (key->op == Op::kLiteral) {
        return std::any_of(rows->rows.begin(), rows->rows.end(),
                           [&](const ir::TableRow& row) { return row.from == key->text; })
                   ? Always()
                   : Never();
      }
      return f_.Exists(f_.New(Op::kLookup, Single("System.String"), {key}, table, 0));
    };
    Formula in = Never();
    if (!coded) {
      Node* value = w_.Value(piece);
      if (value == nullptr) {
        return Unknown("the codes of " + url);
      }
      auto codes = PossibleTexts(w_.module(), *value);
      bool all = codes && std::all_of(codes->begin(), codes->end(), [&](const std::string& c) {
                   return listed(f_.Text(c)).always();
                 });
      in = all ? Always() : listed(value);
    } else {
      Out code = Child(Of({Here(piece)}, true), "code"),
          system = Child(Of({Here(piece)}, true), "system");
      for (const Piece& a : code.pieces) {
        for (const Piece& b : system.pieces) {
          Node *x = w_.Value(a), *y = w_.Value(b);
          if (x == nullptr || y == nullptr) {
            return Unknown("the codes of " + url);
          }
          Formula one = Never();
          auto codes = PossibleTexts(w_.module(), *x), systems = PossibleTexts(w_.module(), *y);
          if (codes && systems && systems->size() == 1) {
            // A table's whole range, or a literal: decided now when all or none of it is in the
            // set.
            size_t inside = static_cast<size_t>(
                std::count_if(codes->begin(), codes->end(), [&](const std::string& c) {
                  return listed(f_.Text(systems->front() + "|" + c)).always();
                }));
            if (inside == codes->size() || inside == 0) {
              one = inside == 0 ? Never() : Always();
            } else {
              one = listed(f_.New(Op::kBinary,
                                  {.name = "System.String", .required = true, .max = ir::Max::kOne},
                                  {f_.Text(systems->front() + "|"), x}, "&"));
            }
          } else {
            Node* bar = f_.New(Op::kBinary,
                               {.name = "System.String", .required = true, .max = ir::Max::kOne},
                               {y, f_.Text("|")}, "&");
            one = listed(f_.New(Op::kBinary,
                                {.name = "System.String", .required = true, .max = ir::Max::kOne},
                                {bar, x}, "&"));
          }
          in = f_.Or(in, w_.Some(a, w_.Some(b, one)));
        }
      }
    }
    truth.yes = f_.Or(truth.yes, w_.Some(piece, in));
    truth.no = f_.Or(truth.no, w_.Some(piece, f_.Not(in)));
  }
  return Of(truth);
}

}  // namespace weir::conform
