// SPDX-License-Identifier: GPL-2.0-only
#include "linked_module.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "build/process.h"
#include "build/temp_dir.h"
#include "host/module/layout.h"
#include "support/bits.h"

namespace pkvmemu::kmod::test {
namespace {

using image::ElfFile;
using image::Stream;

// The section names our files use; the test's own tables, not the linker's.
constexpr std::string_view compiler = "clang-19";
constexpr std::string_view linker = "ld.lld-19";

void run(const build::Arguments& arguments, const std::filesystem::path& directory) {
  const auto result = build::run_process(arguments, directory);
  if (!result) throw std::runtime_error(result.error().message);
  if (result->exit_code != 0)
    throw std::runtime_error(fmt::format("{} failed:\n{}", arguments[0], result->output));
}

build::TempDir make_directory() {
  auto directory = build::TempDir::create();
  if (!directory) throw std::runtime_error(directory.error().message);
  return std::move(*directory);
}

Bytes read(const std::filesystem::path& path) {
  auto bytes = read_file(path);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return std::move(*bytes);
}

template <typename T>
T must(const image::Expected<T>& value) {
  if (!value) throw std::runtime_error("lld wrote a damaged file");
  return *value;
}

/// Contents of the sections "s<number>" of lld's output.
std::map<std::uint32_t, Bytes> read_output(const Bytes& bytes) {
  const Stream file(bytes);
  const auto header = must(file.structure<image::ElfHeader>(0));
  const auto at = [&](std::uint64_t index) {
    return must(file.structure<image::SectionHeader>(header.section_headers +
                                                     index * sizeof(image::SectionHeader)));
  };
  const Stream names(
      must(file.range(at(header.name_section).offset, at(header.name_section).size)));
  std::map<std::uint32_t, Bytes> result;
  for (std::uint32_t i = 1; i < header.section_count; ++i) {
    const auto section = at(i);
    const auto name = must(names.string(section.name));
    if (name.size() < 2 || name[0] != 's' || name[1] < '0' || name[1] > '9') continue;
    const auto number = static_cast<std::uint32_t>(std::stoul(std::string(name.substr(1))));
    Bytes content(section.size);
    if (section.type != image::elf::section_nobits) {
      const auto view = must(file.range(section.offset, section.size));
      std::ranges::copy(view, content.begin());
    }
    result.emplace(number, std::move(content));
  }
  return result;
}

/// The file with each section called "s<number>": real modules have several of one name, and lld
/// has ideas of its own about some names.
Bytes with_numbered_sections(const LinkedModule& linked) {
  Bytes bytes = linked.file;
  auto header = must(Stream(bytes).structure<image::ElfHeader>(0));
  const auto place_of = [&](std::uint64_t index) {
    return header.section_headers + index * sizeof(image::SectionHeader);
  };
  std::string names(1, '\0');
  std::vector<image::SectionHeader> table;
  for (std::uint32_t i = 0; i < header.section_count; ++i) {
    table.push_back(must(Stream(bytes).structure<image::SectionHeader>(place_of(i))));
    if (i == 0) continue;
    table[i].name = static_cast<std::uint32_t>(names.size());
    names += fmt::format("s{}", i);
    names += '\0';
  }
  // A table of its own: the file's may be its symbols' as well.
  image::SectionHeader own{};
  own.type = image::elf::section_strtab;
  own.offset = bytes.size();
  own.size = names.size();
  own.alignment = 1;
  header.name_section = static_cast<std::uint16_t>(table.size());
  table.push_back(own);
  header.section_count = static_cast<std::uint16_t>(table.size());
  const auto append = [&bytes](std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
  };
  append(std::as_bytes(std::span(names)));
  header.section_headers = align_up(bytes.size(), alignof(image::SectionHeader));
  bytes.resize(header.section_headers);
  append(std::as_bytes(std::span(table)));
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

std::string linker_script(const LinkedModule& linked) {
  struct Line {
    std::uint64_t address;
    std::string text;
  };
  std::vector<Line> lines;
  const ElfFile& elf = linked.module.file.elf();
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    const auto section = elf.section(i);
    const PlacedSection& placed = linked.module.sections[i];
    // Empty ones have symbols, too.
    if (!section || placed.address == 0) continue;
    lines.push_back(
        {placed.address, fmt::format("  s{0} {1:#x} : {{ KEEP(*(s{0})) }}\n", i, placed.address)});
  }
  std::ranges::sort(lines, {}, &Line::address);
  std::string script = "SECTIONS {\n";
  for (const Line& line : lines)
    script += line.text;
  script += "}\n";
  for (const auto& [name, address] : linked.kernel.exports)
    script += fmt::format("{} = {:#x};\n", name, address);
  return script;
}

}  // namespace

Bytes compile(std::string_view body, std::string_view language,
              const std::vector<std::string>& options) {
  const build::TempDir directory = make_directory();
  const std::filesystem::path source = directory.path() / "source";
  const std::filesystem::path object = directory.path() / "object.o";
  if (const auto written = write_file(source, body); !written)
    throw std::runtime_error(written.error().message);
  build::Arguments arguments = {std::string(compiler),
                                "--target=aarch64-linux-gnu",
                                "-O2",
                                "-ffreestanding",
                                "-fno-pic",
                                "-fno-asynchronous-unwind-tables",
                                "-fno-unwind-tables",
                                "-mgeneral-regs-only"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(),
                   {"-x", std::string(language), "-c", source.string(), "-o", object.string()});
  run(arguments, directory.path());
  return read(object);
}

Bytes compile_module(std::string_view body, std::string_view name, pkvm::Generation generation) {
  constexpr std::string_view frame = R"(
    .section .modinfo, "a"
    .asciz "vermagic={2} SMP preempt mod_unload aarch64"
    .asciz "name={0}"
    .section .gnu.linkonce.this_module, "aw"
    .balign 64
  .Lmodule:
    .skip 24
    .asciz "{0}"
    .org .Lmodule + {3}
    .weak init_module
    .quad init_module
    .org .Lmodule + {4}
    .text
    {1}
)";
  const pkvm::GenerationInfo& info = pkvm::info(generation);
  return compile(
      fmt::format(frame, name, body, info.kernel_release, info.module.init, info.module.size));
}

std::string samples_directory() {
  return PKVMEMU_BUILD_DIR "/modules";
}

std::vector<std::filesystem::path> sample_modules() {
  std::vector<std::filesystem::path> paths;
  std::error_code status;
  for (const auto& entry : std::filesystem::directory_iterator(samples_directory(), status))
    if (entry.path().extension() == ".ko") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

LinkedModule::LinkedModule(Bytes bytes) : file(std::move(bytes)) {
  auto opened = image::KoFile::open(file);
  if (!opened) {
    std::array<char, 200> words{};
    throw std::runtime_error(std::string(image::describe(opened.error(), words)));
  }
  module.file = *opened;
  module.state = ModuleState::loading;
  module.set_name(opened->name());
}

Loaded<void> LinkedModule::link(pkvm::Generation generation) {
  return Linker(kernel, generation, {}, module).link();
}

const PlacedSection& LinkedModule::section(std::string_view name) const {
  const auto found = module.file.elf().find_section(name);
  if (!found) throw std::runtime_error(fmt::format("no section {}", name));
  return module.sections[found->index];
}

std::uint64_t LinkedModule::word(std::string_view name, std::uint64_t offset, unsigned size) const {
  std::uint64_t value = 0;
  std::memcpy(&value, section(name).bytes.subspan(offset, size).data(), size);
  return value;
}

std::map<std::uint32_t, Bytes> link_with_lld(const LinkedModule& linked) {
  const build::TempDir directory = make_directory();
  const auto object = directory.path() / "module.o";
  const auto script = directory.path() / "script.lds";
  const auto output = directory.path() / "output";
  if (!write_file(object, with_numbered_sections(linked)) ||
      !write_file(script, linker_script(linked)))
    throw std::runtime_error("cannot write the linker's input");
  // -O0: no merging of strings, which a module loader does not do either.
  run({std::string(linker), "-m", "aarch64linux", "-static", "--no-relax", "-O0",
       "--no-gc-sections", "--no-check-sections", "-z", "max-page-size=4096", "-e", "0", "-T",
       script.string(), object.string(), "-o", output.string()},
      directory.path());
  return read_output(read(output));
}

std::vector<std::string> differences_from_lld(const LinkedModule& linked) {
  const auto theirs = link_with_lld(linked);
  const ElfFile& elf = linked.module.file.elf();
  std::vector<std::string> found;
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    const auto section = elf.section(i);
    const auto ours = linked.module.sections[i].bytes;
    if (!section || ours.empty()) continue;
    const auto other = theirs.find(i);
    if (other == theirs.end() || other->second.size() != ours.size()) {
      found.push_back(fmt::format("{} is missing from lld's output", section->name));
      continue;
    }
    const auto differing = std::ranges::mismatch(ours, other->second);
    if (differing.in1 != ours.end())
      found.push_back(
          fmt::format("{}+{:#x} differs from lld's", section->name, differing.in1 - ours.begin()));
  }
  if (theirs.empty()) found.emplace_back("nothing was compared");
  return found;
}

void expect_same_as_lld(const LinkedModule& linked) {
  EXPECT_THAT(differences_from_lld(linked), testing::IsEmpty());
}

}  // namespace pkvmemu::kmod::test
