// SPDX-License-Identifier: GPL-2.0-only
#include "env_module.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "build/module_builder.h"
#include "build/object_file.h"
#include "pkvm/exports.h"
#include "pkvm/stubs.h"
#include "sdk_folder.h"
#include "support/file.h"
#include "support/log.h"

namespace pkvmemu::tool {
namespace {

using build::ObjectFile;
using build::Symbol;

/// What the builder adds itself.
constexpr auto own_symbols =
    std::to_array<std::string_view>({"init_module", "cleanup_module", "__this_module"});

/// A global definition: others can mean it.
bool is_definition(const Symbol& symbol) {
  return symbol.section != 0 && symbol.binding != 0 && !symbol.name.empty() &&
         !symbol.name.starts_with("__ksymtab_") &&
         std::ranges::find(own_symbols, symbol.name) == own_symbols.end();
}

Outcome<void> check_object(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) return as_file_error(bytes.error());
  const auto object = ObjectFile::parse(path, std::move(*bytes));
  if (!object) return as_file_error(object.error());
  for (const build::Section& section : object->sections())
    if (section.name.starts_with(".hyp."))
      return file_error(
          "{}: has the section {}: --env takes functions of the kernel (EL1); give a "
          "module with an EL2 half as a module",
          path, section.name);
  if (std::ranges::none_of(object->symbols(), is_definition))
    return file_error("{}: defines nothing that a module could use", path);
  return {};
}

/// Of the finished module.
Outcome<void> check_symbols(const std::string& files, const Bytes& image) {
  const auto module = ObjectFile::parse(files, Bytes(image));
  if (!module) return as_file_error(module.error());
  std::vector<std::string_view> clashes;
  std::vector<std::string_view> missing;
  for (const Symbol& symbol : module->symbols()) {
    const bool exported = pkvm::is_exported(symbol.name);
    if (is_definition(symbol) && exported) clashes.push_back(symbol.name);
    if (symbol.is_undefined() && !exported && !pkvm::find_stub(symbol.name))
      missing.push_back(symbol.name);
  }
  if (!clashes.empty())
    return file_error(
        "--env {}: defines {}, which the kernel here exports itself (docs/kernel-symbols.md): "
        "modules "
        "would get the kernel's",
        files, fmt::join(clashes, ", "));
  if (!missing.empty())
    return file_error(
        "--env {}: needs {}, which neither the kernel here nor another --env file has", files,
        fmt::join(missing, ", "));
  return {};
}

}  // namespace

Outcome<ModuleFile> make_env_module(const std::vector<std::string>& files,
                                    pkvm::Generation generation) {
  build::ModuleSpec spec;
  spec.name = env_module_name;
  spec.generation = generation;
  spec.exports_all = true;
  for (const std::string& path : files) {
    if (path.ends_with(".c")) {
      spec.el1_sources.emplace_back(path);
      continue;
    }
    if (auto good = check_object(path); !good) return std::unexpected(good.error());
    spec.el1_objects.emplace_back(path);
  }
  auto sdk = find_sdk();
  if (!sdk) return as_file_error(sdk.error());
  spec.sdk = std::move(*sdk);
  auto built = build::build_module(spec);
  if (!built) return file_error("--env: {}", built.error().message);
  if (!built->messages.empty()) log::warning("{}", built->messages);
  const std::string all = fmt::format("{}", fmt::join(files, ", "));
  if (auto good = check_symbols(all, built->image); !good) return std::unexpected(good.error());
  return ModuleFile{.path = all,
                    .name = env_module_name,
                    .depends = {},
                    .generation = generation,
                    .fp_code = {},
                    .bytes = std::move(built->image)};
}

}  // namespace pkvmemu::tool
