#include "compiler/lower/regex.h"

#include <algorithm>
#include <utility>

namespace weir::lower {
namespace {

using kernel::RegexStep;

constexpr uint32_t kLastPoint = 0x10FFFF;
constexpr uint32_t kMaxRepeat = 1000;   // as RE2's
constexpr size_t kMaxSteps = 4000;      // bounds a kernel's lists of threads
constexpr uint32_t kMaxNesting = 100;   // bounds this parser's stack
constexpr uint32_t kUnbounded = 0xFFFFFFFF;

using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;

Ranges Sorted(Ranges in) {
  std::sort(in.begin(), in.end());
  Ranges out;
  for (const auto& [first, last] : in) {
    if (!out.empty() && first <= out.back().second + 1) {
      out.back().second = std::max(out.back().second, last);
    } else {
      out.push_back({first, last});
    }
  }
  return out;
}

Ranges Negated(const Ranges& in) {
  Ranges out;
  uint32_t next = 0;
  for (const auto& [first, last] : Sorted(in)) {
    if (first > next) {
      out.push_back({next, first - 1});
    }
    next = last + 1;
  }
  if (next <= kLastPoint) {
    out.push_back({next, kLastPoint});
  }
  return out;
}

// The other cases of ASCII letters; two letters outside ASCII fold to them.
Ranges Folded(Ranges in) {
  Ranges out = in;
  for (const auto& [first, last] : in) {
    for (uint32_t c = first; c <= std::min(last, uint32_t{'z'}); ++c) {
      uint32_t low = c | 0x20;
      if (low >= 'a' && low <= 'z') {
        out.push_back({low, low});
        out.push_back({low - 32, low - 32});
        if (low == 'k' || low == 's') {
          uint32_t other = low == 'k' ? 0x212A : 0x17F;
          out.push_back({other, other});
        }
      }
    }
  }
  return Sorted(out);
}

bool PerlClass(uint32_t letter, Ranges* out) {
  switch (letter | 0x20) {
    case 'd': *out = {{'0', '9'}}; break;
    case 's': *out = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}; break;
    case 'w': *out = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}; break;
    default: return false;
  }
  return true;
}

struct Tree {
  enum class Kind : uint8_t { kEmpty, kRange, kAssert, kSequence, kChoice, kRepeat, kGroup };
  Kind kind = Kind::kEmpty;
  Ranges ranges;
  kernel::RegexOp assertion = kernel::kAtBegin;
  uint32_t least = 0, most = 0;  // kRepeat
  bool greedy = true;
  uint32_t group = 0;
  std::vector<Tree> kids;

  bool Nullable() const {
    switch (kind) {
      case Kind::kRange: return false;
      case Kind::kEmpty:
      case Kind::kAssert: return true;
      case Kind::kSequence: return std::all_of(kids.begin(), kids.end(), [](const Tree& kid) { return kid.Nullable(); });
      case Kind::kChoice: return std::any_of(kids.begin(), kids.end(), [](const Tree& kid) { return kid.Nullable(); });
      case Kind::kRepeat: return least == 0 || kids[0].Nullable();
      case Kind::kGroup: return kids[0].Nullable();
    }
    return true;
  }
};

class Parser {
 public:
  Parser(std::string_view text, bool ignore_case) : text_(text), ignore_case_(ignore_case) {}

  std::optional<Tree> Parse() {
    Tree tree = Choice(0);
    return ok_ && at_ == text_.size() ? std::optional<Tree>(std::move(tree)) : std::nullopt;
  }
  uint32_t groups() const { return groups_; }

 private:
  Tree Fail() {
    ok_ = false;
    return {};
  }
  bool More() const { return ok_ && at_ < text_.size(); }
  bool Take(std::string_view what) {
    bool is = text_.substr(at_).starts_with(what);
    at_ += is ? what.size() : 0;
    return is;
  }
  uint32_t Point() {  // the pattern is valid UTF-8
    auto byte = static_cast<uint8_t>(text_[at_++]);
    uint32_t point = byte < 0x80 ? byte : byte < 0xE0 ? byte & 31 : byte < 0xF0 ? byte & 15 : byte & 7;
    while (at_ < text_.size() && (static_cast<uint8_t>(text_[at_]) & 0xC0) == 0x80) {
      point = point << 6 | (static_cast<uint8_t>(text_[at_++]) & 63);
    }
    ok_ = ok_ && !(ignore_case_ && point >= 0x80);  // Unicode's foldings are not known here
    return point;
  }
  Tree Range(Ranges ranges) const {
    Tree tree;
    tree.kind = Tree::Kind::kRange;
    tree.ranges = ignore_case_ ? Folded(std::move(ranges)) : Sorted(std::move(ranges));
    return tree;
  }

  Tree Choice(uint32_t depth) {
    if (depth > kMaxNesting) {
      return Fail();
    }
    Tree choice;
    choice.kind = Tree::Kind::kChoice;
    do {
      Tree sequence;
      sequence.kind = Tree::Kind::kSequence;
      while (More() && text_[at_] != '|' && text_[at_] != ')') {
        sequence.kids.push_back(Repeated(depth));
      }
      choice.kids.push_back(std::move(sequence));
    } while (ok_ && Take("|"));
    return choice.kids.size() == 1 ? std::move(choice.kids[0]) : choice;
  }

  Tree Repeated(uint32_t depth) {
    Tree atom = Atom(depth);
    uint32_t least = 0, most = 0;
    if (!ok_ || !Quantifier(&least, &most)) {
      return atom;
    }
    Tree repeat;
    repeat.kind = Tree::Kind::kRepeat;
    repeat.least = least;
    repeat.most = most;
    repeat.greedy = !Take("?");
    repeat.kids.push_back(std::move(atom));
    // RE2 refuses a repeated repetition of operators, and so do we; of a counted one it is as rare as it is unclear.
    uint32_t ignored = 0;
    return Quantifier(&ignored, &ignored) ? Fail() : repeat;
  }

  bool Quantifier(uint32_t* least, uint32_t* most) {
    if (Take("*") || Take("+")) {
      *least = text_[at_ - 1] == '+' ? 1 : 0;
      *most = kUnbounded;
      return true;
    }
    if (Take("?")) {
      *least = 0;
      *most = 1;
      return true;
    }
    size_t begin = at_;
    if (!Take("{") || !Count(least)) {
      at_ = begin;
      return false;
    }
    *most = *least;
    if (Take(",")) {
      *most = kUnbounded;
      Count(most);
    }
    if (!Take("}")) {
      at_ = begin;
      return false;
    }
    ok_ = ok_ && *least <= kMaxRepeat && (*most == kUnbounded || (*most <= kMaxRepeat && *most >= *least));
    return true;
  }
  bool Count(uint32_t* out) {
    size_t begin = at_;
    uint32_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && value < 100000; ++at_) {
      value = value * 10 + static_cast<uint32_t>(text_[at_] - '0');
    }
    if (at_ != begin) {
      *out = value;
    }
    return at_ != begin;
  }

  Tree Assert(kernel::RegexOp op) {
    Tree tree;
    tree.kind = Tree::Kind::kAssert;
    tree.assertion = op;
    return tree;
  }

  Tree Atom(uint32_t depth) {
    if (Take("(")) {
      bool captures = !Take("?:");
      if (captures && Take("?")) {
        return Fail();  // flags and names
      }
      Tree group;
      group.kind = Tree::Kind::kGroup;
      group.group = captures ? ++groups_ : 0;
      group.kids.push_back(Choice(depth + 1));
      return Take(")") ? group : Fail();
    }
    if (Take("[")) {
      return Class();
    }
    if (Take(".")) {
      return Range({{0, kLastPoint}});  // line ends too, as FHIRPath asks
    }
    if (Take("^") || Take("\\A")) {
      return Assert(kernel::kAtBegin);
    }
    if (Take("$") || Take("\\z")) {
      return Assert(kernel::kAtEnd);
    }
    if (Take("\\b")) {
      return Assert(kernel::kWordEdge);
    }
    if (Take("\\B")) {
      return Assert(kernel::kNoWordEdge);
    }
    if (Take("\\")) {
      Ranges ranges;
      return Escape(&ranges) ? Range(std::move(ranges)) : Fail();
    }
    if (text_[at_] == '*' || text_[at_] == '+' || text_[at_] == '?') {
      return Fail();
    }
    uint32_t point = Point();
    return Range({{point, point}});
  }

  // After a backslash: a class or one character.
  bool Escape(Ranges* out) {
    if (at_ == text_.size()) {
      return false;
    }
    uint32_t letter = Point();
    if (PerlClass(letter, out)) {
      if (letter < 'a') {
        *out = Negated(ignore_case_ ? Folded(*out) : *out);
      }
      return true;
    }
    constexpr std::pair<char, char> kControls[] = {{'a', '\a'}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'v', '\v'}};
    for (const auto& [name, control] : kControls) {
      if (letter == static_cast<uint32_t>(name)) {
        *out = {{static_cast<uint32_t>(control), static_cast<uint32_t>(control)}};
        return true;
      }
    }
    bool word = (letter >= '0' && letter <= '9') || letter == '_' || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z');
    *out = {{letter, letter}};
    return !word && letter < 0x80;  // octal, hexadecimal and Unicode classes are not
  }

  Tree Class() {
    bool negated = Take("^");
    Ranges all;
    for (bool first = true; ok_ && (first || !Take("]")); first = false) {
      if (at_ == text_.size() || text_.substr(at_).starts_with("[:")) {
        return Fail();
      }
      Ranges low = ClassAtom();
      if (ok_ && low.size() == 1 && low[0].first == low[0].second && at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        ++at_;
        Ranges high = ClassAtom();
        if (!ok_ || high.size() != 1 || high[0].first != high[0].second || high[0].first < low[0].first) {
          return Fail();
        }
        low[0].second = high[0].first;
      }
      all.insert(all.end(), low.begin(), low.end());
    }
    if (negated) {
      all = Negated(ignore_case_ ? Folded(all) : all);
      Tree tree;
      tree.kind = Tree::Kind::kRange;
      tree.ranges = std::move(all);
      return tree;
    }
    return Range(std::move(all));
  }
  Ranges ClassAtom() {
    Ranges out;
    if (at_ == text_.size()) {
      ok_ = false;
    } else if (Take("\\")) {
      ok_ = Escape(&out) && ok_;
    } else {
      uint32_t point = Point();
      out = {{point, point}};
    }
    return out;
  }

  std::string_view text_;
  bool ignore_case_;
  size_t at_ = 0;
  uint32_t groups_ = 0;
  bool ok_ = true;
};

class Coder {
 public:
  RegexProgram program;

  bool Code(const Tree& tree) {
    if (program.steps.size() > kMaxSteps) {
      return false;
    }
    switch (tree.kind) {
      case Tree::Kind::kEmpty: return true;
      case Tree::Kind::kAssert: Step(tree.assertion); return true;
      case Tree::Kind::kRange:
        Step(kernel::kRange, static_cast<uint32_t>(program.ranges.size() / 2), static_cast<uint32_t>(tree.ranges.size()));
        for (const auto& [first, last] : tree.ranges) {
          program.ranges.push_back(first);
          program.ranges.push_back(last);
        }
        return true;
      case Tree::Kind::kSequence: return std::all_of(tree.kids.begin(), tree.kids.end(), [this](const Tree& kid) { return Code(kid); });
      case Tree::Kind::kChoice: return CodeChoice(tree);
      case Tree::Kind::kRepeat: return CodeRepeat(tree);
      case Tree::Kind::kGroup:
        if (tree.group == 0) {
          return Code(tree.kids[0]);
        }
        Step(kernel::kSave, 2 * tree.group);
        if (!Code(tree.kids[0])) {
          return false;
        }
        Step(kernel::kSave, 2 * tree.group + 1);
        return true;
    }
    return false;
  }
  void Step(kernel::RegexOp op, uint32_t x = 0, uint32_t y = 0) { program.steps.push_back({op, x, y}); }

 private:
  uint32_t Here() const { return static_cast<uint32_t>(program.steps.size()); }

  bool CodeChoice(const Tree& tree) {
    std::vector<uint32_t> jumps;
    for (size_t i = 0; i < tree.kids.size(); ++i) {
      bool last = i + 1 == tree.kids.size();
      uint32_t split = Here();
      if (!last) {
        Step(kernel::kSplit, split + 1);
      }
      if (!Code(tree.kids[i])) {
        return false;
      }
      if (!last) {
        jumps.push_back(Here());
        Step(kernel::kJump);
        program.steps[split].y = Here();
      }
    }
    for (uint32_t jump : jumps) {
      program.steps[jump].x = Here();
    }
    return true;
  }

  // A split that prefers going on to `inside`, or for a lazy one leaving; the way out is patched.
  uint32_t Split(bool greedy, uint32_t inside) {
    uint32_t at = Here();
    greedy ? Step(kernel::kSplit, inside, 0) : Step(kernel::kSplit, 0, inside);
    return at;
  }
  void LeaveAt(uint32_t split, bool greedy) { (greedy ? program.steps[split].y : program.steps[split].x) = Here(); }

  bool CodePlus(const Tree& body, bool greedy) {
    uint32_t begin = Here();
    if (!Code(body)) {
      return false;
    }
    uint32_t split = Split(greedy, begin);
    LeaveAt(split, greedy);
    return true;
  }

  bool CodeRepeat(const Tree& tree) {
    const Tree& body = tree.kids[0];
    bool unbounded = tree.most == kUnbounded;
    for (uint32_t i = 0; i + (unbounded ? 1 : 0) < tree.least; ++i) {
      if (!Code(body)) {
        return false;
      }
    }
    if (unbounded && tree.least > 0) {
      return CodePlus(body, tree.greedy);
    }
    if (unbounded && body.Nullable()) {  // (x+)? keeps the priorities that x* would lose, as in RE2
      uint32_t split = Split(tree.greedy, Here() + 1);
      bool ok = CodePlus(body, tree.greedy);
      LeaveAt(split, tree.greedy);
      return ok;
    }
    if (unbounded) {
      uint32_t split = Split(tree.greedy, Here() + 1);
      if (!Code(body)) {
        return false;
      }
      Step(kernel::kJump, split);
      LeaveAt(split, tree.greedy);
      return true;
    }
    std::vector<uint32_t> splits;  // (x(x(x)?)?)?
    for (uint32_t i = tree.least; i < tree.most; ++i) {
      splits.push_back(Split(tree.greedy, Here() + 1));
      if (!Code(body)) {
        return false;
      }
    }
    for (uint32_t split : splits) {
      LeaveAt(split, tree.greedy);
    }
    return true;
  }
};

}  // namespace

std::optional<RegexProgram> CompileRegex(std::string_view pattern, bool ignore_case) {
  Parser parser(pattern, ignore_case);
  auto tree = parser.Parse();
  if (!tree) {
    return std::nullopt;
  }
  Coder coder;
  coder.Step(kernel::kSave, 0);
  bool ok = coder.Code(*tree);
  coder.Step(kernel::kSave, 1);
  coder.Step(kernel::kMatch);
  if (!ok || coder.program.steps.size() > kMaxSteps) {
    return std::nullopt;
  }
  coder.program.groups = parser.groups();
  return std::move(coder.program);
}

}  // namespace weir::lower
