// SPDX-License-Identifier: GPL-2.0-only
// Objects for linker tests: assembled here, linked by our linker over a fake kernel, and by lld at
// the same addresses to compare the bytes with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fake_kernel.h"
#include "host/module/link.h"
#include "host/module/module.h"
#include "support/file.h"

namespace pkvmemu::kmod::test {

/// What every module has; `body` is assembly (or C with `language` "c").
Bytes compile(std::string_view body, std::string_view language = "assembler",
              const std::vector<std::string>& options = {});

/// The same with .modinfo and struct module around it, as a .ko has them.
Bytes compile_module(std::string_view body, std::string_view name = "test",
                     pkvm::Generation generation = pkvm::Generation::android15_6_6);

std::string samples_directory();
std::vector<std::filesystem::path> sample_modules();

/// A file linked over a fake kernel of its own.
struct LinkedModule {
  explicit LinkedModule(Bytes file);

  Loaded<void> link(pkvm::Generation generation = pkvm::Generation::android15_6_6);
  [[nodiscard]] const PlacedSection& section(std::string_view name) const;
  [[nodiscard]] std::uint64_t word(std::string_view section, std::uint64_t offset,
                                   unsigned size = 4) const;

  Bytes file;
  FakeKernel kernel;
  Module module;
};

/// Relocated contents of each loaded section, by section number, as ld.lld --no-relax makes them
/// with each section and each import at the address it has in `linked`.
std::map<std::uint32_t, Bytes> link_with_lld(const LinkedModule& linked);

/// Sections that are missing from lld's output or differ from it, each with the first place.
std::vector<std::string> differences_from_lld(const LinkedModule& linked);

/// Expects both linkers to agree on every byte of every loaded section.
void expect_same_as_lld(const LinkedModule& linked);

}  // namespace pkvmemu::kmod::test
