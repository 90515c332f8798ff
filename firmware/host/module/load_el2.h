// SPDX-License-Identifier: GPL-2.0-only
// __pkvm_load_el2_module, step by step as pkvm-abi.md 3.2 numbers them, with the clean-up of 3.6. A
// failing init gives its error, and all pages go back to the host, also when some section is absent
// or empty: the defect of released kernels there (3.4) is a row of pkvm/quirk.h. 6.12's imports
// (step 8) are in hyp_imports.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "host/module/hyp_image.h"
#include "host/module/module.h"
#include "pkvm/hypercall.h"
#include "pkvm/quirk.h"

namespace pkvmemu::kmod {

/// kvm_call_hyp_nvhe: a warning when x0 is not 0, the value is x1 all the same (4.4).
std::uint64_t call_hyp(KernelServices& services, pkvm::Generation generation, pkvm::Hypercall call,
                       std::span<const std::uint64_t> arguments);

/// How a load goes in one kernel.
struct LoadRules {
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  pkvm::Defects defects = pkvm::Defects::avoided;
  std::span<const Module> modules = {};  ///< what may export to an EL2 half
};

class El2Load {
 public:
  /// `token_out`: where the caller wants the token, as soon as there is one (step 6); may be null.
  El2Load(KernelServices& services, const LoadRules& rules, Module& module, KernVa token_out)
      : services_(services),
        generation_(rules.generation),
        defects_(rules.defects),
        modules_(rules.modules),
        module_(module),
        token_out_(token_out) {}

  /// On success module.hyp.loaded is set and the reference taken is kept for ever.
  Loaded<void> run();

 private:
  Loaded<void> check_phase() const;                 // 1
  Loaded<void> check_alignment() const;             // 2
  Loaded<void> load_with_reference();               // 4 to 16
  Loaded<void> allocate_addresses();                // 5, 6
  void relocate();                                  // 7
  Loaded<void> share_descriptor();                  // 11
  void unshare_descriptor();                        // 15
  Loaded<void> map_sections();                      // 12
  Loaded<void> map_section(const HypRange& range);  //
  Loaded<void> initialise();                        // 14
  std::uint64_t init_argument() const;
  void unmap_sections(std::span<const HypRange> ranges);
  bool unmaps_wrong_addresses();
  void unmap_page(KernVa page, HypVa address);

  KernelServices& services_;
  pkvm::Generation generation_;
  pkvm::Defects defects_;
  std::span<const Module> modules_;
  Module& module_;
  KernVa token_out_;
  std::optional<Memory> descriptor_;  ///< the copy that the hypervisor may read (6.12)
  std::array<HypRange, hyp_part_count> parts_{};
};

}  // namespace pkvmemu::kmod
