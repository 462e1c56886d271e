#include "runtime/operate/cli.h"

#include <cstdio>

namespace weir::operate {
namespace {

const char* program = "weir";

}  // namespace

void SetProgram(const char* name) { program = name; }

int Fail(std::string_view message, int code) {
  std::fprintf(stderr, "%s: %.*s\n", program, static_cast<int>(message.size()), message.data());
  return code;
}

}  // namespace weir::operate
