// SPDX-License-Identifier: GPL-2.0-only
#include "new_command.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <string_view>
#include <system_error>

#include "build/module_builder.h"
#include "new_templates.h"
#include "support/file.h"

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;

constexpr const char* footer = R"(Examples:
  pkvm-emu new mine                  # writes mine/
  pkvm-emu build mine && pkvm-emu run mine.ko --call mine_hvc:41
  pkvm-emu new mine drivers/mine     # the same in another folder)";

/// Names whose sources or objects would meet those of the template.
constexpr std::array<std::string_view, 3> taken = {"el1", "el2", "hyp"};

Outcome<void> check_name(const std::string& name) {
  if (auto good = build::check_module_name(name); !good) return as_usage_error(good.error());
  if (std::isdigit(static_cast<unsigned char>(name.front())) != 0)
    return usage_error("\"{}\" cannot begin C names: use a letter first", name);
  if (std::ranges::find(taken, name) != taken.end())
    return usage_error("\"{}\" is the name of a part of every module: use another", name);
  return {};
}

std::string filled_in(std::string_view text, std::string_view name) {
  constexpr std::string_view place = "NAME";
  std::string result;
  for (std::size_t at = 0; (at = text.find(place)) != std::string_view::npos;) {
    result += text.substr(0, at);
    result += name;
    text.remove_prefix(at + place.size());
  }
  return result + std::string(text);
}

Result<void> write_all(const std::string& name, const fs::path& folder) {
  for (const NewFile& file : new_files) {
    const fs::path path = folder / file.path;
    std::error_code status;
    fs::create_directories(path.parent_path(), status);
    if (status) return fail("{}: cannot create: {}", path.parent_path().string(), status.message());
    if (auto done = write_file(path, filled_in(file.text, name)); !done) return done;
  }
  return {};
}

}  // namespace

Outcome<void> write_new_module(const std::string& name, const fs::path& folder) {
  if (auto good = check_name(name); !good) return good;
  std::error_code status;
  const bool existed = fs::exists(folder, status);
  if (existed && (!fs::is_directory(folder, status) || !fs::is_empty(folder, status)))
    return file_error("{}: exists already and is not an empty folder: nothing was written",
                      folder.string());
  if (auto done = write_all(name, folder); !done) {
    if (!existed) fs::remove_all(folder, status);
    return as_file_error(done.error());
  }
  return {};
}

NewCommand::NewCommand(CLI::App& app)
    : command_(app.add_subcommand("new", "Write a fresh module that builds and runs")) {
  command_->add_option("NAME", name_, "The module's name: letters, digits, underscores")
      ->required()
      ->type_name("");
  command_->add_option("DIR", folder_, "Where to write it (default: NAME here)")->type_name("");
  command_->footer(footer);
}

Outcome<observe::ExitCode> NewCommand::execute(const Volume& volume) const {
  const std::string folder = folder_.empty() ? name_ : folder_;
  if (auto done = write_new_module(name_, folder); !done) return std::unexpected(done.error());
  if (volume.quiet) return observe::ExitCode::good;
  std::printf(
      "%s: a new module. Next:\n"
      "  pkvm-emu build %s\n"
      "  pkvm-emu run %s.ko --call %s_hvc:41\n",
      folder.c_str(), folder.c_str(), name_.c_str(), name_.c_str());
  return observe::ExitCode::good;
}

}  // namespace pkvmemu::tool
