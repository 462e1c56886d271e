// FHIR nodes: from a node to its children, to its System value, its type.
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

WK_INLINE Text NameText(Context* c, uint32_t name) { return {c->tape->names[name].p, c->tape->names[name].n}; }
WK_INLINE Item NodeItem(uint32_t value, uint32_t partner) { return MakeItem(nullptr, value, partner, kNode, 0); }
WK_INLINE uint32_t TypeOf(Context* c, const Item& item) { return NodeAt(c, item.n != kNoNode ? item.n : item.segment).type; }

uint32_t FindMember(Context* c, uint32_t object, Text name) {
  for (uint32_t k = NodeAt(c, object).first; k != 0; k = NodeAt(c, k).next) {
    if (Same(NameText(c, NodeAt(c, k).member), name)) {
      return k;
    }
  }
  return 0;
}

// The object whose members are the item's children: of a primitive its `_name`.
uint32_t HolderOf(Context* c, const Item& item) {
  if (item.kind != kNode) {
    return kNoNode;
  }
  if (item.n != kNoNode && NodeAt(c, item.n).kind == WEIR_FHIR_OBJECT) {
    return item.n;
  }
  return item.segment != 0 && NodeAt(c, item.segment).kind == WEIR_FHIR_OBJECT ? item.segment : kNoNode;
}

// The items of one member: arrays are spread, each primitive with the `_name` that belongs to it. Null `out` only counts.
uint64_t Spread(Context* c, uint32_t value, uint32_t partner, Item* out) {
  uint64_t count = 0;
  auto add = [&](uint32_t v, uint32_t p) {
    v = v != kNoNode && NodeAt(c, v).kind == WEIR_FHIR_NULL ? kNoNode : v;
    p = p != 0 && NodeAt(c, p).kind == WEIR_FHIR_NULL ? 0 : p;
    if (v == kNoNode && p == 0) {
      return;
    }
    if (out != nullptr) {
      out[count] = NodeItem(v, p);
    }
    ++count;
  };
  bool values = value != kNoNode && NodeAt(c, value).kind == WEIR_FHIR_ARRAY;
  bool partners = partner != 0 && NodeAt(c, partner).kind == WEIR_FHIR_ARRAY;
  if (!values && !(value == kNoNode && partners)) {
    add(value, partner);
    return count;
  }
  uint32_t v = values ? NodeAt(c, value).first : 0, p = partners ? NodeAt(c, partner).first : 0;
  while (v != 0 || p != 0) {
    add(v != 0 ? v : kNoNode, p);
    v = v != 0 ? NodeAt(c, v).next : 0;
    p = p != 0 ? NodeAt(c, p).next : 0;
  }
  return count;
}
uint64_t SpreadMember(Context* c, uint32_t member, Item* out) {
  const weir_fhir_node& m = NodeAt(c, member);
  return m.alone != 0 ? Spread(c, kNoNode, member, out) : Spread(c, member, m.partner, out);
}

// The member that is the element `name`: written so, else as one of a choice. 0: none.
uint32_t ElementMember(Context* c, uint32_t object, Text name) {
  uint32_t found = 0;
  for (uint32_t k = NodeAt(c, object).first; k != 0; k = NodeAt(c, k).next) {
    const weir_fhir_node& m = NodeAt(c, k);
    if (m.element == 0 || !Same(NameText(c, m.element), name)) {
      continue;
    }
    if (NameText(c, m.member).n - m.alone == name.n) {
      return k;
    }
    found = found == 0 ? k : found;
  }
  return found;
}

Coll ChildrenNamed(Context* c, const Coll& in, Text name) {
  uint64_t most = 0;
  for (uint64_t i = 0; i < in.count; ++i) {
    uint32_t holder = HolderOf(c, in.items[i]), member = holder != kNoNode ? ElementMember(c, holder, name) : 0;
    most += member != 0 ? SpreadMember(c, member, nullptr) : 0;
  }
  Item* items;
  Coll out = NewColl(c, most, &items);
  for (uint64_t i = 0; i < in.count && items != nullptr; ++i) {
    uint32_t holder = HolderOf(c, in.items[i]), member = holder != kNoNode ? ElementMember(c, holder, name) : 0;
    out.count += member != 0 ? SpreadMember(c, member, items + out.count) : 0;
  }
  return out;
}

// Null `out` only counts.
uint64_t ChildrenOf(Context* c, const Item& item, Item* out) {
  uint32_t holder = HolderOf(c, item);
  uint64_t count = 0;
  for (uint32_t k = holder != kNoNode ? NodeAt(c, holder).first : 0; k != 0; k = NodeAt(c, k).next) {
    if (NodeAt(c, k).element != 0 && !Same(NameText(c, NodeAt(c, k).member), Lit("fhir_comments"))) {
      count += SpreadMember(c, k, out != nullptr ? out + count : nullptr);
    }
  }
  return count;
}
Coll AllChildren(Context* c, const Coll& in) {
  uint64_t most = 0;
  for (uint64_t i = 0; i < in.count; ++i) {
    most += ChildrenOf(c, in.items[i], nullptr);
  }
  Item* items;
  Coll out = NewColl(c, most, &items);
  for (uint64_t i = 0; i < in.count && items != nullptr; ++i) {
    out.count += ChildrenOf(c, in.items[i], items + out.count);
  }
  return out;
}
uint64_t Descend(Context* c, const Item& item, Item* out) {
  uint64_t count = 0;
  Coll self = {&item, 1}, children = AllChildren(c, self);
  for (uint64_t i = 0; i < children.count; ++i) {
    if (out != nullptr) {
      out[count] = children.items[i];
    }
    ++count;
    count += Descend(c, children.items[i], out != nullptr ? out + count : nullptr);
  }
  return count;
}

bool QuantityNode(Context* c, uint32_t node, Item* out) {
  uint32_t value = FindMember(c, node, Lit("value")), unit = FindMember(c, node, Lit("code"));
  unit = unit != 0 ? unit : FindMember(c, node, Lit("unit"));
  Dec decimal;
  if (value == 0 || !ParseDec(NodeText(NodeAt(c, value)), &decimal) || FindMember(c, node, Lit("comparator")) != 0) {
    return false;
  }
  Coll amount = OneAmount(c, decimal, unit != 0 ? NodeText(NodeAt(c, unit)) : Lit("1"), false);
  if (amount.count == 1) {
    *out = amount.items[0];
  }
  return true;
}

// A FHIR string by its type; a malformed date stays a String.
Item StringValue(Context* c, Text text, uint32_t primitive) {
  Temporal t;
  bool ok = false;
  uint8_t kind = kDateMoment;
  if (primitive == WEIR_FHIR_DATE) {
    ok = IsDateText(text, &t);
  } else if (primitive == WEIR_FHIR_DATETIME) {
    kind = kDateTimeMoment;
    ok = ParseIso(text, &t);
  } else if (primitive == WEIR_FHIR_TIME) {
    kind = kTimeMoment;
    ok = ParseIsoTime(text, &t);
  }
  if (ok) {
    Item item = MomentItem(c, t, kind, &ok);
    if (ok) {
      return item;
    }
  }
  return StringItem(text);
}

bool TypeFits(Context* c, const Item& item, Text type, bool exact_primitive) {
  bool system = StartsWith(type, Lit("System.")), fhir = StartsWith(type, Lit("FHIR."));
  if (item.kind != kNode) {
    Text name = TypeNameOf(c, item), bare = {name.p + 7, name.n - 7};
    return Same(name, type) || (!system && !fhir && Same(bare, type));
  }
  if (system) {
    return false;
  }
  Text bare = fhir ? Text{type.p + 5, type.n - 5} : type;
  uint32_t own = TypeOf(c, item);
  const weir_fhir_type& t = c->tape->types[own];
  bool is_primitive = t.primitive != WEIR_FHIR_COMPLEX && t.primitive != WEIR_FHIR_QUANTITY;
  for (uint32_t at = own; at != WEIR_FHIR_NONE; at = c->tape->types[at].base) {
    const weir_fhir_name& name = c->tape->types[at].name;
    if (Same({name.p, name.n}, bare)) {
      return at == own || !(exact_primitive && is_primitive);
    }
  }
  return false;
}

Coll KeepType(Context* c, const Coll& in, Text type, bool exact) {
  Item* items;
  Coll out = NewColl(c, in.count, &items);
  for (uint64_t i = 0; i < in.count && items != nullptr; ++i) {
    if (TypeFits(c, in.items[i], type, exact)) {
      items[out.count++] = in.items[i];
    }
  }
  return out;
}

}  // namespace

bool ToSystem(Context* c, const Item& in, Item* out) {
  *out = in;
  if (in.kind != kNode) {
    return true;
  }
  if (in.n == kNoNode) {
    return false;
  }
  const weir_fhir_node& node = NodeAt(c, in.n);
  uint32_t primitive = c->tape->types[node.type].primitive;
  Dec d;
  int64_t integer;
  switch (node.kind) {
    case WEIR_FHIR_BOOLEAN: *out = BooleanItem(node.text_size == 4); return true;
    case WEIR_FHIR_NUMBER:
      if (!ParseDec(NodeText(node), &d)) {
        return false;
      }
      *out = primitive == WEIR_FHIR_INTEGER && d.scale == 0 && IntegerOf(d, &integer) ? IntegerItem(integer) : DecItem(d);
      return true;
    case WEIR_FHIR_STRING: *out = StringValue(c, NodeText(node), primitive); return true;
    case WEIR_FHIR_NULL: return false;
    default:
      if (primitive == WEIR_FHIR_QUANTITY) {
        QuantityNode(c, in.n, out);
      }
      return true;
  }
}

bool JsonEqual(Context* c, uint32_t left, uint32_t right, bool equivalent) {
  const weir_fhir_node &a = NodeAt(c, left), &b = NodeAt(c, right);
  if (a.kind != b.kind) {
    return false;
  }
  switch (a.kind) {
    case WEIR_FHIR_NULL: return true;
    case WEIR_FHIR_BOOLEAN: return a.text_size == b.text_size;
    case WEIR_FHIR_NUMBER: {
      Dec x, y;
      return ParseDec(NodeText(a), &x) && ParseDec(NodeText(b), &y) ? CompareDec(x, y) == 0 : Same(NodeText(a), NodeText(b));
    }
    case WEIR_FHIR_STRING: return equivalent ? TextsEquivalent(NodeText(a), NodeText(b)) : Same(NodeText(a), NodeText(b));
    case WEIR_FHIR_ARRAY: {
      uint32_t x = a.first, y = b.first;
      for (; x != 0 && y != 0; x = NodeAt(c, x).next, y = NodeAt(c, y).next) {
        if (!JsonEqual(c, x, y, equivalent)) {
          return false;
        }
      }
      return x == y;  // both ended
    }
    default: {
      uint32_t extra = 0;
      for (uint32_t y = b.first; y != 0; y = NodeAt(c, y).next) {
        ++extra;
      }
      for (uint32_t x = a.first; x != 0; x = NodeAt(c, x).next) {
        uint32_t y = FindMember(c, right, NameText(c, NodeAt(c, x).member));
        if (y == 0 || !JsonEqual(c, x, y, equivalent)) {
          return false;
        }
        --extra;
      }
      return extra == 0;
    }
  }
}

Text TypeNameOf(Context* c, const Item& item) {
  switch (item.kind) {
    case kBoolean: return Lit("System.Boolean");
    case kInteger: return Lit("System.Integer");
    case kString: return Lit("System.String");
    case kNumber: return Lit("System.Decimal");
    case kAmount: return Lit("System.Quantity");
    case kMoment: return item.level == kDateMoment ? Lit("System.Date") : item.level == kTimeMoment ? Lit("System.Time") : Lit("System.DateTime");
    case kNode: {
      const weir_fhir_name& name = c->tape->types[TypeOf(c, item)].name;
      return {name.p, name.n};
    }
    default: return Lit("v2.item");
  }
}

extern "C" {

Coll wf_root(Context* c) { return c->tape != nullptr ? OneItem(c, NodeItem(0, 0)) : Empty(); }

Coll wf_child(Context* c, const Coll* in, const Text* name) { return ChildrenNamed(c, *in, *name); }

Coll wf_is(Context* c, const Coll* in, const Text* type) {
  if (in->count > 1) {
    Fail(c);
  }
  return in->count == 1 ? OneBoolean(c, TypeFits(c, in->items[0], *type, false)) : Empty();
}
Coll wf_as(Context* c, const Coll* in, const Text* type) { return KeepType(c, *in, *type, false); }

Coll wf_ofType(Context* c, const Coll* a, uint64_t) {
  Text type;
  return SingleText(c, a[1], &type) ? KeepType(c, a[0], type, true) : Empty();
}

Coll wf_extension(Context* c, const Coll* a, uint64_t) {
  Text url;
  bool has_url = SingleText(c, a[1], &url);
  Coll all = ChildrenNamed(c, a[0], Lit("extension"));
  Item* items;
  Coll out = NewColl(c, all.count, &items);
  for (uint64_t i = 0; i < all.count && has_url && items != nullptr; ++i) {
    uint32_t node = all.items[i].n, own = node != kNoNode && NodeAt(c, node).kind == WEIR_FHIR_OBJECT ? FindMember(c, node, Lit("url")) : 0;
    if (own != 0 && Same(NodeText(NodeAt(c, own)), url)) {
      items[out.count++] = all.items[i];
    }
  }
  return out;
}

Coll wf_children(Context* c, const Coll* a, uint64_t) { return AllChildren(c, a[0]); }

// In document order, each node before what lies below it. The reader bounds the depth.
Coll wf_descendants(Context* c, const Coll* a, uint64_t) {
  uint64_t count = 0;
  for (uint64_t i = 0; i < a->count; ++i) {
    count += Descend(c, a->items[i], nullptr);
  }
  Item* items;
  Coll out = NewColl(c, count, &items);
  for (uint64_t i = 0; i < a->count && items != nullptr; ++i) {
    out.count += Descend(c, a->items[i], items + out.count);
  }
  return out;
}

Coll wf_hasValue(Context* c, const Coll* a, uint64_t) {
  if (a->count != 1) {
    return OneBoolean(c, false);
  }
  const Item& item = a->items[0];
  return OneBoolean(c, item.kind != kNode || (item.n != kNoNode && NodeAt(c, item.n).kind != WEIR_FHIR_OBJECT));
}

Coll wf_getValue(Context* c, const Coll* a, uint64_t) {
  Item item;
  return SingleSystem(c, a[0], &item) && item.kind != kNode ? OneItem(c, item) : Empty();
}

// Only what lies in the same resource: `#id` of a contained one. Nothing is ever fetched.
Coll wf_resolve(Context* c, const Coll* a, uint64_t) {
  Coll root = wf_root(c), contained = ChildrenNamed(c, root, Lit("contained")), out = Empty();
  for (uint64_t i = 0; i < a->count; ++i) {
    Coll self = {a->items + i, 1}, reference = ChildrenNamed(c, self, Lit("reference"));
    Item item;
    if (!ToSystem(c, reference.count != 0 ? reference.items[0] : a->items[i], &item) || item.kind != kString || item.n == 0 || item.p[0] != '#') {
      continue;
    }
    for (uint64_t k = 0; k < contained.count; ++k) {
      uint32_t node = contained.items[k].n, id = node != kNoNode ? FindMember(c, node, Lit("id")) : 0;
      if (id != 0 && Same(NodeText(NodeAt(c, id)), {item.p + 1, item.n - 1})) {
        out = wk_append(c, out, contained.items + k);
      }
    }
  }
  return out;
}

}  // extern "C"

}  // namespace weir::kernel
