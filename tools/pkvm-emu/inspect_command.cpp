// SPDX-License-Identifier: GPL-2.0-only
#include "inspect_command.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "code/disassembler.h"
#include "image/ko.h"
#include "inspect/inspect.h"
#include "module_file.h"
#include "output.h"

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;

/// The files that a dependency of this name may be in, beside the module.
std::vector<fs::path> candidates_for(const std::string& name, const fs::path& beside) {
  std::string dashed = name;
  std::ranges::replace(dashed, '_', '-');
  const fs::path directory = beside.parent_path();
  std::vector<fs::path> candidates;
  for (const std::string_view suffix : module_suffixes)
    for (const std::string& own : {name, dashed})
      candidates.push_back(directory / (own + std::string(suffix)));
  return candidates;
}

/// The dependencies that lie beside the module; the others are left open.
std::vector<inspect::Dependency> look_at_dependencies(const image::KoFile& module,
                                                      const fs::path& path) {
  std::vector<inspect::Dependency> found;
  for (const std::string& name : inspect::split_names(module.depends())) {
    for (const fs::path& candidate : candidates_for(name, path)) {
      std::error_code ignored;
      if (!fs::is_regular_file(candidate, ignored)) continue;
      const auto bytes = read_module(candidate.string());
      const auto file = bytes ? image::KoFile::open(*bytes)
                              : image::Expected<image::KoFile>(std::unexpected(image::Error{}));
      if (!file) continue;
      found.push_back(inspect::dependency_of(name, *file));
      break;
    }
  }
  return found;
}

inspect::Colour wanted_colour() {
  return wants_colour(stdout) ? inspect::Colour::on : inspect::Colour::off;
}

}  // namespace

InspectCommand::InspectCommand(CLI::App& app)
    : command_(app.add_subcommand("inspect",
                                  "Tell what a module is, uses and needs, without "
                                  "running it")) {
  command_->add_option("MODULE.ko", file_, "The module")->required()->type_name("");
  command_->add_flag("--json", json_, "One JSON object on stdout instead of text")
      ->disable_flag_override();
  command_->add_flag("--all", all_, "EL1 sections, relocations and symbols, too")
      ->disable_flag_override();
  command_->footer(
      "Exit codes:\n"
      "  0   nothing found that keeps it from loading\n"
      "  3   not a readable module\n"
      "  10  it would not load, or go wrong at once\n"
      "\n"
      "Examples:\n"
      "  pkvm-emu inspect hello.ko\n"
      "  pkvm-emu inspect hello.ko --json | jq -r '.ops[].name'");
}

Outcome<observe::ExitCode> InspectCommand::execute(const Volume& volume) const {
  const auto bytes = read_module(file_);
  if (!bytes) return std::unexpected(bytes.error());
  const auto module = open_ko(file_, *bytes);
  if (!module) return std::unexpected(module.error());
  const auto disassembler = code::Disassembler::create();
  if (!disassembler)
    return std::unexpected(Failure{observe::ExitCode::internal, disassembler.error().message});

  const inspect::Facts facts =
      inspect::inspect(*module, *bytes, look_at_dependencies(*module, file_), *disassembler);
  auto detail = all_ ? inspect::Detail::everything : inspect::Detail::summary;
  if (volume.quiet) detail = inspect::Detail::problems;
  Output(stdout).text(json_ ? inspect::to_json(facts, file_)
                            : inspect::to_text(facts, file_, detail, wanted_colour()));
  return facts.would_load() ? observe::ExitCode::good : observe::ExitCode::load_failed;
}

}  // namespace pkvmemu::tool
