// SPDX-License-Identifier: GPL-2.0-only
// The ELF and .ko readers on the sample modules, and on files cut and changed at every byte.
#include "image/elf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>

#include "image/ko.h"
#include "support/file.h"

namespace pkvmemu::image {
namespace {

using testing::HasSubstr;

pkvmemu::Bytes sample(std::string_view name) {
  auto file = read_file(std::filesystem::path(PKVMEMU_BUILD_DIR) / "modules" / name);
  if (!file) throw std::runtime_error(file.error().message);
  return std::move(*file);
}

std::string words(const Error& error) {
  std::array<char, 200> buffer{};
  return std::string(describe(error, buffer));
}

template <typename T>
void put(pkvmemu::Bytes& file, std::size_t offset, T value) {
  ASSERT_LE(offset + sizeof(T), file.size());
  std::memcpy(file.data() + offset, &value, sizeof(T));
}

/// The smallest relocatable file with everything: header, names, two symbols, one relocation.
class SmallElf {
 public:
  SmallElf() {
    add(0, {}, {}, 0, 0, 0);
    text_ = add(elf::section_progbits, ".text", std::string(8, '\0'), 0, 0, 0,
                elf::flag_alloc | elf::flag_exec);
    const std::string names("\0f\0", 3);
    const auto strtab = add(elf::section_strtab, ".strtab", names, 0, 0, 0);
    const std::array symbols = {SymbolEntry{},
                                SymbolEntry{.name = 1,
                                            .info = 0x12,
                                            .other = 0,
                                            .section = static_cast<std::uint16_t>(text_),
                                            .value = 4,
                                            .size = 4}};
    symtab_ = add(elf::section_symtab, ".symtab", raw(symbols), strtab, 1, sizeof(SymbolEntry));
    const std::array relocations = {RelaEntry{.offset = 0, .info = 1ULL << 32 | 283, .addend = 0}};
    add(elf::section_rela, ".rela.text", raw(relocations), symtab_, text_, sizeof(RelaEntry));
    add(elf::section_progbits, ".modinfo", std::string("vermagic=6.6.77 x\0name=small\0", 29), 0, 0,
        0);
    add(elf::section_progbits, std::string(this_module_section), std::string(64, 'm') + '\0', 0, 0,
        0);
  }

  pkvmemu::Bytes finish() {
    names_ += std::string(".shstrtab") + '\0';
    const auto own_name = static_cast<std::uint32_t>(names_.size() - 10);
    SectionHeader header{};
    header.name = own_name;
    header.type = elf::section_strtab;
    header.offset = sizeof(ElfHeader) + body_.size();
    header.size = names_.size();
    body_ += names_;
    while (body_.size() % 8 != 0)
      body_ += '\0';
    headers_.push_back(header);

    ElfHeader elf{};
    std::memcpy(elf.ident,
                "\x7f"
                "ELF\x02\x01\x01",
                7);
    elf.type = elf::type_relocatable;
    elf.machine = elf::machine_aarch64;
    elf.version = 1;
    elf.header_size = sizeof(ElfHeader);
    elf.section_headers = sizeof(ElfHeader) + body_.size();
    elf.section_header_size = sizeof(SectionHeader);
    elf.section_count = static_cast<std::uint16_t>(headers_.size());
    elf.name_section = static_cast<std::uint16_t>(headers_.size() - 1);
    std::string file(reinterpret_cast<const char*>(&elf), sizeof(elf));
    file += body_;
    for (const SectionHeader& section : headers_)
      file.append(reinterpret_cast<const char*>(&section), sizeof(section));
    const auto bytes = std::as_bytes(std::span(file.data(), file.size()));
    return {bytes.begin(), bytes.end()};
  }

 private:
  template <typename T, std::size_t N>
  static std::string raw(const std::array<T, N>& items) {
    return {reinterpret_cast<const char*>(items.data()), sizeof(items)};
  }

  std::uint32_t add(std::uint32_t type, const std::string& name, const std::string& content,
                    std::uint32_t link, std::uint32_t info, std::uint64_t entry_size,
                    std::uint64_t flags = 0) {
    SectionHeader header{};
    header.name = static_cast<std::uint32_t>(names_.size());
    header.type = type;
    header.flags = flags;
    header.offset = type == 0 ? 0 : sizeof(ElfHeader) + body_.size();
    header.size = content.size();
    header.link = link;
    header.info = info;
    header.alignment = 1;
    header.entry_size = entry_size;
    names_ += name + '\0';
    body_ += content;
    while (body_.size() % 8 != 0)
      body_ += '\0';
    headers_.push_back(header);
    return static_cast<std::uint32_t>(headers_.size() - 1);
  }

  std::vector<SectionHeader> headers_;
  std::string names_;
  std::string body_;
  std::uint32_t text_ = 0;
  std::uint32_t symtab_ = 0;
};

/// Everything a loader reads of a file.
void read_all(ByteView file) {
  const auto ko = KoFile::open(file);
  if (!ko) {
    (void)words(ko.error());
    return;
  }
  (void)ko->name();
  (void)ko->depends();
  (void)ko->has_hyp();
  const ElfFile& elf = ko->elf();
  for (std::uint32_t i = 0; i < elf.section_count(); ++i) {
    const auto section = elf.section(i);
    ASSERT_TRUE(section) << "open() promised that every section reads";
    if (section->header.type != elf::section_rela) continue;
    for (std::uint32_t n = 0; n < ElfFile::rela_count(*section); ++n)
      ASSERT_TRUE(ElfFile::rela(*section, n));
  }
  for (std::uint32_t i = 0; i < elf.symbol_count(); ++i)
    ASSERT_TRUE(elf.symbol(i));
}

// Facts of a sample, as its builder put them there.
TEST(Ko, ReadsASample) {
  const pkvmemu::Bytes file = sample("hello.ko");
  const auto ko = KoFile::open(file);
  ASSERT_TRUE(ko) << words(ko.error());
  EXPECT_EQ(ko->name(), "hello");
  EXPECT_TRUE(ko->vermagic().starts_with("6.6."));
  EXPECT_EQ(ko->generation(), pkvm::Generation::android15_6_6);
  EXPECT_TRUE(ko->has_hyp());
  EXPECT_EQ(ko->depends(), "");
  EXPECT_EQ(ko->modinfo("license"), "GPL");
  EXPECT_EQ(ko->modinfo("licen"), std::nullopt);
  EXPECT_EQ(ko->this_module().header.size, 1536U);
  ASSERT_TRUE(ko->elf().find_defined("__kvm_nvhe_hello_hvc"));
  EXPECT_EQ(without_hyp_prefix("__kvm_nvhe_hello_hvc"), "hello_hvc");
  EXPECT_FALSE(ko->elf().find_defined("_printk")) << "an import is not defined here";
}

// A signature after the file is tolerated, as kernels without signature checks do.
TEST(Ko, AnAppendedSignatureIsIgnored) {
  pkvmemu::Bytes file = sample("hello.ko");
  constexpr std::string_view trailer = "~Module signature appended~\n";
  const auto bytes = std::as_bytes(std::span(trailer.data(), trailer.size()));
  file.insert(file.end(), bytes.begin(), bytes.end());
  EXPECT_TRUE(KoFile::open(file));
}

// The small file of this test is a good one: its corruptions below start from something that opens.
TEST(Elf, TheSmallFileOpens) {
  const pkvmemu::Bytes file = SmallElf().finish();
  const auto ko = KoFile::open(file);
  ASSERT_TRUE(ko) << words(ko.error());
  EXPECT_EQ(ko->name(), "small");
  EXPECT_EQ(ko->elf().symbol(1)->name, "f");
  EXPECT_EQ(ElfFile::rela(*ko->elf().find_section(".rela.text"), 0)->type(), 283U);
  EXPECT_LT(file.size(), 1500U) << "small enough to be changed everywhere";
}

// Cut at any byte, it does not open (the section headers are its end).
TEST(Elf, TruncationIsRefused) {
  const pkvmemu::Bytes file = SmallElf().finish();
  for (std::size_t length = 0; length < file.size(); ++length) {
    const pkvmemu::Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(KoFile::open(cut)) << length;
  }
}

// Any byte changed: it is refused, or everything in it can be read.
TEST(Elf, CorruptionIsRefusedOrRead) {
  const pkvmemu::Bytes file = SmallElf().finish();
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const unsigned value : {0x00U, 0x01U, 0x02U, 0x04U, 0x08U, 0x40U, 0x7fU, 0x80U, 0xffU}) {
      pkvmemu::Bytes copy = file;
      copy[at] = std::byte{static_cast<unsigned char>(value)};
      read_all(copy);
    }
  }
}

// What is wrong with a file is said in words that name it.
TEST(Elf, RefusalsAreNamed) {
  struct Case {
    std::size_t offset;
    std::uint16_t value;
    std::string_view words;
  };
  constexpr std::size_t at_type = offsetof(ElfHeader, type);
  constexpr std::size_t at_machine = offsetof(ElfHeader, machine);
  const std::array cases = {
      Case{0, 0x4d5a, "not an ELF file"},
      Case{4, 0x0101, "not a 64-bit ELF file (class 1, expected 2)"},
      Case{at_type, 2, "is it a .ko?"},
      Case{at_machine, 62, "not for AArch64 (ELF machine 62, expected 183)"},
      Case{offsetof(ElfHeader, section_header_size), 40, "headers are 40 bytes each, expected 64"},
      Case{offsetof(ElfHeader, name_section), 99, "refers to section 99 of 8"},
  };
  for (const Case& c : cases) {
    pkvmemu::Bytes file = SmallElf().finish();
    put(file, c.offset, c.value);
    const auto opened = KoFile::open(file);
    ASSERT_FALSE(opened) << c.words;
    EXPECT_THAT(words(opened.error()), HasSubstr(c.words));
  }
}

// Every error code has its sentence, and each field in it is one that describe() fills.
TEST(Errors, EveryCodeHasItsWords) {
  for (unsigned code = 0; code <= static_cast<unsigned>(Code::bad_nesting); ++code) {
    const Error error{
        .code = static_cast<Code>(code), .index = 1, .offset = 2, .expected = 3, .found = 4};
    EXPECT_FALSE(words_of(error.code).empty()) << code;
    EXPECT_THAT(words(error), testing::Not(HasSubstr("{"))) << code;
  }
}

// A buffer that is too small cuts the sentence and nothing else.
TEST(Errors, ASmallBufferCuts) {
  std::array<char, 8> buffer{};
  EXPECT_EQ(describe({.code = Code::no_trailer}, buffer), "the arch");
}

}  // namespace
}  // namespace pkvmemu::image
