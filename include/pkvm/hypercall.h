// SPDX-License-Identifier: GPL-2.0-only
// Host hypercall numbers of the three generations: pkvm-abi.md 5.2 (6.1.75), 5.3 (6.6.77) and
// 5.4 (6.12.23). The full function id is smccc::kvm_host_id(number).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvm {

// pkvm-abi.md 4.1: dynamic calls start here on every generation.
inline constexpr unsigned first_dynamic_call = 128;
// pkvm-abi.md 4.2: handlers that can be registered, over all modules.
inline constexpr unsigned max_dynamic_calls = 128;

/// What a call means, whatever its number.
enum class Hypercall : std::uint8_t {
  kvm_hyp_init,
  kvm_get_mdcr_el2,
  pkvm_init,
  pkvm_create_private_mapping,
  pkvm_cpu_set_vector,
  kvm_enable_ssbs,
  vgic_v3_init_lrs,
  vgic_v3_get_gic_config,
  kvm_flush_vm_context,
  kvm_tlb_flush_vmid_ipa,
  kvm_tlb_flush_vmid_ipa_nsh,
  kvm_tlb_flush_vmid,
  kvm_tlb_flush_vmid_range,
  kvm_flush_cpu_context,
  pkvm_alloc_module_va,
  pkvm_map_module_page,
  pkvm_unmap_module_page,
  pkvm_init_module,
  pkvm_register_hcall,
  pkvm_iommu_init,
  pkvm_prot_finalize,
  pkvm_host_share_hyp,
  pkvm_host_unshare_hyp,
  pkvm_host_map_guest,
  pkvm_host_unmap_guest,
  pkvm_relax_perms,
  pkvm_wrprotect,
  pkvm_dirty_log,
  pkvm_tlb_flush_vmid,
  kvm_adjust_pc,
  kvm_vcpu_run,
  kvm_timer_set_cntvoff,
  vgic_v3_save_vmcr_aprs,
  vgic_v3_restore_vmcr_aprs,
  pkvm_init_vm,
  pkvm_init_vcpu,
  pkvm_start_teardown_vm,
  pkvm_finalize_teardown_vm,
  pkvm_reclaim_dying_guest_page,
  pkvm_vcpu_load,
  pkvm_vcpu_put,
  pkvm_vcpu_sync_state,
  pkvm_load_tracing,
  pkvm_teardown_tracing,
  pkvm_enable_tracing,
  pkvm_swap_reader_tracing,
  pkvm_enable_event,
  pkvm_hyp_alloc_mgt_refill,
  pkvm_hyp_alloc_mgt_reclaimable,
  pkvm_hyp_alloc_mgt_reclaim,
  pkvm_host_iommu_alloc_domain,
  pkvm_host_iommu_free_domain,
  pkvm_host_iommu_attach_dev,
  pkvm_host_iommu_detach_dev,
  pkvm_host_iommu_map_pages,
  pkvm_host_iommu_unmap_pages,
  pkvm_host_iommu_iova_to_phys,
  pkvm_host_hvc_pd,
  pkvm_stage2_snapshot,
  pkvm_iommu_driver_init,
  pkvm_iommu_register,
  pkvm_iommu_pm_notify,
  pkvm_iommu_finalize,
  pkvm_rb_swap_reader_page,
  pkvm_rb_update_footers,
  pkvm_host_set_stage2_memattr,
  pkvm_devices_init,
  pkvm_host_donate_guest,
  pkvm_host_donate_guest_sglist,
  pkvm_host_share_guest,
  pkvm_host_unshare_guest,
  pkvm_host_relax_perms_guest,
  pkvm_host_wrprotect_guest,
  pkvm_host_test_clear_young_guest,
  pkvm_host_mkyoung_guest,
  pkvm_reclaim_dying_guest_ffa_resources,
  pkvm_update_clock_tracing,
  pkvm_reset_tracing,
  pkvm_selftest_event,
  pkvm_sync_ftrace,
  pkvm_disable_ftrace,
  pkvm_ptdump,
  pkvm_host_iommu_map_sg,
  pkvm_host_donate_hyp_mmio,
  pkvm_host_reclaim_hyp_mmio,
  pkvm_host_map_guest_mmio,
  pkvm_pviommu_attach,
  pkvm_pviommu_add_vsid,
  pkvm_host_get_ffa_version,
};

struct HypercallRow {
  static constexpr std::int16_t absent = -1;
  Hypercall call;
  std::string_view name;
  std::array<std::int16_t, generation_count> number;  ///< in the order of `generations`
};

namespace detail {
inline constexpr std::int16_t absent = HypercallRow::absent;
}

// clang-format off
inline constexpr auto hypercall_rows = [] {
  using detail::absent;
  return std::to_array<HypercallRow>({
    {Hypercall::kvm_hyp_init, "__kvm_hyp_init", {0, 0, 0}},
    {Hypercall::kvm_get_mdcr_el2, "__kvm_get_mdcr_el2", {1, 1, 1}},
    {Hypercall::pkvm_init, "__pkvm_init", {2, 2, 2}},
    {Hypercall::pkvm_create_private_mapping, "__pkvm_create_private_mapping", {3, 3, 3}},
    {Hypercall::pkvm_cpu_set_vector, "__pkvm_cpu_set_vector", {4, 4, 4}},
    {Hypercall::kvm_enable_ssbs, "__kvm_enable_ssbs", {5, 5, 5}},
    {Hypercall::vgic_v3_init_lrs, "__vgic_v3_init_lrs", {6, 6, 6}},
    {Hypercall::vgic_v3_get_gic_config, "__vgic_v3_get_gic_config", {7, 7, 7}},
    {Hypercall::kvm_flush_vm_context, "__kvm_flush_vm_context", {8, 8, 8}},
    {Hypercall::kvm_tlb_flush_vmid_ipa, "__kvm_tlb_flush_vmid_ipa", {9, 9, 9}},
    {Hypercall::kvm_tlb_flush_vmid_ipa_nsh, "__kvm_tlb_flush_vmid_ipa_nsh", {absent, 10, 10}},
    {Hypercall::kvm_tlb_flush_vmid, "__kvm_tlb_flush_vmid", {10, 11, 11}},
    {Hypercall::kvm_tlb_flush_vmid_range, "__kvm_tlb_flush_vmid_range", {absent, 12, 12}},
    {Hypercall::kvm_flush_cpu_context, "__kvm_flush_cpu_context", {11, 13, 13}},
    {Hypercall::pkvm_alloc_module_va, "__pkvm_alloc_module_va", {12, 14, 14}},
    {Hypercall::pkvm_map_module_page, "__pkvm_map_module_page", {13, 15, 15}},
    {Hypercall::pkvm_unmap_module_page, "__pkvm_unmap_module_page", {14, 16, 16}},
    {Hypercall::pkvm_init_module, "__pkvm_init_module", {15, 17, 17}},
    {Hypercall::pkvm_register_hcall, "__pkvm_register_hcall", {16, 18, 18}},
    {Hypercall::pkvm_iommu_init, "__pkvm_iommu_init", {absent, 19, 19}},
    {Hypercall::pkvm_prot_finalize, "__pkvm_prot_finalize", {17, 20, 21}},
    {Hypercall::pkvm_host_share_hyp, "__pkvm_host_share_hyp", {18, 21, 22}},
    {Hypercall::pkvm_host_unshare_hyp, "__pkvm_host_unshare_hyp", {19, 22, 23}},
    {Hypercall::pkvm_host_map_guest, "__pkvm_host_map_guest", {20, 23, absent}},
    {Hypercall::pkvm_host_unmap_guest, "__pkvm_host_unmap_guest", {absent, 24, absent}},
    {Hypercall::pkvm_relax_perms, "__pkvm_relax_perms", {absent, 25, absent}},
    {Hypercall::pkvm_wrprotect, "__pkvm_wrprotect", {absent, 26, absent}},
    {Hypercall::pkvm_dirty_log, "__pkvm_dirty_log", {absent, 27, absent}},
    {Hypercall::pkvm_tlb_flush_vmid, "__pkvm_tlb_flush_vmid", {absent, 28, 56}},
    {Hypercall::kvm_adjust_pc, "__kvm_adjust_pc", {21, 29, 32}},
    {Hypercall::kvm_vcpu_run, "__kvm_vcpu_run", {22, 30, 33}},
    {Hypercall::kvm_timer_set_cntvoff, "__kvm_timer_set_cntvoff", {23, 31, 34}},
    {Hypercall::vgic_v3_save_vmcr_aprs, "__vgic_v3_save_vmcr_aprs", {24, 32, 35}},
    {Hypercall::vgic_v3_restore_vmcr_aprs, "__vgic_v3_restore_vmcr_aprs", {25, 33, 36}},
    {Hypercall::pkvm_init_vm, "__pkvm_init_vm", {26, 34, 37}},
    {Hypercall::pkvm_init_vcpu, "__pkvm_init_vcpu", {27, 35, 38}},
    {Hypercall::pkvm_start_teardown_vm, "__pkvm_start_teardown_vm", {28, 36, 39}},
    {Hypercall::pkvm_finalize_teardown_vm, "__pkvm_finalize_teardown_vm", {29, 37, 40}},
    {Hypercall::pkvm_reclaim_dying_guest_page, "__pkvm_reclaim_dying_guest_page", {30, 38, 41}},
    {Hypercall::pkvm_vcpu_load, "__pkvm_vcpu_load", {31, 39, 43}},
    {Hypercall::pkvm_vcpu_put, "__pkvm_vcpu_put", {32, 40, 44}},
    {Hypercall::pkvm_vcpu_sync_state, "__pkvm_vcpu_sync_state", {33, 41, 45}},
    {Hypercall::pkvm_load_tracing, "__pkvm_load_tracing", {38, 42, 47}},
    {Hypercall::pkvm_teardown_tracing, "__pkvm_teardown_tracing", {39, 43, 48}},
    {Hypercall::pkvm_enable_tracing, "__pkvm_enable_tracing", {40, 44, 49}},
    {Hypercall::pkvm_swap_reader_tracing, "__pkvm_swap_reader_tracing", {absent, 45, 51}},
    {Hypercall::pkvm_enable_event, "__pkvm_enable_event", {43, 46, 52}},
    {Hypercall::pkvm_hyp_alloc_mgt_refill, "__pkvm_hyp_alloc_mgt_refill", {absent, 47, 57}},
    {Hypercall::pkvm_hyp_alloc_mgt_reclaimable, "__pkvm_hyp_alloc_mgt_reclaimable", {absent, 48, 58}},
    {Hypercall::pkvm_hyp_alloc_mgt_reclaim, "__pkvm_hyp_alloc_mgt_reclaim", {absent, 49, 59}},
    {Hypercall::pkvm_host_iommu_alloc_domain, "__pkvm_host_iommu_alloc_domain", {absent, 50, 60}},
    {Hypercall::pkvm_host_iommu_free_domain, "__pkvm_host_iommu_free_domain", {absent, 51, 61}},
    {Hypercall::pkvm_host_iommu_attach_dev, "__pkvm_host_iommu_attach_dev", {absent, 52, 62}},
    {Hypercall::pkvm_host_iommu_detach_dev, "__pkvm_host_iommu_detach_dev", {absent, 53, 63}},
    {Hypercall::pkvm_host_iommu_map_pages, "__pkvm_host_iommu_map_pages", {absent, 54, 64}},
    {Hypercall::pkvm_host_iommu_unmap_pages, "__pkvm_host_iommu_unmap_pages", {absent, 55, 65}},
    {Hypercall::pkvm_host_iommu_iova_to_phys, "__pkvm_host_iommu_iova_to_phys", {absent, 56, 66}},
    {Hypercall::pkvm_host_hvc_pd, "__pkvm_host_hvc_pd", {absent, 57, 67}},
    {Hypercall::pkvm_stage2_snapshot, "__pkvm_stage2_snapshot", {absent, 58, absent}},
    {Hypercall::pkvm_iommu_driver_init, "__pkvm_iommu_driver_init", {34, absent, absent}},
    {Hypercall::pkvm_iommu_register, "__pkvm_iommu_register", {35, absent, absent}},
    {Hypercall::pkvm_iommu_pm_notify, "__pkvm_iommu_pm_notify", {36, absent, absent}},
    {Hypercall::pkvm_iommu_finalize, "__pkvm_iommu_finalize", {37, absent, absent}},
    {Hypercall::pkvm_rb_swap_reader_page, "__pkvm_rb_swap_reader_page", {41, absent, absent}},
    {Hypercall::pkvm_rb_update_footers, "__pkvm_rb_update_footers", {42, absent, absent}},
    {Hypercall::pkvm_host_set_stage2_memattr, "__pkvm_host_set_stage2_memattr", {44, absent, absent}},
    {Hypercall::pkvm_devices_init, "__pkvm_devices_init", {absent, absent, 20}},
    {Hypercall::pkvm_host_donate_guest, "__pkvm_host_donate_guest", {absent, absent, 24}},
    {Hypercall::pkvm_host_donate_guest_sglist, "__pkvm_host_donate_guest_sglist", {absent, absent, 25}},
    {Hypercall::pkvm_host_share_guest, "__pkvm_host_share_guest", {absent, absent, 26}},
    {Hypercall::pkvm_host_unshare_guest, "__pkvm_host_unshare_guest", {absent, absent, 27}},
    {Hypercall::pkvm_host_relax_perms_guest, "__pkvm_host_relax_perms_guest", {absent, absent, 28}},
    {Hypercall::pkvm_host_wrprotect_guest, "__pkvm_host_wrprotect_guest", {absent, absent, 29}},
    {Hypercall::pkvm_host_test_clear_young_guest, "__pkvm_host_test_clear_young_guest", {absent, absent, 30}},
    {Hypercall::pkvm_host_mkyoung_guest, "__pkvm_host_mkyoung_guest", {absent, absent, 31}},
    {Hypercall::pkvm_reclaim_dying_guest_ffa_resources, "__pkvm_reclaim_dying_guest_ffa_resources", {absent, absent, 42}},
    {Hypercall::pkvm_update_clock_tracing, "__pkvm_update_clock_tracing", {absent, absent, 46}},
    {Hypercall::pkvm_reset_tracing, "__pkvm_reset_tracing", {absent, absent, 50}},
    {Hypercall::pkvm_selftest_event, "__pkvm_selftest_event", {absent, absent, 53}},
    {Hypercall::pkvm_sync_ftrace, "__pkvm_sync_ftrace", {absent, absent, 54}},
    {Hypercall::pkvm_disable_ftrace, "__pkvm_disable_ftrace", {absent, absent, 55}},
    {Hypercall::pkvm_ptdump, "__pkvm_ptdump", {absent, absent, 68}},
    {Hypercall::pkvm_host_iommu_map_sg, "__pkvm_host_iommu_map_sg", {absent, absent, 69}},
    {Hypercall::pkvm_host_donate_hyp_mmio, "__pkvm_host_donate_hyp_mmio", {absent, absent, 70}},
    {Hypercall::pkvm_host_reclaim_hyp_mmio, "__pkvm_host_reclaim_hyp_mmio", {absent, absent, 71}},
    {Hypercall::pkvm_host_map_guest_mmio, "__pkvm_host_map_guest_mmio", {absent, absent, 72}},
    {Hypercall::pkvm_pviommu_attach, "__pkvm_pviommu_attach", {absent, absent, 73}},
    {Hypercall::pkvm_pviommu_add_vsid, "__pkvm_pviommu_add_vsid", {absent, absent, 74}},
    {Hypercall::pkvm_host_get_ffa_version, "__pkvm_host_get_ffa_version", {absent, absent, 75}},
  });
}();
// clang-format on

/// The number of `call` in generation `id`, if that generation has it.
constexpr std::optional<unsigned> hypercall_number(Generation id, Hypercall call) {
  const auto number =
      hypercall_rows[static_cast<std::size_t>(call)].number[static_cast<std::size_t>(id)];
  if (number == HypercallRow::absent) return std::nullopt;
  return static_cast<unsigned>(number);
}

/// The call that has `number` in generation `id`.
constexpr std::optional<Hypercall> hypercall_of_number(Generation id, std::uint64_t number) {
  for (const HypercallRow& row : hypercall_rows) {
    const auto own = row.number[static_cast<std::size_t>(id)];
    if (own != HypercallRow::absent && static_cast<std::uint64_t>(own) == number) return row.call;
  }
  return std::nullopt;
}

constexpr std::string_view name_of(Hypercall call) {
  return hypercall_rows[static_cast<std::size_t>(call)].name;
}

static_assert(
    [] {
      for (std::size_t i = 0; i < hypercall_rows.size(); ++i)
        if (static_cast<std::size_t>(hypercall_rows[i].call) != i) return false;
      return true;
    }(),
    "rows are indexed by Hypercall");

}  // namespace pkvm
