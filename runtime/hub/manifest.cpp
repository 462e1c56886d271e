// The only file of the hub that includes nlohmann/json: once per kernel, never per message.
#include "runtime/hub/manifest.h"

#include <nlohmann/json.hpp>

namespace weir::hub {
namespace {

using Json = nlohmann::json;

std::string Text(const Json& json, const char* name) {
  const auto member = json.find(name);
  return member != json.end() && member->is_string() ? member->get<std::string>() : std::string();
}
int64_t Number(const Json& json, const char* name, int64_t otherwise) {
  const auto member = json.find(name);
  return member != json.end() && member->is_number_integer() ? member->get<int64_t>() : otherwise;
}
const Json& List(const Json& json, const char* name) {
  static const Json none = Json::array();
  const auto member = json.find(name);
  return member != json.end() && member->is_array() ? *member : none;
}

std::vector<std::string> Texts(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& text : list) {
    if (text.is_string()) {
      texts.push_back(text.get<std::string>());
    }
  }
  return texts;
}
std::vector<std::string> Texts(const Json& json, const char* name) {
  return Texts(List(json, name));
}

}  // namespace

Result<Manifest> ParseManifest(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return Error{"a kernel's manifest is not a JSON object"};
  }
  Manifest manifest;
  manifest.package = Text(json, "package");
  manifest.semantic_digest = Text(json, "semantic_digest");
  manifest.json = text;
  for (const Json& feed : List(json, "feeds")) {
    if (!feed.is_object()) {
      return Error{"a kernel's manifest names a feed that is not an object"};
    }
    manifest.feeds.push_back({Text(feed, "name"), Text(feed, "version"),
                              Number(feed, "late_seconds", -1),
                              Number(feed, "future_seconds", -1), Texts(feed, "accept"),
                              Texts(feed, "processing"), feed.value("acknowledge_errors", false)});
  }
  for (const Json& map : List(json, "maps")) {
    std::string type = Text(map, "type");
    if (type.empty()) {
      type = Text(map, "resource_type");
    }
    manifest.maps.push_back({Text(map, "name"), std::move(type), Text(map, "identity")});
  }
  for (const Json& site : List(json, "sites")) {
    manifest.sites.push_back({Text(site, "class"), Text(site, "code"), Text(site, "path")});
  }
  // A type is its name, or {"name", "order": [names]}; orders may also stand in "element_orders":
  // {type: [names]}.
  const auto orders = json.find("element_orders");
  for (const Json& type : List(json, "types")) {
    const std::string name = type.is_string() ? type.get<std::string>() : Text(type, "name");
    const Json* order = type.is_object() ? &List(type, "order") : &List(type, "");
    if (order->empty() && orders != json.end() && orders->is_object()) {
      order = &List(*orders, name.c_str());
    }
    std::vector<std::vector<std::string>> together;
    for (const Json& group : List(type, "together")) {
      together.push_back(Texts(group));
    }
    manifest.types.push_back({name, fold::ElementOrder(Texts(*order), together)});
  }
  return manifest;
}

}  // namespace weir::hub
