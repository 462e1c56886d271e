#include "runtime/serve/serve_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace weir::serve {
namespace {

int64_t Micros(double seconds) { return static_cast<int64_t>(seconds * 1e6); }

}  // namespace

void AddServeOptions(CLI::App& command, ServeArguments& arguments) {
  command.add_option("--mllp", arguments.mllp, "HOST:PORT to take MLLP on; port 0: any, said on stderr");
  command.add_option("--http", arguments.http, "HOST:PORT of POST /feeds/NAME, /metrics, /healthz and /readyz");
  command.add_option("--mllp-tls", arguments.mllp_tls, "HOST:PORT to take MLLP within mutual TLS on");
  command.add_option("--http-tls", arguments.http_tls, "HOST:PORT of the same as --http, within TLS");
  command.add_option("--tls-certificate", arguments.credentials.certificate, "PEM file of the node's certificate and its chain");
  command.add_option("--tls-key", arguments.credentials.key, "PEM file of the certificate's key");
  command.add_option("--tls-client-ca", arguments.credentials.client_ca, "PEM file of the authorities that vouch for clients");
  command.add_option("--clients", arguments.credentials.clients, "JSON file of who may send what; without it whoever reaches a listener may");
  command.add_option("--watch", arguments.folders, "folder whose files are taken and moved to its `done`");
  command.add_option("--max-connections", arguments.connections_max, "of all peers")->check(CLI::Range(1, 100'000));
  command.add_option("--max-peer-connections", arguments.peer_connections_max, "of one address")->check(CLI::Range(1, 100'000));
  command.add_option("--max-frame-mib", arguments.frame_mib_max, "largest message or request body")->check(CLI::Range(1, 64));
  command.add_option("--frame-seconds", arguments.frame_seconds, "from a frame's first byte to its last")->check(CLI::Range(0.1, 3600.0));
  command.add_option("--stall-seconds", arguments.stall_seconds, "between two bytes of a frame or of an answer")->check(CLI::Range(0.1, 3600.0));
  command.add_option("--idle-seconds", arguments.idle_seconds, "between two MLLP frames; 0: for ever")->check(CLI::Range(0.0, 1e6));
  command.add_option("--drain-seconds", arguments.drain_seconds, "from SIGTERM to the end")->check(CLI::Range(0.0, 3600.0));
}

ServeOptions MakeServeOptions(const ServeArguments& arguments, const std::string& name) {
  ServeOptions options;
  options.mllp = arguments.mllp;
  options.http = arguments.http;
  options.mllp_tls = arguments.mllp_tls;
  options.http_tls = arguments.http_tls;
  options.credentials = arguments.credentials;
  options.folders = arguments.folders;
  options.connections_max = arguments.connections_max;
  options.peer_connections_max = arguments.peer_connections_max;
  options.frame.frame_bytes_max = arguments.frame_mib_max << 20;
  options.frame_us = Micros(arguments.frame_seconds);
  options.stall_us = Micros(arguments.stall_seconds);
  options.idle_us = Micros(arguments.idle_seconds);
  options.drain_us = Micros(arguments.drain_seconds);
  options.log = [name](std::string_view line) {
    std::fprintf(stderr, "%s: %.*s\n", name.c_str(), static_cast<int>(line.size()), line.data());
    std::fflush(stderr);
  };
  return options;
}

}  // namespace weir::serve
