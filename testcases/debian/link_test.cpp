// SPDX-License-Identifier: GPL-2.0-only
// Our module linker on every module of Debian's kernel: all of them link near to the kernel and
// far from it, every branch ends where its symbol is, and a sample is ld.lld's byte for byte.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "debian_modules.h"
#include "each_in_child.h"
#include "image/relocate.h"
#include "linked_module.h"
#include "support/bits.h"

namespace pkvmemu::kmod::test {
namespace {

namespace fs = std::filesystem;
using image::ElfFile;
using pkvmemu::test::Complaints;

/// Within reach of branches, behind any module.
constexpr std::uint64_t near_kernel = FakeKernel::module_window + 0x400'0000;
/// Within reach of page-relative pairs and 32-bit distances only.
constexpr std::uint64_t far_kernel = FakeKernel::module_window - 0x4000'0000;

Bytes read(const fs::path& path) {
  auto bytes = read_file(path);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return std::move(*bytes);
}

std::string words(const LoadError& error) {
  std::array<char, 256> buffer{};
  return std::string(describe(error, buffer));
}

std::uint32_t code_at(const Module& module, std::uint64_t place) {
  std::uint32_t word = 0;
  const auto bytes = module.bytes_at(KernVa{place}, sizeof(word));
  if (!bytes.empty()) std::memcpy(&word, bytes.data(), sizeof(word));
  return word;
}

/// Where B or BL at `place` goes.
std::uint64_t branch_target(std::uint32_t word, std::uint64_t place) {
  return place + static_cast<std::uint64_t>(sign_extend(word & 0x3ff'ffff, 26) * 4);
}

/// Where adrp x16; add x16, x16; br x16 at `place` goes, else `place`.
std::uint64_t behind_veneer(const Module& module, std::uint64_t place) {
  const std::uint32_t adrp = code_at(module, place);
  const std::uint32_t add = code_at(module, place + 4);
  if ((adrp & 0x9f00'001f) != 0x9000'0010 || (add & 0xffc0'03ff) != 0x9100'0210 ||
      code_at(module, place + 8) != 0xd61f'0200)
    return place;
  const std::uint64_t pages = bits(adrp, 23, 5) << 2 | bits(adrp, 30, 29);
  return align_down(place, 4096) + (static_cast<std::uint64_t>(sign_extend(pages, 21)) << 12) +
         bits(add, 21, 10);
}

/// Every B and BL that has a relocation ends at symbol plus addend.
Complaints check_branches(const LinkedModule& linked) {
  Complaints found;
  const ElfFile& elf = linked.module.file.elf();
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    const auto table = elf.section(i);
    if (!table || table->header.type != image::elf::section_rela) continue;
    const PlacedSection& placed = linked.module.sections[table->header.info];
    if (placed.bytes.empty()) continue;
    for (std::uint32_t n = 0; n < ElfFile::rela_count(*table); ++n) {
      const auto rela = ElfFile::rela(*table, n);
      if (!rela || (rela->type() != image::reloc_call26 && rela->type() != image::reloc_jump26))
        continue;
      const std::uint64_t place = placed.address + rela->offset;
      const std::uint64_t wanted =
          linked.module.symbols[rela->symbol()] + static_cast<std::uint64_t>(rela->addend);
      const std::uint64_t to = branch_target(code_at(linked.module, place), place);
      if (to != wanted && behind_veneer(linked.module, to) != wanted)
        found.push_back(fmt::format("the branch at {}+{:#x} misses {}",
                                    elf.section(table->header.info)->name, rela->offset,
                                    elf.symbol(rela->symbol())->name));
    }
  }
  return found;
}

Complaints link_at(const fs::path& path, std::uint64_t kernel, pkvm::Generation generation) {
  LinkedModule linked(read(path));
  linked.kernel.resolve_all_from = kernel;
  const auto done = linked.link(generation);
  if (!done) return {fmt::format("kernel at {:#x}: {}", kernel, words(done.error()))};
  return check_branches(linked);
}

// Every module links with the kernel in reach and out of reach of its branches, with the memory of
// either kind of kernel, and each branch ends at its symbol.
TEST(DebianModules, EachLinks) {
  PKVMEMU_NEED_DEBIAN_MODULES();
  const auto complaints =
      pkvmemu::test::each_in_child(pkvmemu::test::debian_modules(), [](const fs::path& path) {
        Complaints found = link_at(path, near_kernel, pkvm::Generation::android14_6_1);
        for (const std::string& more : link_at(path, far_kernel, pkvm::Generation::android15_6_6))
          found.push_back(more);
        return found;
      });
  EXPECT_TRUE(complaints.empty()) << pkvmemu::test::first_of(complaints);
}

// A sample of them has lld's bytes in every loaded section.
TEST(DebianModules, ASampleHasTheBytesOfLld) {
  PKVMEMU_NEED_DEBIAN_MODULES();
  const auto sample = pkvmemu::test::debian_sample();
  ASSERT_FALSE(sample.empty());
  const auto complaints = pkvmemu::test::each_in_child(sample, [](const fs::path& path) {
    LinkedModule linked(read(path));
    linked.kernel.resolve_all_from = near_kernel;
    const auto done = linked.link(pkvm::Generation::android14_6_1);
    if (!done) return Complaints{words(done.error())};
    return differences_from_lld(linked);
  });
  EXPECT_TRUE(complaints.empty()) << pkvmemu::test::first_of(complaints);
}

// The comparison sees one wrong bit in a real module, and the check of branches one wrong branch.
TEST(DebianModules, AWrongBitIsSeen) {
  PKVMEMU_NEED_DEBIAN_MODULES();
  LinkedModule linked(read(pkvmemu::test::debian_modules().front()));
  linked.kernel.resolve_all_from = far_kernel;
  ASSERT_TRUE(linked.link());
  EXPECT_TRUE(check_branches(linked).empty());
  ASSERT_NE(linked.module.plt.used, 0U);
  linked.module.plt.bytes[4] ^= std::byte{0x40};
  EXPECT_FALSE(check_branches(linked).empty());

  LinkedModule compared(read(pkvmemu::test::debian_modules().front()));
  compared.kernel.resolve_all_from = near_kernel;
  ASSERT_TRUE(compared.link());
  EXPECT_TRUE(differences_from_lld(compared).empty());
  compared.section(".text").bytes.back() ^= std::byte{1};
  EXPECT_EQ(differences_from_lld(compared).size(), 1U);
}

}  // namespace
}  // namespace pkvmemu::kmod::test
