// An HTTP peer: POST /feeds/NAME, answered after the commit of its last record; GET /metrics, /healthz, /readyz. Parsing is
// http-parser's, the push parser of Node.js; one request at a time, what a client sends ahead waits.
#pragma once

#include <http_parser.h>

#include <functional>
#include <vector>

#include "runtime/serve/credentials.h"
#include "runtime/serve/session.h"

namespace weir::serve {

struct HttpLimits {
  size_t body_bytes_max = 64u << 20;
  size_t path_bytes_max = 1u << 10;
};

class HttpSession final : public Session {
 public:
  HttpSession(Scene& scene, uint64_t id, std::string peer, Rights rights, HttpLimits limits);

  void Receive(std::string_view bytes) override;
  void End() override {}  // half a request is none
  void OnSettled(uint64_t entry, const Settled& settled) override;
  void Continue() override;
  void Refuse(std::string_view reason) override;
  bool Waiting() const override { return waiting_; }
  bool Incomplete() const override { return begun_ && !waiting_; }
  bool WantsInput() const override { return !waiting_ && ahead_.empty() && (!close_after || linger); }
  size_t HeldBytes() const override { return body_.size() + ahead_.size(); }

 private:
  static HttpSession* Of(http_parser* parser) { return static_cast<HttpSession*>(parser->data); }
  static int OnBegin(http_parser* parser);
  static int OnUrl(http_parser* parser, const char* at, size_t size);
  static int OnHeaderName(http_parser* parser, const char* at, size_t size);
  static int OnHeaderValue(http_parser* parser, const char* at, size_t size);
  static int OnHeadersComplete(http_parser* parser);
  static int OnBody(http_parser* parser, const char* at, size_t size);
  static int OnComplete(http_parser* parser);

  bool MayPost();  // by the request's head; responds when not
  void Handle();   // the complete request
  void Post(const std::string& feed);
  void Finish();  // all its records are settled
  void Respond(int status, std::string_view body, std::string_view type = "application/json", std::string_view more = {});

  Scene& scene_;
  uint64_t id_;
  std::string peer_;
  Rights rights_;
  HttpLimits limits_;
  http_parser parser_{};
  std::string url_, header_name_, expect_, authorization_, body_, ahead_;
  bool in_header_value_ = false, begun_ = false, complete_ = false, waiting_ = false, keep_alive_ = false;
  // Of the POST that waits.
  uint64_t request_ = 0;
  size_t expected_ = 0, settled_ = 0;
  bool handed_in_ = false, all_stored_ = true, any_forbidden_ = false;
  std::vector<std::string> results_;  // JSON, one per record
};

}  // namespace weir::serve
