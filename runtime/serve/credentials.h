// The files that say who the node is and who its peers are: certificate, key, authorities, clients. Read at the start and again when they
// change or SIGHUP asks; unsound ones are not taken, and what was taken before goes on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/io/io.h"
#include "runtime/serve/access.h"
#include "runtime/serve/metrics.h"
#include "runtime/serve/tls.h"

namespace weir::serve {

class Credentials {
 public:
  Credentials(const CredentialFiles& files, io::Io& io, Metrics& metrics) : files_(files), io_(io), metrics_(metrics) {}

  // False: nothing changed. An error leaves everything as it was.
  Result<bool> Load();

  std::shared_ptr<const TlsContext> tls() const { return tls_; }  // null without a certificate
  const Access* access() const { return access_ ? &*access_ : nullptr; }  // null: whoever reaches a listener may send
  uint64_t epoch() const { return epoch_; }  // grows with every change

 private:
  const CredentialFiles& files_;
  io::Io& io_;
  Metrics& metrics_;
  TlsMaterial material_;
  std::shared_ptr<const TlsContext> tls_;
  std::optional<Access> access_;
  uint64_t epoch_ = 0;
};

// What one connection may do. Looks again when the list of clients has changed.
class Rights {
 public:
  Rights(const Credentials& credentials, std::string listener, std::string address, const Certificate* certificate);

  // Whether the peer may speak at all. `bearer`: of this request.
  bool Known(std::string_view bearer = {});
  // Who it is, as `Known` last found; null: nobody asks.
  const std::shared_ptr<const Client>& client() const { return client_; }

 private:
  const Credentials& credentials_;
  std::string listener_, address_;
  std::optional<Certificate> certificate_;
  std::shared_ptr<const Client> client_;
  std::string bearer_;
  uint64_t epoch_ = ~uint64_t{0};
  bool known_ = false;
};

}  // namespace weir::serve
