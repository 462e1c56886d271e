#include "runtime/serve/http_session.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

namespace weir::serve {
namespace {

constexpr std::string_view kFeeds = "/feeds/";
constexpr std::string_view kRetry = "Retry-After: 1\r\n";
constexpr size_t kKeptCapacity = 64u << 10;

std::string_view Reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 429: return "Too Many Requests";
    default: return "Service Unavailable";
  }
}

// Names of feeds, codes and paths: ours, but a path may quote.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string Problem(std::string_view what) { return "{\"error\":" + Quoted(what) + "}\n"; }

}  // namespace

HttpSession::HttpSession(Scene& scene, uint64_t id, std::string peer, Rights rights, HttpLimits limits)
    : scene_(scene), id_(id), peer_(std::move(peer)), rights_(std::move(rights)), limits_(limits) {
  http_parser_init(&parser_, HTTP_REQUEST);
  parser_.data = this;
}

int HttpSession::OnBegin(http_parser* parser) {
  HttpSession& self = *Of(parser);
  self.begun_ = true;
  self.complete_ = self.in_header_value_ = false;
  self.url_.clear();
  self.header_name_.clear();
  self.expect_.clear();
  self.authorization_.clear();
  return 0;
}

int HttpSession::OnUrl(http_parser* parser, const char* at, size_t size) {
  HttpSession& self = *Of(parser);
  if (self.url_.size() + size > self.limits_.path_bytes_max) {
    self.keep_alive_ = false;
    self.Respond(414, Problem("the path is too long"));
    return 1;
  }
  self.url_.append(at, size);
  return 0;
}

int HttpSession::OnHeaderName(http_parser* parser, const char* at, size_t size) {
  HttpSession& self = *Of(parser);
  if (self.in_header_value_) {
    self.header_name_.clear();
    self.in_header_value_ = false;
  }
  self.header_name_.append(at, size);  // http-parser bounds the header as a whole
  return 0;
}

int HttpSession::OnHeaderValue(http_parser* parser, const char* at, size_t size) {
  HttpSession& self = *Of(parser);
  self.in_header_value_ = true;
  if (strcasecmp(self.header_name_.c_str(), "expect") == 0) {
    self.expect_.append(at, size);
  } else if (strcasecmp(self.header_name_.c_str(), "authorization") == 0) {
    self.authorization_.append(at, size);
  }
  return 0;
}

int HttpSession::OnHeadersComplete(http_parser* parser) {
  HttpSession& self = *Of(parser);
  if (parser->method == HTTP_POST && self.url_.starts_with(kFeeds) && !self.MayPost()) {
    return -1;
  }
  const bool counted = (parser->flags & F_CONTENTLENGTH) != 0;
  if (counted && parser->content_length > self.limits_.body_bytes_max) {
    self.keep_alive_ = false;
    self.Respond(413, Problem("the body is too large"));
    return -1;
  }
  if (strcasecmp(self.expect_.c_str(), "100-continue") == 0) {
    self.out += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  return 0;
}

int HttpSession::OnBody(http_parser* parser, const char* at, size_t size) {
  HttpSession& self = *Of(parser);
  if (self.body_.size() + size > self.limits_.body_bytes_max) {
    self.keep_alive_ = false;
    self.Respond(413, Problem("the body is too large"));
    return 1;
  }
  self.body_.append(at, size);
  return 0;
}

int HttpSession::OnComplete(http_parser* parser) {
  Of(parser)->complete_ = true;
  http_parser_pause(parser, 1);
  return 0;
}

void HttpSession::Receive(std::string_view bytes) {
  static const http_parser_settings kSettings = [] {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_message_begin = OnBegin;
    settings.on_url = OnUrl;
    settings.on_header_field = OnHeaderName;
    settings.on_header_value = OnHeaderValue;
    settings.on_headers_complete = OnHeadersComplete;
    settings.on_body = OnBody;
    settings.on_message_complete = OnComplete;
    return settings;
  }();
  while (!bytes.empty() && !close_after) {
    if (waiting_ || !ahead_.empty()) {
      ahead_ += bytes;
      return;
    }
    const size_t used = http_parser_execute(&parser_, &kSettings, bytes.data(), bytes.size());
    if (complete_) {
      http_parser_pause(&parser_, 0);
      bytes.remove_prefix(std::min(used, bytes.size()));
      keep_alive_ = http_should_keep_alive(&parser_) != 0 && parser_.upgrade == 0;
      complete_ = begun_ = false;
      Handle();
      continue;
    }
    if (HTTP_PARSER_ERRNO(&parser_) != HPE_OK || parser_.upgrade != 0) {
      keep_alive_ = false;
      if (!close_after) {
        Respond(400, Problem("this is not HTTP/1.1 as we speak it"));
      }
      return;
    }
    return;
  }
}

// Before the body is read: who may not send costs no memory.
bool HttpSession::MayPost() {
  constexpr std::string_view kBearer = "bearer ";
  std::string_view bearer;
  if (strncasecmp(authorization_.c_str(), kBearer.data(), kBearer.size()) == 0) {
    bearer = std::string_view(authorization_).substr(kBearer.size());
  }
  const std::string feed = url_.substr(kFeeds.size(), url_.find('?') - kFeeds.size());
  const bool known = rights_.Known(bearer);
  if (known && (rights_.client() == nullptr || rights_.client()->MayFeed(feed))) {
    return true;
  }
  keep_alive_ = false;
  ++scene_.metrics.refused[known ? "http_forbidden" : "http_unauthorized"];
  known ? Respond(403, Problem("this client may not feed this feed"))
        : Respond(401, Problem("who is this?"), "application/json", "WWW-Authenticate: Bearer\r\n");
  return false;
}

void HttpSession::Handle() {
  const std::string path = url_.substr(0, url_.find('?'));
  const bool post = path.starts_with(kFeeds);
  const bool get = path == "/metrics" || path == "/healthz" || path == "/readyz";
  const bool open = scene_.intake.state() == StoreState::kOpen;
  if (!post && !get) {
    Respond(404, Problem("there is /feeds/NAME, /metrics, /healthz and /readyz"));
  } else if (parser_.method != (post ? HTTP_POST : HTTP_GET)) {
    Respond(405, Problem("the method does not fit"), "application/json", post ? "Allow: POST\r\n" : "Allow: GET\r\n");
  } else if (post) {
    Post(path.substr(kFeeds.size()));
  } else if (path == "/healthz") {
    Respond(200, "ok\n", "text/plain");
  } else if (path == "/readyz") {
    const bool ready = open && !scene_.draining;
    Respond(ready ? 200 : 503, ready ? "ready\n" : open ? "draining\n" : "the store takes no records\n", "text/plain");
  } else {
    hub::Ledger ledger;
    if (scene_.intake.hub() != nullptr) {
      if (auto read = scene_.intake.hub()->ReadLedger()) {
        ledger = *read;
      }
    }
    Respond(200, scene_.metrics.Text(ledger, scene_.intake.manifest(), open), "text/plain; version=0.0.4");
  }
}

void HttpSession::Post(const std::string& feed) {
  const auto& feeds = scene_.intake.manifest().feeds;
  if (std::ranges::find(feeds, feed, &hub::FeedInfo::name) == feeds.end()) {
    return Respond(404, Problem("there is no such feed"));
  }
  if (scene_.intake.state() != StoreState::kOpen) {
    return Respond(503, Problem("the store takes no records"), "application/json", kRetry);
  }
  waiting_ = true;
  handed_in_ = false;
  all_stored_ = true;
  any_forbidden_ = false;
  expected_ = settled_ = 0;
  results_.clear();
  ++request_;
  const std::string source = "http " + feed + " " + peer_;
  frame::Framer framer({}, [&](const frame::Frame& frame) {
    if (frame.kind != frame::FrameKind::kEnvelope && all_stored_) {
      ++expected_;
      scene_.intake.Take(frame, {.source = source, .ticket = {id_, request_}, .wants_outcome = true, .client = rights_.client()});
    }
  });
  framer.Push(body_);
  framer.Finish();
  handed_in_ = true;
  if (expected_ == 0) {
    waiting_ = false;
    return Respond(400, Problem("the body holds no record"));
  }
  if (settled_ == expected_) {
    Finish();
  }
}

void HttpSession::OnSettled(uint64_t entry, const Settled& settled) {
  if (!waiting_ || entry != request_) {
    return;
  }
  std::string result = fmt::format("{{\"index\":{}", settled_);
  if (settled.taken != nullptr) {
    result += ",\"feed\":" + Quoted(settled.taken->feed) + ",\"outcome\":" + Quoted(settled.taken->outcome);
    if (const hub::SiteInfo& letter = settled.taken->letter; !letter.error_class.empty()) {
      result += ",\"error\":{\"class\":" + Quoted(letter.error_class) + ",\"code\":" + Quoted(letter.code) + ",\"path\":" + Quoted(letter.path) + "}";
    }
  }
  if (settled.forbidden) {
    result += ",\"outcome\":\"forbidden\"";
  }
  results_.push_back(result + "}");
  all_stored_ = all_stored_ && (settled.stored || settled.forbidden);
  any_forbidden_ = any_forbidden_ || settled.forbidden;
  if (++settled_ == expected_ && handed_in_) {
    Finish();
  }
}

void HttpSession::Finish() {
  waiting_ = false;
  if (!all_stored_) {
    Respond(503, Problem("not all of it could be stored; send it again"), "application/json", kRetry);
  } else {
    std::string body = fmt::format("{{\"received\":{},\"records\":[", results_.size());
    for (size_t i = 0; i < results_.size(); ++i) {
      body += (i == 0 ? "" : ",") + results_[i];
    }
    Respond(any_forbidden_ ? 403 : 200, body + "]}\n");
  }
}

void HttpSession::Continue() {
  if (!waiting_ && !ahead_.empty()) {
    std::string ahead;
    ahead.swap(ahead_);
    Receive(ahead);
  }
}

void HttpSession::Refuse(std::string_view reason) {
  if (!close_after && !waiting_) {
    keep_alive_ = false;
    Respond(reason == "peer_held_bytes" ? 429 : 503, Problem("too much at once; try again later"), "application/json", kRetry);
  }
  Session::Refuse(reason);
}

void HttpSession::Respond(int status, std::string_view body, std::string_view type, std::string_view more) {
  const bool open = keep_alive_ && !scene_.draining;
  out += fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}{}\r\n", status, Reason(status), type, body.size(), more,
                     open ? "" : "Connection: close\r\n");
  out += body;
  close_after = !open;
  linger = close_after && begun_;  // of a request whose end has not come
  ++scene_.metrics.responses[std::to_string(status)];
  if (body_.capacity() > kKeptCapacity) {
    body_ = std::string();
  }
  body_.clear();
}

}  // namespace weir::serve
