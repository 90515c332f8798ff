// SPDX-License-Identifier: GPL-2.0-only
// Calls from the EL2 half of one module into that of another (pkvm-abi.md 2.7; from 6.12 on). The
// ordinary linker has bound them to the exporter's kernel address, which another module exports
// with EXPORT_SYMBOL; at EL2 they need the distance that both halves have there. A symbol that is
// referred to in any other way has no such second chance.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "host/module/module.h"
#include "pkvm/generation.h"
#include "pkvm/quirk.h"

namespace pkvmemu::kmod {

/// Whether a section of the EL2 half refers to this symbol of its file.
bool hyp_refers_to(const Module& module, std::uint32_t symbol);

class HypImports {
 public:
  /// Of `loaded`, those whose EL2 half is in may export.
  HypImports(KernelServices& services, pkvm::Generation generation, pkvm::Defects defects,
             std::span<const Module> loaded)
      : services_(services), generation_(generation), defects_(defects), loaded_(loaded) {}

  /// At discovery: .hyp.text refers to what its module lacks by calls alone.
  [[nodiscard]] Loaded<void> check(const Module& importer) const;
  /// Load step 8: the calls get their distance at EL2.
  [[nodiscard]] Loaded<void> resolve(const Module& importer) const;

 private:
  [[nodiscard]] Loaded<void> refuse(const Module& importer, const LoadError& error) const;
  [[nodiscard]] Loaded<void> bind(const Module& importer, KernVa place, HypVa target,
                                  const LoadError& too_far) const;
  [[nodiscard]] bool reproduces_defect() const;
  void tell_defect() const;

  KernelServices& services_;
  pkvm::Generation generation_;
  pkvm::Defects defects_;
  std::span<const Module> loaded_;
};

}  // namespace pkvmemu::kmod
