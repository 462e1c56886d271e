// From framed bytes to canonical resources: weir's kernel of limit.weir against the hand-written converters, one thread,
// the same corpus, interleaved rounds, medians. Before anything is timed every resource of every message is compared with
// `strict`'s: ids and references stand for the resource they name, meta.lastUpdated (the store's business) is left out.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// The yardstick is other people's code: its own warnings are its own.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <dom.hpp>
#include <gen.hpp>
#include <hand.hpp>
#include <strict.hpp>
#pragma clang diagnostic pop

#include "compiler/check/check.h"
#include "compiler/diag/render.h"
#include "compiler/jit/jit.h"
#include "runtime/v2/reader.h"

namespace {

using nlohmann::json;

class Weir {
 public:
  explicit Weir(const weir_kernel* kernel) : kernel_(kernel), bytes_(1 << 20), scratch_(1 << 20), items_(256), keys_(256) {
    output_ = {.struct_size = sizeof(weir_output), .bytes = bytes_.data(), .capacity = static_cast<uint32_t>(bytes_.size()), .used = 0,
               .items = items_.data(), .item_capacity = static_cast<uint32_t>(items_.size()), .item_count = 0,
               .keys = keys_.data(), .key_capacity = static_cast<uint32_t>(keys_.size()), .key_count = 0, .scratch = scratch_.data(),
               .scratch_capacity = static_cast<uint32_t>(scratch_.size()), .site = 0, .counters = {}};
    snapshot_.struct_size = sizeof(snapshot_);
    static const unsigned char kTestKey[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    memcpy(snapshot_.namespace_key, kTestKey, sizeof(kTestKey));
  }
  // Encoding, index, transform: what stands between a framed record and its resources.
  bool Run(const char* data, uint32_t size) {
    weir_v2_index index{};
    if (weir::v2::BuildIndex(reinterpret_cast<const uint8_t*>(data), size, {}, buffers_, &index) != weir::v2::IndexStatus::kOk) {
      return false;
    }
    if ((index.flags & WEIR_V2_UTF8) == 0) {
      return false;
    }
    weir_input input{};
    input.struct_size = sizeof(input);
    input.bytes = reinterpret_cast<const uint8_t*>(data);
    input.size = size;
    input.index = &index;
    return kernel_->transform(0, &input, &snapshot_, &output_) == WEIR_OK;
  }
  const weir_output& output() const { return output_; }

 private:
  const weir_kernel* kernel_;
  weir::v2::IndexBuffers buffers_;
  std::vector<uint8_t> bytes_, scratch_;
  std::vector<weir_contribution> items_;
  std::vector<weir_key> keys_;
  weir_output output_{};
  weir_snapshot snapshot_{};
};

// The nth resource of its type in the message, as both sides write them in message order.
struct Names {
  std::map<std::string, std::string> of;
  std::map<std::string, int> count;
  void Add(const json& resource) {
    std::string type = resource["resourceType"];
    of[type + "/" + resource["id"].get<std::string>()] = type + "#" + std::to_string(++count[type]);
  }
  void Apply(json* value) const {
    if (value->is_object() && value->contains("reference") && (*value)["reference"].is_string()) {
      auto known = of.find((*value)["reference"].get<std::string>());
      if (known != of.end()) {
        (*value)["reference"] = known->second;
      }
    }
    if (value->is_structured()) {
      for (auto& child : *value) {
        Apply(&child);
      }
    }
  }
};

std::vector<json> Canonical(std::vector<json> resources) {
  Names names;
  for (const json& resource : resources) {
    names.Add(resource);
  }
  for (json& resource : resources) {
    resource["id"] = names.of[resource["resourceType"].get<std::string>() + "/" + resource["id"].get<std::string>()];
    resource.erase("meta");
    names.Apply(&resource);
  }
  std::sort(resources.begin(), resources.end(), [](const json& a, const json& b) { return a["id"] < b["id"]; });
  return resources;
}

double Seconds(auto&& body) {
  auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  size_t messages = argc > 1 ? strtoull(argv[1], nullptr, 10) : 50'000;
  int rounds = argc > 2 ? atoi(argv[2]) : 7;
  weir::DiagnosticSink sink;
  weir::check::CheckOptions options;
  options.std_dir = WEIR_SOURCE_DIR "/dsl/std";
  options.registry_dir = WEIR_SOURCE_DIR "/contracts/registry";
  auto compilation = weir::check::Compile({WEIR_SOURCE_DIR "/bench/limit/limit.weir"}, options, sink);
  if (!compilation->ok) {
    fprintf(stderr, "%s", weir::RenderText(compilation->files, sink.Sorted()).c_str());
    return 3;
  }
  auto kernel = weir::jit::Jit(compilation->module, {});
  if (!kernel) {
    fprintf(stderr, "%s\n", kernel.error().message.c_str());
    return 3;
  }
  Weir weir((*kernel)->kernel());
  const limit::Corpus corpus = limit::generate(messages);
  const char* data = corpus.data.data();
  auto size = [&](size_t i) { return static_cast<uint32_t>(corpus.off[i + 1] - corpus.off[i]); };
  std::vector<char> out(1 << 16);
  static limit::strict::Message message;
  static limit::strict::Resources resources;
  static limit::Idx index;
  auto strict = [&](size_t i) {
    return limit::strict::convert(message, data + corpus.off[i], size(i), out.data(), out.size(), resources) == limit::strict::Error::none;
  };
  auto hand = [&](size_t i) {
    limit::index_msg(index, data + corpus.off[i], size(i));
    return limit::convert(index, out.data());
  };

  size_t compared = 0;
  for (size_t i = 0; i < messages; ++i) {
    std::vector<json> want, got;
    if (!strict(i) || !weir.Run(data + corpus.off[i], size(i))) {
      fprintf(stderr, "message %zu is refused\n", i);
      return 1;
    }
    for (uint32_t k = 0; k < resources.n; ++k) {
      want.push_back(json::parse(out.data() + resources.item[k].off, out.data() + resources.item[k].off + resources.item[k].len));
    }
    for (uint32_t k = 0; k < weir.output().item_count; ++k) {
      const weir_contribution& item = weir.output().items[k];
      got.push_back(json::parse(weir.output().bytes + item.body_offset, weir.output().bytes + item.body_offset + item.body_size));
    }
    want = Canonical(std::move(want));
    got = Canonical(std::move(got));
    if (want != got) {
      fprintf(stderr, "message %zu differs:\n", i);
      for (size_t k = 0; k < std::max(want.size(), got.size()); ++k) {
        if (k >= want.size() || k >= got.size() || want[k] != got[k]) {
          fprintf(stderr, "strict %s\nweir   %s\n", k < want.size() ? want[k].dump().c_str() : "-", k < got.size() ? got[k].dump().c_str() : "-");
        }
      }
      return 1;
    }
    compared += want.size();
  }

  std::vector<double> t_weir, t_strict, t_hand, t_dom;
  volatile size_t sum = 0;
  for (int round = 0; round < rounds; ++round) {
    t_hand.push_back(Seconds([&] { for (size_t i = 0; i < messages; ++i) { sum = sum + hand(i); } }));
    t_strict.push_back(Seconds([&] { for (size_t i = 0; i < messages; ++i) { sum = sum + (strict(i) ? 1 : 0); } }));
    t_weir.push_back(Seconds([&] { for (size_t i = 0; i < messages; ++i) { sum = sum + (weir.Run(data + corpus.off[i], size(i)) ? 1 : 0); } }));
  }
  size_t few = std::min<size_t>(messages, 2000);
  for (int round = 0; round < 3; ++round) {
    t_dom.push_back(Seconds([&] {
      for (size_t i = 0; i < few; ++i) {
        limit::index_msg(index, data + corpus.off[i], size(i));
        sum = sum + limit::convert_dom<json>(index).dump().size();
      }
    }) * static_cast<double>(messages) / static_cast<double>(few));
  }
  double n = static_cast<double>(messages);
  double rate = n / Median(t_weir), of_hand = n / Median(t_hand), of_strict = n / Median(t_strict);
  printf("{\"weir\":%.0f,\"limit\":%.0f,\"strict\":%.0f,\"nlohmann\":%.0f,\"ratio\":%.3f,\"ratio_strict\":%.3f,\"compared\":%zu,\"equal\":true}\n", rate,
         of_hand, of_strict, n / Median(t_dom), rate / of_hand, rate / of_strict, compared);
  return 0;
}
