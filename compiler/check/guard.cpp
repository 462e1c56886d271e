// Proofs about conditions, small and complete for what maps write: presence of paths and comparison of paths with
// literals. Each path takes every value that matters (absent, each literal it is compared with, anything else); a
// condition that can be true under none of these is impossible. What is not understood counts as free.
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "compiler/check/generator.h"

namespace weir::check {
namespace {

using ir::Node;
using ir::Op;

constexpr size_t kMaxCases = 100'000;  // past it nothing is proved: a compile stays quick

// What `let` bound, by slot: slots are unique in a function, so one map serves all conditions of one question.
using Bindings = std::map<int64_t, const Node*>;

void FindBindings(const Node* node, Bindings* bindings) {
  if (node->op == Op::kLet) {
    bindings->emplace(node->number, node->kids[0]);
  }
  for (const Node* kid : node->kids) {
    FindBindings(kid, bindings);
  }
}

bool IsPath(const Node* node) {
  switch (node->op) {
    case Op::kText: return IsPath(node->kids[0]);
    case Op::kField: case Op::kComponent: case Op::kSubcomponent: case Op::kVar: case Op::kSegments: case Op::kGroups:
    case Op::kRepetition: case Op::kEvent: case Op::kLookup: case Op::kAuthority:
      return true;
    case Op::kCall:
      return (node->text == "first" || node->text == "single" || node->text == "where" || node->text == "upper") && IsPath(node->kids[0]);
    default:
      return false;
  }
}

void Conjuncts(const Node* node, std::vector<const Node*>* out) {
  if (node->op == Op::kBinary && node->text == "and") {
    Conjuncts(node->kids[0], out);
    Conjuncts(node->kids[1], out);
  } else {
    out->push_back(node);
  }
}

// The value a node stands for: without its static types, for one path over one record is one value whatever shape it was
// checked against, and with the slots that are bound inside counted from their binder, for each check draws fresh ones.
class Identity {
 public:
  Identity(const Node* node, const Bindings& bindings) : bindings_(bindings) { Write(node); }
  std::string Take() { return std::move(out_); }

 private:
  void Write(const Node* node) {
    if (auto known = node->op == Op::kVar ? bindings_.find(node->number) : bindings_.end(); known != bindings_.end()) {
      return Write(known->second);
    }
    out_ += static_cast<char>(node->op);
    out_ += node->text;
    out_ += '(';
    bool binds = node->op == Op::kLet || node->op == Op::kEach || node->op == Op::kCall;
    if (node->op == Op::kVar) {
      auto binder = std::find_if(bound_.rbegin(), bound_.rend(), [&](int64_t slot) { return node->number >= slot && node->number < slot + 3; });
      if (binder == bound_.rend()) {
        out_ += std::to_string(node->number);
      } else {
        out_ += '^' + std::to_string(binder - bound_.rbegin()) + '+' + std::to_string(node->number - *binder);
      }
    } else if (!binds) {
      out_ += std::to_string(node->number);
    } else {
      bound_.push_back(node->number);
    }
    for (const Node* kid : node->kids) {
      Write(kid);
    }
    if (binds) {
      bound_.pop_back();
    }
    out_ += ')';
  }

  const Bindings& bindings_;
  std::string out_;
  std::vector<int64_t> bound_;
};

// What conditions hang on, numbered: paths, and conditions that are not understood and may be true or false.
class Cases {
 public:
  explicit Cases(const std::vector<const Node*>& nodes) {
    for (const Node* node : nodes) {
      FindBindings(node, &bindings_);
    }
    for (const Node* node : nodes) {
      Collect(node);
    }
    FindImplications();
  }

  // Whether some case makes all of them true, and `negated` not.
  bool Satisfiable(const std::vector<const Node*>& all, const Node* negated) {
    size_t count = 1;
    for (const Unknown& unknown : unknowns_) {
      count *= unknown.values.size();
      if (count > kMaxCases) {
        return true;
      }
    }
    for (size_t n = 0; n < count; ++n) {
      size_t rest = n;
      for (Unknown& unknown : unknowns_) {
        unknown.current = rest % unknown.values.size();
        rest /= unknown.values.size();
      }
      bool possible = std::none_of(implied_.begin(), implied_.end(), [this](const auto& pair) {
        return unknowns_[pair.first].current != 0 && unknowns_[pair.second].current == 0;
      });
      if (possible && (negated == nullptr || Truth(negated) != std::optional<bool>(true)) &&
          std::all_of(all.begin(), all.end(), [this](const Node* node) { return Truth(node) == std::optional<bool>(true); })) {
        return true;
      }
    }
    return false;
  }

  // Whether the node hangs on something that these cases hang on.
  bool Shares(const Node* node) {
    if (Number(node) != kNone || (IsPath(node) && Number(Strip(node)) != kNone)) {
      return true;
    }
    return std::any_of(node->kids.begin(), node->kids.end(), [this](const Node* kid) { return Shares(kid); });
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);
  struct Unknown {
    std::vector<std::string> values = {"", "*"};  // absent or false, anything else or true; then the literals compared with
    size_t current = 0;
  };

  void Collect(const Node* node) {
    if (node->op == Op::kLet) {
      Collect(node->kids[0]);
      return Collect(node->kids[1]);
    }
    if (node->op == Op::kBinary && node->kids.size() == 2) {
      for (int side = 0; side < 2; ++side) {
        const Node* path = node->kids[side];
        const Node* literal = node->kids[1 - side];
        if (IsPath(path) && literal->op == Op::kLiteral && (node->text == "=" || node->text == "!=")) {
          auto& values = unknowns_[Learn(Strip(path))].values;
          if (std::find(values.begin(), values.end(), "=" + literal->text) == values.end()) {
            values.push_back("=" + literal->text);
          }
        }
      }
    }
    if (IsPath(node)) {
      Learn(Strip(node));
      paths_.push_back(Strip(node));
      return;
    }
    if (IsOpaque(node)) {
      Learn(node);
    }
    for (const Node* kid : node->kids) {
      Collect(kid);
    }
  }

  size_t Learn(const Node* node) {
    auto [number, fresh] = numbers_.try_emplace(Identity(node, bindings_).Take(), unknowns_.size());
    if (fresh) {
      unknowns_.emplace_back();
    }
    known_[node] = number->second;
    return number->second;
  }
  size_t Number(const Node* node) {
    auto [known, fresh] = known_.try_emplace(node, kNone);
    if (fresh) {
      auto number = numbers_.find(Identity(node, bindings_).Take());
      known->second = number == numbers_.end() ? kNone : number->second;
    }
    return known->second;
  }

  // A component is there only where its field is; a first item only and always where there is an item.
  void FindImplications() {
    for (const Node* path : paths_) {
      size_t number = Number(path);
      bool same = true;
      const Node* at = path;
      while (!at->kids.empty()) {
        same = same && at->op == Op::kCall && at->text == "first";
        at = Strip(at->kids[0]);
        if (size_t around = Number(at); around != kNone) {
          implied_.emplace_back(number, around);
          if (same) {
            implied_.emplace_back(around, number);
          }
        }
      }
    }
  }

  const Node* Strip(const Node* node) const {
    while (true) {
      auto known = node->op == Op::kVar ? bindings_.find(node->number) : bindings_.end();
      if (known != bindings_.end()) {
        node = known->second;
      } else if (node->op == Op::kText) {
        node = node->kids[0];
      } else {
        return node;
      }
    }
  }
  static bool IsOpaque(const Node* node) {
    if (node->op == Op::kBinary || node->op == Op::kUnary || node->op == Op::kLiteral || node->op == Op::kEmpty ||
        node->op == Op::kText || node->op == Op::kKey || node->op == Op::kLet) {
      return false;
    }
    return !(node->op == Op::kCall && (node->text == "exists" || node->text == "empty" || node->text == "not" ||
                                       node->text == "iif" || node->text == "first"));
  }

  bool Present(const Node* node) {
    node = Strip(node);
    if (IsPath(node)) {
      size_t number = Number(node);
      return number == kNone || unknowns_[number].current != 0;
    }
    if (node->op == Op::kLiteral || node->type.required) {
      return true;
    }
    if (node->op == Op::kEmpty) {
      return false;
    }
    if (node->op == Op::kKey) {
      return std::all_of(node->kids.begin(), node->kids.end(), [this](const Node* kid) { return Present(kid); });
    }
    if (node->op == Op::kLet) {
      return Present(node->kids[1]);
    }
    if (node->op == Op::kCall && (node->text == "first" || node->text == "single")) {
      return Present(node->kids[0]);
    }
    if (node->op == Op::kBinary && node->text == "&") {
      return Present(node->kids[0]) || Present(node->kids[1]);
    }
    if (node->op == Op::kCall && node->text == "iif" && node->kids.size() >= 3) {
      bool yes = Truth(node->kids[1]) == std::optional<bool>(true);
      return yes ? Present(node->kids[2]) : node->kids.size() > 3 && Present(node->kids[3]);
    }
    if (node->op == Op::kCall && (node->text == "combine" || node->text == "union")) {
      return Present(node->kids[0]) || Present(node->kids[1]);
    }
    size_t number = Number(node);
    return number != kNone && unknowns_[number].current != 0;
  }

  std::optional<bool> Truth(const Node* node) {
    if (node->op == Op::kLet) {
      return Truth(node->kids[1]);
    }
    if (node->op == Op::kLiteral && node->type.name == "System.Boolean") {
      return node->text == "true";
    }
    if (node->op == Op::kCall && node->text == "exists" && node->kids.size() == 1) {
      return Present(node->kids[0]);
    }
    if (node->op == Op::kCall && node->text == "empty") {
      return !Present(node->kids[0]);
    }
    if (node->op == Op::kFits && !Present(node->kids[0])) {
      return false;
    }
    if (node->op == Op::kCall && node->text == "not") {
      auto inner = Truth(node->kids[0]);
      return inner ? std::optional<bool>(!*inner) : std::nullopt;
    }
    if (node->op == Op::kBinary && node->kids.size() == 2) {
      const std::string& op = node->text;
      if (op == "and" || op == "or") {
        auto a = Truth(node->kids[0]), b = Truth(node->kids[1]);
        bool decides = op == "or";
        if (a == std::optional<bool>(decides) || b == std::optional<bool>(decides)) {
          return decides;
        }
        return a && b ? std::optional<bool>(!decides) : std::nullopt;
      }
      for (int side = 0; side < 2; ++side) {
        const Node* path = node->kids[side];
        const Node* literal = node->kids[1 - side];
        if (IsPath(path) && literal->op == Op::kLiteral && (op == "=" || op == "!=")) {
          size_t number = Number(Strip(path));
          if (number == kNone || unknowns_[number].current == 0) {
            return std::nullopt;
          }
          const Unknown& unknown = unknowns_[number];
          return (unknown.values[unknown.current] == "=" + literal->text) == (op == "=");
        }
      }
    }
    size_t number = Number(node);
    if (number != kNone) {
      return unknowns_[number].current != 0;
    }
    // Not understood and not numbered: taken as true, which can only fail to prove something.
    return node->op != Op::kEmpty ? std::optional<bool>(true) : std::nullopt;
  }

  Bindings bindings_;
  std::vector<Unknown> unknowns_;
  std::unordered_map<std::string, size_t> numbers_;
  std::unordered_map<const Node*, size_t> known_;
  std::vector<const Node*> paths_;
  std::vector<std::pair<size_t, size_t>> implied_;  // where the first is present, so is the second
};

}  // namespace

bool Generator::Disjoint(const Node* a, const Node* b) const {
  if (a == nullptr || b == nullptr) {
    return false;
  }
  auto exclude = [](const Node* one, const Node* other) {
    return !Cases({one, other}).Satisfiable({one, other}, nullptr);
  };
  // Parts first: the written conditions decide as a rule, and few cases mean that nothing is given up for their number.
  std::vector<const Node*> left, right;
  Conjuncts(a, &left);
  Conjuncts(b, &right);
  for (const Node* one : left) {
    for (const Node* other : right) {
      if (exclude(one, other)) {
        return true;
      }
    }
  }
  return exclude(a, b);
}

// Part by part: a key is there when its parts are, and few paths at a time keep the cases few.
bool Generator::KeyProved(const Node* key) {
  return std::all_of(key->kids.begin(), key->kids.end(), [this](const Node* part) {
    return Proved(Exists(part)) || (part->op == Op::kKey && KeyProved(part));
  });
}

bool Generator::Proved(const Node* goal) const {
  if (goal == nullptr) {
    return true;
  }
  if (!Cases({goal}).Satisfiable({}, goal)) {
    return true;  // by itself: what is assumed would only add cases
  }
  Cases own({goal});
  std::vector<const Node*> all;
  for (const Node* assumption : assumptions_) {
    if (own.Shares(assumption)) {  // what speaks of nothing in the goal would only multiply the cases
      all.push_back(assumption);
    }
  }
  std::vector<const Node*> nodes = all;
  nodes.push_back(goal);
  return !Cases(nodes).Satisfiable(all, goal);
}

}  // namespace weir::check
