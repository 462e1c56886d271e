#include "runtime/serve/access.h"

#include <sodium.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace weir::serve {
namespace {

using Json = nlohmann::json;

constexpr size_t kBearerBytesMin = 16;  // fewer can be guessed

std::array<uint8_t, 32> Digest(std::string_view key) {
  std::array<uint8_t, 32> digest{};
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), nullptr, 0);
  return digest;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

Error Bad(const std::string& what) { return {"clients: " + what}; }

Result<std::vector<std::string>> Texts(const Json& json, const char* name) {
  std::vector<std::string> texts;
  const auto member = json.find(name);
  if (member == json.end()) {
    return texts;
  }
  if (!member->is_array() || member->empty()) {
    return Bad(std::string("`") + name + "` is a list of at least one name");
  }
  for (const Json& text : *member) {
    if (!text.is_string()) {
      return Bad(std::string("`") + name + "` lists names");
    }
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

// "dns:NAME", "cn:NAME" or "sha256:HEX", spelled as certificates are compared.
Result<std::string> CertificateRule(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  std::string value = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  if (kind != "cn") {
    value = Lower(value);
  }
  if (kind == "sha256") {
    std::erase(value, ':');
  }
  const bool good = kind == "cn" || kind == "dns" || (kind == "sha256" && value.size() == 64 && value.find_first_not_of("0123456789abcdef") == value.npos);
  if (!good || value.empty()) {
    return Bad("`certificate` is dns:NAME, cn:NAME or sha256:HEX");
  }
  return kind + ":" + value;
}

std::string Trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

Result<Client> ParseClient(const Json& json, const std::string& folder, const Access::ReadFile& read) {
  if (!json.is_object()) {
    return Bad("a client is an object");
  }
  Client client;
  for (const auto& [name, value] : json.items()) {
    static constexpr std::string_view kNames[] = {"name", "certificate", "address", "bearer_file", "feeds", "listeners"};
    if (std::ranges::find(kNames, name) == std::end(kNames)) {
      return Bad("`" + name + "` is nothing a client has");  // a misspelt restriction must not be none
    }
    if (name != "feeds" && name != "listeners" && !value.is_string()) {
      return Bad("`" + name + "` is a text");
    }
  }
  client.name = json.value("name", std::string());
  client.address = json.value("address", std::string());
  if (json.contains("certificate")) {
    auto rule = CertificateRule(json["certificate"].get<std::string>());
    if (!rule) {
      return rule.error();
    }
    client.certificate = *rule;
  }
  if (json.contains("bearer_file")) {
    const auto path = std::filesystem::path(folder) / json["bearer_file"].get<std::string>();
    auto key = read(path.string());
    if (!key) {
      return key.error();
    }
    const std::string trimmed = Trimmed(*key);
    if (trimmed.size() < kBearerBytesMin) {
      return Bad("the key of `" + client.name + "` has fewer than " + std::to_string(kBearerBytesMin) + " characters");
    }
    client.has_bearer = true;
    client.bearer_digest = Digest(trimmed);
  }
  if (client.name.empty() || (client.certificate.empty() && !client.has_bearer && client.address.empty())) {
    return Bad("a client has a `name` and a `certificate`, a `bearer_file` or an `address`");
  }
  for (const auto& [name, into] : {std::pair("feeds", &client.feeds), std::pair("listeners", &client.listeners)}) {
    auto texts = Texts(json, name);
    if (!texts) {
      return texts.error();
    }
    *into = std::move(*texts);
  }
  return client;
}

bool Matches(const Certificate& certificate, std::string_view rule) {
  if (rule.starts_with("dns:")) {
    return std::ranges::find(certificate.dns_names, rule.substr(4)) != certificate.dns_names.end();
  }
  return rule.starts_with("cn:") ? rule.substr(3) == certificate.common_name : rule.starts_with("sha256:") && rule.substr(7) == certificate.sha256;
}

}  // namespace

bool operator==(const Access& a, const Access& b) {
  return std::ranges::equal(a.clients_, b.clients_, [](const auto& one, const auto& other) { return *one == *other; });
}

bool Client::MayFeed(std::string_view feed) const { return feeds.empty() || std::ranges::find(feeds, feed) != feeds.end(); }

Result<Access> Access::Parse(std::string_view text, const std::string& folder, const ReadFile& read) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != 1 || !json.contains("clients") || !json["clients"].is_array()) {
    return Bad("the file is {\"clients\": [...]}");
  }
  Access access;
  for (const Json& entry : json["clients"]) {
    auto client = ParseClient(entry, folder, read);
    if (!client) {
      return client.error();
    }
    for (const auto& other : access.clients_) {
      if ((!client->certificate.empty() && client->certificate == other->certificate) || (!client->address.empty() && client->address == other->address) ||
          (client->has_bearer && other->has_bearer && client->bearer_digest == other->bearer_digest) || client->name == other->name) {
        return Bad("`" + client->name + "` and `" + other->name + "` share a name or a credential");
      }
    }
    access.clients_.push_back(std::make_shared<const Client>(std::move(*client)));
  }
  return access;
}

std::shared_ptr<const Client> Access::Find(std::string_view listener, const Certificate* certificate, std::string_view bearer,
                                           std::string_view address) const {
  const auto first = [&](const auto& known) -> std::shared_ptr<const Client> {
    const auto found = std::ranges::find_if(clients_, [&](const auto& client) {
      return known(*client) && (client->listeners.empty() || std::ranges::find(client->listeners, listener) != client->listeners.end());
    });
    return found == clients_.end() ? nullptr : *found;
  };
  if (!bearer.empty()) {
    // All are compared in full: how long it takes tells nothing of a key. A wrong key is not made good by an address.
    const auto digest = Digest(bearer);
    return first([&](const Client& client) { return client.has_bearer && sodium_memcmp(client.bearer_digest.data(), digest.data(), digest.size()) == 0; });
  }
  if (certificate != nullptr) {
    if (auto client = first([&](const Client& known) { return Matches(*certificate, known.certificate); })) {
      return client;
    }
  }
  return first([&](const Client& client) { return !client.address.empty() && client.address == address; });
}

}  // namespace weir::serve
