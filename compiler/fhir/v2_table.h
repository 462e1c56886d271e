// HL7 v2's shapes by version: message structures, segments, data types and code tables, from hl7v2.defs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/result.h"

namespace weir::fhir {

inline constexpr int32_t kV2Unbounded = -1;

struct V2Component {
  uint32_t position = 0;
  std::string name;   // "assigningAuthority"
  std::string type;   // "HD"
  std::string table;  // "HL70363" or empty
};

struct V2Field : V2Component {
  int32_t min = 0, max = 1;  // max kV2Unbounded; 0: withdrawn
  bool withdrawn() const { return max == 0 || type == "WD"; }
  bool repeats() const { return max == kV2Unbounded || max > 1; }
};

struct V2Item {  // of a message structure: a segment or a group
  std::string name;
  int32_t min = 0, max = 1;
  bool group = false;
  std::vector<V2Item> items;
  bool repeats() const { return max == kV2Unbounded || max > 1; }
};

class V2Table {
 public:
  static Result<std::unique_ptr<V2Table>> Load(const std::string& directory);

  // Oldest first: "2.1" … "2.8.2".
  static const std::vector<std::string>& Versions();
  static int VersionIndex(std::string_view version);  // -1: unknown

  // All null when that version has none of the name.
  const std::vector<V2Item>* Structure(std::string_view version, std::string_view structure) const;
  // The structure of a trigger: "ADT_A01" for ADT^A04.
  std::string StructureOf(std::string_view version, std::string_view type, std::string_view trigger) const;
  const std::vector<V2Field>* Segment(std::string_view version, std::string_view id) const;
  const std::vector<V2Component>* DataType(std::string_view version, std::string_view name) const;
  const std::vector<std::string>* Codes(std::string_view version, std::string_view table) const;

  bool IsSegment(std::string_view id) const;   // in any version
  bool IsDataType(std::string_view name) const;
  bool IsComposite(std::string_view name) const { return IsDataType(name); }  // primitives have no rows

 private:
  template <typename T>
  struct Entry {
    uint32_t versions = 0;  // bit set of Versions()
    std::string_view body;
    mutable std::unique_ptr<T> value;
  };
  template <typename T>
  using Map = std::unordered_map<std::string_view, std::vector<Entry<T>>>;  // names lie in text_
  template <typename T, typename Read>
  static const T* Find(const Map<T>& map, std::string_view version, std::string_view name, Read read);

  std::string text_;
  Map<std::vector<V2Item>> structures_;
  Map<std::vector<V2Field>> segments_;
  Map<std::vector<V2Component>> types_;
  Map<std::vector<std::string>> codes_;
  Map<std::string> aliases_;
};

}  // namespace weir::fhir
