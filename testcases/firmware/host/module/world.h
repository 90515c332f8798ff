// SPDX-License-Identifier: GPL-2.0-only
// A kernel with an initramfs and a module loader, and modules whose init does what the macros of a
// real EL1 half do: store the EL2 init, load the EL2 half, register handlers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fake_kernel.h"
#include "host/module/loader.h"
#include "image/cpio_writer.h"
#include "support/file.h"

namespace pkvmemu::kmod::test {

/// A module with one page of EL2 code, two of bss, one of data; rodata and event ids are empty.
/// `hyp_data` holds two pointers with .hyp.reloc entries: to `hyp_init` and to `hyp_value`.
Bytes hyp_module(std::string_view name,
                 pkvm::Generation generation = pkvm::Generation::android15_6_6);

class World {
 public:
  explicit World(pkvm::Generation generation = pkvm::Generation::android15_6_6)
      : generation_(generation) {
    kernel.hyp.generation = generation;
  }

  /// Puts a file into lib/modules/<release>/ (or the flat lib/modules/).
  void add_module(std::string_view file_name, const Bytes& file,
                  std::string_view dependencies = {});
  void add_file(std::string_view path, std::string_view text);
  /// Builds the archive; modules.dep comes from what was added. The directory is by default that
  /// of the kernel's release.
  ModuleLoader& boot(std::string_view directory = {});

  /// What the EL1 init does: 0 or the first error. Token and handler numbers are left in `token`
  /// and `numbers`.
  int load_and_register(Module& module, std::string_view init_symbol,
                        const std::vector<std::string>& handlers);
  /// Gives every module of this name that init.
  void on_init(std::string_view module, std::string init_symbol, std::vector<std::string> handlers);

  FakeKernel kernel;
  pkvm::Defects defects = pkvm::Defects::avoided;
  std::string command_line;  ///< set before boot()
  std::optional<ModuleLoader> loader;
  std::vector<int> numbers;
  static constexpr std::uint64_t token_address = 0xffff'ffc0'7fff'0008;

 private:
  struct Init {
    std::string symbol;
    std::vector<std::string> handlers;
  };

  pkvm::Generation generation_;
  std::vector<std::pair<std::string, Bytes>> files_;
  std::string dep_;
  std::string vermagic_;
  Bytes archive_;
  std::map<std::string, Init, std::less<>> inits_;
};

}  // namespace pkvmemu::kmod::test
