// The JIT kernel against the interpreter: same status, site, counters and bytes on real and on damaged messages.
#include "compiler/jit/jit.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "compiler/ir/interp/interp.h"
#include "compiler/jit/package.h"
#include "runtime/package/package.h"
#include "runtime/v2/reader.h"

namespace weir {
namespace {

std::string Segments(const std::string& id) {
  return "(segments:v2.segment." + id + " * \"" + id + "\" (message:v2.message 1))";
}
std::string Field(const std::string& segment, int n, const std::string& type = "CX") {
  return "(field:v2." + type + " * #" + std::to_string(n) + " " + Segments(segment) + ")";
}
std::string First(const std::string& value) { return "(call:any ? \"first\" #10 " + value + ")"; }
std::string Text(const std::string& value) { return "(text:System.String * " + value + ")"; }
std::string Component(const std::string& value, int n, const std::string& type = "ST") {
  return "(component:v2." + type + " * #" + std::to_string(n) + " " + value + ")";
}
std::string Str(const std::string& text) { return "(lit:System.String 1 \"" + text + "\")"; }
std::string Member(const std::string& name, const std::string& value) { return "(member:emit * \"" + name + "\" " + value + ")"; }
std::string Primitive(const std::string& kind, const std::string& value, int site = 1) {
  return "(primitive:emit * \"" + kind + "\" #" + std::to_string(site) + " " + value + ")";
}
std::string Binary(const std::string& op, const std::string& a, const std::string& b) {
  return "(binary:any * \"" + op + "\" " + a + " " + b + ")";
}
std::string FirstText(const std::string& segment, int n, const std::string& type = "ST") { return First(Text(Field(segment, n, type))); }

// Every kind of node the v2 maps use, on the segments an ADT message has.
std::string Source() {
  std::string each_name = "(var:v2.XPN 1 #2)", each_id = "(var:v2.CX 1 #1)";
  std::string patient =
      "(object:emit *" + Member("resourceType", "(json:emit * \"\\\"Patient\\\"\")") + Member("id", Primitive("id", "(var:System.String ? #0)")) +
      Member("identifier", "(array:emit * (each:emit * #1 " + Field("PID", 3) + " (emit:emit * \"identifier\" " + each_id + ")))") +
      Member("active", Primitive("boolean", Binary("=", FirstText("PID", 30), Str("N")))) +
      Member("name", "(array:emit * (each:emit * #2 " + Field("PID", 5, "XPN") + " (object:emit *" +
             Member("use", Primitive("code", "(lookup:System.String ? \"use\" #0 " + Text(Component(each_name, 7, "ID")) + ")")) +
             Member("family", Primitive("string", Text(Component(each_name, 1, "FN")))) +
             Member("given", "(array:emit * " + Primitive("string", Text(Component(each_name, 2))) +
                    Primitive("string", Text(Component(each_name, 3))) + ")") + ")))") +
      Member("telecom", "(array:emit * (each:emit * #3 (call:any * \"where\" #10 " + Field("PID", 13, "XTN") + " " +
             Binary("!=", Text(Component("(var:v2.XTN 1 #10)", 3, "ID")), Str("FX")) + ") (object:emit *" +
             Member("value", Primitive("string", Text("(var:v2.XTN 1 #3)"))) + ")))") +
      Member("gender", "(first:emit * " + Primitive("code", "(lookup:System.String ? \"sex\" #0 " + FirstText("PID", 8, "IS") + ")") +
             " " + Primitive("code", Str("unknown")) + ")") +
      Member("birthDate", Primitive("date", FirstText("PID", 7, "DTM"), 0)) +
      Member("deceasedDateTime", "(count:emit * \"omitted\" " + Primitive("dateTime", FirstText("PID", 29, "DTM"), 0) + ")") +
      Member("multipleBirthInteger", Primitive("integer", FirstText("PID", 25, "NM"), 0)) +
      Member("language", Primitive("code", Binary("&", "(call:System.String ? \"upper\" #10 " + FirstText("PID", 15, "ST") + ")",
                                                 "(call:System.String ? \"substring\" #10 " + FirstText("MSH", 10) + " (lit:System.Integer 1 \"1\") (lit:System.Integer 1 \"3\"))"))) + ")";
  std::string encounter =
      "(object:emit *" + Member("resourceType", "(json:emit * \"\\\"Encounter\\\"\")") + Member("id", Primitive("id", "(var:System.String ? #4)")) +
      Member("status", "(when:emit * " + Binary("in", "(event:System.String ?)", Binary("|", Str("A01"), Str("A08"))) + " " + Primitive("code", Str("in-progress")) + ")") +
      Member("subject", "(reference:emit * \"Patient\" (var:System.String ? #0))") +
      Member("text", Primitive("string", "(authority:System.String ? " + First(Component(First(Field("PID", 3)), 4, "HD")) + ")")) +
      Member("period", "(object:emit *" + Member("start", Primitive("dateTime", FirstText("PV1", 44, "DTM"), 0)) +
             Member("end", Primitive("instant", FirstText("EVN", 2, "DTM"), 0)) + ")") +
      Member("location", "(array:emit * (when:emit * (isnull:System.Boolean 1 " + Component(First(Field("PV1", 3, "PL")), 1, "IS") + ") (json:emit * \"\\\"gone\\\"\"))" +
             Primitive("string", First(Text("(repetition:v2.CX ? #2 " + Field("PID", 3) + ")"))) + Primitive("decimal", FirstText("OBX", 5, "NM"), 0) +
             Primitive("string", First(Text("(subcomponent:v2.ST * #2 " + Component(First(Field("PID", 5, "XPN")), 1, "FN") + ")"))) + ")") + ")";
  std::string hd_text = Text(Component(each_id, 4, "HD"));
  return "(module \"east\" \"1\" \"d1\")(zone \"America/New_York\" #-5000000000 #-18000 #1678604400 #-14400 #1699164000 #-18000 #1710054000 #-14400)"
         "(table \"sex\" \"\" \"http://t\" \"original\" #0 (row \"\" \"\" \"\" \"\")(row \"F\" \"female\" \"\" \"\")(row \"M\" \"male\" \"\" \"\"))"
         "(table \"use\" \"\" \"\" \"value\" #0 (row \"\" \"usual\" \"\" \"\")(row \"L\" \"official\" \"\" \"\")(row \"N\" \"nickname\" \"\" \"\"))"
         "(authority \"unknown\" \"urn:weir:unknown:\")(authority \"east\" \"urn:oid:2.16\" \"EAST\" \"HOSP\")"
         "(site \"schema\" \"value\" \"x\" #1)(site \"schema\" \"value\" \"y\" #0)(site \"schema\" \"required\" \"PID-3\" #0)"
         "(map \"patient\" \"Patient\" \"patch\" #1 #0)(map \"encounter\" \"Encounter\" \"patch\" #1 #0)"
         "(function \"identifier\" #2 (result:emit *) (param:v2.CX 1 \"x\" #1) (body (object:emit *" +
         Member("system", Primitive("uri", "(authority:System.String ? (component:v2.HD ? #4 (var:v2.CX 1 #1)))", 0)) +
         Member("type", Primitive("string", "(text:System.String ? (component:v2.HD ? #4 (var:v2.CX 1 #1)))")) +
         Member("value", Primitive("string", "(text:System.String ? (var:v2.CX 1 #1))")) + ")))"
         "(feed \"adt\" \"1.0.0\" \"\" #0 #600 #-1 #20 (accept \"ADT^*\") (except \"MSH-7\" \"MSH-13\")"
         "(key " + FirstText("MSH", 3, "HD") + ")(key " + FirstText("MSH", 10) + ")(order " + FirstText("EVN", 2, "DTM") + ")(order " + FirstText("MSH", 7, "DTM") + ")"
         "(suppress " + Binary("=", FirstText("PV1", 2, "IS"), Str("T")) + ")"
         "(transform (seq:emit * (require:emit * #2 (call:System.Boolean 1 \"exists\" #10 " + Field("PID", 3) + "))"
         "(let:emit * #0 (key:System.String ? \"Patient/mrn\" #0 " + First(Text(Field("PID", 3))) + ")"
         "(let:emit * #4 (key:System.String ? \"Encounter/visit\" #1 (key:System.String ? \"Patient/mrn\" #0 " + First(Text(Field("PID", 3))) + ") " + FirstText("PV1", 19) + ") (seq:emit *"
         " (when:emit * " + Binary("=", "(event:System.String ?)", Str("A11")) + " (retract:emit * \"Encounter\" #1 (var:System.String ? #4) " + Binary("|", Str("A01"), Str("A04")) + "))"
         " (alias:emit * \"Patient\" (key:System.String ? \"Patient/mrn\" #0 " + First(Text(Field("MRG", 1))) + ") (var:System.String ? #0))"
         " (contribute:emit * \"patch Patient\" #0 (var:System.String ? #0) (event:System.String ?) " + patient + ")"
         " (contribute:emit * \"patch Encounter\" #1 (var:System.String ? #4) (event:System.String ?) " + encounter + ")))))))";
}

struct Outcome {
  weir_status status = WEIR_OK;
  std::string text;
};

class Runner {
 public:
  Runner() : bytes_(1 << 20), items_(64), scratch_(4 << 20) {
    for (uint8_t i = 0; i < 16; ++i) {
      snapshot_.namespace_key[i] = i;
    }
  }
  template <typename Probe, typename Transform>
  std::string Run(Probe probe, Transform transform) {
    weir_probe p{};
    weir_output out = Output();
    weir_status status = probe(snapshot_, &out, &p);
    std::string text = "probe " + std::to_string(status) + " feed " + std::to_string(static_cast<int32_t>(p.feed)) + " site " + std::to_string(out.site);
    if (status <= WEIR_UNROUTED) {
      text += " time " + std::to_string(p.event_time_us) + " key " + At(p.key_offset, p.key_size) + " order " + At(p.order_offset, p.order_size) +
              " event " + At(p.event_offset, p.event_size) + " digest " + std::string(reinterpret_cast<char*>(p.content_digest), 16);
    }
    out = Output();
    status = transform(snapshot_, &out);
    text += "\ntransform " + std::to_string(status) + " site " + std::to_string(out.site);
    for (uint32_t counter : out.counters) {
      text += " " + std::to_string(counter);
    }
    for (uint32_t i = 0; i < out.item_count; ++i) {
      const weir_contribution& c = items_[i];
      text += "\n" + std::to_string(c.op) + " " + std::to_string(c.map) + " " + std::to_string(c.type) + " " + std::string(c.id, 32) + " " +
              std::string(c.other_id, 32) + " " + At(c.tag_offset, c.tag_size) + " " + At(c.body_offset, c.body_size);
    }
    std::set<std::string> keys;  // in any order
    for (uint32_t i = 0; i < out.key_count; ++i) {
      keys.insert("\n" + std::string(keys_[i].id, 32) + " within " + std::string(keys_[i].parent, 32) +
                  std::string(reinterpret_cast<const char*>(keys_[i].own), 16));
    }
    for (const std::string& key : keys) {
      text += key;
    }
    return text;
  }
  weir_snapshot& snapshot() { return snapshot_; }

 private:
  weir_output Output() {
    weir_output out{};
    out.struct_size = sizeof(out);
    out.bytes = bytes_.data();
    out.capacity = static_cast<uint32_t>(bytes_.size());
    out.items = items_.data();
    out.item_capacity = static_cast<uint32_t>(items_.size());
    out.keys = keys_.data();
    out.key_capacity = static_cast<uint32_t>(keys_.size());
    out.scratch = scratch_.data();
    out.scratch_capacity = static_cast<uint32_t>(scratch_.size());
    return out;
  }
  std::string At(uint32_t offset, uint32_t size) const { return {reinterpret_cast<const char*>(bytes_.data()) + offset, size}; }

  weir_snapshot snapshot_{sizeof(weir_snapshot), {}, nullptr, 0};
  std::vector<uint8_t> bytes_;
  std::vector<weir_contribution> items_;
  std::vector<weir_key> keys_ = std::vector<weir_key>(256);
  std::vector<uint8_t> scratch_;
};

class JitTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    module_ = new ir::Module;
    auto error = ir::Parse(Source(), module_);
    ASSERT_EQ(error, std::nullopt) << Source().substr(Source().size() > 7843 ? 7643 : 0, 200);
    ASSERT_EQ(ir::Verify(*module_), std::nullopt);
    auto made = jit::Jit(*module_, {});
    ASSERT_TRUE(made.ok()) << made.error().message;
    kernel_ = made->release();
    interp_ = new ir::InterpretedKernel(*module_, {});
  }
  static void TearDownTestSuite() {
    delete interp_;
    delete kernel_;
    delete module_;
  }

  // Both engines' outcomes; equal when they agree. Nothing when the reader refuses the message.
  std::optional<std::pair<std::string, std::string>> Both(const std::string& message) {
    std::string padded = message + std::string(64, '\0');
    v2::IndexBuffers buffers;
    weir_v2_index index{};
    const auto* bytes = reinterpret_cast<const uint8_t*>(padded.data());
    auto size = static_cast<uint32_t>(message.size());
    if (v2::BuildIndex(bytes, size, {}, buffers, &index) != v2::IndexStatus::kOk) {
      return std::nullopt;
    }
    // The reader takes a delimiter that MSH-2 repeats as absent, the interpreter takes it as written: an open question
    // between those two (one recorded file, Lyme_WithBadDelimiters); kernels follow the index.
    std::string_view delimiters = std::string_view(message).substr(4, std::min<size_t>(4, message.size() - 4));
    for (size_t i = 0; i < delimiters.size() && delimiters[i] != message[3]; ++i) {
      if (delimiters.find(delimiters[i], i + 1) != std::string_view::npos) {
        return std::nullopt;
      }
    }
    weir_input input{sizeof(weir_input), 0, bytes, size, &index};
    const weir_kernel* k = kernel_override_ != nullptr ? kernel_override_ : kernel_->kernel();
    std::string jit = runner_.Run([&](auto& s, auto* o, auto* p) { return k->probe(&input, &s, o, p); },
                                  [&](auto& s, auto* o) { return k->transform(0, &input, &s, o); });
    std::string reference = runner_.Run([&](auto& s, auto* o, auto* p) { return interp_->Probe(input, s, o, p); },
                                        [&](auto& s, auto* o) { return interp_->Transform(0, input, s, o); });
    return std::pair{reference, jit};
  }

  static inline ir::Module* module_ = nullptr;
  static inline jit::Kernel* kernel_ = nullptr;
  static inline ir::InterpretedKernel* interp_ = nullptr;
  const weir_kernel* kernel_override_ = nullptr;
  Runner runner_;
};

const char kMessage[] =
    "MSH|^~\\&|APP|EAST|||20240310023000||ADT^A01|CTL77|P|2.5.1\rEVN||20240102030405.12\r"
    "PID|1||  12\\T\\3^^^EAST^MR~777^^^ZZ&1.2.3&ISO||Du\\S\\pont&van^Ann\\X0A\\e^B^^^^L~\"\"||19800230|F||||||\"t\"^^FX~+1\t5^^PH|||||||||||-07\r"
    "PV1|1|I|\"\"^2||||||||||||||||V99|||||||||||||||||||||||||202401021530\r";

TEST_F(JitTest, WritesTheResources) {
  auto both = Both(kMessage);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->second, both->first);
  EXPECT_NE(both->second.find("\"value\":\"12&3\""), std::string::npos);
  EXPECT_NE(both->second.find("\"given\":[\"Ann\\ne\",\"B\"]"), std::string::npos);
  EXPECT_NE(both->second.find("\"multipleBirthInteger\":-7"), std::string::npos);
  EXPECT_NE(both->second.find("\"start\":\"2024-01-02T15:30:00-05:00\""), std::string::npos);
  EXPECT_EQ(both->second.find("birthDate"), std::string::npos);  // 30 February
}

TEST_F(JitTest, AgreesOnDamagedMessages) {
  std::mt19937 random(7);
  std::string_view alphabet = "|^~\\&\r\"TX0129.+-AZ \tF";
  size_t compared = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string message = kMessage;
    for (unsigned k = random() % 6; k-- > 0;) {
      size_t at = 9 + random() % (message.size() - 9);
      char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0: message[at] = c; break;
        case 1: message.insert(at, 1, c); break;
        default: message.erase(at, 1 + random() % 3); break;
      }
    }
    auto both = Both(message);
    compared += both ? 1 : 0;
    ASSERT_TRUE(!both || both->first == both->second) << i << "\n" << message << "\n" << both->first << "\n" << both->second;
  }
  EXPECT_GT(compared, 15000u);
}

TEST_F(JitTest, AgreesOnRealMessages) {
  const char* shared = std::getenv("WEIR_SHARED");
  std::filesystem::path root = shared != nullptr ? shared : std::string(WEIR_SOURCE_DIR) + "/../shared";
  if (!std::filesystem::exists(root / "data/hl7v2")) {
    GTEST_SKIP() << "no recorded messages: WEIR_SHARED is not set";
  }
  size_t compared = 0, contributed = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "data/hl7v2")) {
    if (!entry.is_regular_file()) {
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream buffer;
    buffer << in.rdbuf();
    std::string text = buffer.str();
    size_t at = text.find("MSH");
    while (at != std::string::npos) {
      size_t end = text.find("MSH|", at + 1);
      auto both = Both(text.substr(at, end == std::string::npos ? end : end - at));
      at = end;
      if (both) {
        ++compared;
        contributed += both->second.find("resourceType") != std::string::npos ? 1 : 0;
        ASSERT_EQ(both->first, both->second) << entry.path().filename();
      }
    }
  }
  EXPECT_GT(compared, 500u);
  EXPECT_GT(contributed, 100u);
}

TEST_F(JitTest, AsksForRoom) {
  std::string padded = kMessage + std::string(64, '\0');
  v2::IndexBuffers buffers;
  weir_v2_index index{};
  const auto* bytes = reinterpret_cast<const uint8_t*>(padded.data());
  auto size = static_cast<uint32_t>(std::strlen(kMessage));
  ASSERT_EQ(v2::BuildIndex(bytes, size, {}, buffers, &index), v2::IndexStatus::kOk);
  weir_input input{sizeof(weir_input), 0, bytes, size, &index};
  std::vector<weir_contribution> items(8);
  std::vector<weir_key> keys(8);
  {
    std::vector<uint8_t> out_bytes(4096), scratch(1 << 16);
    weir_output out{sizeof(weir_output), out_bytes.data(), 4096, 0, items.data(), 8, 0, nullptr, 0, 0, scratch.data(), 1 << 16, 0, {}};
    EXPECT_EQ(kernel_->kernel()->transform(0, &input, &runner_.snapshot(), &out), WEIR_OUTPUT_FULL) << "no room for the visit's key";
  }
  for (uint32_t capacity = 0; capacity < 1400; ++capacity) {
    std::vector<uint8_t> out_bytes(capacity), scratch(1 << 16);  // exact sizes: the sanitizer sees a byte too far
    weir_output out{sizeof(weir_output), out_bytes.data(), capacity, 0, items.data(), 8, 0, keys.data(), 8, 0, scratch.data(), 1 << 16, 0, {}};
    weir_status status = kernel_->kernel()->transform(0, &input, &runner_.snapshot(), &out);
    ASSERT_TRUE(status == WEIR_OUTPUT_FULL || status == WEIR_OK) << capacity;
  }
  bool done = false;
  for (uint32_t capacity = 0; capacity < 16384; capacity += 8) {
    std::vector<uint8_t> out_bytes(4096), scratch(capacity);
    weir_output out{sizeof(weir_output), out_bytes.data(), 4096, 0, items.data(), 8, 0, keys.data(), 8, 0, scratch.data(), capacity, 0, {}};
    weir_status status = kernel_->kernel()->transform(0, &input, &runner_.snapshot(), &out);
    ASSERT_TRUE(status == WEIR_SCRATCH_FULL || status == WEIR_OK) << capacity;
    done = status == WEIR_OK;
  }
  EXPECT_TRUE(done);
}

// The AOT kernel of this host against the JIT's: the same outcome through the package file.
TEST_F(JitTest, PackageRunsTheSame) {
  std::string path = testing::TempDir() + "/jit_test.weirpkg";
  auto written = jit::WritePackage(*module_, {.triples = {"x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"}}, path);
  ASSERT_TRUE(written.ok()) << written.error().message;
  auto opened = package::Package::Open(path, {.allow_unsigned = true});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  auto both = Both(kMessage);
  const weir_kernel* mine = kernel_->kernel();
  kernel_override_ = (*opened)->kernel();
  auto packaged = Both(kMessage);
  kernel_override_ = nullptr;
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(packaged->second, both->second);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('\x7f');
  }
  EXPECT_FALSE(package::Package::Open(path, {.allow_unsigned = true}).ok());  // one byte touched
  std::filesystem::remove(path);
}

TEST_F(JitTest, ReloadsFromTheObjectCache) {
  std::string folder = testing::TempDir() + "/jit_test_cache";
  std::filesystem::remove_all(folder);
  auto cold = jit::Jit(*module_, {.cache_dir = folder});
  auto warm = jit::Jit(*module_, {.cache_dir = folder});
  ASSERT_TRUE(cold.ok() && warm.ok());
  EXPECT_FALSE((*cold)->from_cache());
  EXPECT_TRUE((*warm)->from_cache());
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ofstream(entry.path(), std::ios::binary | std::ios::app) << "torn";
  }
  auto again = jit::Jit(*module_, {.cache_dir = folder});
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE((*again)->from_cache());
  std::filesystem::remove_all(folder);
}

TEST(Jit, NamesWhatItCannotLower) {
  ir::Module module;
  ASSERT_EQ(ir::Parse("(module \"m\" \"1\" \"d\")(site \"schema\" \"value\" \"x\" #0)(feed \"f\" \"1\" \"\" #-1 #-1 #-1 #4 (accept \"ADT^*\")"
                      "(transform (require:emit * #0 (call:System.Boolean ? \"matches\" #0 (lit:System.String 1 \"a\") (lit:System.String 1 \"(?P<name>a)\")))))",
                      &module), std::nullopt);
  auto made = jit::Jit(module, {});
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("matches"), std::string::npos);
}

}  // namespace
}  // namespace weir
