// SPDX-License-Identifier: GPL-2.0-only
// Any text, a line for each argument, as the command line of `run` and of `build`: understood, or
// refused with words.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "build_command.h"
#include "run_options.h"

namespace {

using namespace pkvmemu::tool;

/// CLI11 takes arguments last first.
std::vector<std::string> arguments_in(std::string_view text) {
  std::vector<std::string> arguments;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    arguments.insert(arguments.begin(), std::string(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return arguments;
}

bool parses(CLI::App& app, std::vector<std::string> arguments) {
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& problem) {
    if (std::string_view(problem.what()).empty()) std::abort();
    return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CLI::App app;
  CLI::App* run = app.add_subcommand("run");
  const RunOptionsParser run_options(*run);
  const BuildOptionsParser build_options(*app.add_subcommand("build"));
  if (!parses(app, arguments_in(text))) return 0;
  // Those of build name files: reading them is for tests.
  if (!run->parsed()) return 0;
  const auto options = run_options.options();
  if (!options && options.error().message.empty()) std::abort();
  return 0;
}
