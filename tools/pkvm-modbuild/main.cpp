// SPDX-License-Identifier: GPL-2.0-only
// pkvm-modbuild: C sources in, a vendor module out (src/build/module_builder.h).
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "build/module_builder.h"
#include "pkvm/generation.h"
#include "support/file.h"

namespace {

using namespace pkvmemu;

// docs/design.md, section 7.
enum ExitCode : std::uint8_t { good = 0, usage = 2, bad_file = 3, our_bug = 70 };

const std::map<std::string, build::Cfi> cfi_names{
    {"off", build::Cfi::off}, {"plain", build::Cfi::plain}, {"normalised", build::Cfi::normalised}};

std::map<std::string, pkvm::Generation> generation_names() {
  std::map<std::string, pkvm::Generation> names;
  for (const pkvm::GenerationInfo& row : pkvm::generations)
    names.emplace(std::string(row.kmi), row.id);
  return names;
}

struct Options {
  build::ModuleSpec spec;
  build::Cfi cfi = build::Cfi::plain;
  bool fatal_warnings = false;
  std::string output;
};

void describe(CLI::App& app, Options& options) {
  build::ModuleSpec& spec = options.spec;
  spec.sdk = PKVMEMU_SDK;
  app.add_option("--name", spec.name, "The module's name")->required();
  app.add_option("--el1", spec.el1_sources, "C sources of the kernel half")->required();
  app.add_option("--el2", spec.el2_sources,
                 "C sources of the hypervisor half; none for an ordinary module");
  app.add_option("-o,--output", options.output, "The module to write")->required();
  app.add_option("--kmi", spec.generation, "Kernel generation")
      ->transform(CLI::CheckedTransformer(generation_names()))
      ->option_text("NAME (android15-6.6)");
  app.add_option("--cfi", options.cfi, "Type hashes before functions; default: as the generation's")
      ->transform(CLI::CheckedTransformer(cfi_names))
      ->option_text("off|plain|normalised");
  app.add_option("-I", spec.include_directories, "Also look for headers here")
      ->allow_extra_args(false);
  app.add_option("-D", spec.defines, "Define a macro, NAME or NAME=VALUE")->allow_extra_args(false);
  app.add_flag("--fatal-warnings", options.fatal_warnings, "Compiler warnings are errors");
  app.add_option("--sdk", spec.sdk, "Where the SDK's headers are")
      ->option_text("DIRECTORY (" PKVMEMU_SDK ")");
}

int report(const Error& error) {
  std::fputs(("pkvm-modbuild: " + error.message + "\n").c_str(), stderr);
  return bad_file;
}

int run(const Options& options) {
  const Result<build::BuiltModule> built = build::build_module(options.spec);
  if (!built) return report(built.error());
  std::fputs(built->messages.c_str(), stderr);
  const Result<void> written = write_file(options.output, built->image);
  return written ? good : report(written.error());
}

int command(int argc, char** argv) {
  CLI::App app{"Builds a pKVM vendor module from its sources"};
  Options options;
  describe(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? good : usage;
  }
  if (app.count("--cfi") != 0) options.spec.cfi = options.cfi;
  if (options.fatal_warnings) options.spec.warnings = build::Warnings::fatal;
  return run(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command(argc, argv);
  } catch (...) {
    std::fputs("pkvm-modbuild: out of memory, or a defect of this program\n", stderr);
    return our_bug;
  }
}
