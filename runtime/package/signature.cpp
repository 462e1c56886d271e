#include "runtime/package/signature.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/package/refusal.h"

namespace weir::package {
namespace {

constexpr std::string_view kEntry = "signature";
// A signature says what it signs, so that it can never stand for anything else.
constexpr std::string_view kPurpose = "weir package signature 1\n";
constexpr const char* kPublicWord = "ed25519";
constexpr const char* kSecretWord = "ed25519-secret";

static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_SECRETKEYBYTES == 64);

std::string Signed(const std::vector<Entry>& entries) {
  std::vector<Entry> others;
  std::ranges::copy_if(entries, std::back_inserter(others), [](const Entry& entry) { return entry.name != kEntry; });
  return std::string(kPurpose) + Sha256Hex(Encode(others));
}

std::string Hex(const uint8_t* bytes, size_t size) {
  std::string text(2 * size + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes, size);
  text.pop_back();
  return text;
}

bool Unhex(const std::string& text, uint8_t* bytes, size_t size) {
  size_t got = 0;
  const char* end = nullptr;
  return sodium_hex2bin(bytes, size, text.data(), text.size(), nullptr, &got, &end) == 0 && got == size && end == text.data() + text.size();
}

struct KeyLine {
  std::string hex, name;
};

// The lines that begin with `word`; any other line is an error, so that a secret is never taken for a public key.
Result<std::vector<KeyLine>> ReadKeyLines(const std::string& path, const char* word) {
  std::ifstream in(path);
  if (!in) {
    return Error{"cannot read keys from `" + path + "`"};
  }
  std::vector<KeyLine> lines;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string kind;
    if (!(words >> kind) || kind.starts_with('#')) {
      continue;
    }
    KeyLine key;
    if (kind != word || !(words >> key.hex)) {
      return Error{"`" + path + "` has a line that is not `" + word + " HEX NAME`"};
    }
    std::getline(words >> std::ws, key.name);
    lines.push_back(std::move(key));
  }
  return lines;
}

Result<void> WriteNew(const std::string& path, mode_t mode, const std::string& text) {
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
  const bool written = file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  if (file >= 0) {
    close(file);
  }
  return written ? Result<void>() : Result<void>(Error{"cannot write `" + path + "`; is there one already?"});
}

}  // namespace

Result<void> GenerateKeys(const std::string& prefix) {
  if (sodium_init() < 0) {
    return Error{"libsodium cannot start"};
  }
  std::array<uint8_t, 32> open_key{};
  std::array<uint8_t, 64> secret{};
  crypto_sign_keypair(open_key.data(), secret.data());
  const std::string name = std::filesystem::path(prefix).filename().string();
  auto written = WriteNew(prefix + ".key", 0600, std::string(kSecretWord) + " " + Hex(secret.data(), crypto_sign_SEEDBYTES) + " " + name + "\n");
  if (written) {
    written = WriteNew(prefix + ".pub", 0644, std::string(kPublicWord) + " " + Hex(open_key.data(), open_key.size()) + " " + name + "\n");
  }
  sodium_memzero(secret.data(), secret.size());
  return written;
}

Result<SecretKey> ReadSecretKey(const std::string& path) {
  auto lines = ReadKeyLines(path, kSecretWord);
  if (!lines) {
    return lines.error();
  }
  std::array<uint8_t, crypto_sign_SEEDBYTES> seed{};
  if (lines->size() != 1 || !Unhex(lines->front().hex, seed.data(), seed.size())) {
    return Error{"`" + path + "` holds no secret key"};
  }
  SecretKey key;
  std::array<uint8_t, 32> open_key{};
  crypto_sign_seed_keypair(open_key.data(), key.bytes.data(), seed.data());
  return key;
}

Result<std::vector<PublicKey>> ReadPublicKeys(const std::string& path) {
  auto lines = ReadKeyLines(path, kPublicWord);
  if (!lines) {
    return lines.error();
  }
  std::vector<PublicKey> keys;
  for (KeyLine& line : *lines) {
    PublicKey& key = keys.emplace_back();
    key.name = std::move(line.name);
    if (!Unhex(line.hex, key.bytes.data(), key.bytes.size())) {
      return Error{"`" + path + "` holds a key that is not 64 hex digits"};
    }
  }
  return keys;
}

Entry Sign(const std::vector<Entry>& entries, const SecretKey& key) {
  const std::string what = Signed(entries);
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, reinterpret_cast<const unsigned char*>(what.data()), what.size(),
                       key.bytes.data());
  // The public key is the second half of the secret one.
  return {std::string(kEntry), std::string(reinterpret_cast<const char*>(key.bytes.data()) + 32, 32) + signature};
}

Result<std::optional<PublicKey>> Signer(const std::vector<Entry>& entries) {
  const auto found = std::ranges::find(entries, kEntry, &Entry::name);
  if (found == entries.end()) {
    return std::optional<PublicKey>();
  }
  PublicKey key;
  const std::string what = Signed(entries);
  if (found->content.size() != key.bytes.size() + crypto_sign_BYTES || std::ranges::count(entries, kEntry, &Entry::name) != 1) {
    return Refuse(Refusal::kSignature);
  }
  std::copy_n(found->content.begin(), key.bytes.size(), key.bytes.begin());
  const auto* signature = reinterpret_cast<const unsigned char*>(found->content.data()) + key.bytes.size();
  if (crypto_sign_verify_detached(signature, reinterpret_cast<const unsigned char*>(what.data()), what.size(), key.bytes.data()) != 0) {
    return Refuse(Refusal::kSignature);
  }
  key.name = Hex(key.bytes.data(), 8);
  return std::optional(key);
}

}  // namespace weir::package
