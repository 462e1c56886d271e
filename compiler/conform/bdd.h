// Reduced ordered binary decision diagrams: every Boolean function of some variables is one number,
// so that equality is identity and `always` is a comparison. Bryant 1986; covers after Minato and
// Morreale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace weir::conform {

class Bdd {
 public:
  using Ref = uint32_t;
  static constexpr Ref kFalse = 0, kTrue = 1;

  Bdd() { Clear(0); }
  Ref Variable(uint32_t variable);
  Ref Ite(Ref f, Ref g, Ref h);
  Ref And(Ref f, Ref g) { return Ite(f, g, kFalse); }
  Ref Or(Ref f, Ref g) { return Ite(f, kTrue, g); }
  Ref Not(Ref f) { return Ite(f, kFalse, kTrue); }
  Ref With(Ref f, uint32_t variable, bool value);
  void Support(Ref f, std::set<uint32_t>* variables) const;

  uint32_t Top(Ref f) const { return nodes_[f].variable; }
  Ref Low(Ref f) const { return nodes_[f].low; }
  Ref High(Ref f) const { return nodes_[f].high; }

  // Forgets all functions; up to `most` nodes may be made. Past that it is `full` and results mean
  // nothing.
  void Clear(std::size_t most);
  bool full() const { return full_; }

 private:
  struct Node {
    uint32_t variable;
    Ref low, high;
  };
  struct Computed {  // a result that may be forgotten
    Ref f = 0, g = 0, h = 0, result = 0;
    uint32_t age = 0;
  };

  Ref Make(uint32_t variable, Ref low, Ref high);
  void Grow();

  std::vector<Node> nodes_;
  std::vector<Ref> unique_;  // open addressing; 0: free
  std::vector<Computed> computed_;
  uint32_t age_ = 0;  // of this question: older results do not count
  std::size_t most_ = 0;
  bool full_ = false;
};

}  // namespace weir::conform
