// SPDX-License-Identifier: GPL-2.0-only
#include "guest_symbols.h"

#include <algorithm>
#include <filesystem>

#include "firmware_image.h"
#include "image/cpio.h"
#include "image/ko.h"
#include "module_file.h"
#include "support/log.h"

namespace pkvmemu::tool {
namespace {

std::string_view text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void add_names(symbols::SymbolTable& table, std::string_view image, unsigned el,
               std::string_view lines) {
  if (const auto added = table.add_firmware(image, el, lines); !added)
    log::warning("symbols of the firmware's {} image: {}", image, added.error().message);
}

void add_firmware(symbols::SymbolTable& table, const std::optional<std::string>& firmware) {
  constexpr unsigned host_el = 1;
  constexpr unsigned hyp_el = 2;
  if (!firmware) {
    add_names(table, symbols::host_image, host_el, builtin_names().host);
    add_names(table, symbols::hyp_image, hyp_el, builtin_names().hyp);
    return;
  }
  const auto folder = std::filesystem::path(*firmware).parent_path();
  if (const auto lines = read_file(folder / "host.map"))
    add_names(table, symbols::host_image, host_el, text_of(*lines));
  if (const auto lines = read_file(folder / "hyp.map"))
    add_names(table, symbols::hyp_image, hyp_el, text_of(*lines));
}

}  // namespace

std::optional<std::string> module_in(std::string_view path, std::span<const std::byte> file) {
  if (!path.ends_with(".ko")) return std::nullopt;
  const auto ko = image::KoFile::open(file);
  if (!ko) return std::nullopt;
  return module_name_of(ko->name().empty() ? path : ko->name());
}

symbols::SymbolTable guest_symbols(std::span<const std::byte> initramfs,
                                   const std::optional<std::string>& firmware) {
  symbols::SymbolTable table;
  add_firmware(table, firmware);
  image::CpioReader reader(initramfs);
  for (auto entry = reader.next(); entry && *entry; entry = reader.next()) {
    const auto name =
        (*entry)->is_file() ? module_in((*entry)->path, (*entry)->data) : std::nullopt;
    if (!name) continue;
    if (const auto ko = image::KoFile::open((*entry)->data)) table.add_module(*name, *ko);
  }
  return table;
}

}  // namespace pkvmemu::tool
