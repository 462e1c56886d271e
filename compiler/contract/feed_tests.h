// Hand-written tests: `test "…" { given … expect … }`. The messages go through a hub of their own, in order; an expectation is
// FHIRPath over what the hub then holds, and is always evaluated by the interpreter. docs/tests.md says what it may name.
#pragma once

#include <string>
#include <vector>

#include "compiler/check/check.h"
#include "runtime/ingest/engine.h"

namespace weir::contract {

struct NamedEngine {
  std::string name;  // "interp", "jit"
  ingest::Engine* engine = nullptr;
};

struct TestFailure {
  uint32_t line = 0;
  std::string engine, message;
};

struct TestResult {
  std::string name, file;
  uint32_t line = 0;
  double seconds = 0;
  bool broken = false;  // the test itself: an expectation that does not type-check, a file that is not there
  std::vector<TestFailure> failures;
};

// The tests of the compiled source itself, not of what it uses, in the order written.
std::vector<TestResult> RunTests(check::Compilation& compilation, const std::vector<NamedEngine>& engines);

// One <testsuite>, a <testcase> each.
std::string JUnit(const std::string& suite, const std::vector<TestResult>& results);

}  // namespace weir::contract
