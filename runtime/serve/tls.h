// TLS 1.2 and 1.3 over memory: encrypted bytes in and out, another session inside (OpenSSL, memory BIOs; no socket, no file). The only part
// of the node that includes OpenSSL.
#pragma once

#include <openssl/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/serve/access.h"
#include "runtime/serve/session.h"

namespace weir::serve {

// Certificate (with its chain) and key of the node, and the authorities that vouch for clients: PEM texts.
struct TlsMaterial {
  std::string certificate, key, client_ca;  // client_ca empty: clients are not asked for certificates
  friend bool operator==(const TlsMaterial&, const TlsMaterial&) = default;
};

class TlsContext {
 public:
  static Result<std::shared_ptr<const TlsContext>> Make(const TlsMaterial& material);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* handle() const { return handle_; }
  bool asks_clients() const { return asks_clients_; }
  int64_t expires_us() const { return expires_us_; }  // of the node's own certificate

 private:
  TlsContext() = default;
  ssl_ctx_st* handle_ = nullptr;
  bool asks_clients_ = false;
  int64_t expires_us_ = 0;
};

// Keeps its context, so sessions outlive a rotation.
class TlsSession final : public Session {
 public:
  // What to speak with a peer whose handshake is done; null: the peer is not to be spoken with. The certificate is null when it has none,
  // which `demands_certificate` rules out.
  using MakeInner = std::function<std::unique_ptr<Session>(const Certificate*)>;

  TlsSession(std::shared_ptr<const TlsContext> context, bool demands_certificate, int64_t wall_us, MakeInner make_inner);
  ~TlsSession() override;

  void Receive(std::string_view bytes) override;
  void End() override;
  void OnSettled(uint64_t entry, const Settled& settled) override;
  void Continue() override;
  void Refuse(std::string_view reason) override;
  bool Waiting() const override { return inner_ != nullptr && inner_->Waiting(); }
  bool Incomplete() const override { return inner_ == nullptr || inner_->Incomplete(); }
  bool WantsInput() const override { return inner_ == nullptr || inner_->WantsInput(); }
  size_t HeldBytes() const override { return inner_ == nullptr ? 0 : inner_->HeldBytes(); }

 private:
  bool Handshake();  // true: done
  void ReadPlain();
  void Pump();  // what the inner session has to say, and its wish to end

  std::shared_ptr<const TlsContext> context_;
  MakeInner make_inner_;
  ssl_st* ssl_ = nullptr;
  bio_st *in_ = nullptr, *out_ = nullptr;  // owned by ssl_
  std::unique_ptr<Session> inner_;
  bool ended_ = false, closed_ = false;
};

}  // namespace weir::serve
