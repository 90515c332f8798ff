// SPDX-License-Identifier: GPL-2.0-only
#include "world_files.h"

#include <string>
#include <string_view>
#include <utility>

#include "script/world.h"
#include "support/file.h"
#include "support/number.h"

namespace pkvmemu::tool {
namespace {

Outcome<std::string> read_script(const std::string& path) {
  constexpr std::size_t largest_script = std::size_t{1} << 20U;
  if (auto good = check_readable(path, largest_script); !good) return as_file_error(good.error());
  const auto bytes = read_file(path);
  if (!bytes) return as_file_error(bytes.error());
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

Outcome<void> add_region(const std::string& text, RunPlan& plan) {
  const auto region = script::parse_region(text);
  if (!region) return usage_error("--mmio {}: {}", text, region.error().message);
  plan.world_text += text + "\n";
  if (!script::is_file(*region)) {
    plan.world.regions.push_back(script::plain_region(*region));
    return {};
  }
  const auto content = read_script(region->what);
  if (!content) return std::unexpected(content.error());
  auto device = script::parse_device(*region, region->what, *content);
  if (!device) return as_file_error(device.error());
  plan.world.regions.push_back(std::move(*device));
  plan.world_text += *content;
  return {};
}

struct MemoryWish {
  Pa address;
  std::string file;
};

/// "ADDR=FILE".
Outcome<MemoryWish> parse_memory(const std::string& text) {
  const std::size_t equals = text.find('=');
  const auto address = number_in(std::string_view(text).substr(0, equals));
  if (equals == std::string::npos || equals + 1 == text.size() || !address)
    return usage_error("--mem {}: expected ADDR=FILE", text);
  return MemoryWish{.address = Pa{*address}, .file = text.substr(equals + 1)};
}

Outcome<void> add_memory(const std::string& text, RunPlan& plan) {
  const auto wish = parse_memory(text);
  if (!wish) return std::unexpected(wish.error());
  auto bytes = read_file(wish->file);
  if (!bytes) return as_file_error(bytes.error());
  if (bytes->empty()) return file_error("{}: there is nothing in it", wish->file);
  plan.world_text += text + "\n";
  plan.world_text.append(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  plan.memory.push_back({.address = wish->address, .bytes = std::move(*bytes), .name = wish->file});
  return {};
}

}  // namespace

Outcome<void> add_world(const RunOptions& options, RunPlan& plan) {
  for (const std::string& text : options.memory)
    if (auto added = add_memory(text, plan); !added) return added;
  for (const std::string& text : options.mmio)
    if (auto added = add_region(text, plan); !added) return added;
  if (!options.el3) return {};
  const auto content = read_script(*options.el3);
  if (!content) return std::unexpected(content.error());
  auto calls = script::parse_el3(*options.el3, *content);
  if (!calls) return as_file_error(calls.error());
  plan.world.secure_calls = std::move(calls->calls);
  plan.world.ffa = std::move(calls->ffa);
  plan.world.logs_secure_calls = calls->logs;
  plan.world_text += *content;
  return {};
}

std::vector<std::filesystem::path> world_files(const RunOptions& options) {
  std::vector<std::filesystem::path> files;
  for (const std::string& text : options.mmio)
    if (const auto region = script::parse_region(text); region && script::is_file(*region))
      files.emplace_back(region->what);
  for (const std::string& text : options.memory)
    if (const auto wish = parse_memory(text)) files.emplace_back(wish->file);
  if (options.el3) files.emplace_back(*options.el3);
  return files;
}

}  // namespace pkvmemu::tool
