// Regular expressions: all threads of a compiled program in step over the text (Pike), so time is linear in it.
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

struct Threads {
  uint32_t* steps;      // in order of preference
  uint32_t* positions;  // by step: where the thread stands in `steps`
  uint32_t* captures;   // by place in `steps`
  uint32_t count;
};

struct Search {
  Context* c;
  const Regex* regex;
  Text text;
  uint32_t width;  // captures of a thread
  Threads now, next;
  uint32_t* stack;  // triples of a step to follow, or of a capture to put back
  uint32_t* work;   // captures on the way
  uint32_t* best;   // of the match found
  bool full;        // only a match up to the end counts
};

constexpr uint32_t kRestore = 0x80000000u;

bool Prepare(Context* c, const Regex* regex, Text text, bool full, Search* s) {
  uint32_t n = regex->step_count;
  s->c = c;
  s->regex = regex;
  s->text = text;
  s->full = full;
  s->width = 2 * (regex->groups + 1);
  uint64_t words = uint64_t{2} * n * (2 + s->width) + uint64_t{4} * n + 8 + 2 * s->width;
  auto* p = reinterpret_cast<uint32_t*>(NewBytes(c, words * sizeof(uint32_t)));
  if (p == nullptr) {
    return false;
  }
  Threads* both[] = {&s->now, &s->next};
  for (Threads* t : both) {
    *t = {p, p + n, p + 2 * n, 0};
    for (uint32_t i = 0; i < n; ++i) {
      t->positions[i] = 0;
    }
    p += n * (2 + s->width);
  }
  s->work = p;
  s->best = p + s->width;
  s->stack = p + 2 * s->width;
  return true;
}

WK_INLINE bool IsWord(uint8_t b) { return Digit(b) || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b == '_'; }
bool AtWordEdge(Text t, uint32_t at) {
  bool before = at != 0 && IsWord(t.p[at - 1]), after = at != t.n && IsWord(t.p[at]);
  return before != after;
}

// Follows everything that takes no character from `step`, in order of preference.
void Add(Search* s, Threads* threads, uint32_t step, uint32_t at) {
  uint32_t depth = 0;
  auto push = [&](uint32_t what, uint32_t value) {
    s->stack[depth++] = what;
    s->stack[depth++] = value;
  };
  push(step, 0);
  while (depth != 0) {
    uint32_t value = s->stack[--depth], what = s->stack[--depth];
    if ((what & kRestore) != 0) {
      s->work[what & ~kRestore] = value;
      continue;
    }
    uint32_t known = threads->positions[what];
    if (known < threads->count && threads->steps[known] == what) {
      continue;
    }
    threads->positions[what] = threads->count;
    threads->steps[threads->count] = what;
    uint32_t* captures = threads->captures + uint64_t{threads->count} * s->width;
    ++threads->count;
    const RegexStep& r = s->regex->steps[what];
    switch (r.op) {
      case kSplit:
        push(r.y, 0);
        push(r.x, 0);
        break;
      case kJump: push(r.x, 0); break;
      case kSave:
        push(kRestore | r.x, s->work[r.x]);
        s->work[r.x] = at;
        push(what + 1, 0);
        break;
      case kAtBegin:
        if (at == 0) {
          push(what + 1, 0);
        }
        break;
      case kAtEnd:
        if (at == s->text.n) {
          push(what + 1, 0);
        }
        break;
      case kWordEdge:
      case kNoWordEdge:
        if (AtWordEdge(s->text, at) == (r.op == kWordEdge)) {
          push(what + 1, 0);
        }
        break;
      default:  // waits for a character, or is a match
        for (uint32_t i = 0; i < s->width; ++i) {
          captures[i] = s->work[i];
        }
    }
  }
}

bool InRanges(const Regex& regex, const RegexStep& step, uint32_t point) {
  const uint32_t* ranges = regex.ranges + uint64_t{2} * step.x;
  uint32_t low = 0, high = step.y;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (point > ranges[2 * middle + 1]) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < step.y && point >= ranges[2 * low];
}

uint32_t PointAt(Text t, uint32_t at, uint32_t* size) {
  uint8_t b = t.p[at];
  uint32_t n = b < 0xC0 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4, point = n == 1 ? b : b & (0x7F >> n);
  for (*size = 1; *size < n && at + *size < t.n; ++*size) {
    point = point << 6 | (t.p[at + *size] & 63);
  }
  return point;
}

// The leftmost match from `from` on, the preferred one of those; its captures are in `best`.
bool Find(Search* s, uint32_t from, bool anchored) {
  bool found = false;
  s->now.count = 0;
  for (uint32_t at = from;;) {
    if (!found && (!anchored || at == from)) {
      for (uint32_t i = 0; i < s->width; ++i) {
        s->work[i] = kNoNode;
      }
      Add(s, &s->now, 0, at);
    }
    if (s->now.count == 0 && (found || anchored)) {
      return found;
    }
    uint32_t size = 0, point = at < s->text.n ? PointAt(s->text, at, &size) : 0;
    s->next.count = 0;
    for (uint32_t i = 0; i < s->now.count; ++i) {
      const RegexStep& r = s->regex->steps[s->now.steps[i]];
      const uint32_t* captures = s->now.captures + uint64_t{i} * s->width;
      if (r.op == kRange && size != 0 && InRanges(*s->regex, r, point)) {
        for (uint32_t k = 0; k < s->width; ++k) {
          s->work[k] = captures[k];
        }
        Add(s, &s->next, s->now.steps[i] + 1, at + size);
      } else if (r.op == kMatch && (!s->full || at == s->text.n)) {
        for (uint32_t k = 0; k < s->width; ++k) {
          s->best[k] = captures[k];
        }
        found = true;
        break;  // what comes after is less preferred
      }
    }
    if (at == s->text.n) {
      return found;
    }
    at += size;
    Threads swap = s->now;
    s->now = s->next;
    s->next = swap;
  }
}

Coll Matches(Context* c, const Coll* in, const Regex* regex, bool full) {
  Text t;
  Search s;
  if (!SingleText(c, *in, &t) || regex == nullptr || !Prepare(c, regex, t, full, &s)) {
    return Empty();
  }
  return OneBoolean(c, Find(&s, 0, full));
}

// `$1` stands for a group; false: there is no such group.
bool Substitute(const Search& s, Text substitution, uint8_t** out, const uint8_t* end) {
  auto put = [&](Text t) {
    if (static_cast<uint64_t>(end - *out) < t.n) {
      s.c->scratch_full = 1;
      return;
    }
    Copy(*out, t.p, t.n);
    *out += t.n;
  };
  for (uint32_t i = 0; i < substitution.n; ++i) {
    if (substitution.p[i] != '$' || i + 1 == substitution.n || !Digit(substitution.p[i + 1])) {
      put({substitution.p + i, 1});
      continue;
    }
    uint32_t group = substitution.p[++i] - '0', begin = s.best[2 * group], past = s.best[2 * group + 1];
    if (begin != kNoNode && past != kNoNode) {
      put({s.text.p + begin, past - begin});
    }
  }
  return s.c->scratch_full == 0;
}

bool GroupsExist(const Regex& regex, Text substitution) {
  for (uint32_t i = 0; i + 1 < substitution.n; ++i) {
    if (substitution.p[i] == '$' && Digit(substitution.p[i + 1]) && static_cast<uint32_t>(substitution.p[i + 1] - '0') > regex.groups) {
      return false;
    }
  }
  return true;
}

}  // namespace

extern "C" {

// A null regex: the pattern is empty (`{}`), so is the answer.
Coll wf_matches(Context* c, const Coll* in, const Regex* regex) { return Matches(c, in, regex, false); }
Coll wf_matchesFull(Context* c, const Coll* in, const Regex* regex) { return Matches(c, in, regex, true); }

// a: text, substitution. An empty match right after a match does not count. `blank`: the pattern is '', which changes nothing.
Coll wf_replaceMatches(Context* c, const Coll* a, const Regex* regex, bool blank) {
  Text t, substitution;
  bool has_text = SingleText(c, a[0], &t), has_substitution = SingleText(c, a[1], &substitution);
  Search s;
  if (!has_text || !has_substitution || regex == nullptr) {
    return Empty();
  }
  if (blank) {
    return OneString(c, t);
  }
  if (!GroupsExist(*regex, substitution)) {
    Fail(c);
    return Empty();
  }
  if (!Prepare(c, regex, t, false, &s)) {
    return Empty();
  }
  uint8_t *begin = c->heap, *out = begin;
  auto put = [&](uint32_t from, uint32_t to) {
    if (static_cast<uint64_t>(c->heap_end - out) < to - from) {
      c->scratch_full = 1;
      return;
    }
    Copy(out, t.p + from, to - from);
    out += to - from;
  };
  uint32_t at = 0, last = kNoNode;
  while (c->scratch_full == 0 && at <= t.n && Find(&s, at, false)) {
    uint32_t first = s.best[0], past = s.best[1];
    put(at, first);
    at = first;
    if (first == past && first == last) {
      uint32_t size = 1;
      if (at < t.n) {
        PointAt(t, at, &size);
        put(at, at + size);
      }
      at += size;
      continue;
    }
    if (!Substitute(s, substitution, &out, c->heap_end)) {
      break;
    }
    at = last = past;
  }
  if (at < t.n) {
    put(at, t.n);
  }
  auto size = static_cast<uint32_t>(out - begin);
  return c->scratch_full == 0 && NewBytes(c, size) != nullptr ? OneString(c, {begin, size}) : Empty();
}

}  // extern "C"

}  // namespace weir::kernel
