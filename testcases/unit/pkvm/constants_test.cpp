// SPDX-License-Identifier: GPL-2.0-only
// Constants of the firmware and of the contract against the specification's
// (testcases/data/abi/constants.txt): ours are the specification's, none of its is missing without
// a reason, and we have none that it has not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "abi_data.h"
#include "harness/generation_printer.h"
#include "host/module/arch_hyp.h"
#include "hyp/abi_types.h"
#include "hyp/descriptor.h"
#include "hyp/hyp_events.h"
#include "hyp/ownership.h"
#include "hyp/prot.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"
#include "pkvm/vm.h"

namespace pkvm {
namespace {

using pkvmemu::hyp::Owner;
using pkvmemu::hyp::PageState;
using pkvmemu::hyp::Prot;

/// "2.4 module.size" -> value; nullopt where the specification gives a reason instead.
using Constants = std::map<std::string, std::optional<std::uint64_t>>;

/// -1 or 0x1F, as 64 bits.
std::uint64_t number(const std::string& text) {
  constexpr int any_base = 0;
  if (text.starts_with('-')) return static_cast<std::uint64_t>(std::stoll(text));
  return std::stoull(text, nullptr, any_base);
}

Constants specified(Generation id) {
  Constants constants;
  for (const std::string& line : abi_lines("constants.txt")) {
    const SpecifiedConstant row = specified_constant(line);
    if (row.kmi != "*" && row.kmi != info(id).kmi) continue;
    const auto value = row.is_ours ? std::optional(number(row.value)) : std::nullopt;
    EXPECT_TRUE(constants.emplace(row.section + " " + row.name, value).second) << "twice: " << line;
  }
  return constants;
}

class Ours {
 public:
  explicit Ours(Generation id) : id_(id) {}

  Constants all() {
    prototypes();
    module_layout();
    calls();
    states();
    descriptors();
    machines();
    return std::move(constants_);
  }

 private:
  template <typename Value>
  void add(std::string_view name, Value value) {
    constants_[std::string(name)] = static_cast<std::uint64_t>(value);
  }
  /// A field that the generation may lack.
  void add_field(std::string_view name, std::uint16_t offset) {
    if (offset != pkvmemu::kmod::no_field) add("2.4 el2_module." + std::string(name), offset);
  }

  void prototypes() {
    add("1.1 prot.X", Prot::x);
    add("1.1 prot.W", Prot::w);
    add("1.1 prot.R", Prot::r);
    add("1.1 prot.DEVICE", Prot::device);
    add("1.1 prot.NC", Prot::nc);
    add("1.1 prot.PXN", Prot::pxn);
    add("1.1 prot.UXN", Prot::uxn);
    add("1.1 prot.PAGE_HYP", pkvmemu::hyp::prot_rw.value);
    add("1.1 prot.PAGE_HYP_EXEC", pkvmemu::hyp::prot_rx.value);
    add("1.1 prot.PAGE_HYP_RO", pkvmemu::hyp::prot_ro.value);
    add("1.1 prot.PAGE_HYP_DEVICE", pkvmemu::hyp::prot_device.value);
    add("1.1 prot.PKVM_HOST_MEM_PROT", pkvmemu::hyp::prot_rwx.value);
    add("1.1 prot.PKVM_HOST_MMIO_PROT", pkvmemu::hyp::prot_rw.value);
    add("1.1 psci.CPU_SUSPEND", PKVM_PSCI_CPU_SUSPEND);
    add("1.1 psci.SYSTEM_SUSPEND", PKVM_PSCI_SYSTEM_SUSPEND);
    add("1.1 psci.CPU_ENTRY", PKVM_PSCI_CPU_ENTRY);
    add("1.1 user_pt_regs.regs", offsetof(user_pt_regs, regs));
    add("1.1 user_pt_regs.sp", offsetof(user_pt_regs, sp));
    add("1.1 user_pt_regs.pc", offsetof(user_pt_regs, pc));
    add("1.1 user_pt_regs.pstate", offsetof(user_pt_regs, pstate));
    add("1.1 user_pt_regs.size", sizeof(user_pt_regs));
    if (id_ == Generation::android16_6_12)
      add("1.1 pkvm_sglist_page.size", pkvmemu::hyp::PageBlockList::entry_size);
  }

  void module_layout() {
    const pkvmemu::kmod::ArchHypFields& fields = pkvmemu::kmod::arch_hyp(id_);
    constexpr std::array<std::string_view, pkvmemu::kmod::hyp_part_count> parts = {
        "text", "bss", "rodata", "data", "event_ids", "patchable_function_entries"};
    for (std::size_t i = 0; i < parts.size(); ++i)
      add_field(parts.at(i), fields.part.at(i));
    add_field("sections", fields.sections);
    add_field("hyp_events", fields.hyp_events);
    add_field("nr_hyp_events", fields.nr_hyp_events);
    add_field("hyp_printk_fmts", fields.printk_fmts);
    add_field("nr_hyp_printk_fmts", fields.nr_printk_fmts);
    add_field("relocs", fields.relocs);
    add_field("nr_relocs", fields.nr_relocs);
    // Where 6.6 has the token, 6.12 has the address itself.
    add_field(id_ == Generation::android16_6_12 ? "hyp_va" : "token", fields.token);
    const ModuleLayout& module = info(id_).module;
    add("2.4 el2_module.init", module.hyp_init);
    add("2.4 el2_module.size", module.hyp_size);
    add("2.4 module.size", module.size);
    add("2.4 module.name", module.name);
    add("2.4 module.init", module.init);
    add("2.4 module.arch_hyp", module.arch_hyp);
    add("2.4 module.exit", module.exit);
    if (const std::size_t ranges = pkvmemu::hyp::event_ranges(id_); ranges != 0)
      add("2.8 event.ranges", ranges);
  }

  void calls() {
    constexpr std::uint32_t base = smccc::kvm_host_base;
    add("4.1 id.fast_call", base >> 31U);
    add("4.1 id.64_bit", (base >> 30U) & 1U);
    add("4.1 id.owner", (base >> 24U) & 0x3FU);
    add("4.1 id.reserved", (base >> 16U) & 0xFFU);
    add("4.1 id.sve_hint", smccc::sve_hint);
    add("4.1 id.base", smccc::kvm_host_id(0));
    add("4.1 id.number_mask", smccc::kvm_host_id(~0U) - base);
    add("4.1 id.first_dynamic", first_dynamic_call);
    add("4.1 id.first_dynamic_id", smccc::kvm_host_id(first_dynamic_call));
    add("4.1 result.SUCCESS", smccc::success);
    add("4.1 result.NOT_SUPPORTED", smccc::not_supported);
    add("4.1 result.NOT_REQUIRED", smccc::not_required);
    add("4.1 result.INVALID_PARAMETER", smccc::invalid_parameter);
    add("4.2 id.dynamic_calls", max_dynamic_calls);
    add("5.1 split.last_early", info(id_).first_late_call - 1);
    add("5.1 split.prot_finalize", *hypercall_number(id_, Hypercall::pkvm_prot_finalize));
    add("5.1 split.table_size", info(id_).static_calls);
  }

  void states() {
    using pkvmemu::hyp::state_attribute;
    add("7.3 state.owned.bits", state_attribute(PageState::owned));
    add("7.3 state.shared_owned.bits", state_attribute(PageState::shared_owned));
    add("7.3 state.shared_borrowed.bits", state_attribute(PageState::shared_borrowed));
    if (!pkvmemu::hyp::ownership_rules(id_).state_in_tables) {
      add("7.3 state.owned", PageState::owned);
      add("7.3 state.shared_owned", PageState::shared_owned);
      add("7.3 state.shared_borrowed", PageState::shared_borrowed);
      add("7.3 state.third", PageState::tainted);
      add("7.3 state.no_page", PageState::no_page);
      add("7.3 state.restricted", PageState::restricted);
      add("7.3 state.module", PageState::module_owned);
    }
    constexpr std::array<std::string_view, pkvmemu::hyp::owner_count> owners = {
        "HOST", "HYP", "GUEST", "FFA", "PROTECTED"};
    for (std::size_t i = 0; i < owners.size(); ++i)
      add("7.3 owner." + std::string(owners.at(i)),
          pkvmemu::hyp::owner_id(id_, static_cast<Owner>(i)));
    add("7.3 annotation.owner_mask",
        pkvmemu::hyp::owner_annotation(pkvmemu::hyp::OwnerId{0xFF}).value);
    add("7.3 annotation.mmio", pkvmemu::hyp::mmio_note(id_).value);
  }

  void descriptors() {
    using namespace pkvmemu::hyp;
    const auto stage1 = [&](std::uint64_t prot) {
      return hyp_attributes(Prot{prot}, PageState::owned, id_).value_or(~std::uint64_t{0});
    };
    const auto stage2 = [](std::uint64_t prot) {
      return stage2_attributes(Prot{prot}, PageState::owned);
    };
    constexpr std::uint64_t attr_index = 0x1C;
    constexpr std::uint64_t access_permissions = 0xC0;
    constexpr std::uint64_t memory_attribute = 0x3C;
    constexpr std::uint64_t execute_never = std::uint64_t{3} << 53U;
    add("7.4 descriptor.valid", descriptor_valid);
    add("7.4 descriptor.table", descriptor_table);
    add("7.4 descriptor.shareability", stage1(Prot::r) & stage2(Prot::r) & 0x300U);
    add("7.4 descriptor.access_flag", descriptor_access_flag);
    add("7.4 descriptor.address", descriptor_address);
    add("7.4 descriptor.state_shift", descriptor_state_shift);
    add("7.4 stage1.normal", stage1(Prot::r) & attr_index);
    add("7.4 stage1.nc", stage1(Prot::r | Prot::nc) & attr_index);
    add("7.4 stage1.device", stage1(Prot::r | Prot::device) & attr_index);
    add("7.4 stage1.rw", stage1(Prot::r | Prot::w) & access_permissions);
    add("7.4 stage1.ro", stage1(Prot::r) & access_permissions);
    add("7.4 stage1.xn", stage1(Prot::r) ^ stage1(Prot::r | Prot::x));
    add("7.4 stage2.normal", stage2(Prot::r) & memory_attribute);
    add("7.4 stage2.nc", stage2(Prot::r | Prot::nc) & memory_attribute);
    add("7.4 stage2.device", stage2(Prot::r | Prot::device) & memory_attribute);
    add("7.4 stage2.r", stage2(Prot::r) ^ stage2(0));
    add("7.4 stage2.w", stage2(Prot::w) ^ stage2(0));
    add("7.4 stage2.xn.none", stage2(Prot::r) & execute_never);
    add("7.4 stage2.xn.px", stage2(Prot::x) & execute_never);
    add("7.4 stage2.xn.pxn", stage2(Prot::x | Prot::pxn) & execute_never);
    add("7.4 stage2.xn.uxn", stage2(Prot::x | Prot::uxn) & execute_never);
  }

  void machines() {
    add("9.1 vm.type_protected", vm_type_protected);
    add("9.1 vm.max", max_vms);
    add("9.1 vm.first_handle", first_vm_handle);
    add("9.1 vm.no_pvmfw_address", no_pvmfw_address);
  }

  Generation id_;
  Constants constants_;
};

class EveryConstant : public testing::TestWithParam<GenerationInfo> {};
INSTANTIATE_TEST_SUITE_P(Abi, EveryConstant, testing::ValuesIn(generations),
                         [](const auto& instance) {
                           return pkvmemu::test::slug_of(instance.param);
                         });

// Each constant of the specification has our value or a reason; ours are all in it.
TEST_P(EveryConstant, IsTheSpecifications) {
  const Constants specification = specified(GetParam().id);
  ASSERT_GT(specification.size(), 100U);
  const Constants ours = Ours(GetParam().id).all();
  for (const auto& [name, value] : ours) {
    const auto row = specification.find(name);
    if (row == specification.end())
      ADD_FAILURE() << name << ": the specification has no such constant";
    else
      EXPECT_EQ(value, row->second) << name;
  }
  for (const auto& [name, value] : specification)
    if (value) EXPECT_TRUE(ours.contains(name)) << name << ": neither ours nor a reason";
}

}  // namespace
}  // namespace pkvm
