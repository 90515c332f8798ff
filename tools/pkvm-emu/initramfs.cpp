// SPDX-License-Identifier: GPL-2.0-only
#include "initramfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "image/cpio.h"
#include "image/cpio_writer.h"
#include "pkvm/platform.h"
#include "support/bits.h"
#include "support/log.h"
#include "unpack.h"

namespace pkvmemu::tool {
namespace {

const ModuleFile* find_module(std::span<const ModuleFile> modules, std::string_view name) {
  const auto found = std::ranges::find(modules, name, &ModuleFile::name);
  return found == modules.end() ? nullptr : &*found;
}

/// All that `module` needs, its direct dependencies first, as depmod lists them. A cycle ends where
/// it comes back to a name that is listed already.
void collect_dependencies(std::span<const ModuleFile> modules, const ModuleFile& module,
                          std::vector<std::string>& names) {
  for (const std::string& name : module.depends) {
    if (std::ranges::find(names, name) != names.end()) continue;
    const ModuleFile* dependency = find_module(modules, name);
    if (dependency == nullptr) {
      log::warning("{}: depends on module {}, which is not among the files given", module.path,
                   name);
      continue;
    }
    names.push_back(name);
    collect_dependencies(modules, *dependency, names);
  }
}

std::string modules_dep(std::span<const ModuleFile> modules) {
  std::string text;
  for (const ModuleFile& module : modules) {
    std::vector<std::string> names;
    collect_dependencies(modules, module, names);
    text += module.name + ".ko:";
    for (const std::string& name : names)
      text += fmt::format(" {}.ko", name);
    text += '\n';
  }
  return text;
}

Result<void> add_rc(image::CpioWriter& writer, std::span<const RcLine> wishes) {
  if (wishes.empty()) return {};
  return writer.add_file(pkvm::platform::rc_path, to_text(wishes));
}

}  // namespace

Result<Bytes> make_initramfs(pkvm::Generation generation, std::span<const ModuleFile> modules,
                             std::span<const RcLine> wishes) {
  image::CpioWriter writer;
  const std::string folder = fmt::format("lib/modules/{}/", pkvm::info(generation).kernel_release);
  for (const ModuleFile& module : modules)
    if (auto added = writer.add_file(folder + module.name + ".ko", module.bytes); !added)
      return std::unexpected(added.error());
  if (auto added = writer.add_file(folder + "modules.dep", modules_dep(modules)); !added)
    return std::unexpected(added.error());
  if (auto added = add_rc(writer, wishes); !added) return std::unexpected(added.error());
  return std::move(writer).finish();
}

Outcome<UserInitramfs> open_initramfs(const std::string& path) {
  auto packed = read_file(path);
  if (!packed) return as_file_error(packed.error());
  auto archive = unpack_initramfs(std::move(*packed), path);
  if (!archive) return as_file_error(archive.error());

  UserInitramfs result;
  result.archive = std::move(*archive);
  const auto rc = image::find_file(result.archive, pkvm::platform::rc_path);
  if (!rc) {
    std::array<char, 256> buffer{};
    return file_error("{}: {}", path, image::describe(rc.error(), buffer));
  }
  if (!rc->has_value()) return result;
  const image::ByteView data = (*rc)->data;
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  auto wishes = parse_rc(text, fmt::format("{}: {}", path, pkvm::platform::rc_path));
  if (!wishes) return as_file_error(wishes.error());
  result.wishes = std::move(*wishes);
  return result;
}

Result<Bytes> with_wishes(Bytes archive, std::span<const RcLine> wishes) {
  if (wishes.empty()) return archive;
  image::CpioWriter writer;
  if (auto added = add_rc(writer, wishes); !added) return std::unexpected(added.error());
  const Bytes second = std::move(writer).finish();
  archive.resize(align_up(archive.size(), 4));  // where the next archive may start
  archive.insert(archive.end(), second.begin(), second.end());
  return archive;
}

}  // namespace pkvmemu::tool
