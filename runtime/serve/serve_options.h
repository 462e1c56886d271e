// The options of `serve`, the same for weir and weir-node. A header of its own so that the loop does not include the command line.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "runtime/serve/serve.h"

namespace weir::serve {

struct ServeArguments {
  std::vector<std::string> mllp, http, mllp_tls, http_tls, folders;
  CredentialFiles credentials;
  size_t connections_max = 1024, peer_connections_max = 256, frame_mib_max = 64;
  double frame_seconds = 60, stall_seconds = 10, idle_seconds = 0, drain_seconds = 5;
};

void AddServeOptions(CLI::App& command, ServeArguments& arguments);
// Events go to stderr as `NAME: line`.
ServeOptions MakeServeOptions(const ServeArguments& arguments, const std::string& name);

}  // namespace weir::serve
