#include "compiler/fhir/import.h"

#include <sodium.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/fhir/package_reader.h"

namespace weir::fhir {
namespace {

using nlohmann::json;

std::string Sha256(std::string_view text) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::string hex(2 * sizeof digest, '0');
  for (size_t i = 0; i < sizeof digest; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex[2 * i] = kDigits[digest[i] >> 4];
    hex[2 * i + 1] = kDigits[digest[i] & 15];
  }
  return hex;
}

std::string WithoutVersion(const std::string& canonical) { return canonical.substr(0, canonical.find('|')); }

// FHIR's own primitives carry their type as a FHIRPath system type in an extension; the JSON type is the FHIR name.
std::string TypeCode(const json& type) {
  std::string code = type.value("code", "");
  if (code.starts_with("http://hl7.org/fhirpath/")) {
    for (const auto& extension : type.value("extension", json::array())) {
      if (extension.value("url", "") == "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type") {
        return extension.contains("valueUrl") ? extension["valueUrl"].get<std::string>() : extension.value("valueUri", "");
      }
    }
  }
  return code;
}

std::string LastSegment(const std::string& url) { return url.substr(url.rfind('/') + 1); }

json Types(const json& element) {
  json types = json::array();
  for (const auto& type : element.value("type", json::array())) {
    json out = {{"c", TypeCode(type)}};
    for (const auto& target : type.value("targetProfile", json::array())) {
      out["tp"].push_back(LastSegment(target.get<std::string>()));
    }
    for (const auto& profile : type.value("profile", json::array())) {
      out["p"].push_back(profile);
    }
    types.push_back(std::move(out));
  }
  return types;
}

class Importer {
 public:
  explicit Importer(const ImportOptions& options) : options_(options) {}

  Result<ImportReport> Run() {
    for (size_t i = 0; i < options_.packages.size(); ++i) {
      bool last_restricted = !options_.only_value_sets.empty() && i + 1 == options_.packages.size();
      auto read = ReadPackage(
          options_.packages[i],
          [](const std::string& name) {
            return name.find('/') == std::string::npos &&
                   (name.starts_with("StructureDefinition-") || name.starts_with("ValueSet-") || name.starts_with("CodeSystem-"));
          },
          [&](const std::string&, std::string text) { Take(text, i, last_restricted); });
      if (!read) {
        return read.error();
      }
    }
    if (structures_.empty()) {
      return Error{options_.packages[0] + ": no definition with a snapshot in it"};
    }
    for (const auto& [id, definition] : structures_) {
      Structure(definition);
    }
    for (const auto& url : bound_) {
      ValueSet(url);
    }
    for (const auto& [key, invariant] : invariants_) {
      lines_["Invariant/" + key] = invariant.dump();
      ++report_.invariants;
    }
    return Write();
  }

 private:
  void Take(const std::string& text, size_t package, bool restricted) {
    json definition = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (definition.is_discarded() || !definition.contains("url")) {
      return;
    }
    std::string type = definition.value("resourceType", "");
    std::string url = definition["url"];
    if (type == "ValueSet") {
      if (restricted) {
        const auto& only = options_.only_value_sets;
        if (std::find(only.begin(), only.end(), url) == only.end()) {
          return;
        }
        value_sets_[url] = std::move(definition);  // this version is wanted instead of an earlier one
        return;
      }
      // An expansion says more than a definition of the same URL.
      auto& slot = value_sets_[url];
      if (slot.is_null() || (!slot.contains("expansion") && definition.contains("expansion"))) {
        slot = std::move(definition);
      }
    } else if (type == "CodeSystem") {
      // The wanted value sets were written against the code systems of their own package.
      if (restricted) {
        code_systems_[url] = std::move(definition);
      } else {
        code_systems_.try_emplace(url, std::move(definition));
      }
    } else if (type == "StructureDefinition" && !restricted && definition.contains("snapshot")) {
      if (package == 0) {
        structures_.try_emplace(definition.value("id", ""), std::move(definition));
      }
    }
  }

  void Structure(const json& definition) {
    json out = {{"url", definition["url"]},
                {"name", definition.value("name", "")},
                {"kind", definition.value("kind", "")},
                {"type", definition.value("type", "")},
                {"derivation", definition.value("derivation", "")},
                {"abstract", definition.value("abstract", false)},
                {"base", LastSegment(definition.value("baseDefinition", ""))},
                {"version", definition.value("version", "")}};
    for (const auto& context : definition.value("context", json::array())) {
      out["context"].push_back(context.value("expression", ""));
    }
    json elements = json::array();
    for (const auto& element : definition["snapshot"]["element"]) {
      elements.push_back(Element(element, definition.value("id", "")));
      ++report_.elements;
    }
    out["elements"] = std::move(elements);
    lines_["StructureDefinition/" + definition.value("id", "")] = out.dump();
    ++report_.definitions;
  }

  json Element(const json& element, const std::string& definition) {
    json out = {{"p", element["path"]}, {"min", element.value("min", 0)}, {"max", element.value("max", "1")}};
    if (json types = Types(element); !types.empty()) {
      out["t"] = std::move(types);
    }
    if (element.contains("sliceName")) {
      out["sl"] = element["sliceName"];
    }
    if (element.contains("contentReference")) {
      std::string reference = element["contentReference"];
      out["cr"] = reference.substr(reference.find('#') + 1);
    }
    if (element.contains("binding")) {
      const auto& binding = element["binding"];
      std::string strength = binding.value("strength", "");
      std::string url = WithoutVersion(binding.value("valueSet", ""));
      if (strength == "required" || strength == "extensible") {
        out["b"] = {{"s", strength}, {"v", url}};
        if (!url.empty()) {
          bound_.insert(url);
        }
      }
    }
    if (element.contains("slicing")) {
      const auto& slicing = element["slicing"];
      json s = {{"rules", slicing.value("rules", "open")}};
      for (const auto& discriminator : slicing.value("discriminator", json::array())) {
        s["by"].push_back({{"type", discriminator.value("type", "")}, {"path", discriminator.value("path", "")}});
      }
      out["slicing"] = std::move(s);
    }
    for (const auto& [key, value] : element.items()) {
      if (key.starts_with("fixed")) {
        out["fx"] = value;
      } else if (key.starts_with("pattern")) {
        out["pt"] = value;
      }
    }
    for (const char* flag : {"isModifier", "mustSupport", "isSummary"}) {
      if (element.value(flag, false)) {
        out[flag[0] == 'm' ? "ms" : flag[2] == 'M' ? "im" : "su"] = 1;
      }
    }
    for (const auto& constraint : element.value("constraint", json::array())) {
      std::string key = constraint.value("key", "");
      if (constraint.contains("expression")) {
        json invariant = {{"x", constraint["expression"]}, {"s", constraint.value("severity", "error")}};
        auto [known, fresh] = invariants_.try_emplace(key, invariant);
        if (!fresh && known->second != invariant) {  // US Core gives us-core-6 twice, to two things
          key += "@" + definition;
          invariants_.emplace(key, std::move(invariant));
        }
        out["k"].push_back(key);
      }
    }
    return out;
  }

  void Concepts(const json& concepts, const std::string& system, std::map<std::string, std::set<std::string>>& codes) {
    for (const auto& concept_ : concepts) {
      codes[system].insert(concept_.value("code", ""));
      if (concept_.contains("concept")) {
        Concepts(concept_["concept"], system, codes);
      }
    }
  }

  void Contains(const json& contains, std::map<std::string, std::set<std::string>>& codes) {
    for (const auto& entry : contains) {
      if (!entry.value("abstract", false) && entry.contains("code")) {
        codes[entry.value("system", "")].insert(entry["code"].get<std::string>());
      }
      if (entry.contains("contains")) {
        Contains(entry["contains"], codes);
      }
    }
  }

  // Codes that stand for a group and are no real concept ("Race" over all races) are in no instance.
  static bool Abstract(const json& concept_) {
    for (const auto& property : concept_.value("property", json::array())) {
      std::string code = property.value("code", "");
      if ((code == "abstract" || code == "notSelectable") && property.value("valueBoolean", false)) {
        return true;
      }
    }
    return false;
  }

  static const json* FindConcept(const json& concepts, const std::string& code) {
    for (const auto& concept_ : concepts) {
      if (concept_.value("code", "") == code) {
        return &concept_;
      }
      if (concept_.contains("concept")) {
        if (const json* found = FindConcept(concept_["concept"], code)) {
          return found;
        }
      }
    }
    return nullptr;
  }

  void Selectable(const json& concepts, const std::string& system, std::map<std::string, std::set<std::string>>& codes) {
    for (const auto& concept_ : concepts) {
      if (!Abstract(concept_)) {
        codes[system].insert(concept_.value("code", ""));
      }
      if (concept_.contains("concept")) {
        Selectable(concept_["concept"], system, codes);
      }
    }
  }

  // The one filter that a nested code system answers by itself: a concept's kinds. Where concepts have a second
  // parent (`child`, `parent`, `subsumedBy`) the nesting is not the whole graph.
  bool Filtered(const json& filters, const std::string& system, std::map<std::string, std::set<std::string>>& codes) {
    auto found = code_systems_.find(system);
    if (filters.size() != 1 || found == code_systems_.end() || found->second.value("content", "") != "complete" ||
        found->second.value("hierarchyMeaning", "") != "is-a") {
      return false;
    }
    for (const auto& property : found->second.value("property", json::array())) {
      std::string code = property.value("code", "");
      if (code == "child" || code == "parent" || code == "subsumedBy") {
        return false;
      }
    }
    const json& filter = filters[0];
    std::string op = filter.value("op", "");
    if (filter.value("property", "") != "concept" || (op != "is-a" && op != "descendent-of") || !found->second.contains("concept")) {
      return false;
    }
    const json* root = FindConcept(found->second["concept"], filter.value("value", ""));
    if (root == nullptr) {
      return false;
    }
    if (op == "is-a" && !Abstract(*root)) {
      codes[system].insert(root->value("code", ""));
    }
    Selectable(root->value("concept", json::array()), system, codes);
    return true;
  }

  // False when the codes cannot be listed from the packages at hand.
  bool Expand(const std::string& url, std::map<std::string, std::set<std::string>>& codes, int depth) {
    auto found = value_sets_.find(url);
    if (found == value_sets_.end() || depth > 8) {
      return false;
    }
    const json& set = found->second;
    if (set.contains("expansion") && set["expansion"].contains("contains")) {
      // An expansion with paging or a limit is not the whole set.
      if (set["expansion"].value("total", 0) <= 5000) {
        Contains(set["expansion"]["contains"], codes);
        return true;
      }
      return false;
    }
    if (!set.contains("compose")) {
      return false;
    }
    std::map<std::string, std::set<std::string>> all;
    for (const auto& include : set["compose"].value("include", json::array())) {
      std::string system = include.value("system", "");
      if (include.contains("filter")) {
        if (!Filtered(include["filter"], system, all)) {
          return false;
        }
      } else if (include.contains("concept")) {
        Concepts(include["concept"], system, all);
      } else if (include.contains("valueSet")) {
        for (const auto& other : include["valueSet"]) {
          if (!Expand(WithoutVersion(other.get<std::string>()), all, depth + 1)) {
            return false;
          }
        }
      } else {
        auto code_system = code_systems_.find(system);
        if (code_system == code_systems_.end() || code_system->second.value("content", "") != "complete") {
          return false;
        }
        Concepts(code_system->second.value("concept", json::array()), system, all);
      }
    }
    for (const auto& exclude : set["compose"].value("exclude", json::array())) {
      if (!exclude.contains("concept")) {
        return false;
      }
      for (const auto& concept_ : exclude["concept"]) {
        all[exclude.value("system", "")].erase(concept_.value("code", ""));
      }
    }
    for (auto& [system, set_codes] : all) {
      codes[system].insert(set_codes.begin(), set_codes.end());
    }
    return true;
  }

  void ValueSet(const std::string& url) {
    std::map<std::string, std::set<std::string>> codes;
    if (!Expand(url, codes, 0)) {
      report_.not_enumerable.push_back(url);
      return;
    }
    json out = json::object();
    size_t count = 0;
    for (const auto& [system, set_codes] : codes) {
      out[system] = set_codes;
      count += set_codes.size();
    }
    constexpr size_t kMaxCodes = 3000;  // larger ones (languages, currencies) are judged by their code system alone
    if (count > kMaxCodes) {
      report_.not_enumerable.push_back(url);
      return;
    }
    lines_["ValueSet/" + url] = out.dump();
    ++report_.value_sets;
    report_.codes += count;
  }

  Result<ImportReport> Write() {
    std::error_code failed;  // the streams below say it
    std::filesystem::create_directories(options_.output, failed);
    std::string path = options_.output + "/" + options_.name + ".defs";
    std::string index = options_.output + "/" + options_.name + ".sha256";
    std::ofstream out(path, std::ios::binary);
    std::ofstream hashes(index, std::ios::binary);
    for (const auto& [key, text] : lines_) {
      out << key << '\t' << text << '\n';
      hashes << Sha256(text) << "  " << key << '\n';
    }
    out.close();
    hashes.close();
    if (!out || !hashes) {
      return Error{"cannot write " + path};
    }
    return report_;
  }

  const ImportOptions& options_;
  std::map<std::string, json> structures_;  // by id
  std::map<std::string, json> value_sets_, code_systems_;  // by URL
  std::map<std::string, json> invariants_;
  std::set<std::string> bound_;
  std::map<std::string, std::string> lines_;
  ImportReport report_;
};

}  // namespace

Result<PackageIdentity> IdentifyPackage(const std::string& path) {
  PackageIdentity identity;
  auto read = ReadPackage(
      path, [](const std::string& name) { return name == "package.json"; },
      [&](const std::string&, std::string text) {
        json manifest = json::parse(text, nullptr, /*allow_exceptions=*/false);
        auto text_of = [&](const char* key) {
          bool known = manifest.is_object() && manifest.contains(key) && manifest[key].is_string();
          return known ? manifest[key].get<std::string>() : std::string();
        };
        identity = {.name = text_of("name"), .version = text_of("version")};
      });
  if (!read) {
    return read.error();
  }
  if (identity.name.empty() || identity.version.empty()) {
    return Error{path + ": not a FHIR package: package/package.json does not give name and version"};
  }
  return identity;
}

std::string RegistryName(const PackageIdentity& package) {
  constexpr std::string_view kPrefix = "hl7.fhir.";
  std::string name = package.name.starts_with(kPrefix) ? package.name.substr(kPrefix.size()) : package.name;
  std::ranges::replace(name, '.', '-');
  name += "-" + package.version;
  std::ranges::replace(name, '/', '-');  // it becomes a file's name: nothing may leave the folder
  return name;
}

Result<ImportReport> Import(const ImportOptions& options) {
  try {
    return Importer(options).Run();
  } catch (const json::exception& error) {  // an element of another type than FHIR gives it
    return Error{options.packages[0] + ": not a definition of FHIR: " + error.what()};
  }
}

}  // namespace weir::fhir
