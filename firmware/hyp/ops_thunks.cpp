// SPDX-License-Identifier: GPL-2.0-only
// The functions that modules call, with the kernel's own types, so that the compiler writes the
// kCFI word before each (pkvm-abi.md 1.8). Compiled twice: PKVM_CFI_FLAVOUR is the namespace, and
// the compiler's options decide what the words are. Nothing here calls through a pointer.
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "hyp/abi_types.h"
#include "hyp/hypervisor.h"
#include "hyp/ops.h"
#include "hyp/ops_handlers.h"
#include "hyp/ops_heap.h"
#include "hyp/ops_iommu.h"
#include "hyp/ops_list.h"
#include "hyp/ops_memory.h"
#include "hyp/ops_table.h"
#include "hyp/ops_trace.h"
#include "lib/memory.h"
#include "pkvm/errno.h"
#include "pkvm/ops.h"

// The prefix keeps memcpy and its like from being the compiler's own.
// NOLINTBEGIN(readability-identifier-naming)
namespace pkvmemu::hyp::PKVM_CFI_FLAVOUR {

namespace {

HypVa hyp_va_of(const void* pointer) {
  return HypVa{reinterpret_cast<std::uint64_t>(pointer)};
}
template <typename Callback>
HypVa hyp_va_of_function(Callback* function) {
  return HypVa{reinterpret_cast<std::uint64_t>(function)};
}
Prot prot_of(kvm_pgtable_prot prot) {
  return Prot{static_cast<std::uint64_t>(prot)};
}
Accept accept_of(bool mmio) {
  return mmio ? Accept::memory_or_mmio : Accept::memory_only;
}

/// What an op that does not exist answers: -ENOSYS, NULL, false, nothing.
template <typename Type>
Type missing_answer() {
  if constexpr (std::is_same_v<Type, int>)
    return pkvm::negated(pkvm::Errno::enosys);
  else if constexpr (!std::is_void_v<Type>)
    return Type{};
}

int op_create_private_mapping(phys_addr_t phys, size_t size, kvm_pgtable_prot prot,
                              unsigned long* haddr) {
  return ops::create_private_mapping(Pa{phys}, size, prot_of(prot), haddr);
}
void* op_alloc_module_va(u64 nr_pages) {
  return ops::alloc_module_va(nr_pages);
}
int op_map_module_page(u64 pfn, void* va, kvm_pgtable_prot prot, bool is_protected) {
  return is_protected ? ops::map_protected_page(pfn, hyp_va_of(va), prot_of(prot))
                      : ops::map_module_page(pfn, hyp_va_of(va), prot_of(prot));
}
int op_register_serial_driver(void (*putc)(char)) {
  return ops::register_serial_driver(hyp_va_of_function(putc));
}
void op_putc(char c) {
  hypervisor().serial.put(c);
}
void op_puts(const char* text) {
  hypervisor().serial.put_line(text);
}
void op_putx64(u64 value) {
  hypervisor().serial.put_hex(value);
}
void* op_fixmap_map(phys_addr_t phys) {
  return ops::fixmap_map(Pa{phys});
}
void op_fixmap_unmap() {
  ops::fixmap_unmap();
}
void op_flush_dcache_to_poc(void* address, size_t size) {
  arch::flush_dcache(address, size);
}
int op_host_donate_hyp_6_1(u64 pfn, u64 nr_pages) {
  return ops::host_donate_hyp(pfn, nr_pages);
}
int op_host_donate_hyp_6_6(u64 pfn, u64 nr_pages, bool accept_mmio) {
  return ops::host_donate_hyp(pfn, nr_pages, accept_of(accept_mmio), prot_rw);
}
int op_host_donate_hyp_prot(u64 pfn, u64 nr_pages, bool accept_mmio, kvm_pgtable_prot prot) {
  return ops::host_donate_hyp(pfn, nr_pages, accept_of(accept_mmio), prot_of(prot));
}
int op_hyp_donate_host(u64 pfn, u64 nr_pages) {
  return ops::hyp_donate_host(pfn, nr_pages);
}
int op_host_share_hyp(u64 pfn) {
  return ops::host_share_hyp(pfn);
}
int op_host_unshare_hyp(u64 pfn) {
  return ops::host_unshare_hyp(pfn);
}
int op_pin_shared_mem(void* from, void* to) {
  return ops::pin_shared_mem(hyp_va_of(from), hyp_va_of(to));
}
void op_unpin_shared_mem(void* from, void* to) {
  ops::unpin_shared_mem(hyp_va_of(from), hyp_va_of(to));
}
void* op_memcpy(void* to, const void* from, size_t count) {
  fw::copy_bytes(to, from, count);
  return to;
}
void* op_memset(void* to, int value, size_t count) {
  fw::fill_bytes(to, static_cast<unsigned char>(value), count);
  return to;
}
phys_addr_t op_hyp_pa(void* address) {
  return hypervisor().linear.pa_of_pointer(address).value;
}
void* op_hyp_va(phys_addr_t phys) {
  return hypervisor().linear.pointer<void>(Pa{phys});
}
void* op_linear_map_early(phys_addr_t phys, size_t size, kvm_pgtable_prot prot) {
  return ops::linear_map_early(Pa{phys}, size, prot_of(prot));
}
void op_linear_unmap_early(void* address, size_t size) {
  ops::linear_unmap_early(hyp_va_of(address), size);
}
void* op_fixblock_map(phys_addr_t phys) {
  return ops::fixblock_map(Pa{phys});
}
void op_fixblock_unmap() {
  ops::fixblock_unmap();
}
/// Drivers hear of what the host loses, of nothing else (pkvm-abi.md 1.7).
UpdateIommu update_in_6_1(kvm_pgtable_prot prot) {
  return prot == KVM_PGTABLE_PROT_NONE ? UpdateIommu::yes : UpdateIommu::no;
}
int op_host_stage2_mod_prot_6_1(u64 pfn, kvm_pgtable_prot prot) {
  return ops::host_stage2_mod_prot(pfn, prot_of(prot), 1, update_in_6_1(prot));
}
int op_host_stage2_mod_prot_range(u64 pfn, kvm_pgtable_prot prot, u64 nr_pages) {
  return ops::host_stage2_mod_prot(pfn, prot_of(prot), nr_pages, update_in_6_1(prot));
}
int op_host_stage2_mod_prot_6_6(u64 pfn, kvm_pgtable_prot prot, u64 nr_pages, bool update_iommu) {
  return ops::host_stage2_mod_prot(pfn, prot_of(prot), nr_pages,
                                   update_iommu ? UpdateIommu::yes : UpdateIommu::no);
}
int op_host_stage2_get_leaf_6_1(phys_addr_t phys, kvm_pte_t* ptep, u32* level) {
  return ops::host_stage2_get_leaf(Pa{phys}, ptep, level);
}
int op_host_stage2_get_leaf_6_12(phys_addr_t phys, kvm_pte_t* ptep, s8* level) {
  return ops::host_stage2_get_leaf(Pa{phys}, ptep, level);
}
int op_host_stage2_enable_lazy_pte(u64 pfn, u64 nr_pages) {
  return ops::host_stage2_enable_lazy_pte(pfn, nr_pages);
}
int op_host_stage2_disable_lazy_pte(u64 pfn, u64 nr_pages) {
  return ops::host_stage2_disable_lazy_pte(pfn, nr_pages);
}
int op_host_donate_sglist_hyp(pkvm_sglist_page* list, size_t nr_pages) {
  return ops::host_donate_sglist_hyp(list, nr_pages);
}
int op_register_host_perm_fault_handler_6_1(int (*handler)(kvm_cpu_context*, u64, u64)) {
  return ops::register_host_perm_fault_handler(hyp_va_of_function(handler));
}
int op_register_host_perm_fault_handler_6_6(int (*handler)(user_pt_regs*, u64, u64)) {
  return ops::register_host_perm_fault_handler(hyp_va_of_function(handler));
}
int op_register_illegal_abt_notifier_6_1(void (*notifier)(kvm_cpu_context*)) {
  return ops::register_illegal_abt_notifier(hyp_va_of_function(notifier));
}
int op_register_illegal_abt_notifier_6_6(void (*notifier)(user_pt_regs*)) {
  return ops::register_illegal_abt_notifier(hyp_va_of_function(notifier));
}
unsigned long op_kern_hyp_va(unsigned long address) {
  return ops::kern_hyp_va(address);
}
void op_udelay(unsigned long usecs) {
  ops::udelay(usecs);
}
int op_hyp_smp_processor_id() {
  return static_cast<int>(this_cpu().index);
}
void* op_hyp_alloc(size_t size) {
  return ops::hyp_alloc(size);
}
int op_hyp_alloc_errno() {
  return ops::hyp_alloc_errno();
}
void op_hyp_free(void* address) {
  ops::hyp_free(hyp_va_of(address));
}
u8 op_hyp_alloc_missing_donations() {
  return ops::hyp_alloc_missing_donations();
}
int op_register_hyp_event_ids(unsigned long start, unsigned long end) {
  return ops::register_hyp_event_ids(HypVa{start}, HypVa{end});
}
void* op_tracing_reserve_entry(unsigned long length) {
  return ops::tracing_reserve_entry(length);
}
void op_tracing_commit_entry() {
  ops::tracing_commit_entry();
}
void op_tracing_mod_hyp_printk(u8 fmt_id, u64 a, u64 b, u64 c, u64 d) {
  ops::tracing_mod_hyp_printk(fmt_id, {a, b, c, d});
}
void op_update_hcr_el2(unsigned long set_mask, unsigned long clear_mask) {
  ops::update_hcr_el2(set_mask, clear_mask);
}
void op_update_hfgwtr_el2(unsigned long set_mask, unsigned long clear_mask) {
  ops::update_hfgwtr_el2(set_mask, clear_mask);
}
int op_register_host_smc_handler_6_1(bool (*cb)(kvm_cpu_context*)) {
  return ops::register_host_smc_handler(hyp_va_of_function(cb), unchecked_cfi_type);
}
int op_register_host_smc_handler_6_6(bool (*cb)(user_pt_regs*)) {
  return ops::register_host_smc_handler(hyp_va_of_function(cb), trap_cfi_type);
}
int op_register_guest_smc_handler_6_12(bool (*cb)(arm_smccc_1_2_regs*, arm_smccc_1_2_regs*,
                                                  pkvm_handle_t)) {
  return ops::register_guest_smc_handler(hyp_va_of_function(cb));
}
int op_register_default_trap_handler_6_1(bool (*cb)(kvm_cpu_context*)) {
  return ops::register_default_trap_handler(hyp_va_of_function(cb), unchecked_cfi_type);
}
int op_register_default_trap_handler_6_6(bool (*cb)(user_pt_regs*)) {
  return ops::register_default_trap_handler(hyp_va_of_function(cb), trap_cfi_type);
}
int op_register_psci_notifier_6_1(void (*cb)(pkvm_psci_notification, kvm_cpu_context*)) {
  return ops::register_psci_notifier(hyp_va_of_function(cb), unchecked_cfi_type);
}
int op_register_psci_notifier_6_6(void (*cb)(pkvm_psci_notification, user_pt_regs*)) {
  return ops::register_psci_notifier(hyp_va_of_function(cb), psci_cfi_type);
}
int op_register_hyp_panic_notifier_6_1(void (*cb)(kvm_cpu_context*)) {
  return ops::register_hyp_panic_notifier(hyp_va_of_function(cb), unchecked_cfi_type);
}
int op_register_hyp_panic_notifier_6_6(void (*cb)(user_pt_regs*)) {
  return ops::register_hyp_panic_notifier(hyp_va_of_function(cb), handler_cfi_type);
}
int op_register_unmask_serror(bool (*unmask)(), void (*mask)()) {
  return ops::register_unmask_serror(hyp_va_of_function(unmask), hyp_va_of_function(mask));
}
[[clang::preserve_most]] bool op_list_add_valid_or_report(list_head* entry, list_head* prev,
                                                          list_head* next) {
  return hyp_list_add_valid(entry, prev, next);
}
[[clang::preserve_most]] bool op_list_del_entry_valid_or_report(list_head* entry) {
  return hyp_list_del_entry_valid(entry);
}

void* op_iommu_donate_pages_6_6(u8 order, bool request) {
  return ops::iommu_donate_pages(order, request ? OnFailure::ask_host : OnFailure::just_fail,
                                 Caching::cached);
}
void* op_iommu_donate_pages_6_12(u8 order, int flags) {
  constexpr int nocache = 1;
  return ops::iommu_donate_pages(order, OnFailure::ask_host,
                                 (flags & nocache) != 0 ? Caching::uncached : Caching::cached);
}
void op_iommu_reclaim_pages(void* block, u8 order) {
  ops::iommu_reclaim_pages(hyp_va_of(block), order);
}
void* op_iommu_donate_pages_atomic(u8 order) {
  return ops::iommu_donate_pages_atomic(order);
}
void op_iommu_reclaim_pages_atomic(void* block, u8 order) {
  ops::iommu_reclaim_pages(hyp_va_of(block), order);
}
int op_iommu_request(kvm_hyp_req* request) {
  return ops::iommu_request(*request);
}
int op_iommu_init_device(kvm_hyp_iommu* iommu) {
  return ops::iommu_init_device(iommu);
}
void op_iommu_iotlb_gather_add_page(kvm_hyp_iommu_domain* domain, iommu_iotlb_gather* gather,
                                    unsigned long iova, size_t size) {
  ops::iommu_iotlb_gather_add_page(domain, gather, iova, size);
}
void op_iommu_flush_unmap_cache(kvm_iommu_paddr_cache* cache) {
  ops::iommu_flush_unmap_cache(cache);
}
int op_iommu_snapshot_host_stage2(kvm_hyp_iommu_domain* domain) {
  return ops::iommu_snapshot_host_stage2(domain);
}
int op_pkvm_unuse_dma(phys_addr_t phys_addr, size_t size) {
  return ops::pkvm_unuse_dma(Pa{phys_addr}, size);
}
int op_device_register_reset(u64 phys, void* cookie, int (*cb)(void*, bool)) {
  return ops::device_register_reset(Pa{phys}, hyp_va_of(cookie).value, hyp_va_of_function(cb));
}

// The ops that do not exist yet. The caller's address is where a report points.
// NOLINTBEGIN(cppcoreguidelines-macro-usage, bugprone-macro-parentheses)
#define PKVM_MISSING_BODY(name, returns)                                                      \
  {                                                                                           \
    ops::report_missing(#name, reinterpret_cast<std::uint64_t>(__builtin_return_address(0))); \
    return missing_answer<returns>();                                                         \
  }
#define PKVM_MISSING_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12) \
  returns op_##variant parameters PKVM_MISSING_BODY(name, returns)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunused-parameter"  // their names are for readers of ops.def
#include "pkvm/ops.def"
#pragma clang diagnostic pop
#undef PKVM_MISSING_BODY

#ifdef PKVM_FIRMWARE
/// The stub that reports one op, of the op's own type, so that it has the same word before it.
template <pkvm::OpId Id, auto* Op, typename Type>
struct Stub;
template <pkvm::OpId Id, auto* Op, typename Returns, typename... Parameters>
struct Stub<Id, Op, Returns(Parameters...)> {
  [[gnu::naked]] static Returns call(Parameters... /*x0 to x7*/) {
    asm volatile(
        "adrp x17, %1\n\tadd x17, x17, :lo12:%1\n\tmov x16, %0\n\tb hyp_logged_op" ::"i"(Id),
        "S"(Op));
  }
};
#endif

/// The function of one slot of one generation's table, and its stub; reserves have none.
template <pkvm::Generation Id, int Slot>
struct SlotOf {
  static constexpr void (*pointer)() = nullptr;
  static constexpr void (*logged)() = nullptr;
};

// A row that a generation does not have gets a negative slot of its own, which nobody looks up.
#ifdef PKVM_FIRMWARE
#define PKVM_STUB(variant, returns, parameters) \
  &Stub<pkvm::OpId::variant, &op_##variant, returns parameters>::call
#else
#define PKVM_STUB(variant, returns, parameters) &op_##variant
#endif
#define PKVM_SLOT(generation, slot, variant, returns, parameters)            \
  template <>                                                                \
  struct SlotOf<generation, ((slot) < 0 ? -__LINE__ : (slot))> {             \
    static constexpr auto* pointer = &op_##variant;                          \
    static constexpr auto* logged = PKVM_STUB(variant, returns, parameters); \
  };
#define PKVM_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12)           \
  PKVM_SLOT(pkvm::Generation::android14_6_1, g6_1, variant, returns, parameters) \
  PKVM_SLOT(pkvm::Generation::android15_6_6, g6_6, variant, returns, parameters) \
  PKVM_SLOT(pkvm::Generation::android16_6_12, g6_12, variant, returns, parameters)
#include "pkvm/ops.def"
#undef PKVM_SLOT
#undef PKVM_STUB
// NOLINTEND(cppcoreguidelines-macro-usage, bugprone-macro-parentheses)

/// Constant data, as in the kernel: no code fills it in (hyp.lds refuses constructors). Slots that
/// a later release fills are NULL.
template <pkvm::Generation Id, typename Slots>
struct Table;
template <pkvm::Generation Id, int... Slots>
struct Table<Id, std::integer_sequence<int, Slots...>> {
  static constexpr bool has(int slot) {
    return !pkvm::op_name(Id, static_cast<std::size_t>(slot)).empty();
  }
  static inline const void* const slots[] = {
      has(Slots) ? reinterpret_cast<const void*>(SlotOf<Id, Slots>::pointer) : nullptr...};
  static inline const void* const logged[] = {
      has(Slots) ? reinterpret_cast<const void*>(SlotOf<Id, Slots>::logged) : nullptr...};
};
template <pkvm::Generation Id>
OpsTable table_of(OpsLog log) {
  using Slots = std::make_integer_sequence<int, static_cast<int>(pkvm::info(Id).ops_slots)>;
  if (log == OpsLog::on) return Table<Id, Slots>::logged;
  return Table<Id, Slots>::slots;
}

}  // namespace

OpsTable ops_table(pkvm::Generation generation, OpsLog log) {
  switch (generation) {
    case pkvm::Generation::android14_6_1:
      return table_of<pkvm::Generation::android14_6_1>(log);
    case pkvm::Generation::android16_6_12:
      return table_of<pkvm::Generation::android16_6_12>(log);
    case pkvm::Generation::android15_6_6:
      break;
  }
  return table_of<pkvm::Generation::android15_6_6>(log);
}

}  // namespace pkvmemu::hyp::PKVM_CFI_FLAVOUR
// NOLINTEND(readability-identifier-naming)
