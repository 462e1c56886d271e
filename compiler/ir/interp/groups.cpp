// Segments to group instances, by a message structure's grammar. The rule is docs/ir.md, Groups; it
// never refuses a message: what stands where the grammar has no place for it belongs to the group
// that is open there.
#include <algorithm>

#include "compiler/ir/interp/text.h"
#include "compiler/ir/interp/v2.h"

namespace weir::ir {
namespace {

// A segment's place in the grammar: the groups around it, outermost first, with its ordinal among
// all places.
struct Place {
  const StructureItem* item = nullptr;
  std::vector<const StructureItem*> groups;
};

void Flatten(const std::vector<StructureItem>& items, std::vector<const StructureItem*>& path,
             std::vector<Place>* out) {
  for (const StructureItem& item : items) {
    if (!item.group) {
      out->push_back({&item, path});
      continue;
    }
    path.push_back(&item);
    Flatten(item.items, path, out);
    path.pop_back();
  }
}

bool Inside(const Place& place, const std::vector<const StructureItem*>& path, size_t depth) {
  return place.groups.size() >= depth &&
         std::equal(path.begin(), path.begin() + static_cast<ptrdiff_t>(depth),
                    place.groups.begin());
}

struct Move {
  size_t place = 0;
  size_t keep = 0;  // open groups that stay open
};

// Where segment `id` goes from place `at` (places.size() before the first segment).
std::optional<Move> Next(const std::vector<Place>& places, size_t at, std::string_view id) {
  static const std::vector<const StructureItem*> kTop;
  bool begun = at < places.size();
  const auto& path = begun ? places[at].groups : kTop;
  if (begun && places[at].item->name == id && places[at].item->repeats) {
    return Move{at, path.size()};
  }
  for (size_t depth = path.size() + 1;
       depth-- > 0;) {  // innermost scope first; depth 0 is the message
    for (size_t i = begun ? at + 1 : 0; i < places.size(); ++i) {
      if (places[i].item->name == id && Inside(places[i], path, depth)) {
        size_t common = depth;
        while (common < path.size() && Inside(places[i], path, common + 1)) {
          ++common;
        }
        return Move{i, common};
      }
    }
    if (depth > 0 && path[depth - 1]->repeats) {
      for (size_t i = 0; begun && i <= at; ++i) {
        if (places[i].item->name == id && Inside(places[i], path, depth)) {
          return Move{i, depth - 1};  // a new instance of this group
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace

void V2Message::AssignGroups(const std::vector<Structure>& structures) {
  group_of_.assign(segments_.size(), -1);
  groups_.clear();
  if (!valid_ || structures.empty()) {
    return;
  }
  std::string message = FieldText("MSH", 9, 1) + "^" + Event(), name = FieldText("MSH", 9, 3);
  const Structure* structure = nullptr;
  for (const Structure& candidate : structures) {
    bool listed = std::find(candidate.messages.begin(), candidate.messages.end(), message) !=
                  candidate.messages.end();
    if (structure == nullptr && (listed || candidate.name == name)) {
      structure = &candidate;
    }
  }
  if (structure == nullptr) {
    return;
  }
  std::vector<Place> places;
  std::vector<const StructureItem*> path;
  Flatten(structure->items, path, &places);
  size_t at = places.size();
  std::vector<int32_t> open;  // instances, outermost first
  for (uint32_t i = 0; i < segments_.size(); ++i) {
    if (auto move = Next(places, at, AsciiUpper(segments_[i].id))) {
      at = move->place;
      open.resize(std::min(open.size(), move->keep));
      while (open.size() < places[at].groups.size()) {
        int32_t parent = open.empty() ? -1 : open.back();
        open.push_back(static_cast<int32_t>(groups_.size()));
        groups_.push_back({places[at].groups[open.size() - 1], parent, i, i});
      }
    }
    for (int32_t group : open) {
      groups_[static_cast<size_t>(group)].last = i + 1;
    }
    group_of_[i] = open.empty() ? -1 : open.back();
  }
}

bool V2Message::Direct(int32_t from, const V2Item& input) const {
  for (int32_t group = from; group >= 0; group = groups_[static_cast<size_t>(group)].parent) {
    if (input.level == V2Level::kGroup && static_cast<uint32_t>(group) == input.segment) {
      return true;
    }
    if (groups_[static_cast<size_t>(group)].item->repeats) {
      return false;
    }
  }
  return input.level == V2Level::kMessage;
}

void V2Message::AddGroups(const V2Item& input, std::string_view name, Items* out) const {
  for (size_t i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    bool within = input.level == V2Level::kMessage ||
                  (input.level == V2Level::kGroup && Direct(group.parent, input));
    if (within && group.item->name == name) {
      out->push_back(
          Item{V2Item{V2Level::kGroup, group.first, group.last, static_cast<uint32_t>(i)}});
    }
  }
}

}  // namespace weir::ir
