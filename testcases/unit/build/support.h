// SPDX-License-Identifier: GPL-2.0-only
// What the builder's tests share: sources written to a private folder, built in place.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "build/module_builder.h"
#include "build/object_file.h"
#include "build/temp_dir.h"
#include "pkvm/generation.h"

namespace pkvmemu::build {

/// A minimal EL1 half that loads `demo_hyp_init`, and an EL2 half to go with it.
extern const std::string_view demo_el1;
extern const std::string_view demo_el2;

/// A folder of sources and a specification that builds the module "demo" from them.
class BuilderTest : public testing::Test {
 protected:
  BuilderTest();

  /// Writes a source and returns its path.
  std::filesystem::path source(const std::string& name, std::string_view text);
  /// A specification of one EL1 and one EL2 source.
  ModuleSpec spec(std::string_view el1, std::string_view el2);
  /// The demo for a generation, whose handlers may get another structure.
  ModuleSpec demo(pkvm::Generation generation);
  /// The built module, parsed; fails the test when the build fails.
  static ObjectFile build(const ModuleSpec& specification);
  /// The message of a build that has to fail.
  static std::string build_error(const ModuleSpec& specification);

  TempDir directory_;
};

/// The generation's name as GoogleTest takes names: "android15_6_6".
std::string kmi_test_name(pkvm::Generation generation);

/// The 32-bit word right before symbol `name`: where kCFI puts a function's hash.
std::uint32_t word_before(const ObjectFile& object, std::string_view name);

/// NUL-terminated strings of a section, in order.
std::vector<std::string> strings_of(const ObjectFile& object, std::string_view section);

/// Relocations that patch `section`.
std::vector<Relocation> relocations_of(const ObjectFile& object, std::string_view section);

}  // namespace pkvmemu::build
