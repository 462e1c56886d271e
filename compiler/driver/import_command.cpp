// weir import: an HL7 FHIR package (.tgz) into the registry's form. The committed registry is this command's output.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/driver/cli.h"
#include "compiler/fhir/import.h"

namespace weir::driver {
namespace {

struct ImportArgs {
  std::string package, override_package;
  std::vector<std::string> terminology, value_sets;
  std::string output = ".", name;
  bool json = false;
};

int Import(const ImportArgs& args) {
  for (const auto& path : args.terminology) {
    if (!std::filesystem::is_regular_file(path)) {
      return Fail(fmt::format("{}: no such package", path));
    }
  }
  fhir::ImportOptions options;
  options.packages = {args.package};
  options.packages.insert(options.packages.end(), args.terminology.begin(), args.terminology.end());
  if (!args.override_package.empty()) {
    if (args.value_sets.empty()) {
      return Fail("--sets-from needs --set URL, the value sets to take from it");
    }
    options.packages.push_back(args.override_package);
  }
  options.only_value_sets = args.value_sets;
  options.output = args.output;
  auto identity = fhir::IdentifyPackage(args.package);
  if (!identity) {
    return Fail(identity.error().message);
  }
  options.name = args.name.empty() ? fhir::RegistryName(*identity) : args.name;
  auto report = fhir::Import(options);
  if (!report) {
    return Fail(report.error().message);
  }
  if (args.json) {
    std::cout << nlohmann::json{{"package", identity->name},        {"version", identity->version},
                                {"name", options.name},             {"definitions", report->definitions},
                                {"elements", report->elements},     {"invariants", report->invariants},
                                {"valueSets", report->value_sets},  {"codes", report->codes},
                                {"notEnumerable", report->not_enumerable}}
                     .dump()
              << '\n';
    return kFine;
  }
  std::cout << fmt::format("{} {} -> {}/{}.defs: {} definitions, {} elements, {} invariants, {} value sets, {} codes\n",
                           identity->name, identity->version, args.output, options.name, report->definitions, report->elements,
                           report->invariants, report->value_sets, report->codes);
  for (const auto& url : report->not_enumerable) {
    std::cerr << "codes not listed by these packages, bound codes are judged by their system alone: " << url << '\n';
  }
  return kFine;
}

}  // namespace

void AddImportCommand(CLI::App& app, Action& action) {
  auto args = std::make_shared<ImportArgs>();
  CLI::App* command = app.add_subcommand("import", "a FHIR package (.tgz) into the registry's form: NAME.defs and NAME.sha256");
  command->add_option("package", args->package, "the package whose definitions are taken")->required();
  command->add_option("-o,--output", args->output, "folder (default: this one)");
  command->add_option("--name", args->name, "NAME (default: the package's, hl7.fhir.us.core 6.1.0 -> us-core-6.1.0)");
  command->add_option("--terminology", args->terminology, "packages that list codes of value sets the first one binds");
  command->add_option("--sets-from", args->override_package, "a package whose value sets, named by --set, go before all others");
  command->add_option("--set", args->value_sets, "canonical URL of a value set to take from --sets-from");
  command->add_flag("--json", args->json, "the report as one JSON document");
  command->callback([&action, args] { action = [args] { return Import(*args); }; });
}

}  // namespace weir::driver
