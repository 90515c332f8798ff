// SPDX-License-Identifier: GPL-2.0-only
// What the host and the hypervisor agree on about virtual machines: the structures that stand for
// struct kvm and struct kvm_vcpu (private to a kernel build, so ours are our own), memcaches
// (pkvm-abi.md 7.8), handles and exit codes (9), and the calls of a guest.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pkvm {

inline constexpr std::uint64_t vm_type_protected = std::uint64_t{1} << 31;  // 9.1
inline constexpr unsigned max_vms = 255;                                    // 9.1
inline constexpr std::uint32_t first_vm_handle = 0x1000;                    // 9.1
inline constexpr std::uint64_t no_pvmfw_address = ~std::uint64_t{0};        // 9.1
/// vCPUs of one VM; ours, a kernel allows more.
inline constexpr unsigned max_vcpus = 8;
/// Guest physical addresses; the root of a VM's stage 2 is two tables in a row.
inline constexpr unsigned guest_ipa_bits = 40;
inline constexpr std::uint64_t guest_root_size = 0x2000;

/// Pages that the host hands to the hypervisor, or gets back: each page's first word holds the
/// address of the next.
struct Memcache {
  std::uint64_t head;  ///< PA of the first page
  std::uint64_t pages;
};

/// What the host shares about a VM. It stays shared and pinned while the hypervisor knows the VM.
struct HostVm {
  std::uint64_t is_protected;
  std::uint64_t created_vcpus;
  std::uint64_t pvmfw_load_address;  ///< IPA, or no_pvmfw_address
  std::uint64_t handle;
  Memcache teardown;  ///< what the hypervisor gives back at the end
  /// From 6.12 on: SMCs of a protected guest go to the modules' handlers.
  std::uint64_t smc_forwarded = 0;
  /// From 6.12 on: a protected guest may speak FF-A to the secure world.
  std::uint64_t ffa_allowed = 0;
};

enum class VcpuPower : std::uint64_t { runnable = 0, stopped = 1 };

/// HCR_EL2.TWI and TWE (Arm ARM D17.2.48), which the host gives with the load of an ordinary
/// guest's vCPU: it hears of WFI and WFE.
inline constexpr std::uint64_t hcr_trap_waits = 3U << 13;

/// What becomes at the next entry of the access that exited.
enum class EntryWish : std::uint64_t {
  retry = 0,     ///< the guest makes it again (its page is there now)
  emulated = 1,  ///< it is done; x[0] has what a load got
  abort = 2,     ///< the guest gets a synchronous external abort
};

/// What the host shares about a vCPU. x and pc are what it starts with; after an exit they
/// are the guest's own for an unprotected VM; of a protected one x[0] to x[3] show what the exit is
/// about: a call's number and arguments, or the value of a store to a device.
struct HostVcpu {
  std::uint64_t index;
  VcpuPower power;
  std::uint64_t x[31];
  std::uint64_t pc;
  std::uint64_t esr;    ///< ESR_EL2 of the exit
  std::uint64_t far;    ///< the low 12 bits of the faulting address, all of it if unprotected
  std::uint64_t hpfar;  ///< HPFAR_EL2: the faulting IPA
  EntryWish wish;
  Memcache memory;  ///< for tables of the VM's stage 2
};

/// Answer of __kvm_vcpu_run.
enum class GuestExit : std::uint64_t { irq = 0, serror = 1, trap = 2, illegal = 3 };

/// What 6.1's host donates for the hypervisor's own view of a VM and a vCPU, in bytes.
inline constexpr std::uint64_t hyp_vm_size = 0x1000;
inline constexpr std::uint64_t hyp_vcpu_size = 0x1000;
inline constexpr std::uint64_t last_ran_size = 0x1000;

/// SMCCC numbers of a guest's calls, by HVC: standard and vendor-specific hypervisor services.
namespace guest_call {
inline constexpr std::uint32_t vendor_uid = 0x8600'FF01;
inline constexpr std::uint32_t vendor_features = 0x8600'0000;
inline constexpr std::uint32_t mem_info = 0xC600'0002;
inline constexpr std::uint32_t mem_share = 0xC600'0003;
inline constexpr std::uint32_t mem_unshare = 0xC600'0004;
inline constexpr std::uint32_t mmio_guard_info = 0xC600'0005;
inline constexpr std::uint32_t mmio_guard_enroll = 0xC600'0006;
inline constexpr std::uint32_t mmio_guard_map = 0xC600'0007;
inline constexpr std::uint32_t mmio_guard_unmap = 0xC600'0008;
inline constexpr std::uint32_t mem_relinquish = 0xC600'0009;
}  // namespace guest_call

}  // namespace pkvm
