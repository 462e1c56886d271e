// Proofs about conditions, small and complete for what maps write: presence of paths and comparison of paths with
// literals. Each path takes every value that matters (absent, each literal it is compared with, anything else); a
// condition that can be true under none of these is impossible. What is not understood counts as free.
#include <algorithm>
#include <optional>

#include "compiler/check/generator.h"

namespace weir::check {
namespace {

using ir::Node;
using ir::Op;

constexpr size_t kMaxCases = 100'000;  // past it nothing is proved: a compile stays quick

const Node* Strip(const Node* node) {
  while (node->op == Op::kText) {
    node = node->kids[0];
  }
  return node;
}

bool IsPath(const Node* node) {
  node = Strip(node);
  switch (node->op) {
    case Op::kField: case Op::kComponent: case Op::kSubcomponent: case Op::kVar: case Op::kSegments: case Op::kGroups:
    case Op::kRepetition: case Op::kEvent: case Op::kLookup: case Op::kAuthority:
      return true;
    case Op::kCall:
      return node->text == "first" || node->text == "single" || node->text == "where" || node->text == "upper";
    default:
      return false;
  }
}

class Cases {
 public:
  void Collect(const Node* node) {
    if (node->op == Op::kBinary && node->kids.size() == 2) {
      for (int side = 0; side < 2; ++side) {
        const Node* path = node->kids[side];
        const Node* literal = node->kids[1 - side];
        if (IsPath(path) && literal->op == Op::kLiteral && (node->text == "=" || node->text == "!=")) {
          auto& values = Domain(Key(path));
          if (std::find(values.begin(), values.end(), "=" + literal->text) == values.end()) {
            values.push_back("=" + literal->text);
          }
        }
      }
    }
    if (IsPath(node)) {
      Domain(Key(node));
      return;
    }
    if (IsOpaque(node)) {
      opaque_.try_emplace(Print(*node), false);
    }
    for (const Node* kid : node->kids) {
      Collect(kid);
    }
  }

  // Whether some case makes all of them true.
  bool Satisfiable(const std::vector<const Node*>& all, const Node* negated) {
    size_t count = 1;
    for (const auto& [key, values] : domains_) {
      count *= values.size();
      if (count > kMaxCases) {
        return true;
      }
    }
    if (opaque_.size() > 8 || (count << opaque_.size()) > kMaxCases) {
      return true;
    }
    count <<= opaque_.size();
    for (size_t n = 0; n < count; ++n) {
      size_t rest = n;
      for (auto& [key, values] : domains_) {
        current_[key] = values[rest % values.size()];
        rest /= values.size();
      }
      for (auto& [key, value] : opaque_) {
        value = (rest & 1) != 0;
        rest >>= 1;
      }
      bool holds = negated == nullptr || Truth(negated) != std::optional<bool>(true);
      for (size_t i = 0; i < all.size() && holds; ++i) {
        holds = Truth(all[i]) == std::optional<bool>(true);
      }
      if (holds) {
        return true;
      }
    }
    return false;
  }

 private:
  static std::string Key(const Node* node) { return Print(*Strip(node)); }
  std::vector<std::string>& Domain(const std::string& key) {
    auto [slot, fresh] = domains_.try_emplace(key);
    if (fresh) {
      slot->second = {"", "*"};  // absent, anything else
    }
    return slot->second;
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
      auto found = current_.find(Key(node));
      return found == current_.end() || !found->second.empty();
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
    auto found = opaque_.find(Print(*node));
    return found != opaque_.end() && found->second;
  }

  std::optional<bool> Truth(const Node* node) {
    if (node->op == Op::kLiteral && node->type.name == "System.Boolean") {
      return node->text == "true";
    }
    if (node->op == Op::kCall && node->text == "exists" && node->kids.size() == 1) {
      return Present(node->kids[0]);
    }
    if (node->op == Op::kCall && node->text == "empty") {
      return !Present(node->kids[0]);
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
          const std::string& value = current_[Key(path)];
          if (value.empty()) {
            return std::nullopt;
          }
          return (value == "=" + literal->text) == (op == "=");
        }
      }
    }
    auto found = opaque_.find(Print(*node));
    return found != opaque_.end() ? std::optional<bool>(found->second) : Free(node);
  }
  std::optional<bool> Free(const Node* node) {
    // A comparison we do not understand: registered on first sight would change the enumeration, so it is taken as true,
    // which can only fail to prove something when it stands un-negated.
    return node->op != Op::kEmpty ? std::optional<bool>(true) : std::nullopt;
  }

  std::map<std::string, std::vector<std::string>> domains_;
  std::map<std::string, bool> opaque_;
  std::map<std::string, std::string> current_;
};

}  // namespace

bool Generator::Disjoint(const Node* a, const Node* b) const {
  if (a == nullptr || b == nullptr) {
    return false;
  }
  Cases cases;
  std::vector<const Node*> all = {a, b};
  for (const Node* node : all) {
    cases.Collect(node);
  }
  return !cases.Satisfiable(all, nullptr);
}

bool Generator::Proved(const Node* goal) const {
  if (goal == nullptr) {
    return true;
  }
  Cases cases;
  std::vector<const Node*> all(assumptions_.begin(), assumptions_.end());
  cases.Collect(goal);
  for (const Node* node : all) {
    cases.Collect(node);
  }
  return !cases.Satisfiable(all, goal);
}

}  // namespace weir::check
