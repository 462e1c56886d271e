// Random programs on real-looking and damaged messages: the code generator's engines against the interpreter.
// WEIR_ENGINES_SECONDS: how long (default 8); WEIR_ENGINES_SEED: the first program (default 1), printed with a failure.
#include "tests/differential/engines/programs.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "tests/differential/engines/engines.h"

namespace weir::engines {
namespace {

constexpr uint32_t kMessagesPerProgram = 300, kLeastPrograms = 5;

const char* const kMessages[] = {
    "MSH|^~\\&|APP|EAST|B^1.2.3^ISO||20240310023000||ADT^A01^ADT_A01|CTL77|P|2.5.1\rEVN|A01|20240102030405.12\r"
    "PID|1||12\\T\\3^^^EAST^MR~777^^^ZZ&1.2.3&ISO||Du\\S\\pont&van^Ann\\X0A\\e^B^^^^L~\"\"||19800230|F|x y||A^\"\"^M\r"
    "NK1|1|A^B|F||2024\rNK1|2|\"\"|M\rPV1|1|I|\"\"^2||777|M~F~~0|1&2&3^A&\"\"\rNTE|1||odd\rORC|NW|7\rOBR|1|A\rOBX|1|NM|F^M||-1.50|m\rOBX|2|ST|A||x\r"
    "PID|2||888\rPV1|2|O\rOBR|2|B\rOBX|3|NM|M||+07\rZZZ|1|2\rNTE|2||end\r",
    "MSH|^~\\&|LAB|HOSP|||20231105013000-0500||ORU^R01|C1|T|2.3\rPID|||A1^^^HOSP||\xC3\xA9" "a^b||197001\rPV1||I\rNTE|1||n\rORC|RE\rOBR|1|||F\r"
    "OBX|1|ST|A~B||EAST\rNTE|1||c\rNTE|2\rOBX|2|NM|M||5.\rORC|RE|2\rOBR|2||A01\rOBX|1|DT|M||20240229\rNTE|9||z\rPID|2||A2\rOBR|3\r",
    "MSH|^~\\&|||||||ADT^A08|\rEVN||2024\rPID|1|\"\"|777~~888^^^EAST|A^B|x\rPV1\r"};

uint64_t Number(const char* variable, uint64_t otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}

TEST(Programs, EveryEngineSaysTheSame) {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(Number("WEIR_ENGINES_SECONDS", 8));
  auto seed = static_cast<uint32_t>(Number("WEIR_ENGINES_SEED", 1));
  size_t programs = 0, records = 0, with_resources = 0, refused = 0;
  for (; programs < kLeastPrograms || std::chrono::steady_clock::now() < until; ++seed, ++programs) {
    auto module = ProgramMaker(seed).Make();
    ASSERT_EQ(ir::Verify(*module), std::nullopt) << "program " << seed;
    auto engines = Engines::Make(*module, {.quick = seed % 4 == 0, .package = seed % 8 == 0});
    ASSERT_TRUE(engines.ok()) << "program " << seed << ": " << engines.error().message;
    for (uint32_t i = 0; i < kMessagesPerProgram; ++i) {
      std::string message = kMessages[i % 3];
      if (i >= 3) {
        message = Damaged(message, seed * kMessagesPerProgram + i);
      }
      Comparison comparison = (*engines)->Compare(message);
      records += comparison.read ? 1 : 0;
      with_resources += comparison.oracle.resources != 0 ? 1 : 0;
      refused += comparison.read && comparison.oracle.status == WEIR_REJECTED ? 1 : 0;
      ASSERT_FALSE(comparison.differs) << "program " << seed << " message " << i << ", " << *comparison.differs << "\n" << message << "\n"
                                       << comparison.oracle.text << "\n" << comparison.other.text << "\n" << ir::Print(*module);
    }
  }
  std::cout << programs << " programs, " << records << " records, " << with_resources << " with resources, " << refused << " rejected\n";
  EXPECT_GT(with_resources, records / 20);  // else the programs say too little
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace weir::engines
