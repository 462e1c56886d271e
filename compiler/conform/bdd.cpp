#include "compiler/conform/bdd.h"

#include <algorithm>

namespace weir::conform {
namespace {

constexpr uint32_t kLeaf = 0xFFFFFFFF;
constexpr size_t kSmallTable = 1024,
                 kComputed = 8192;  // powers of two: most questions need a few hundred nodes

size_t Mix(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t h = a * 0x9E3779B97F4A7C15ull ^ b * 0xC2B2AE3D27D4EB4Full ^ c * 0x165667B19E3779F9ull;
  return static_cast<size_t>(h ^ (h >> 31));
}

}  // namespace

void Bdd::Clear(std::size_t most) {
  nodes_.clear();
  nodes_.push_back({kLeaf, 0, 0});
  nodes_.push_back({kLeaf, 1, 1});
  if (unique_.size() > kSmallTable) {
    unique_.clear();
  }
  unique_.assign(std::max(unique_.size(), kSmallTable), 0);
  computed_.resize(kComputed);
  ++age_;
  most_ = most;
  full_ = false;
}

void Bdd::Grow() {
  unique_.assign(2 * unique_.size(), 0);
  for (Ref at = 2; at < nodes_.size(); ++at) {
    size_t place = Mix(nodes_[at].variable, nodes_[at].low, nodes_[at].high) & (unique_.size() - 1);
    while (unique_[place] != 0) {
      place = (place + 1) & (unique_.size() - 1);
    }
    unique_[place] = at;
  }
}

Bdd::Ref Bdd::Make(uint32_t variable, Ref low, Ref high) {
  if (low == high) {
    return low;
  }
  size_t place = Mix(variable, low, high) & (unique_.size() - 1);
  for (; unique_[place] != 0; place = (place + 1) & (unique_.size() - 1)) {
    const Node& node = nodes_[unique_[place]];
    if (node.variable == variable && node.low == low && node.high == high) {
      return unique_[place];
    }
  }
  if (nodes_.size() >= most_) {
    full_ = true;
    return kFalse;
  }
  auto made = static_cast<Ref>(nodes_.size());
  nodes_.push_back({variable, low, high});
  unique_[place] = made;
  if (2 * nodes_.size() > unique_.size()) {
    Grow();
  }
  return made;
}

Bdd::Ref Bdd::Variable(uint32_t variable) { return Make(variable, kFalse, kTrue); }

Bdd::Ref Bdd::Ite(Ref f, Ref g, Ref h) {
  if (f == kTrue || g == h) {
    return g;
  }
  if (f == kFalse) {
    return h;
  }
  if (g == kTrue && h == kFalse) {
    return f;
  }
  if (full_) {
    return kFalse;
  }
  size_t place = Mix(f, g, h) & (kComputed - 1);
  if (const Computed& known = computed_[place];
      known.age == age_ && known.f == f && known.g == g && known.h == h) {
    return known.result;
  }
  uint32_t top = std::min({Top(f), Top(g), Top(h)});
  auto half = [&](Ref of, bool high) { return Top(of) != top ? of : high ? High(of) : Low(of); };
  Ref low = Ite(half(f, false), half(g, false), half(h, false));
  Ref high = Ite(half(f, true), half(g, true), half(h, true));
  Ref result = Make(top, low, high);
  computed_[place] = {f, g, h, result, age_};
  return result;
}

Bdd::Ref Bdd::With(Ref f, uint32_t variable, bool value) {
  if (Top(f) > variable) {
    return f;
  }
  if (Top(f) == variable) {
    return value ? High(f) : Low(f);
  }
  return Ite(Variable(Top(f)), With(High(f), variable, value), With(Low(f), variable, value));
}

void Bdd::Support(Ref f, std::set<uint32_t>* variables) const {
  std::set<Ref> seen;
  std::vector<Ref> open = {f};
  while (!open.empty()) {
    Ref at = open.back();
    open.pop_back();
    if (at <= kTrue || !seen.insert(at).second) {
      continue;
    }
    variables->insert(Top(at));
    open.push_back(Low(at));
    open.push_back(High(at));
  }
}

}  // namespace weir::conform
