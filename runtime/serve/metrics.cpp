#include "runtime/serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.h"

namespace weir::serve {
namespace {

void Head(std::string_view name, std::string_view kind, std::string_view help, std::string* out) {
  *out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, kind);
}

std::string Escaped(std::string_view label) {
  std::string text;
  for (const char c : label) {
    if (c == '\n') {
      text += "\\n";
    } else {
      if (c == '"' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
  }
  return text;
}

void One(std::string_view name, std::string_view kind, std::string_view help, uint64_t value, std::string* out) {
  Head(name, kind, help, out);
  *out += fmt::format("{} {}\n", name, value);
}

void ByLabel(std::string_view name, std::string_view help, std::string_view label, const std::map<std::string, uint64_t, std::less<>>& values,
             std::string* out) {
  Head(name, "counter", help, out);
  for (const auto& [word, value] : values) {
    *out += fmt::format("{}{{{}=\"{}\"}} {}\n", name, label, Escaped(word), value);
  }
}

struct Term {
  const char* name;
  int64_t hub::Counts::* field;
};
constexpr Term kTerms[] = {{"received", &hub::Counts::received},     {"applied", &hub::Counts::applied},
                           {"duplicate", &hub::Counts::duplicate},   {"suppressed", &hub::Counts::suppressed},
                           {"schema", &hub::Counts::schema},         {"terminology", &hub::Counts::terminology},
                           {"policy", &hub::Counts::policy},         {"transform", &hub::Counts::transform},
                           {"in_flight", &hub::Counts::in_flight},   {"late", &hub::Counts::late},
                           {"key_reused", &hub::Counts::key_reused}, {"degraded", &hub::Counts::degraded},
                           {"omitted", &hub::Counts::omitted}};

}  // namespace

void Histogram::Add(uint64_t value) {
  WEIR_CHECK(bounds_.size() <= kMost);
  ++counts_[static_cast<size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin())];
  sum_ += value;
}

void Histogram::Write(std::string_view name, std::string_view help, double scale, std::string* out) const {
  Head(name, "histogram", help, out);
  uint64_t below = 0;
  for (size_t i = 0; i < bounds_.size(); ++i) {
    below += counts_[i];
    *out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, static_cast<double>(bounds_[i]) * scale, below);
  }
  below += counts_[bounds_.size()];
  *out += fmt::format("{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, below, static_cast<double>(sum_) * scale);
}

std::string Metrics::Text(const hub::Ledger& ledger, const hub::Manifest& manifest, bool store_open) const {
  std::string out;
  Head("weir_kernel_info", "gauge", "The kernel that runs.", &out);
  out += fmt::format("weir_kernel_info{{package=\"{}\",digest=\"{}\"}} 1\n", Escaped(manifest.package), Escaped(manifest.semantic_digest));
  One("weir_store_up", "gauge", "1 while the hub takes records.", store_open ? 1 : 0, &out);
  One("weir_store_failures_total", "counter", "Batches and openings the store refused.", store_failures, &out);
  // A gauge: an outcome is a record's latest, so one term falls when another rises.
  Head("weir_ledger_records", "gauge", "Records of the hub by feed and term of the ledger; received = the sum of applied to in_flight.", &out);
  for (const auto& [feed, counts] : ledger) {
    for (const Term& term : kTerms) {
      out += fmt::format("weir_ledger_records{{feed=\"{}\",term=\"{}\"}} {}\n", Escaped(feed), term.name, counts.*term.field);
    }
  }
  One("weir_connections", "gauge", "Connections open now.", connections, &out);
  One("weir_connections_accepted_total", "counter", "Connections taken.", accepted, &out);
  ByLabel("weir_connections_refused_total", "Connections closed by us, by reason.", "reason", refused, &out);
  One("weir_records_forbidden_total", "counter", "Records not taken because their sender may not feed their feed.", forbidden, &out);
  One("weir_credentials_reloads_total", "counter", "Changes of certificates or clients that were taken.", reloads, &out);
  One("weir_credentials_refused_total", "counter", "Changes of certificates or clients that were not sound; what was there goes on.", refused_reloads, &out);
  if (certificate_expires_us > 0) {
    One("weir_certificate_expiry_timestamp_seconds", "gauge", "When the node's own certificate ends.",
        static_cast<uint64_t>(certificate_expires_us / 1'000'000), &out);
  }
  One("weir_mllp_frames_total", "counter", "Complete MLLP frames.", frames, &out);
  One("weir_mllp_cut_frames_total", "counter", "Frames whose connection ended before they did.", cut_frames, &out);
  ByLabel("weir_mllp_acknowledgements_total", "Acknowledgements by MSA-1.", "code", answers, &out);
  ByLabel("weir_http_responses_total", "HTTP responses by status.", "status", responses, &out);
  One("weir_files_total", "counter", "Files of watched folders taken whole.", files, &out);
  One("weir_files_unreadable_total", "counter", "Looks at a file or folder that failed.", unreadable_files, &out);
  One("weir_read_bytes_total", "counter", "Bytes read from connections.", bytes_read, &out);
  One("weir_written_bytes_total", "counter", "Bytes written to connections.", bytes_written, &out);
  commit_us.Write("weir_ingest_to_commit_seconds", "From the first record of a batch to its commit.", 1e-6, &out);
  batches.Write("weir_batch_records", "Records per transaction.", 1, &out);
  return out;
}

}  // namespace weir::serve
