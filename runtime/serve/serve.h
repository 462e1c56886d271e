// The long-running node: MLLP, HTTP and folders into one hub, answered after commit (docs/serve.md). One thread over io::Io.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/hub/hub.h"
#include "runtime/ingest/ingest.h"
#include "runtime/io/io.h"
#include "runtime/serve/access.h"
#include "runtime/serve/mllp.h"

namespace weir::serve {

struct ServeOptions {
  ingest::IngestOptions ingest;
  hub::HubOptions hub;
  std::vector<std::string> mllp, http;          // HOST:PORT
  std::vector<std::string> mllp_tls, http_tls;  // the same within TLS; need a certificate
  CredentialFiles credentials;
  int64_t credentials_us = 5'000'000;           // its files are looked at this often

  std::vector<std::string> folders;
  int64_t file_settle_us = 1'000'000;  // a file is taken when it was the same for so long

  MllpLimits frame;
  size_t connections_max = 1024;
  size_t peer_connections_max = 256;             // of one address
  size_t held_bytes_max = 512u << 20;            // incomplete frames and bodies of all peers
  size_t peer_held_bytes_max = 160u << 20;       // of one address: two of the largest messages
  size_t unread_answer_bytes_max = 1u << 20;     // a peer that does not read its answers is not read either
  int64_t linger_us = 5'000;                     // longest wait of a record for company
  int64_t frame_us = 60'000'000;                 // from a frame's first byte to its last
  int64_t stall_us = 10'000'000;                 // between two bytes of a frame, or of an answer that is not taken
  int64_t idle_us = 0;                           // between two frames; 0: for ever, as interface engines expect
  int64_t http_idle_us = 60'000'000;             // between two requests
  int64_t drain_us = 5'000'000;                  // from the stop to the end

  std::function<void(std::string_view)> log = [](std::string_view) {};  // one line; nothing of a message
};

// Until a stop is requested. The error is of the start (nothing was taken) or of the store (`failed` of the process).
Result<void> Serve(ingest::Engine& engine, const ServeOptions& options, io::Io& io);

}  // namespace weir::serve
