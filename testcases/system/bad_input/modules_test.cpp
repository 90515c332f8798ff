// SPDX-License-Identifier: GPL-2.0-only
// Files that are no module, or a damaged one, given to `run` and to `inspect`: the same answer from
// both, before anything is started when the file cannot be read as a module.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "harness/elf_patch.h"
#include "support.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using image::ElfHeader;
using image::RelaEntry;
using image::SectionHeader;
using image::SymbolEntry;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto near_max = std::numeric_limits<std::uint64_t>::max() - 63;
constexpr std::uint32_t call26 = 283;
constexpr std::uint32_t abs32 = 258;

Bytes good() {
  return content_of(module("hello"));
}

ElfPatch patch() {
  return ElfPatch(good());
}

/// Random bytes from `begin` on.
Bytes noise(Bytes bytes, std::size_t begin) {
  constexpr unsigned seed = 1;
  std::mt19937 random(seed);
  std::generate(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end(),
                [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

Bytes cut(std::size_t size) {
  return patch().resize(size).bytes();
}

/// hello with sixty thousand more sections, all of code, and what they make it read again and
/// again.
Bytes very_many_sections() {
  constexpr std::uint16_t count = 60'000;
  ElfPatch edited = patch();
  const std::uint64_t table = edited.bytes().size();
  Bytes bytes = edited.header(&ElfHeader::section_headers, table)
                    .header(&ElfHeader::section_count, count)
                    .bytes();
  const auto old = content_of(module("hello"));
  ElfHeader header;
  std::memcpy(&header, old.data(), sizeof(header));
  const std::size_t own = header.section_count * sizeof(SectionHeader);
  bytes.insert(bytes.end(), old.begin() + static_cast<std::ptrdiff_t>(header.section_headers),
               old.begin() + static_cast<std::ptrdiff_t>(header.section_headers + own));
  SectionHeader extra{};
  extra.type = image::elf::section_progbits;
  extra.flags = image::elf::flag_alloc | image::elf::flag_exec;
  const auto raw = std::as_bytes(std::span(&extra, 1));
  for (unsigned i = header.section_count; i < count; ++i)
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  return bytes;
}

struct BadFile {
  std::string name;
  std::function<Bytes()> content;
  std::string says;

  friend void PrintTo(const BadFile& row, std::ostream* out) { *out << row.name; }
};

const std::vector<BadFile>& unreadable_files() {
  static const std::vector<BadFile> rows = {
      {"Empty", [] { return Bytes{}; }, "is empty"},
      {"Text", [] { return bytes_of("Hello, world\n"); }, "not an ELF file"},
      {"ThreeBytes",
       [] {
         return bytes_of(
             "\x7f"
             "EL");
       },
       "ends too early"},
      {"CutInTheHeader", [] { return cut(40); }, "ends too early"},
      {"CutAtHalf", [] { return cut(good().size() / 2); }, "ends too early"},
      {"CutInTheSectionTable", [] { return cut(good().size() - 1); }, "ends too early"},
      {"Noise", [] { return noise(good(), 0); }, "not an ELF file"},
      {"NoiseAfterTheHeader", [] { return noise(good(), sizeof(ElfHeader)); }, ""},
      {"X86", [] { return patch().header(&ElfHeader::machine, std::uint16_t{62}).bytes(); },
       "not for AArch64"},
      {"BigEndian", [] { return patch().identity(5, 2).bytes(); }, "not a little-endian"},
      {"ThirtyTwoBit", [] { return patch().identity(4, 1).bytes(); }, "not a 64-bit"},
      {"Executable", [] { return content_of("/proc/self/exe"); }, "not a relocatable file"},
      {"NoVermagic", [] { return patch().section(".modinfo", &SectionHeader::name, 0U).bytes(); },
       "no vermagic"},
      {"SectionPastTheEnd",
       [] {
         return patch().section(".text", &SectionHeader::offset, std::uint64_t{1} << 20).bytes();
       },
       "not inside the file"},
      {"SectionSizeNearMax",
       [] { return patch().section(".modinfo", &SectionHeader::size, near_max).bytes(); },
       "not inside the file"},
      {"OverlappingSections",
       [] {
         ElfPatch edited = patch();
         const std::uint64_t modinfo = edited.section_of(".modinfo").offset;
         return edited.section(".init.text", &SectionHeader::offset, modinfo - 8).bytes();
       },
       "overlap"},
      {"SectionOverTheHeader",
       [] {
         return patch().section(".hyp.text", &SectionHeader::offset, std::uint64_t{0}).bytes();
       },
       "overlap"},
      {"SectionAlignment",
       [] { return patch().section(".text", &SectionHeader::alignment, std::uint64_t{3}).bytes(); },
       "alignment 3, not a power of two"},
      {"SectionName",
       [] { return patch().section(".text", &SectionHeader::name, 0xffff'ffffU).bytes(); }, ""},
      {"SectionTablePlace",
       [] { return patch().header(&ElfHeader::section_headers, near_max).bytes(); },
       "ends too early"},
      {"SectionCount",
       [] { return patch().header(&ElfHeader::section_count, std::uint16_t{0xffff}).bytes(); },
       "ends too early"},
      {"NoSections",
       [] { return patch().header(&ElfHeader::section_count, std::uint16_t{0}).bytes(); },
       "absent"},
      {"SectionHeaderSize",
       [] { return patch().header(&ElfHeader::section_header_size, std::uint16_t{0}).bytes(); },
       "section headers are 0 bytes"},
      {"NameSection",
       [] { return patch().header(&ElfHeader::name_section, std::uint16_t{0xff}).bytes(); },
       "section"},
      {"SymbolSize",
       [] {
         return patch().section(".symtab", &SectionHeader::entry_size, std::uint64_t{0}).bytes();
       },
       "entries of 0 bytes"},
      {"SymbolCount",
       [] {
         return patch().section(".symtab", &SectionHeader::size, std::uint64_t{24} << 32U).bytes();
       },
       "not inside the file"},
      {"SymbolNames",
       [] { return patch().section(".symtab", &SectionHeader::link, 0xffffU).bytes(); }, "section"},
      {"SymbolSection",
       [] {
         return patch().symbol("init_module", &SymbolEntry::section, std::uint16_t{0x7fff}).bytes();
       },
       "refers to section 32767"},
      {"SymbolName",
       [] { return patch().symbol("init_module", &SymbolEntry::name, 0xffff'ffffU).bytes(); }, ""},
      {"TwoSymbolTables",
       [] {
         return patch()
             .section(".modinfo", &SectionHeader::type, image::elf::section_symtab)
             .section(".modinfo", &SectionHeader::entry_size, std::uint64_t{24})
             .bytes();
       },
       "second symbol table"},
      {"NoSymbolTable",
       [] {
         return patch()
             .section(".symtab", &SectionHeader::type, image::elf::section_progbits)
             .bytes();
       },
       "no symbol table"},
      {"RelocationSize",
       [] {
         return patch()
             .section(".rela.init.text", &SectionHeader::entry_size, std::uint64_t{8})
             .bytes();
       },
       "entries of 8 bytes"},
      {"RelocationCount",
       [] {
         return patch()
             .section(".rela.init.text", &SectionHeader::size, std::uint64_t{24} << 40U)
             .bytes();
       },
       "not inside the file"},
      {"RelocationTarget",
       [] {
         return patch().section(".rela.init.text", &SectionHeader::info, 0xffff'ffffU).bytes();
       },
       "section"},
  };
  return rows;
}

class UnreadableFile : public testing::TestWithParam<BadFile> {};
INSTANTIATE_TEST_SUITE_P(BadModule, UnreadableFile, testing::ValuesIn(unreadable_files()),
                         [](const auto& instance) { return instance.param.name; });

// One sentence that names the file and what is wrong with it; 3; no report is written.
TEST_P(UnreadableFile, IsRefusedByEveryCommand) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "bad.ko";
  const std::string report = scratch.path() / "report.json";
  put(path, GetParam().content());
  const Refusal refusal{.exit_code = 3, .parts = {"pkvm-emu: " + path + ": ", GetParam().says}};
  for (const Arguments& arguments : {Arguments{"run", path, "--json", report},
                                     {"run", "--late", path, "--json", report},
                                     {"inspect", path},
                                     {"inspect", path, "--json"}}) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    expect_refusal(pkvm_emu(arguments), refusal);
  }
  EXPECT_FALSE(fs::exists(report));
}

/// A module that can be read, and that no kernel would load.
class RefusedLoad : public testing::TestWithParam<BadFile> {};
INSTANTIATE_TEST_SUITE_P(
    BadModule, RefusedLoad,
    testing::Values(
        BadFile{"RelocationOffset",
                [] {
                  return patch().relocation(".init.text", 2, &RelaEntry::offset, near_max).bytes();
                },
                "outside"},
        BadFile{"RelocationSymbol",
                [] {
                  return patch()
                      .relocation(".init.text", 0, &RelaEntry::info,
                                  std::uint64_t{0x7fff'ffff} << 32U | 275)
                      .bytes();
                },
                "symbol 2147483647"},
        BadFile{"BranchTooFar",
                [] {
                  ElfPatch edited = patch();
                  const std::size_t call = edited.relocation_of_type(".init.text", call26);
                  return edited
                      .relocation(".init.text", call, &RelaEntry::addend, std::int64_t{1} << 40U)
                      .bytes();
                },
                "R_AARCH64_CALL26"},
        BadFile{"AddressTooLong",
                [] {
                  ElfPatch edited = patch();
                  RelaEntry entry{};
                  entry.info = std::uint64_t{39} << 32U | abs32;
                  return edited
                      .relocation(".gnu.linkonce.this_module", 0, &RelaEntry::info, entry.info)
                      .bytes();
                },
                "R_AARCH64_ABS32"},
        BadFile{"UnknownRelocation",
                [] {
                  return patch()
                      .relocation(".init.text", 0, &RelaEntry::info, std::uint64_t{1} << 32U | 9999)
                      .bytes();
                },
                "unsupported relocation 9999"},
        BadFile{"HugeZeroes",
                [] {
                  return patch()
                      .section(".hyp.bss", &SectionHeader::size, std::uint64_t{1} << 60U)
                      .bytes();
                },
                "no memory for"}),
    [](const auto& instance) { return instance.param.name; });

// The kernel refuses it and the verdict says why (10); inspect says so beforehand.
TEST_P(RefusedLoad, SaysWhy) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "hello.ko";
  put(path, GetParam().content());
  const auto run = pkvm_emu({"run", path});
  EXPECT_EQ(run.exit_code, 10) << run.out << run.err;
  const auto verdicts = lines_with(split_lines(run.out), "module hello: NOT loaded: ");
  ASSERT_THAT(verdicts, SizeIs(1)) << run.out;
  EXPECT_THAT(verdicts.front(), HasSubstr(GetParam().says));
  const auto inspected = pkvm_emu({"inspect", path});
  EXPECT_EQ(inspected.exit_code, 10) << inspected.out << inspected.err;
  EXPECT_THAT(inspected.out, HasSubstr("will not load: "));
}

// What is no file to read: 3, at once, without its content in memory.
TEST(BadModule, NoFileAtAll) {
  const ScratchDirectory scratch;
  const std::string huge = scratch.path() / "huge.ko";
  const std::string closed = scratch.path() / "closed.ko";
  put_sparse(huge, tebibyte);
  put(closed, good());
  fs::permissions(closed, fs::perms::none);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {scratch.path(), "is a directory"},
      {scratch.path() / "nosuch.ko", "No such file"},
      {scratch.path() / "huge.ko" / "x.ko", "Not a directory"},
      {closed, "Permission denied"},
      {huge, "larger than"},
      {"/dev/zero", "is a device"},
      {"/dev/null", "is a device"},
      {std::string(5000, 'x') + ".ko", "File name too long"},
  };
  for (const auto& [path, says] : rows) {
    SCOPED_TRACE(path.substr(0, 100));
    const Refusal refusal{.exit_code = 3, .parts = {path, says}};
    expect_refusal(pkvm_emu_without_powers({"run", path}), refusal);
    expect_refusal(pkvm_emu_without_powers({"run", "--late", path}), refusal);
    expect_refusal(pkvm_emu_without_powers({"inspect", path}), refusal);
  }
}

// Counts that are absurd but true: sixty thousand sections are read in time, and the module loads.
TEST(BadModule, VeryManySections) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "hello.ko";
  put(path, very_many_sections());
  const auto run = pkvm_emu({"run", path});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  const auto inspected = pkvm_emu({"inspect", path});
  EXPECT_EQ(inspected.exit_code, 0) << inspected.out << inspected.err;
}

}  // namespace
}  // namespace pkvmemu::test
