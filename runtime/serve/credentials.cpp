#include "runtime/serve/credentials.h"

#include <filesystem>
#include <vector>

namespace weir::serve {
namespace {

constexpr size_t kFileBytesMax = 1u << 20;  // certificates and clients of any hospital; bounds a wrong path

Result<std::string> ReadSmall(io::Io& io, const std::string& path) {
  std::string text;
  std::vector<char> piece(64u << 10);
  while (true) {
    const auto got = io.ReadFile(path, text.size(), piece);
    if (!got) {
      return Error{"`" + path + "`: " + got.error().message};
    }
    if (*got == 0) {
      return text;
    }
    text.append(piece.data(), *got);
    if (text.size() > kFileBytesMax) {
      return Error{"`" + path + "` is larger than such a file can be"};
    }
  }
}

}  // namespace

Result<bool> Credentials::Load() {
  bool changed = false;
  TlsMaterial material;
  std::shared_ptr<const TlsContext> tls = tls_;
  for (const auto& [path, text] : {std::pair(&files_.certificate, &material.certificate), std::pair(&files_.key, &material.key),
                                   std::pair(&files_.client_ca, &material.client_ca)}) {
    if (!path->empty()) {
      auto read = ReadSmall(io_, *path);
      if (!read) {
        return read.error();
      }
      *text = std::move(*read);
    }
  }
  if (!files_.certificate.empty() && (tls_ == nullptr || material != material_)) {
    auto made = TlsContext::Make(material);
    if (!made) {
      return made.error();
    }
    tls = *made;
    changed = true;
  }
  if (!files_.clients.empty()) {
    auto text = ReadSmall(io_, files_.clients);
    if (!text) {
      return text.error();
    }
    const std::string folder = std::filesystem::path(files_.clients).parent_path().string();
    auto access = Access::Parse(*text, folder, [this](const std::string& path) { return ReadSmall(io_, path); });
    if (!access) {
      return access.error();
    }
    if (!access_ || !(*access_ == *access)) {
      access_ = std::move(*access);
      changed = true;
    }
  }
  tls_ = std::move(tls);
  material_ = std::move(material);
  metrics_.certificate_expires_us = tls_ == nullptr ? 0 : tls_->expires_us();
  epoch_ += changed ? 1 : 0;
  return changed;
}

Rights::Rights(const Credentials& credentials, std::string listener, std::string address, const Certificate* certificate)
    : credentials_(credentials), listener_(std::move(listener)), address_(std::move(address)) {
  if (certificate != nullptr) {
    certificate_ = *certificate;
  }
}

bool Rights::Known(std::string_view bearer) {
  if (epoch_ != credentials_.epoch() || bearer != bearer_) {
    epoch_ = credentials_.epoch();
    bearer_ = bearer;
    client_ = credentials_.access() == nullptr ? nullptr
                                               : credentials_.access()->Find(listener_, certificate_ ? &*certificate_ : nullptr, bearer, address_);
    known_ = credentials_.access() == nullptr || client_ != nullptr;
  }
  return known_;
}

}  // namespace weir::serve
