// SPDX-License-Identifier: GPL-2.0-only
// Types of the module ABI (pkvm-abi.md 1.1) under the kernel's own names, at global scope: kCFI
// hashes the Itanium mangling of a function's type, so a namespace, std::uint64_t (unsigned long
// here, unsigned long long in the kernel) or an integer in place of an enum would change the word
// that a module checks. This header and the thunks are where the project's naming rules give way.
#pragma once

#include <cstddef>

// NOLINTBEGIN(readability-identifier-naming, performance-enum-size)
using u64 = unsigned long long;
using u32 = unsigned int;
using u8 = unsigned char;
using s8 = signed char;
using phys_addr_t = u64;
using kvm_pte_t = u64;
using pkvm_handle_t = unsigned int;

enum kvm_pgtable_prot : unsigned long { KVM_PGTABLE_PROT_NONE = 0 };
enum pkvm_psci_notification : unsigned int {
  PKVM_PSCI_CPU_SUSPEND = 0,
  PKVM_PSCI_SYSTEM_SUSPEND = 1,
  PKVM_PSCI_CPU_ENTRY = 2,
};

/// x0..x30 first; sp, pc and pstate are not filled on host traps (pkvm-abi.md 0.3).
struct user_pt_regs {
  u64 regs[31];
  u64 sp;
  u64 pc;
  u64 pstate;
};
static_assert(sizeof(user_pt_regs) == 0x110);

struct list_head {
  list_head* next;
  list_head* prev;
};

// Passed by pointer only.
struct arm_smccc_1_2_regs;
struct arm_smccc_res;
struct iommu_iotlb_gather;
struct kvm_cpu_context;
struct kvm_hyp_iommu;
struct kvm_hyp_iommu_domain;
struct kvm_hyp_req;
struct kvm_iommu_paddr_cache;
struct pkvm_module_ops;
struct pkvm_sglist_page;
// NOLINTEND(readability-identifier-naming, performance-enum-size)
