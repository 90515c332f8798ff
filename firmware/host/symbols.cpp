// SPDX-License-Identifier: GPL-2.0-only
#include <cstdarg>

#include "host/early.h"
#include "host/kernel.h"
#include "host/sections.h"
#include "lib/format.h"

namespace pkvmemu::host {

namespace {

std::size_t write(std::span<char> out, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
std::size_t write(std::span<char> out, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::size_t size = fw::format_text(out, format, arguments);
  va_end(arguments);
  return size < out.size() ? size : out.size() - 1;
}

/// The string that the module's file has for a kernel address: in memory it may be EL2's by now.
std::string_view text_in_file(const kmod::Module& module, std::uint64_t address) {
  for (std::uint32_t i = 0; i < module.sections.size(); ++i) {
    const kmod::PlacedSection& placed = module.sections[i];
    if (address < placed.address || address - placed.address >= placed.bytes.size()) continue;
    const auto section = module.file.elf().section(i);
    if (!section) break;
    const auto text = image::Stream(section->content).string(address - placed.address);
    return text ? *text : std::string_view{};
  }
  return {};
}

}  // namespace

std::optional<NamedBug> find_module_bug(std::uint64_t address) {
  const kmod::Module* module = loader().module_at(KernVa{address});
  if (module == nullptr) return std::nullopt;
  const auto section = module->file.elf().find_section("__bug_table");
  if (!section || section->index >= module->sections.size()) return std::nullopt;
  const kmod::PlacedSection& placed = module->sections[section->index];
  const auto site = find_bug(placed.bytes, placed.address, address);
  if (!site) return std::nullopt;
  return NamedBug{.site = *site, .file = text_in_file(*module, site->file)};
}

std::size_t name_address(std::uint64_t address, std::span<char> out) {
  const auto begin = reinterpret_cast<std::uint64_t>(image_begin);
  // Offsets into the image would change with every build of it, but they are all a person has.
  if (address >= begin && address < reinterpret_cast<std::uint64_t>(image_end))
    return write(out, "kernel+0x%llx", static_cast<unsigned long long>(address - begin));
  const kmod::Module* module = loader().module_at(KernVa{address});
  if (module == nullptr) return 0;
  const std::string_view name = module->name();
  const auto hit = module->symbol_at(KernVa{address});
  const std::string_view symbol = hit ? hit->name : "?";
  return write(out, "%.*s+0x%llx [%.*s]", static_cast<int>(symbol.size()), symbol.data(),
               static_cast<unsigned long long>(hit ? hit->offset : 0),
               static_cast<int>(name.size()), name.data());
}

}  // namespace pkvmemu::host
