// How many messages a second does Hub::Apply commit? The workload is that of shared/bench/store
// (same generator, same bodies, same share of updates and dead letters), so the two rates can be
// divided. Machine: whatever runs it; one thread. Verifies what it wrote before it reports a
// number.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gen.hpp"
#include "runtime/fold/fold.h"
#include "runtime/hub/hub.h"
#include "strict.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using weir::hub::Record;

struct Options {
  size_t messages = 10000, batch = 1000;
  double updates = 30, dead = 1;  // per cent
  std::string key_file, db = "bench_hub.db";
};

[[noreturn]] void Die(const std::string& why) {
  fprintf(stderr, "weir_bench_hub: %s\n", why.c_str());
  exit(1);
}

// A 32-hex id in place of the converter's own: what a kernel writes.
std::string HexId(uint32_t type, std::string_view id) {
  const uint64_t a = std::hash<std::string_view>()(id),
                 b = std::hash<std::string>()(std::to_string(type) + "/" + std::string(id));
  char hex[33];
  snprintf(hex, sizeof hex, "%016llx%016llx", static_cast<unsigned long long>(a),
           static_cast<unsigned long long>(b));
  return hex;
}

struct Workload {
  limit::Corpus corpus;
  std::vector<std::string> keys, orders, bytes;  // by message
  std::vector<std::vector<weir_contribution>> items;
  std::vector<Record> records;
  std::map<uint32_t, std::vector<std::string>> orders_by_type;
  std::vector<std::string> type_names;
};

void LearnOrder(std::string_view body,
                std::vector<std::string>* names) {  // every body lists its members in element order
  size_t at = 0;
  for (size_t i = 1; i < body.size();) {
    const size_t end = body.find('"', i + 1);
    const std::string name(body.substr(i + 1, end - i - 1));
    const std::string_view value = weir::fold::TopLevelMember(body, name);
    const auto found = std::find(names->begin(), names->end(), name);
    if (found == names->end()) {
      names->insert(names->begin() + static_cast<ptrdiff_t>(at++), name);
    } else {
      at = static_cast<size_t>(found - names->begin()) + 1;
    }
    i = static_cast<size_t>(value.data() - body.data()) + value.size() + 1;
  }
}

// As shared/bench/store: an updating message takes facility and patient number of a random earlier
// one.
void MakeUpdates(Workload& w, size_t n, double updates) {
  char* d = w.corpus.data.data();
  const auto nth = [](char* p, char c, int k) {
    while (k--) {
      p = static_cast<char*>(memchr(p, c, 4096)) + 1;
    }
    return p;
  };
  limit::Rng random(43);
  for (size_t i = 1; i < n; ++i) {
    if (random.n(1000000) >= updates * 10000) {
      continue;
    }
    const size_t j = random.n(static_cast<uint32_t>(i));
    const auto facility = [&](size_t k) { return nth(d + w.corpus.off[k], '|', 3); };
    const auto number = [&](size_t k) {
      return nth(strstr(d + w.corpus.off[k], "\rPID|"), '|', 3);
    };
    memcpy(facility(i), facility(j), 8);
    memcpy(number(i), number(j), 8);
  }
}

Workload MakeWorkload(const Options& options) {
  Workload w{.corpus = limit::generate(options.messages),
             .keys = {},
             .orders = {},
             .bytes = {},
             .items = {},
             .records = {},
             .orders_by_type = {},
             .type_names = {}};
  const size_t n = options.messages;
  MakeUpdates(w, n, options.updates);
  w.keys.resize(n);
  w.orders.resize(n);
  w.bytes.resize(n);
  w.items.resize(n);
  static limit::strict::Message message;
  static limit::strict::Resources resources;
  std::vector<char> out(1 << 16);
  limit::Rng random(44);
  for (size_t i = 0; i < n; ++i) {
    const char* raw = w.corpus.data.data() + w.corpus.off[i];
    const auto size = static_cast<uint32_t>(w.corpus.off[i + 1] - w.corpus.off[i]);
    if (limit::strict::convert(message, raw, size, out.data(), out.size(), resources) !=
        limit::strict::Error::none) {
      Die("message refused");
    }
    w.keys[i] = "K" + std::to_string(i);
    char order[32];
    snprintf(order, sizeof order, "%08zu", i);
    w.orders[i] = std::string(order) + w.keys[i] + std::string(17, 'x');  // as long as a kernel's
    for (uint32_t k = 0; k < resources.n; ++k) {
      const auto& r = resources.item[k];
      const auto type = static_cast<uint32_t>(r.type);
      const std::string_view id(out.data() + r.id, r.id_len), body(out.data() + r.off, r.len);
      const std::string hex = HexId(type, id);
      std::string own(body);
      const std::string spelled = "\"id\":\"" + std::string(id) + "\"";
      own.replace(own.find(spelled), spelled.size(), "\"id\":\"" + hex + "\"");
      weir_contribution item{};
      item.op = WEIR_OP_PATCH;
      item.map = item.type = type;
      memcpy(item.id, hex.data(), 32);
      item.tag_offset = static_cast<uint32_t>(w.bytes[i].size());
      item.tag_size = 3;
      w.bytes[i] += "A01";
      item.body_offset = static_cast<uint32_t>(w.bytes[i].size());
      item.body_size = static_cast<uint32_t>(own.size());
      w.bytes[i] += own;
      w.items[i].push_back(item);
      if (i < 2000) {
        LearnOrder(own, &w.orders_by_type[type]);
      }
    }
    Record record{
        .source = "mllp:adt", .position = i, .raw = {raw, size}, .feed = 0, .probed = true};
    record.key = w.keys[i];
    record.order = w.orders[i];
    record.event = "ADT^A01";
    memcpy(record.content.data(), &i, sizeof i);
    record.event_time_us = static_cast<int64_t>(i);
    record.bytes = w.bytes[i];
    record.items = w.items[i];
    if (random.n(1000000) < options.dead * 10000) {
      record.status = WEIR_REJECTED;
      record.rejection = {"schema", "benchmark", "PID-3"};
    }
    w.records.push_back(record);
  }
  return w;
}

weir::hub::Manifest MakeManifest(const Workload& w) {
  weir::hub::Manifest manifest{.package = "bench",
                               .semantic_digest = "bench",
                               .feeds = {{.name = "adt", .version = "1"}},
                               .maps = {},
                               .types = {},
                               .sites = {},
                               .json = "{}"};
  const uint32_t types = w.orders_by_type.rbegin()->first + 1;
  for (uint32_t t = 0; t < types; ++t) {
    const std::string name = "Type" + std::to_string(t);
    const auto order = w.orders_by_type.find(t);
    manifest.maps.push_back({.name = name, .type = name, .identity = {}});
    manifest.types.push_back(
        {name, weir::fold::ElementOrder(order == w.orders_by_type.end() ? std::vector<std::string>{}
                                                                        : order->second)});
  }
  return manifest;
}

Options Parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--messages") {
      o.messages = strtoull(argv[i + 1], nullptr, 10);
    } else if (name == "--batch") {
      o.batch = strtoull(argv[i + 1], nullptr, 10);
    } else if (name == "--updates") {
      o.updates = atof(argv[i + 1]);
    } else if (name == "--key-file") {
      o.key_file = argv[i + 1];
    } else if (name == "--db") {
      o.db = argv[i + 1];
    } else {
      Die("usage: weir_bench_hub [--messages N] [--batch N] [--updates PERCENT] [--key-file F] "
          "[--db F]");
    }
  }
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  const Workload workload = MakeWorkload(options);
  const weir::hub::Manifest manifest = MakeManifest(workload);
  const auto clean = [&] {
    for (const char* end : {"", "-wal", "-shm", "-lock"}) {
      std::filesystem::remove(options.db + end);
    }
  };
  clean();
  auto opened = weir::hub::Hub::Open({.path = options.db, .key_file = options.key_file});
  if (!opened) {
    Die(opened.error().message);
  }
  weir::hub::Hub& hub = **opened;
  const std::array<uint8_t, 16> key{};
  if (auto bound = hub.Bind(manifest, key, "bench"); !bound) {
    Die(bound.error().message);
  }
  const auto start = Clock::now();
  for (size_t i = 0; i < workload.records.size(); i += options.batch) {
    const size_t size = std::min(options.batch, workload.records.size() - i);
    if (auto applied = hub.Apply(std::span(workload.records).subspan(i, size), 0); !applied) {
      Die(applied.error().message);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const auto report = hub.Verify();
  if (!report->faults.empty()) {
    Die("verify: " + report->faults.front());
  }
  if (report->messages != static_cast<int64_t>(options.messages)) {
    Die("messages are missing");
  }
  const double mb = static_cast<double>(std::filesystem::file_size(options.db)) / 1e6;
  printf(
      "{\"messages\":%zu,\"batch\":%zu,\"encrypted\":%s,\"updates_percent\":%.1f,\"msgs_per_s\":%."
      "0f,\"resources\":%lld,\"contributions\":%lld,\"file_mb\":%.1f}\n",
      options.messages, options.batch, options.key_file.empty() ? "false" : "true", options.updates,
      static_cast<double>(options.messages) / seconds, static_cast<long long>(report->resources),
      static_cast<long long>(report->contributions), mb);
  opened->reset();
  clean();
}
