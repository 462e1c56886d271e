#include "compiler/fhir/type_table.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace weir::fhir {
namespace {

using nlohmann::json;

constexpr std::string_view kStructure = "StructureDefinition/";

std::vector<std::string> Strings(const json& from, const char* key) {
  return from.contains(key) ? from[key].get<std::vector<std::string>>() : std::vector<std::string>();
}

Element ReadElement(const json& in, uint32_t order) {
  Element out;
  out.path = in["p"];
  out.order = order;
  out.name = out.path.substr(out.path.rfind('.') == std::string::npos ? 0 : out.path.rfind('.') + 1);
  if (out.name.ends_with("[x]")) {
    out.choice = true;
    out.name.resize(out.name.size() - 3);
  }
  out.slice = in.value("sl", "");
  out.min = in["min"];
  std::string max = in["max"];
  out.max = max == "*" ? kUnbounded : static_cast<uint32_t>(std::stoul(max));
  for (const auto& type : in.value("t", json::array())) {
    out.types.push_back({.code = type["c"], .target_profiles = Strings(type, "tp"), .profiles = Strings(type, "p")});
  }
  out.content_reference = in.value("cr", "");
  if (in.contains("b")) {
    out.binding = {.required = in["b"]["s"] == "required", .value_set = in["b"]["v"]};
  }
  out.fixed = in.contains("fx") ? in["fx"].dump() : "";
  out.pattern = in.contains("pt") ? in["pt"].dump() : "";
  out.slicing = in.contains("slicing") ? in["slicing"].dump() : "";
  out.is_modifier = in.contains("im");
  out.must_support = in.contains("ms");
  out.is_summary = in.contains("su");
  out.constraints = Strings(in, "k");
  return out;
}

std::string_view ParentPath(std::string_view path) {
  size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

}  // namespace

TypeTable::~TypeTable() = default;

Result<std::unique_ptr<TypeTable>> TypeTable::Load(const std::string& directory, const std::vector<std::string>& packages) {
  std::unique_ptr<TypeTable> table(new TypeTable);
  table->files_.reserve(packages.size());
  for (const auto& package : packages) {
    std::string path = directory + "/" + package + ".defs";
    std::ifstream in(path, std::ios::binary);
    if (!in) {
      return Error{"cannot read the registry: " + path};
    }
    std::ostringstream text;
    text << in.rdbuf();
    table->files_.push_back(text.str());
    std::string_view rest = table->files_.back();
    while (!rest.empty()) {
      size_t end = rest.find('\n');
      std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      size_t tab = line.find('\t');
      if (tab == std::string_view::npos) {
        return Error{"damaged registry: " + path};
      }
      std::string_view key = line.substr(0, tab);
      table->lines_.try_emplace(key, Line{line.substr(tab + 1)});
      if (key.starts_with(kStructure)) {  // "url" sorts last in canonical JSON, but for "version"
        size_t at = line.rfind("\"url\":\"");
        if (at != std::string_view::npos) {
          std::string_view url = line.substr(at + 7);
          table->by_url_.try_emplace(url.substr(0, url.find('"')), key.substr(kStructure.size()));
        }
      }
    }
  }
  return table;
}

const TypeDef* TypeTable::FindType(std::string_view name) const {
  if (auto url = by_url_.find(name); url != by_url_.end()) {
    name = url->second;
  }
  std::string key = std::string(kStructure) + std::string(name);
  if (auto known = types_.find(key); known != types_.end()) {
    return known->second.get();
  }
  auto line = lines_.find(key);
  if (line == lines_.end()) {
    return nullptr;
  }
  json in = json::parse(line->second.text, nullptr, false);
  if (in.is_discarded()) {
    return nullptr;
  }
  auto type = std::make_unique<TypeDef>();
  type->id = std::string(name);
  type->url = in["url"];
  type->type = in["type"];
  type->base = in["base"];
  type->kind = in["kind"];
  type->abstract = in["abstract"];
  type->profile = in["derivation"] == "constraint";
  uint32_t order = 0;
  for (const auto& element : in["elements"]) {
    type->elements.push_back(ReadElement(element, order++));
  }
  return types_.emplace(key, std::move(type)).first->second.get();
}

std::string TypeTable::ChoiceName(std::string_view element, std::string_view type) {
  std::string name(element);
  if (!type.empty()) {
    name += static_cast<char>(type[0] >= 'a' && type[0] <= 'z' ? type[0] - 32 : type[0]);
    name += type.substr(1);
  }
  return name;
}

std::vector<const Element*> TypeTable::Children(std::string_view path) const {
  std::vector<const Element*> out;
  const TypeDef* type = FindType(path.substr(0, path.find('.')));
  if (type == nullptr) {
    return out;
  }
  for (const auto& element : type->elements) {
    if (ParentPath(element.path) == path && element.slice.empty()) {
      out.push_back(&element);
    }
  }
  return out;
}

TypeTable::Found TypeTable::FindElement(std::string_view path, std::string_view name) const {
  const TypeDef* type = FindType(path.substr(0, path.find('.')));
  if (type == nullptr) {
    return {};
  }
  for (const Element* element : Children(path)) {
    if (element->name == name) {
      return {.element = element, .owner = type, .chosen = nullptr};
    }
    if (element->choice && name.starts_with(element->name)) {
      for (const auto& option : element->types) {
        if (ChoiceName(element->name, option.code) == name) {
          return {.element = element, .owner = type, .chosen = &option};
        }
      }
    }
  }
  return {};
}

std::vector<const Element*> TypeTable::ProfileElements(const TypeDef& profile, std::string_view path) const {
  std::vector<const Element*> out;
  for (const auto& element : profile.elements) {
    if (element.path == path) {
      out.push_back(&element);
    }
  }
  return out;
}

std::string TypeTable::ContentPath(const Element& element, const TypeDef& owner, const TypeRef* chosen) const {
  if (!element.content_reference.empty()) {
    return element.content_reference;
  }
  const TypeRef* type = chosen != nullptr ? chosen : element.types.empty() ? nullptr : &element.types.front();
  if (type == nullptr || type->code == "BackboneElement" || type->code == "Element") {
    for (const auto& other : owner.elements) {
      if (ParentPath(other.path) == element.path) {
        return element.path;
      }
    }
  }
  return type == nullptr ? element.path : type->code;
}

bool TypeTable::IsPrimitive(std::string_view type) const {
  const TypeDef* def = FindType(type);
  return def != nullptr && def->kind == "primitive-type";
}

bool TypeTable::IsResource(std::string_view type) const {
  const TypeDef* def = FindType(type);
  return def != nullptr && def->kind == "resource" && !def->profile;
}

bool TypeTable::IsSubtype(std::string_view type, std::string_view base) const {
  for (int depth = 0; depth < 16 && !type.empty(); ++depth) {
    if (type == base) {
      return true;
    }
    const TypeDef* def = FindType(type);
    if (def == nullptr) {
      return false;
    }
    type = def->base;
  }
  return false;
}

const Codes* TypeTable::FindValueSet(std::string_view url) const {
  std::string key = "ValueSet/" + std::string(url.substr(0, url.find('|')));
  if (auto known = value_sets_.find(key); known != value_sets_.end()) {
    return known->second.get();
  }
  auto line = lines_.find(key);
  if (line == lines_.end()) {
    return nullptr;
  }
  auto codes = std::make_unique<Codes>(json::parse(line->second.text).get<Codes>());
  return value_sets_.emplace(key, std::move(codes)).first->second.get();
}

const Invariant* TypeTable::FindInvariant(std::string_view key_name) const {
  std::string key = "Invariant/" + std::string(key_name);
  if (auto known = invariants_.find(key); known != invariants_.end()) {
    return known->second.get();
  }
  auto line = lines_.find(key);
  if (line == lines_.end()) {
    return nullptr;
  }
  json in = json::parse(line->second.text);
  auto invariant = std::make_unique<Invariant>(Invariant{.expression = in["x"], .error = in["s"] == "error"});
  return invariants_.emplace(key, std::move(invariant)).first->second.get();
}

std::vector<std::string> TypeTable::TypeNames() const {
  std::vector<std::string> names;
  for (const auto& [key, line] : lines_) {
    if (key.starts_with(kStructure)) {
      names.emplace_back(key.substr(kStructure.size()));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace weir::fhir
