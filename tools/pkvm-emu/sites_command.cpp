// SPDX-License-Identifier: GPL-2.0-only
#include "sites_command.h"

#include <fnmatch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "fault/sites.h"
#include "firmware_image.h"
#include "output.h"
#include "pkvm/errno.h"
#include "support/file.h"

namespace pkvmemu::tool {
namespace {

bool matches(const fault::Site& site, const std::string& pattern) {
  return pattern.empty() || ::fnmatch(pattern.c_str(), site.name.c_str(), 0) == 0;
}

bool answers_errno(const fault::Site& site) {
  return site.answer == pkvm::fault::Answer::errno_value;
}

/// "-12 (ENOMEM)", or what stands for nothing.
std::string usual_answer(const fault::Site& site) {
  if (!answers_errno(site)) return "nothing";
  return fmt::format("{} ({})", site.usual, pkvm::errno_name(site.usual));
}

std::string text_of(const std::vector<fault::Site>& sites, bool quiet) {
  std::string text;
  if (!quiet)
    text += fmt::format("{:<28} {:>3}  {:<16} {}\n", "SITE", "EL", "ANSWERS", "WHAT FAILS");
  for (const fault::Site& site : sites)
    text += fmt::format("{:<28} {:>3}  {:<16} {}\n", site.name, site.el, usual_answer(site),
                        site.meaning);
  return text;
}

std::string json_of(const std::vector<fault::Site>& sites) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const fault::Site& site : sites)
    list.push_back({{"name", site.name},
                    {"el", site.el},
                    {"meaning", site.meaning},
                    {"answers", answers_errno(site) ? "errno" : "nothing"},
                    {"usual", site.usual}});
  constexpr int indent = 2;
  return list.dump(indent) + "\n";
}

}  // namespace

SitesCommand::SitesCommand(CLI::App& app)
    : command_(app.add_subcommand("sites", "List the steps that can be made to fail")) {
  command_->add_option("GLOB", pattern_, "Only sites of this name, like 'hyp.*'")->type_name("");
  command_->add_option("--firmware", firmware_, "Look into this arm64 Image")->type_name("FILE");
  command_->add_flag("--json", json_, "A JSON list on stdout instead of text")
      ->disable_flag_override();
  command_->footer(
      "Examples:\n"
      "  pkvm-emu sites 'hyp.*'\n"
      "  pkvm-emu run hello.ko --fail hyp.donate:nth=2");
}

Outcome<observe::ExitCode> SitesCommand::execute(const Volume& volume) const {
  Bytes own;
  std::span<const std::byte> image = builtin_firmware();
  if (!firmware_.empty()) {
    auto bytes = read_file(firmware_);
    if (!bytes) return as_file_error(bytes.error());
    own = std::move(*bytes);
    image = own;
  }
  auto sites = fault::find_sites(image);
  if (!sites)
    return file_error("{}: {}", firmware_.empty() ? "built-in firmware" : firmware_,
                      sites.error().message);
  if (sites->empty())
    return file_error("{}: it has no fault sites: is it pkvm-emu's firmware?", firmware_);
  std::erase_if(*sites, [&](const fault::Site& site) { return !matches(site, pattern_); });
  if (sites->empty())
    return usage_error("no fault site is called '{}'; `pkvm-emu sites` lists them all", pattern_);
  Output(stdout).text(json_ ? json_of(*sites) : text_of(*sites, volume.quiet));
  return observe::ExitCode::good;
}

}  // namespace pkvmemu::tool
