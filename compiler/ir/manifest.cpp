#include "compiler/ir/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace weir::ir {

namespace {

void Add(std::string_view type, std::vector<std::string>* types) {
  if (std::find(types->begin(), types->end(), type) == types->end()) {
    types->emplace_back(type);
  }
}

void AddKeys(const Node& node, std::vector<std::string>* types) {
  if (node.op == Op::kKey) {
    Add(std::string_view(node.text).substr(0, node.text.find('/')), types);
  }
  for (const Node* kid : node.kids) {
    AddKeys(*kid, types);
  }
}

}  // namespace

std::vector<std::string> ResourceTypes(const Module& module) {
  std::vector<std::string> types;
  for (const auto& [type, names] : module.element_orders) {
    types.push_back(type);
  }
  for (const MapInfo& map : module.maps) {
    Add(map.resource_type, &types);
  }
  for (const Function& function : module.functions) {
    AddKeys(*function.body, &types);
  }
  for (const Feed& feed : module.feeds) {
    if (feed.transform != nullptr) {
      AddKeys(*feed.transform, &types);
    }
  }
  return types;
}

uint32_t EvaluationSite(const Module& module) { return static_cast<uint32_t>(module.sites.size()); }
uint32_t LimitSite(const Module& module) { return EvaluationSite(module) + 1; }

std::string Manifest(const Module& module) {
  using Json = nlohmann::ordered_json;
  Json manifest;
  manifest["package"] = module.package;
  manifest["edition"] = module.edition;
  manifest["semantic_digest"] = module.semantic_digest;
  manifest["feeds"] = Json::array();
  for (const Feed& feed : module.feeds) {
    manifest["feeds"].push_back({{"name", feed.name},
                                 {"version", feed.version},
                                 {"late_seconds", feed.late_seconds},
                                 {"future_seconds", feed.future_seconds},
                                 {"accept", feed.accept},
                                 {"processing", feed.processing},
                                 {"acknowledge_errors", feed.acknowledge_errors}});
  }
  manifest["maps"] = Json::array();
  for (const MapInfo& map : module.maps) {
    manifest["maps"].push_back({{"name", map.name},
                                {"type", map.resource_type},
                                {"merge", map.merge},
                                {"precedence", map.precedence},
                                {"snapshot", map.snapshot}});
  }
  manifest["types"] = Json::array();
  for (const std::string& type : ResourceTypes(module)) {
    Json elements = Json::array();
    for (const auto& [name, names] : module.element_orders) {
      if (name == type) {
        elements = names;
      }
    }
    Json entry = {{"name", type}, {"order", std::move(elements)}};
    if (auto groups = module.element_groups.find(type); groups != module.element_groups.end()) {
      entry["together"] = groups->second;
    }
    manifest["types"].push_back(std::move(entry));
  }
  manifest["sites"] = Json::array();
  auto add_site = [&](const std::string& error_class, const std::string& code,
                      const std::string& path, bool degrade) {
    manifest["sites"].push_back(
        {{"class", error_class}, {"code", code}, {"path", path}, {"degrade", degrade}});
  };
  for (const Site& site : module.sites) {
    add_site(site.error_class, site.code, site.path, site.degrade);
  }
  add_site("transform", "cardinality", "", false);
  add_site("transform", "limit", "", false);
  manifest["tables"] = Json::array();
  for (const Table& table : module.tables) {
    manifest["tables"].push_back(table.name);
  }
  return manifest.dump();
}

}  // namespace weir::ir
