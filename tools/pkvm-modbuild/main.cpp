// SPDX-License-Identifier: GPL-2.0-only
// pkvm-modbuild: `pkvm-emu build` by itself, for our own build, which makes modules before pkvm-emu
// is there. Says nothing when all is well.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <expected>
#include <string>

#include "build_command.h"

namespace {

using namespace pkvmemu;
using observe::ExitCode;

int code_of(ExitCode code) {
  return static_cast<int>(code);
}

tool::Outcome<void> build(const tool::BuildOptionsParser& parser) {
  const auto options = parser.options();
  if (!options) return std::unexpected(options.error());
  // Some modules of our tests import what nobody exports.
  const auto notes = tool::build_and_write(*options);
  if (!notes) return std::unexpected(notes.error());
  return {};
}

int command(int argc, char** argv) {
  CLI::App app{"Builds a pKVM vendor module from its sources"};
  const tool::BuildOptionsParser parser(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? code_of(ExitCode::good) : code_of(ExitCode::usage);
  }
  const auto done = build(parser);
  if (done) return code_of(ExitCode::good);
  std::fputs(("pkvm-modbuild: " + done.error().message + "\n").c_str(), stderr);
  return code_of(done.error().code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command(argc, argv);
  } catch (...) {
    std::fputs("pkvm-modbuild: out of memory, or a defect of this program\n", stderr);
    return code_of(ExitCode::internal);
  }
}
