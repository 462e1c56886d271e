// Who may send what: the clients of `--clients FILE`, known by certificate, bearer key or address. Pure.
//
//   {"clients": [{"name": "east-engine", "certificate": "dns:engine.east.example", "feeds": ["adt_east"], "listeners": ["mllp"]},
//                {"name": "lab", "bearer_file": "lab.key"}, {"name": "ward", "address": "10.1.2.3"}]}
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace weir::serve {

// Where a node finds who it is and who its peers are; empty: not given.
struct CredentialFiles {
  std::string certificate, key, client_ca;  // PEM
  std::string clients;                      // as above
};

// Of a peer whose certificate was verified.
struct Certificate {
  std::string common_name;
  std::vector<std::string> dns_names;  // subjectAltName, lower case
  std::string sha256;                  // of its DER, lower-case hex
};

struct Client {
  std::string name;
  std::string certificate{};               // "dns:NAME", "cn:NAME" or "sha256:HEX"; empty: not known by one
  std::string address{};                   // numeric, as the socket says it; empty: not known by it
  std::array<uint8_t, 32> bearer_digest{};  // of the key
  bool has_bearer = false;
  std::vector<std::string> feeds{};      // empty: any
  std::vector<std::string> listeners{};  // "mllp", "http"; empty: any

  bool MayFeed(std::string_view feed) const;
  friend bool operator==(const Client&, const Client&) = default;
};

class Access {
 public:
  using ReadFile = std::function<Result<std::string>(const std::string& path)>;
  // Paths of bearer files are relative to `folder`. Two clients with one credential are an error: it would be unclear whose rights count.
  static Result<Access> Parse(std::string_view json, const std::string& folder, const ReadFile& read);

  // Null: nobody we know, or not on this listener. `certificate` may be null, `bearer` empty. The most specific credential decides.
  std::shared_ptr<const Client> Find(std::string_view listener, const Certificate* certificate, std::string_view bearer, std::string_view address) const;

  friend bool operator==(const Access& a, const Access& b);

 private:
  std::vector<std::shared_ptr<const Client>> clients_;
};

}  // namespace weir::serve
