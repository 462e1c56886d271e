#include "runtime/serve/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

namespace weir::serve {
namespace {

// Forward secrecy and authenticated encryption only (IHE ATNA, BCP 195); those of TLS 1.3 are all of that kind.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

template <typename T, void (*kFree)(T*)>
struct Free {
  void operator()(T* what) const { kFree(what); }
};
using Bio = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Free<X509, X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES, GENERAL_NAMES_free>>;

Bio Reader(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

Error Bad(const char* what) {
  ERR_clear_error();
  return {std::string("tls: ") + what};
}

int64_t Micros(const ASN1_TIME* time) {
  tm fields{};
  return ASN1_TIME_to_tm(time, &fields) == 1 ? int64_t{timegm(&fields)} * 1'000'000 : 0;
}

std::string Lower(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return text;
}

std::string Text(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

Certificate Describe(X509* certificate) {
  Certificate description;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  if (const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0) {
    description.common_name = Text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  }
  const NamesPtr names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      description.dns_names.push_back(Lower(Text(name->d.dNSName)));
    }
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  static constexpr char kHex[] = "0123456789abcdef";
  for (unsigned i = 0; i < size; ++i) {
    description.sha256 += kHex[digest[i] >> 4];
    description.sha256 += kHex[digest[i] & 15];
  }
  return description;
}

// Why a handshake failed, as a label of weir_connections_refused_total.
const char* Reason(SSL* ssl) {
  const unsigned long error = ERR_peek_error();
  switch (SSL_get_verify_result(ssl)) {
    case X509_V_OK:
      break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "tls_expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "tls_not_yet_valid";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "tls_unknown_authority";
    default:
      return "tls_certificate";
  }
  switch (ERR_GET_REASON(error)) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "tls_no_certificate";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_VERSION_TOO_LOW:
      return "tls_protocol";
    default:
      return "tls_handshake";
  }
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(handle_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::Make(const TlsMaterial& material) {
  std::shared_ptr<TlsContext> context(new TlsContext);  // the constructor is private
  SSL_CTX* handle = context->handle_ = SSL_CTX_new(TLS_server_method());
  if (handle == nullptr) {
    return Bad("OpenSSL cannot start");
  }
  SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(handle, kCiphers);
  // No resumption: every connection shows a certificate that holds now. Interface engines keep theirs for days.
  SSL_CTX_set_options(handle, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(handle, 0);
  SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(handle, [](char*, int, int, void*) { return 0; });  // never ask a terminal

  const Bio chain = Reader(material.certificate);
  const X509Ptr own(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (own == nullptr || SSL_CTX_use_certificate(handle, own.get()) != 1) {
    return Bad("the certificate cannot be read");
  }
  context->expires_us_ = Micros(X509_get0_notAfter(own.get()));
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add0_chain_cert(handle, next);
  }
  const Bio key_text = Reader(material.key);
  const KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
  if (key == nullptr || SSL_CTX_use_PrivateKey(handle, key.get()) != 1 || SSL_CTX_check_private_key(handle) != 1) {
    return Bad("the key cannot be read or is not the certificate's");
  }
  if (!material.client_ca.empty()) {
    const Bio authorities = Reader(material.client_ca);
    int count = 0;
    while (X509* next = PEM_read_bio_X509(authorities.get(), nullptr, nullptr, nullptr)) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(handle), next);
      SSL_CTX_add_client_CA(handle, next);
      X509_free(next);
      ++count;
    }
    if (count == 0) {
      return Bad("the authorities of clients cannot be read");
    }
    context->asks_clients_ = true;
  }
  ERR_clear_error();  // the end of each PEM text is one
  return std::shared_ptr<const TlsContext>(std::move(context));
}

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, bool demands_certificate, int64_t wall_us, MakeInner make_inner)
    : context_(std::move(context)), make_inner_(std::move(make_inner)), ssl_(SSL_new(context_->handle())), in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_accept_state(ssl_);
  SSL_set_verify(ssl_, !context_->asks_clients() ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | (demands_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_), wall_us / 1'000'000);  // the node's clock, not the library's
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

void TlsSession::Receive(std::string_view bytes) {
  BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  if (inner_ != nullptr || Handshake()) {
    ReadPlain();
  }
  Pump();
}

bool TlsSession::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) {
    const int error = SSL_get_error(ssl_, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      Session::Refuse(Reason(ssl_));
      ERR_clear_error();
    }
    return false;
  }
  const X509Ptr peer(SSL_get1_peer_certificate(ssl_));
  if (peer == nullptr) {
    inner_ = make_inner_(nullptr);
  } else {
    const Certificate certificate = Describe(peer.get());
    inner_ = make_inner_(&certificate);
  }
  if (inner_ == nullptr) {
    Session::Refuse("not_allowed");
  }
  return inner_ != nullptr;
}

void TlsSession::ReadPlain() {
  std::array<char, 16u << 10> plain;  // a TLS record
  while (!ended_) {
    ERR_clear_error();
    const int size = SSL_read(ssl_, plain.data(), static_cast<int>(plain.size()));
    if (size > 0) {
      inner_->Receive({plain.data(), static_cast<size_t>(size)});
      continue;
    }
    switch (SSL_get_error(ssl_, size)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return;
      case SSL_ERROR_ZERO_RETURN:
        return End();
      default:
        ERR_clear_error();
        return Session::Refuse("tls_broken");
    }
  }
}

void TlsSession::End() {
  if (!ended_ && inner_ != nullptr) {
    inner_->End();
  }
  ended_ = true;
  Pump();
}

void TlsSession::OnSettled(uint64_t entry, const Settled& settled) {
  inner_->OnSettled(entry, settled);
  Pump();
}

void TlsSession::Continue() {
  if (inner_ != nullptr) {
    inner_->Continue();
    Pump();
  }
}

void TlsSession::Refuse(std::string_view reason) {
  if (inner_ == nullptr) {
    return Session::Refuse(reason);
  }
  inner_->Refuse(reason);
  Pump();
}

void TlsSession::Pump() {
  if (inner_ != nullptr) {
    if (!inner_->out.empty()) {
      SSL_write(ssl_, inner_->out.data(), static_cast<int>(inner_->out.size()));  // a memory BIO takes all
      inner_->out.clear();
    }
    if (!inner_->refused.empty()) {
      Session::Refuse(inner_->refused);
    }
    close_after = inner_->close_after;
    linger = inner_->linger;
    if (!closed_ && !inner_->Waiting() && (!refused.empty() || (close_after && !linger))) {
      SSL_shutdown(ssl_);
      closed_ = true;
    }
  }
  char* bytes = nullptr;
  if (const long size = BIO_get_mem_data(out_, &bytes); size > 0) {
    out.append(bytes, static_cast<size_t>(size));
    (void)BIO_reset(out_);
  }
}

}  // namespace weir::serve
