// SPDX-License-Identifier: GPL-2.0-only
// How the host kernel starts the hypervisor: the header at the start of the EL2 image, what the
// host tells it before __pkvm_init, and the init parameters of pkvm-abi.md 4.5.
//
// The EL2 image is a static PIE linked at 0 and embedded, page-aligned, in the kernel image. The
// host applies its R_AARCH64_RELATIVE relocations for the address
//   hyp VA of image = hyp linear VA of its PA,
// fills BootInfo, builds first EL2 tables (image, idmap page, hyp pool) and calls __kvm_hyp_init;
// __pkvm_init then builds the hypervisor's own tables in the pool. One instruction-set rule: code
// in the idmap section runs with the EL2 MMU off or at VA == PA and touches no relocated pointer
// but those that it reads as data after relocation.
#pragma once

#include <cstdint>

#include "pkvm/generation.h"

namespace pkvm {

inline constexpr std::uint64_t hyp_image_magic = 0x3150'5948'4d56'4b50;  // "PKVMHYP1"

/// First bytes of the EL2 image. All fields are byte offsets from the image's start; the four
/// ranges are page-aligned at both ends.
struct HypImageHeader {
  std::uint64_t magic;
  std::uint64_t image_end;
  std::uint64_t text_begin, text_end;      ///< R|X, holds the idmap range too
  std::uint64_t rodata_begin, rodata_end;  ///< R (this header included)
  std::uint64_t data_begin, data_end;      ///< R|W (.data and .bss, all in the file)
  std::uint64_t idmap_begin, idmap_end;    ///< also mapped VA == PA, R|X
  std::uint64_t rela_begin, rela_end;      ///< Elf64_Rela, RELATIVE only
  std::uint64_t init_vectors;    ///< 2 KiB-aligned, in the idmap: VBAR_EL2 until __kvm_hyp_init
  std::uint64_t boot_info;       ///< HypBootInfo, in data
  std::uint64_t init_stack_top;  ///< stack for __kvm_hyp_init and __pkvm_init, in data
  /// struct kvm_iommu_ops of the built-in driver, in the order of `generations`; 0 where a driver
  /// has no such operations.
  std::uint64_t null_iommu_ops[generation_count];
};

inline constexpr unsigned max_memory_regions = 16;

struct HypMemoryRegion {
  std::uint64_t base;  ///< PA, page-aligned
  std::uint64_t size;  ///< bytes
  std::uint64_t flags;
  static constexpr std::uint64_t nomap = 1;  ///< reserved with no-map (pvmfw, event rings)
};

inline constexpr unsigned max_assignable_devices = 4;

/// Registers of a device that may be assigned to a guest (pkvm-abi.md 7.4).
struct HypDevice {
  std::uint64_t base;  ///< PA
  std::uint64_t size;
};

/// Written by the host before __kvm_hyp_init and constant afterwards, but for the pvmfw fields,
/// which a host that wipes the firmware may clear until prot_finalize (pkvm-abi.md 6.5).
struct HypBootInfo {
  static constexpr std::uint32_t current_version = 3;
  std::uint32_t version;
  std::uint32_t generation;  ///< pkvm::Generation
  /// PA - hyp linear VA, modulo 2^64 (pkvm-abi.md 7.1).
  std::uint64_t physvirt_offset;
  /// kern_hyp_va(v) = (v & kern_va_mask) | kern_va_tag.
  std::uint64_t kern_va_mask;
  std::uint64_t kern_va_tag;
  /// Physical address of the image; image_pa - physvirt_offset is its hyp VA.
  std::uint64_t image_pa;
  std::uint64_t panic_handler;  ///< kernel VA that hyp panic enters at EL1 (pkvm-abi.md 8.5)
  std::uint64_t pvmfw_base, pvmfw_size;  ///< 0, 0 without pvmfw
  std::uint64_t event_doorbell;          ///< PA; 0 without an event port
  std::uint64_t event_ring;              ///< PA of EL2's ring
  std::uint64_t event_ring_size;
  std::uint64_t region_count;
  HypMemoryRegion regions[max_memory_regions];  ///< sorted, RAM only
  std::uint64_t cma_base,
      cma_size;  ///< where blocks for IOMMU tables come from (6.6); 0, 0 without
  std::uint64_t device_count;
  HypDevice devices[max_assignable_devices];
  std::uint64_t log_ops;     ///< not 0: modules get tables whose ops report themselves as events
  std::uint64_t as_shipped;  ///< not 0: defects of released kernels (pkvm/quirk.h) are reproduced
};

/// struct kvm_nvhe_init_params of 6.1 and 6.6 (pkvm-abi.md 4.5), x1 of __kvm_hyp_init by PA.
struct HypInitParams {
  std::uint64_t mair_el2;
  std::uint64_t tcr_el2;
  std::uint64_t tpidr_el2;
  std::uint64_t stack_hyp_va;
  std::uint64_t stack_pa;
  std::uint64_t pgd_pa;
  std::uint64_t hcr_el2;
  std::uint64_t hfgwtr_el2;
  std::uint64_t vttbr;
  std::uint64_t vtcr;
};
static_assert(sizeof(HypInitParams) == 80);

}  // namespace pkvm
