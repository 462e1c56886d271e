// Segments to group instances by a structure's grammar (docs/ir.md, Groups), once per record and only when a map names a
// group. Everything lies on the record's heap.
#include "runtime/kernel/rt.h"

namespace weir::kernel {

struct GroupInstance {
  uint32_t group, first, last;
  int32_t parent;  // an instance, or -1
};

namespace {

WK_INLINE bool Inside(const GroupPlace& place, const GroupPlace& of, uint32_t depth) {
  if (place.depth < depth) {
    return false;
  }
  for (uint32_t i = 0; i < depth; ++i) {
    if (place.path[i] != of.path[i]) {
      return false;
    }
  }
  return true;
}

struct Move {
  uint32_t place, keep;  // open groups that stay open
};

// Where segment `id` goes from place `at` (place_count before the first segment).
bool Next(const GroupGrammar& g, uint32_t at, uint32_t id, Move* move) {
  static const GroupPlace kTop = {0, 0, 0, nullptr};
  bool begun = at < g.place_count;
  const GroupPlace& from = begun ? g.places[at] : kTop;
  if (begun && from.segment == id && from.repeats != 0) {
    *move = {at, from.depth};
    return true;
  }
  for (uint32_t depth = from.depth + 1; depth-- > 0;) {  // innermost first; depth 0 is the message
    for (uint32_t i = begun ? at + 1 : 0; i < g.place_count; ++i) {
      if (g.places[i].segment == id && Inside(g.places[i], from, depth)) {
        uint32_t common = depth;
        while (common < from.depth && Inside(g.places[i], from, common + 1)) {
          ++common;
        }
        *move = {i, common};
        return true;
      }
    }
    if (depth > 0 && begun && g.groups[from.path[depth - 1]].repeats != 0) {
      for (uint32_t i = 0; i <= at; ++i) {
        if (g.places[i].segment == id && Inside(g.places[i], from, depth)) {
          *move = {i, depth - 1};  // a new instance of this group
          return true;
        }
      }
    }
  }
  return false;
}

const GroupGrammar* GrammarOf(Context* c, const GroupGrammar* grammars, uint64_t count) {
  Text type = FieldText(c, WEIR_V2_ID('M', 'S', 'H'), 9, 1), event = EventOf(c), name = FieldText(c, WEIR_V2_ID('M', 'S', 'H'), 9, 3);
  for (uint64_t i = 0; i < count; ++i) {
    bool listed = Same(grammars[i].name, name);
    for (uint64_t m = 0; m < grammars[i].message_count && !listed; ++m) {
      Text message = grammars[i].messages[m];
      listed = message.n == type.n + event.n + 1 && Same({message.p, type.n}, type) && message.p[type.n] == '^' &&
               Same({message.p + type.n + 1, event.n}, event);
    }
    if (listed) {
      return &grammars[i];
    }
  }
  return nullptr;
}

void Assign(Context* c, const GroupGrammar& g) {
  uint32_t segments = c->index->segment_count;
  auto* group_of = reinterpret_cast<int32_t*>(NewBytes(c, uint64_t{segments} * sizeof(int32_t)));
  if (group_of == nullptr) {
    return;
  }
  // Instances are the only things allocated until the end, so they lie side by side.
  auto* instances = reinterpret_cast<GroupInstance*>(c->heap);
  uint32_t count = 0, at = static_cast<uint32_t>(g.place_count), depth = 0;
  int32_t open[kMaxGroupDepth];
  for (uint32_t i = 0; i < segments; ++i) {
    Move move;
    if (Next(g, at, c->index->segments[i].id, &move)) {
      at = move.place;
      depth = depth < move.keep ? depth : move.keep;
      while (depth < g.places[at].depth) {
        auto* fresh = reinterpret_cast<GroupInstance*>(NewBytes(c, sizeof(GroupInstance)));
        if (fresh == nullptr) {
          return;
        }
        *fresh = {g.places[at].path[depth], i, i, depth == 0 ? -1 : open[depth - 1]};
        open[depth++] = static_cast<int32_t>(count++);
      }
    }
    for (uint32_t d = 0; d < depth; ++d) {
      instances[open[d]].last = i + 1;
    }
    group_of[i] = depth == 0 ? -1 : open[depth - 1];
  }
  c->groups = instances;
  c->group_count = count;
  c->group_of = group_of;
}

}  // namespace

// Whether what stands in instance `from` belongs to `input` without a repeating group between.
bool DirectlyIn(Context* c, int32_t from, const Item& input) {
  for (int32_t at = from; at >= 0; at = c->groups[at].parent) {
    if (input.level == kGroup && input.p == reinterpret_cast<const uint8_t*>(&c->groups[at])) {
      return true;
    }
    if (c->grammar->groups[c->groups[at].group].repeats != 0) {
      return false;
    }
  }
  return input.level == kMessage;
}

bool InGroup(Context* c, uint32_t segment, const Item& group) { return DirectlyIn(c, c->group_of[segment], group); }

extern "C" Coll wk_groups(Context* c, Coll in, uint32_t name, const GroupGrammar* grammars, uint64_t count) {
  if (c->group_of == nullptr) {
    c->grammar = c->grammar == nullptr ? GrammarOf(c, grammars, count) : c->grammar;
    if (c->grammar != nullptr) {
      Assign(c, *c->grammar);
    }
  }
  Coll out = Empty();
  if (c->group_of == nullptr) {
    return out;
  }
  Item* items = NewItems(c, in.count * c->group_count);
  if (items == nullptr) {
    return out;
  }
  out.items = items;
  for (uint64_t k = 0; k < in.count; ++k) {
    const Item& input = in.items[k];
    if (input.kind != kV2 || input.level > kGroup) {
      continue;
    }
    for (uint32_t i = 0; i < c->group_count; ++i) {
      const GroupInstance& g = c->groups[i];
      bool within = input.level == kMessage || DirectlyIn(c, g.parent, input);
      if (within && c->grammar->groups[g.group].name == name) {
        items[out.count++] = {reinterpret_cast<const uint8_t*>(&g), g.last - g.first, g.first, kV2, kGroup, 0, {}};
      }
    }
  }
  return out;
}

}  // namespace weir::kernel
