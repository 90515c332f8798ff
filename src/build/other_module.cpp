// SPDX-License-Identifier: GPL-2.0-only
#include "build/other_module.h"

#include <algorithm>
#include <utility>

#include "build/object_file.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

/// The module's own name for itself: "name=" in .modinfo; empty when it has none.
std::string name_in(const ObjectFile& module) {
  constexpr std::string_view tag = "name=";
  const Section* modinfo = module.find_section(".modinfo");
  if (modinfo == nullptr) return "";
  std::string_view rest(reinterpret_cast<const char*>(modinfo->data.data()), modinfo->data.size());
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry.starts_with(tag)) return std::string(entry.substr(tag.size()));
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
  }
  return "";
}

}  // namespace

bool OtherModule::has(std::string_view symbol) const {
  return std::ranges::find(exports, symbol) != exports.end();
}

Result<OtherModule> read_other_module(const std::filesystem::path& file) {
  constexpr std::string_view export_prefix = "__ksymtab_";
  Result<Bytes> image = read_file(file);
  if (!image) return std::unexpected(image.error());
  const Result<ObjectFile> module = ObjectFile::parse(file.string(), std::move(*image));
  if (!module) return std::unexpected(module.error());
  OtherModule other{.name = name_in(*module), .exports = {}};
  if (other.name.empty())
    return fail("{}: not a module: it has no name in .modinfo", file.string());
  for (const Symbol& symbol : module->symbols())
    if (!symbol.is_undefined() && symbol.name.starts_with(export_prefix))
      other.exports.emplace_back(symbol.name.substr(export_prefix.size()));
  return other;
}

}  // namespace pkvmemu::build
