// "An invalid resource is never written", tried: what maps make of recorded messages, thinned and
// damaged, is judged by the standard's own rules, evaluated by the interpreter over the JSON. Every
// error-level invariant of R4 must hold, every claim must be kept, and what the hub would fold of
// two bodies must hold as well. WEIR_CONFORM_COPIES: how many thinned copies of each record
// (default 2).
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "compiler/check/check.h"
#include "compiler/conform/rules.h"
#include "compiler/ir/interp/interp.h"
#include "compiler/ir/manifest.h"
#include "runtime/fold/fold.h"
#include "runtime/hub/manifest.h"
#include "runtime/v2/charset.h"
#include "runtime/v2/reader.h"
#include "tests/differential/engines/engines.h"
#include "tests/differential/engines/recorded.h"
#include "tests/differential/fhirpath/invariants.h"

namespace weir::conform {
namespace {

constexpr size_t kCopyUpTo = 16u << 10;  // larger messages are judged whole only

// Fields, repetitions and components left out or exchanged: what senders leave out is what rules
// ask for.
std::string Thinned(const std::string& message, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::string> pieces;
  std::string out;
  std::string piece;
  size_t header = message.find('\r');
  auto flush = [&] {
    unsigned choice = random() % 10;
    out += choice < 3                       ? ""
           : choice == 3 && !pieces.empty() ? pieces[random() % pieces.size()]
                                            : piece;
    if (!piece.empty()) {
      pieces.push_back(piece);
    }
    piece.clear();
  };
  for (size_t i = 0; i < message.size(); ++i) {
    char c = message[i];
    bool delimiter = c == '|' || c == '^' || c == '~' || c == '&' || c == '\r';
    if (i < header || (i > 3 && i < message.size() && message[i - 1] != '|' && !delimiter)) {
      if (i < header) {
        out += c;
      } else {
        piece += c;
      }
    } else if (!delimiter) {
      piece += c;
    } else {
      bool segment = out.empty() || out.back() == '\r';
      if (segment) {
        out += piece;  // its id stays
        piece.clear();
      } else {
        flush();
      }
      out += c;
    }
  }
  return out + piece;
}

class Subject {
 public:
  explicit Subject(const std::string& path) {
    const std::string source = WEIR_SOURCE_DIR;
    DiagnosticSink sink;
    compilation = check::Compile(
        {source + "/" + path},
        {.std_dir = source + "/dsl/std", .registry_dir = source + "/contracts/registry"}, sink);
    if (compilation->ok) {
      kernel = std::make_unique<ir::InterpretedKernel>(compilation->module, ir::EvalOptions{});
      Result<hub::Manifest> manifest = hub::ParseManifest(ir::Manifest(compilation->module));
      WEIR_CHECK(manifest.ok());
      for (hub::TypeInfo& type : manifest->types) {
        types.push_back(type.name);
        orders.push_back(std::move(type.order));
      }
      checker = std::make_unique<fhirpath_suite::InvariantChecker>(*compilation->types,
                                                                   /*empty_holds=*/false);
      rules = std::make_unique<RuleBook>(*compilation->types);
      for (const auto& entry : compilation->declarations.all()) {
        const auto* map = ast::As<ast::MapDecl>(*entry.decl);
        if (map != nullptr && compilation->declarations.IsOwn(*map) && !map->profile.empty()) {
          profiles[map->name.text] = compilation->types->FindType(map->profile.text);
        }
      }
    }
  }

  void Judge(const std::string& message, const std::string& name) {
    if (!v2::IsUtf8(message)) {
      return;  // refused before any kernel sees it
    }
    v2::IndexBuffers buffers;
    weir_v2_index index{};
    engines::GuardedMessage guarded(message);
    if (v2::BuildIndex(guarded.bytes(), guarded.size(), {}, buffers, &index) !=
        v2::IndexStatus::kOk) {
      return;
    }
    weir_input input{sizeof(weir_input), 0, guarded.bytes(), guarded.size(), &index};
    weir_snapshot snapshot{sizeof(weir_snapshot), {}, nullptr, 0};
    weir_output out = Output();
    weir_status status = kernel->Transform(0, input, snapshot, &out);
    ASSERT_NE(status, WEIR_OUTPUT_FULL);
    ++records;
    refused += status == WEIR_OK ? 0 : 1;
    for (uint32_t i = 0; i < out.item_count && status == WEIR_OK; ++i) {
      const weir_contribution& item = items[i];
      if (item.body_size == 0 || item.op == WEIR_OP_FILL) {
        continue;
      }
      std::string body(reinterpret_cast<const char*>(bytes.data()) + item.body_offset,
                       item.body_size);
      const std::string& type = types[item.type];
      Resource(Folded(item.type, {body}), name + " alone", compilation->module.maps[item.map].name);
      auto& earlier = kept[type];
      if (!earlier.empty()) {
        Resource(Folded(item.type, {earlier[records % earlier.size()], body}),
                 name + " after another", "");
      }
      if (earlier.size() < 200) {
        earlier.push_back(body);
      } else {
        earlier[records % earlier.size()] = body;
      }
    }
  }

  std::string Folded(uint32_t type, const std::vector<std::string>& bodies) {
    std::vector<fold::Item> folded;
    for (const std::string& body : bodies) {
      folded.push_back({.op = WEIR_OP_PATCH,
                        .map = 0,
                        .tag = nullptr,
                        .body = reinterpret_cast<const uint8_t*>(body.data()),
                        .tag_size = 0,
                        .body_size = static_cast<uint32_t>(body.size())});
    }
    std::vector<uint8_t> marks(folded.size());
    const fold::FoldResult result =
        fold::Fold(orders[type].table(), folded.data(), static_cast<uint32_t>(folded.size()), {},
                   marks.data(), fold_bytes.data(), static_cast<uint32_t>(fold_bytes.size()));
    EXPECT_EQ(result.status, fold::FoldStatus::kOk);
    return {reinterpret_cast<const char*>(fold_bytes.data()), result.size};
  }

  // `map`: that made it alone.
  void Resource(const std::string& json, const std::string& name, const std::string& map) {
    if (json.empty()) {
      return;
    }
    auto root = ir::ParseJson(json);
    ASSERT_TRUE(root.ok()) << root.error().message;
    ++resources;
    checker->CheckResource(*root, name);
    const ir::Json* meta = root->Find("meta");
    const ir::Json* claim = meta == nullptr ? nullptr : meta->Find("profile");
    const fhir::TypeDef* profile =
        claim != nullptr ? compilation->types->FindType(claim->items[0].text) : nullptr;
    claimed += profile != nullptr ? 1 : 0;
    bool all = true;
    const fhir::TypeDef* wanted = profiles.contains(map) ? profiles[map] : profile;
    for (const Rule& rule : wanted == nullptr ? std::vector<Rule>() : rules->OfProfile(*wanted)) {
      auto holds =
          rule.condition == nullptr ? std::nullopt : checker->Holds(*rule.condition, *root);
      judged += holds ? 1 : 0;
      all = all && holds.value_or(true);
      if (holds && !*holds && profile != nullptr) {
        broken_claims.insert(rule.element + " " + rule.key + ": " + name);
      }
    }
    unclaimed_all_met += !map.empty() && wanted != nullptr && profile == nullptr && all ? 1 : 0;
  }

  weir_output Output() {
    weir_output out{};
    out.struct_size = sizeof(out);
    out.bytes = bytes.data();
    out.capacity = static_cast<uint32_t>(bytes.size());
    out.items = items.data();
    out.item_capacity = static_cast<uint32_t>(items.size());
    out.keys = keys.data();
    out.key_capacity = static_cast<uint32_t>(keys.size());
    out.scratch = scratch.data();
    out.scratch_capacity = scratch.size();
    return out;
  }

  std::unique_ptr<check::Compilation> compilation;
  std::unique_ptr<ir::InterpretedKernel> kernel;
  std::unique_ptr<fhirpath_suite::InvariantChecker> checker;
  std::unique_ptr<RuleBook> rules;
  std::vector<std::string> types;
  std::vector<fold::ElementOrder> orders;
  std::map<std::string, const fhir::TypeDef*> profiles;  // by map
  std::map<std::string, std::vector<std::string>> kept;  // bodies by type
  std::vector<uint8_t> bytes = std::vector<uint8_t>(24u << 20),
                       scratch = std::vector<uint8_t>(24u << 20),
                       fold_bytes = std::vector<uint8_t>(4u << 20);
  std::vector<weir_contribution> items = std::vector<weir_contribution>(1u << 12);
  std::vector<weir_key> keys = std::vector<weir_key>(1u << 12);
  size_t records = 0, refused = 0, resources = 0, claimed = 0, judged = 0, unclaimed_all_met = 0;
  std::set<std::string> broken_claims;
};

class Conformance : public testing::TestWithParam<const char*> {};

TEST_P(Conformance, NothingInvalidIsWritten) {
  Subject subject(GetParam());
  ASSERT_TRUE(subject.compilation->ok) << GetParam() << " does not compile";
  const char* variable = std::getenv("WEIR_CONFORM_COPIES");
  auto copies = static_cast<uint32_t>(variable != nullptr ? std::atoi(variable) : 2);
  engines::Input input = engines::Inputs(WEIR_SOURCE_DIR);
  for (const auto& path : input.files) {
    for (const std::string& record : engines::RecordsOf(path)) {
      std::string name = path.filename().string();
      subject.Judge(record, name);
      for (uint32_t copy = 1; copy <= copies && record.size() <= kCopyUpTo; ++copy) {
        subject.Judge(Thinned(record, copy), name + " thinned " + std::to_string(copy));
        subject.Judge(engines::Damaged(Thinned(record, copy + 1000), copy),
                      name + " damaged " + std::to_string(copy));
      }
    }
  }
  std::cout << GetParam() << ": " << subject.records << " records, " << subject.refused
            << " refused, " << subject.resources << " resources, " << subject.checker->evaluated
            << " evaluations, " << subject.claimed << " claims, " << subject.judged
            << " demands judged, " << subject.unclaimed_all_met
            << " claims dropped though every demand that can be judged here is met\n";
  for (const auto& [what, names] : subject.checker->wrong) {
    ADD_FAILURE() << what << " in " << names.size() << ", e.g. " << *names.begin();
  }
  for (const std::string& claim : subject.broken_claims) {
    ADD_FAILURE() << "a claim that does not hold: " << claim;
  }
  EXPECT_GT(subject.resources, 100u);
}

INSTANTIATE_TEST_SUITE_P(Maps, Conformance,
                         testing::Values("examples/adt/adt.weir",
                                         "tests/differential/conform/loose.weir"),
                         [](const auto& p) {
                           return std::string(p.param).find("loose") == std::string::npos ? "adt"
                                                                                          : "loose";
                         });

}  // namespace
}  // namespace weir::conform
