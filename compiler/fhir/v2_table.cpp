#include "compiler/fhir/v2_table.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace weir::fhir {
namespace {

std::string_view Take(std::string_view& text, char separator) {
  size_t at = text.find(separator);
  std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

template <typename T>
T Number(std::string_view text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<V2Item> ReadItems(std::string_view& body) {
  std::vector<V2Item> items;
  while (!body.empty()) {
    std::string_view name = Take(body, ' ');
    if (name == "}") {
      return items;
    }
    V2Item item;
    item.group = name.starts_with('{');
    item.name = item.group ? name.substr(1) : name;
    item.min = Number<int32_t>(Take(body, ' '));
    item.max = Number<int32_t>(Take(body, ' '));
    if (item.group) {
      item.items = ReadItems(body);
    }
    items.push_back(std::move(item));
  }
  return items;
}

// HL7 2.1 writes ADT_A17's patients as the repeating group PATIENT, as ADT_A39 has it in every version. From 2.2 on A17, A24
// and A37 write the same segments out twice: they get the group back, so that a map can walk patient by patient.
std::vector<V2Item> ReadStructure(std::string_view body) {
  std::vector<V2Item> items = ReadItems(body);
  auto is_patient = [](const V2Item& item) { return item.name == "PID" && !item.group; };
  auto first = std::find_if(items.begin(), items.end(), is_patient);
  auto second = first == items.end() ? first : std::find_if(first + 1, items.end(), is_patient);
  if (second == items.end()) {
    return items;
  }
  V2Item group{.name = "PATIENT", .min = 1, .max = kV2Unbounded, .group = true, .items = {first, second}};
  items.erase(first, items.end());
  items.push_back(std::move(group));
  return items;
}

std::string TableName(std::string_view table) { return table == "-" ? std::string() : std::string(table); }

std::vector<V2Field> ReadFields(std::string_view body) {
  std::vector<V2Field> fields;
  while (!body.empty()) {
    std::string_view row = Take(body, ';');
    V2Field field;
    field.position = Number<uint32_t>(Take(row, ' '));
    field.name = Take(row, ' ');
    field.type = Take(row, ' ');
    field.min = Number<int32_t>(Take(row, ' '));
    field.max = Number<int32_t>(Take(row, ' '));
    field.table = TableName(row);
    fields.push_back(std::move(field));
  }
  return fields;
}

std::vector<V2Component> ReadComponents(std::string_view body) {
  std::vector<V2Component> components;
  while (!body.empty()) {
    std::string_view row = Take(body, ';');
    V2Component component;
    component.position = Number<uint32_t>(Take(row, ' '));
    component.name = Take(row, ' ');
    component.type = Take(row, ' ');
    component.table = TableName(row);
    components.push_back(std::move(component));
  }
  return components;
}

}  // namespace

const std::vector<std::string>& V2Table::Versions() {
  static const std::vector<std::string> versions = {"2.1", "2.2",   "2.3", "2.3.1", "2.4",   "2.5",
                                                    "2.5.1", "2.6", "2.7", "2.8",   "2.8.1", "2.8.2"};
  return versions;
}

int V2Table::VersionIndex(std::string_view version) {
  const auto& all = Versions();
  auto found = std::find(all.begin(), all.end(), version);
  return found == all.end() ? -1 : static_cast<int>(found - all.begin());
}

Result<std::unique_ptr<V2Table>> V2Table::Load(const std::string& directory) {
  std::string path = directory + "/hl7v2.defs";
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return Error{"cannot read the registry: " + path};
  }
  std::ostringstream text;
  text << in.rdbuf();
  auto table = std::make_unique<V2Table>();
  table->text_ = text.str();
  std::string_view rest = table->text_;
  while (!rest.empty()) {
    std::string_view line = Take(rest, '\n');
    std::string_view kind = Take(line, '\t');
    std::string_view name = Take(line, '\t');
    std::string_view versions = Take(line, '\t');
    uint32_t bits = 0;
    while (!versions.empty()) {
      int index = VersionIndex(Take(versions, ','));
      bits |= index < 0 ? 0 : 1u << index;
    }
    auto add = [&](auto& map) {
      map[name].push_back({.versions = bits, .body = line, .value = nullptr});
    };
    if (kind == "M") {
      add(table->structures_);
    } else if (kind == "S") {
      add(table->segments_);
    } else if (kind == "T") {
      add(table->types_);
    } else if (kind == "C") {
      add(table->codes_);
    } else if (kind == "A") {
      add(table->aliases_);
    } else {
      return Error{"damaged registry: " + path};
    }
  }
  return table;
}

template <typename T, typename Read>
const T* V2Table::Find(const Map<T>& map, std::string_view version, std::string_view name, Read read) {
  auto found = map.find(name);
  int index = VersionIndex(version);
  if (found == map.end() || index < 0) {
    return nullptr;
  }
  for (const auto& entry : found->second) {
    if ((entry.versions >> index & 1) != 0) {
      if (entry.value == nullptr) {
        entry.value = std::make_unique<T>(read(entry.body));
      }
      return entry.value.get();
    }
  }
  return nullptr;
}

const std::vector<V2Item>* V2Table::Structure(std::string_view version, std::string_view structure) const {
  return Find(structures_, version, structure, ReadStructure);
}

std::string V2Table::StructureOf(std::string_view version, std::string_view type, std::string_view trigger) const {
  std::string name = std::string(type) + "_" + std::string(trigger);
  if (Structure(version, name) != nullptr) {
    return name;
  }
  const std::string* alias = Find(aliases_, version, name, [](std::string_view body) { return std::string(body); });
  return alias != nullptr && Structure(version, *alias) != nullptr ? *alias : std::string();
}

const std::vector<V2Field>* V2Table::Segment(std::string_view version, std::string_view id) const {
  return Find(segments_, version, id, ReadFields);
}

const std::vector<V2Component>* V2Table::DataType(std::string_view version, std::string_view name) const {
  return Find(types_, version, name, ReadComponents);
}

const std::vector<std::string>* V2Table::Codes(std::string_view version, std::string_view table) const {
  return Find(codes_, version, table, [](std::string_view body) {
    std::vector<std::string> codes;
    while (!body.empty()) {
      codes.emplace_back(Take(body, '\t'));
    }
    return codes;
  });
}

bool V2Table::IsSegment(std::string_view id) const { return segments_.contains(id); }
bool V2Table::IsDataType(std::string_view name) const { return types_.contains(name); }

}  // namespace weir::fhir
