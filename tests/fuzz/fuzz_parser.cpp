// libFuzzer target: fuzz_parser -max_len=4096 CORPUS tests/golden/syntax dsl/std/v2
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/parser_properties.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string broken =
      weir::syntax::CheckParserProperties(std::string(reinterpret_cast<const char*>(data), size));
  if (!broken.empty()) {
    std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
