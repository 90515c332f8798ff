// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/module_init.h"

#include "hyp/cfi.h"
#include "hyp/hypervisor.h"
#include "hyp/ops_log.h"
#include "hyp/ops_table.h"
#include "hyp/registrations.h"
#include "lib/address_cast.h"
#include "lib/fault.h"
#include "pkvm/event.h"

// NOLINTBEGIN(readability-identifier-naming): the ABI's names (pkvm-abi.md 2.4, column of 6.12)
struct pkvm_module_section {
  u64 start;
  u64 end;
};
struct pkvm_el2_module {
  pkvm_module_section text;
  pkvm_module_section bss;
  pkvm_module_section rodata;
  pkvm_module_section data;
  pkvm_module_section event_ids;
  pkvm_module_section patchable_function_entries;
  pkvm_module_section sections;  ///< the whole, by kernel addresses
  u64 hyp_va;                    ///< where `sections` starts at EL2
  u64 hyp_events;
  u64 hyp_printk_fmts;
  u32 nr_hyp_events;
  u32 nr_hyp_printk_fmts;
  u64 relocs;
  u64 node[2];
  u64 ext_symbols[2];
  u32 nr_relocs;
  u64 init;  ///< kernel address
};
// NOLINTEND(readability-identifier-naming)

namespace {
constexpr pkvm::ModuleLayout layout_6_12 = pkvm::info(pkvm::Generation::android16_6_12).module;
static_assert(sizeof(pkvm_el2_module) == layout_6_12.hyp_size);
static_assert(offsetof(pkvm_el2_module, init) == layout_6_12.hyp_init);
static_assert(offsetof(pkvm_el2_module, sections) == 96 &&
              offsetof(pkvm_el2_module, hyp_va) == 112);
}  // namespace

namespace pkvmemu::hyp {

int init_described_module(HypVa descriptor) {
  const auto& module = *fw::object_at<const pkvm_el2_module>(descriptor);
  Hypervisor& hyp = hypervisor();
  const auto hyp_va = [&module](u64 kernel) {
    return HypVa{kernel - module.sections.start + module.hyp_va};
  };
  // Its result is nobody's business (2.8).
  if (module.event_ids.start != module.event_ids.end)
    // NOLINTNEXTLINE(bugprone-unused-return-value)
    (void)hyp.trace_events.add(hyp_va(module.event_ids.start), hyp_va(module.event_ids.end),
                               event_ranges(hyp.generation));
  return init_module(HypVa{module.init - module.sections.start + module.hyp_va});
}

namespace {

int run_init(HypVa init) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.module.init", Errno::enomem,
                                               "__pkvm_init_module, before the module's init runs"))
    return fault.answer;
  Hypervisor& hyp = hypervisor();
  // Its hash is what tells the flavour, so there is nothing left to compare for init itself. A
  // function without a hash may be the first thing in its module, with nothing mapped before it.
  const HypVa word = init - sizeof(std::uint32_t);
  const bool same_page = word.value / page_size == init.value / page_size;
  const bool has_word = same_page || (hyp.space && hyp.space->is_mapped(word));
  const CfiFlavour flavour = has_word ? flavour_of_init(init) : CfiFlavour::none;
  hyp.modules.set_flavour(init, flavour);
  const pkvm_module_ops* ops =
      module_ops(hyp.generation, flavour, logs_ops() ? OpsLog::on : OpsLog::off);
  const int result = fw::function_at<int(const pkvm_module_ops*)>(init)(ops);
  hyp.events.emit(pkvm::event::Kind::module_init,
                  {init.value, static_cast<std::uint64_t>(std::int64_t{result})});
  return result;
}

}  // namespace

int init_module(HypVa init) {
  const int result = run_init(init);
  if (result == 0) return result;
  Hypervisor& hyp = hypervisor();
  const auto defects =
      hyp_boot_info.as_shipped != 0 ? pkvm::Defects::reproduced : pkvm::Defects::avoided;
  drop_registrations(hyp, hyp.modules.range_of(init), defects);
  return result;
}

}  // namespace pkvmemu::hyp
