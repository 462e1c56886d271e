// HL7 v2 as the interpreter reads it: slices of the message's bytes, cut plainly by delimiter,
// escapes undone here and nowhere else. Rules: docs/ir.md, Values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/interp/value.h"
#include "compiler/ir/ir.h"
#include "runtime/abi/weir_kernel.h"

namespace weir::ir {

class Evaluator;

class V2Message {
 public:
  struct Segment {
    std::string_view id;
    uint32_t begin = 0, end = 0;  // without terminator and trailing blanks
  };

  // Segment bounds and groups come from the reader's index when there is one, else from a plain
  // scan.
  V2Message(std::string_view bytes, const weir_v2_index* index);

  // Assigns segments to group instances by the structure of the message's trigger (docs/ir.md,
  // Groups).
  void AssignGroups(const std::vector<Structure>& structures);

  bool valid() const { return valid_; }  // starts with a usable header
  V2Item Root() const {
    return V2Item{V2Level::kMessage, 0, static_cast<uint32_t>(segments_.size()), 0};
  }
  const std::vector<Segment>& segments() const { return segments_; }
  std::string_view Slice(const V2Item& item) const {
    return bytes_.substr(item.begin, item.end - item.begin);
  }
  std::string Event() const;  // "A01"; upper case; may be empty

  // One navigation or `text` operation over the input's items.
  Items Navigate(const Node& node, const Items& input) const;
  // All written occurrences of a field, absent ones too.
  Items Occurrences(const V2Item& segment, int64_t field) const;
  std::vector<V2Item> Fields(uint32_t segment) const;     // whole fields from 1, repetitions uncut
  V2Item Component(const V2Item& item, int64_t n) const;  // an empty slice when it is not there
  // Text of piece `n` (from 1) of a composite at any level.
  std::string Piece(const V2Item& item, int64_t n) const;
  std::string FieldText(std::string_view segment, int64_t field,
                        int64_t component) const;  // of the first such segment

  bool Present(const V2Item& item) const;
  bool IsNull(const V2Item& item) const;  // exactly ""
  std::string Text(const V2Item& item, bool composite) const;
  // Without trailing blanks and deeper delimiters: how a field's length in a digest ignores what
  // carries nothing.
  std::string_view TrimTrailing(std::string_view slice) const;
  std::string Unescape(std::string_view slice) const;

 private:
  void Scan();
  char Deeper(V2Level level) const;
  struct Group {  // an instance: segments [first, last)
    const StructureItem* item = nullptr;
    int32_t parent = -1;
    uint32_t first = 0, last = 0;
  };
  void AddGroups(const V2Item& item, std::string_view name, Items* out) const;
  // Whether group instance `from` lies in `input` with no repeating group between.
  bool Direct(int32_t from, const V2Item& input) const;
  void AddSegments(const V2Item& item, std::string_view id, Items* out) const;
  bool IsHeader(uint32_t ordinal) const;

  std::string_view bytes_;
  const weir_v2_index* index_;
  std::vector<Segment> segments_;
  std::vector<Group> groups_;
  std::vector<int32_t> group_of_;  // by segment: its innermost instance; empty before AssignGroups
  bool valid_ = false;
  char field_ = '|', component_ = '^', repetition_ = '~', escape_ = '\\', subcomponent_ = '&';
};

bool IsPrimitiveV2(std::string_view data_type);         // "ST", "NM", …: a delimiter inside is data
Items RepetitionOf(Evaluator& eval, const Node& node);  // `repetition n` of a `field`
bool IsNullPath(Evaluator& eval, const Node& path);

}  // namespace weir::ir
