// SPDX-License-Identifier: GPL-2.0-only
// Defects of released kernels, as data. The firmware does the documented thing and reports the
// defect that it avoided; with pkvmemu.as_shipped it reproduces them. docs/fidelity.md lists them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvm {

enum class Quirk : std::uint8_t {
  /// pkvm-abi.md 3.4: the loop that unmaps a module whose init failed counts from entry 0 of the
  /// sorted sections. When a section is absent that entry's start is NULL, every offset is a whole
  /// kernel address, and the hypervisor is told to unmap where nothing is mapped, which is fatal.
  failed_load_unmaps_wrong_address = 0,
  /// pkvm-abi.md 6.5: when the firmware's memory cannot be mapped to be cleared, all is left as it
  /// was, and a protected VM starts from it after a failed load.
  failed_wipe_keeps_firmware = 1,
  /// pkvm-abi.md 5.3, 5.5: a refill of the hypervisor's allocators that fails half way does not say
  /// what it took. The kernel frees its whole list, the hypervisor's pages with it. 6.6.127 writes
  /// back what is left.
  failed_refill_frees_given_pages = 2,
  /// pkvm-abi.md 6.3: when a CPU cannot drop its privileges the kernel tells, and leaves the
  /// firmware of protected VMs where it is.
  failed_privilege_drop_keeps_firmware = 3,
  /// pkvm-abi.md 3.4, 3.6: what a module's init registered at EL2 before it failed stays, and leads
  /// to memory that is unmapped.
  failed_init_keeps_handlers = 4,
  /// pkvm-abi.md 2.7: an EL2 half refers to another module's in a way that the kernel cannot make,
  /// by anything but a call, or by one forwards. It tells, and loads the module all the same.
  failed_import_is_ignored = 5,
  /// pkvm-abi.md 7.9: registering an IOMMU device twice fails with the hypervisor's lock held.
  second_iommu_keeps_lock = 6,
};
inline constexpr std::size_t quirk_count = 7;

struct QuirkRow {
  Quirk id;
  std::string_view name;
  /// Versions in which it was seen, in the order of `generations`; empty: that one never had it.
  std::array<std::string_view, generation_count> versions;
  std::string_view what;  ///< for people: what a phone does

  constexpr std::string_view versions_in(Generation generation) const {
    return versions[static_cast<std::size_t>(generation)];
  }
};

inline constexpr std::array<QuirkRow, quirk_count> quirk_rows = {{
    {Quirk::failed_load_unmaps_wrong_address,
     "failed-load-unmaps-wrong-address",
     {"6.1.75", "6.6.77 to 6.6.127", "6.12.23"},
     "a failing EL2 init in a module with an empty or absent .hyp section panics the hypervisor"},
    {Quirk::failed_wipe_keeps_firmware,
     "failed-wipe-keeps-firmware",
     {"6.1.75", "6.6.77 to 6.6.127", ""},
     "pvmfw that could not be wiped stays, and protected VMs start after a failed load"},
    {Quirk::failed_refill_frees_given_pages,
     "failed-refill-frees-given-pages",
     {"", "6.6.77", "6.12.23"},
     "a refill of the hypervisor's memory that fails half way panics the host: it frees pages that "
     "are the hypervisor's by then"},
    {Quirk::failed_privilege_drop_keeps_firmware,
     "failed-privilege-drop-keeps-firmware",
     {"", "", "6.12.23"},
     "protected VMs start although the host kept its privileges"},
    {Quirk::failed_init_keeps_handlers,
     "failed-init-keeps-handlers",
     {"6.1.75", "6.6.77 to 6.6.127", "6.12.23"},
     "what an EL2 init registered before it failed stays, and the hypervisor panics when it calls "
     "it"},
    {Quirk::failed_import_is_ignored,
     "failed-import-is-ignored",
     {"", "", "6.12.23"},
     "an EL2 half whose import from another module cannot be made is loaded all the same, and goes "
     "to a wrong address when it uses it"},
    {Quirk::second_iommu_keeps_lock,
     "second-iommu-keeps-lock",
     {"6.1.75", "", ""},
     "an IOMMU device that is registered twice leaves a lock of the hypervisor taken: the next "
     "call "
     "about IOMMUs never ends"},
}};

constexpr const QuirkRow& quirk_row(Quirk quirk) {
  return quirk_rows[static_cast<std::size_t>(quirk)];
}

constexpr bool has_quirk(Generation generation, Quirk quirk) {
  return !quirk_row(quirk).versions_in(generation).empty();
}

/// What a kernel that met one of its defects does.
enum class Defects : std::uint8_t { avoided, reproduced };

}  // namespace pkvm
