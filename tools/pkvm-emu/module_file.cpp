// SPDX-License-Identifier: GPL-2.0-only
#include "module_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "image/fp_code.h"
#include "image/ko.h"
#include "support/log.h"
#include "unpack.h"

namespace pkvmemu::tool {
namespace {

std::string normalised(std::string_view name) {
  std::string result(name);
  std::ranges::replace(result, '-', '_');
  return result;
}

std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) names.push_back(normalised(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

std::string known_generations() {
  std::vector<std::string_view> names;
  for (const pkvm::GenerationInfo& row : pkvm::generations)
    names.push_back(row.kmi);
  for (const pkvm::StandIn& row : pkvm::stand_ins)
    names.push_back(row.kmi);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::unexpected<Failure> not_a_module(const std::string& path, const image::Error& error) {
  std::array<char, 256> buffer{};
  return file_error("{}: not a kernel module for AArch64: {}", path,
                    image::describe(error, buffer));
}

/// A part of the file and what it is.
struct Part {
  std::uint64_t begin;
  std::uint64_t end;
  std::string_view name;
};

std::vector<Part> parts_of(const image::ElfFile& elf, const image::ElfHeader& header) {
  const std::uint64_t table_size =
      std::uint64_t{header.section_count} * sizeof(image::SectionHeader);
  std::vector<Part> parts = {{.begin = 0, .end = sizeof(header), .name = "the ELF header"},
                             {.begin = header.section_headers,
                              .end = header.section_headers + table_size,
                              .name = "the section table"}};
  for (std::uint32_t i = 1; i < elf.section_count(); ++i)
    if (const auto section = elf.section(i); section && !section->content.empty())
      parts.push_back({.begin = section->header.offset,
                       .end = section->header.offset + section->header.size,
                       .name = section->name});
  std::ranges::sort(parts, {}, &Part::begin);
  return parts;
}

Outcome<void> check_overlaps(const std::string& path, const Bytes& bytes,
                             const image::ElfFile& elf) {
  const auto header = image::Stream(bytes).structure<image::ElfHeader>(0);
  if (!header) return {};
  const std::vector<Part> parts = parts_of(elf, *header);
  const auto meet = std::ranges::adjacent_find(
      parts, [](const Part& one, const Part& next) { return one.end > next.begin; });
  if (meet == parts.end()) return {};
  return file_error("{}: damaged: {} and {} overlap at {:#x} in the file: build it again", path,
                    meet->name, std::next(meet)->name, std::next(meet)->begin);
}

}  // namespace

Outcome<image::KoFile> open_ko(const std::string& path, const Bytes& bytes) {
  const auto ko = image::KoFile::open(bytes);
  if (!ko) return not_a_module(path, ko.error());
  if (auto good = check_overlaps(path, bytes, ko->elf()); !good)
    return std::unexpected(good.error());
  return *ko;
}

std::string module_name_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  for (const std::string_view suffix : module_suffixes)
    if (path.ends_with(suffix)) {
      path.remove_suffix(suffix.size());
      break;
    }
  return normalised(path);
}

Outcome<Bytes> read_module(const std::string& path) {
  auto packed = read_file(path);
  if (!packed) return as_file_error(packed.error());
  auto bytes = unpack_module(std::move(*packed), path);
  if (!bytes) return as_file_error(bytes.error());
  return std::move(*bytes);
}

Outcome<ModuleFile> open_module(const std::string& path) {
  auto bytes = read_module(path);
  if (!bytes) return std::unexpected(bytes.error());
  ModuleFile file;
  file.path = path;
  file.bytes = std::move(*bytes);

  const auto ko = open_ko(path, file.bytes);
  if (!ko) return std::unexpected(ko.error());
  const auto generation = ko->generation();
  const auto* refused = pkvm::find_kernel(pkvm::refused_kernels, ko->vermagic());
  if (refused != nullptr)
    return file_error("{}: vermagic '{}': {}; this version runs modules of {}", path,
                      ko->vermagic(), refused->reason, known_generations());
  if (!generation)
    return file_error("{}: vermagic '{}' is of no known kernel generation; this version runs {}",
                      path, ko->vermagic(), known_generations());
  file.generation = *generation;
  if (const auto* row = pkvm::find_kernel(pkvm::stand_ins, ko->vermagic()))
    log::warning("{}: built for {}, runs as a module of {}: {}", path, row->kmi,
                 pkvm::info(row->runs_as).kmi, row->reason);
  file.name = ko->name().empty() ? module_name_of(path) : normalised(ko->name());
  file.depends = split_names(ko->depends());
  if (const auto fp = image::find_fp_code(*ko)) file.fp_code = fp->where;
  return file;
}

}  // namespace pkvmemu::tool
