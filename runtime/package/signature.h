// Ed25519 signatures of packages (RFC 8032), and the files that hold keys: one key a line, `ed25519 HEX NAME` (public) or
// `ed25519-secret HEX NAME`; blank lines and lines that begin with `#` mean nothing. A file of trusted keys is any number of public lines.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/package/format.h"

namespace weir::package {

struct PublicKey {
  std::array<uint8_t, 32> bytes{};
  std::string name;
};
struct SecretKey {
  std::array<uint8_t, 64> bytes{};  // libsodium's form: seed, then public key
};

// PREFIX.key (mode 0600) and PREFIX.pub. Neither is ever overwritten.
Result<void> GenerateKeys(const std::string& prefix);
Result<SecretKey> ReadSecretKey(const std::string& path);
Result<std::vector<PublicKey>> ReadPublicKeys(const std::string& path);

// The entry that signs the others.
Entry Sign(const std::vector<Entry>& entries, const SecretKey& key);
// Whose signature it is; nothing when there is none. An entry that is no valid signature of the others is an error.
Result<std::optional<PublicKey>> Signer(const std::vector<Entry>& entries);

}  // namespace weir::package
