// SPDX-License-Identifier: GPL-2.0-only
// The ops tables against the slots of pkvm-abi.md 1.2 to 1.4, and the kCFI words before
// their functions.
#include "pkvm/ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "hyp/ops_table.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;

constexpr std::array flavours = {CfiFlavour::plain, CfiFlavour::normalized};

std::uint32_t word_before_slot(OpsTable table, std::size_t slot) {
  std::uint32_t word = 0;
  std::memcpy(&word, static_cast<const char*>(table[slot]) - sizeof(word), sizeof(word));
  return word;
}

template <typename Function>
Function* op(Generation id, std::size_t slot) {
  return reinterpret_cast<Function*>(const_cast<void*>(ops_table(id, CfiFlavour::plain)[slot]));
}

// Each table has its generation's size; named slots have a function, KABI reserves are NULL.
TEST(OpsTableTest, SlotsAreFilledAsDescribed) {
  for (const pkvm::GenerationInfo& generation : pkvm::generations)
    for (const CfiFlavour flavour : flavours) {
      const OpsTable table = ops_table(generation.id, flavour);
      ASSERT_EQ(table.size(), generation.ops_slots);
      for (std::size_t slot = 0; slot < table.size(); ++slot)
        EXPECT_EQ(table[slot] != nullptr, !op_name(generation.id, slot).empty())
            << generation.kmi << " slot " << slot;
    }
}

// Landmarks of the three layouts, as the specification numbers them.
TEST(OpsTableTest, LandmarksStandWhereTheSpecificationSays) {
  struct Row {
    std::string_view name;
    std::array<int, 3> slot;
  };
  for (const Row& row :
       {Row{"create_private_mapping", {0, 0, 0}}, Row{"putc", {-1, 4, 4}}, Row{"puts", {4, 5, 5}},
        Row{"fixblock_map", {-1, -1, 9}}, Row{"host_donate_hyp", {21, 23, 28}},
        Row{"hyp_donate_host", {22, 25, 31}}, Row{"memcpy", {27, 30, 36}},
        Row{"kern_hyp_va", {31, 34, 40}}, Row{"host_stage2_mod_prot_range", {32, -1, -1}},
        Row{"list_add_valid_or_report", {-1, 44, 54}}, Row{"hyp_smp_processor_id", {-1, 53, 59}},
        Row{"host_stage2_disable_lazy_pte", {-1, 56, 20}},
        Row{"device_register_reset", {-1, -1, 60}}})
    for (const pkvm::GenerationInfo& generation : pkvm::generations) {
      int found = -1;
      for (const pkvm::OpRow& candidate : pkvm::op_rows)
        if (candidate.name == row.name && candidate.slot_in(generation.id) >= 0)
          found = candidate.slot_in(generation.id);
      EXPECT_EQ(found, row.slot[static_cast<std::size_t>(generation.id)])
          << row.name << " in " << generation.kmi;
    }
}

// No slot is described twice, and every slot below the first reserve is described.
TEST(OpsTableTest, SlotsAreDenseAndUnique) {
  for (const pkvm::GenerationInfo& generation : pkvm::generations) {
    std::array<unsigned, 93> uses{};
    for (const pkvm::OpRow& row : pkvm::op_rows)
      if (row.slot_in(generation.id) >= 0)
        ++uses.at(static_cast<std::size_t>(row.slot_in(generation.id)));
    const auto first_reserve = std::ranges::find(uses, 0U);
    EXPECT_TRUE(std::all_of(uses.begin(), first_reserve, [](unsigned n) { return n == 1; }));
    EXPECT_TRUE(std::all_of(first_reserve, uses.end(), [](unsigned n) { return n == 0; }));
    const std::array<long, 3> described = {33, 59, 61};  // later releases included
    EXPECT_EQ(first_reserve - uses.begin(), described[static_cast<std::size_t>(generation.id)]);
  }
}

// The compiler's words for the two types that every module's entry points have; a wrong mangling
// of kernel types in abi_types.h shows here.
int an_init(const pkvm_module_ops* /*ops*/) {
  return 0;
}
void a_handler(user_pt_regs* /*regs*/) {}
void a_putc(char /*c*/) {}
bool a_trap(user_pt_regs* /*regs*/) {
  return true;
}
void a_notifier(pkvm_psci_notification /*what*/, user_pt_regs* /*regs*/) {}
bool a_guest_smc(arm_smccc_1_2_regs* /*regs*/, arm_smccc_1_2_regs* /*res*/,
                 pkvm_handle_t /*handle*/) {
  return true;
}
bool an_unmask() {
  return true;
}
void a_mask() {}

// The constants in cfi.h are the words this compiler writes, and a call checks by them.
TEST(CfiTest, KnownTypesHaveTheMeasuredWords) {
  EXPECT_EQ(init_cfi_type.hash(CfiFlavour::plain), 0xc382'd712U);
  EXPECT_EQ(handler_cfi_type.hash(CfiFlavour::plain), 0xe763'81d2U);
  const auto word = [](auto* function) {
    return word_before(HypVa{reinterpret_cast<std::uint64_t>(function)});
  };
  EXPECT_EQ(word(an_init), init_cfi_type.hash(CfiFlavour::plain));
  EXPECT_EQ(word(a_handler), handler_cfi_type.hash(CfiFlavour::plain));
  EXPECT_EQ(word(a_putc), putc_cfi_type.hash(CfiFlavour::plain));
  EXPECT_EQ(word(a_trap), trap_cfi_type.hash(CfiFlavour::plain));
  EXPECT_EQ(word(a_notifier), psci_cfi_type.hash(CfiFlavour::plain));
  EXPECT_EQ(word(a_guest_smc), guest_smc_cfi_type.hash(CfiFlavour::plain));
  EXPECT_EQ(word(an_unmask), unmask_serror_cfi_type.hash(CfiFlavour::plain));
  EXPECT_EQ(word(a_mask), mask_serror_cfi_type.hash(CfiFlavour::plain));
}

// An init function's word tells the flavour; one without a word is no flavour at all.
TEST(CfiTest, FlavourIsReadFromTheInitFunction) {
  std::array<std::uint32_t, 2> code = {0, 0xd65f'03c0};
  const HypVa init{reinterpret_cast<std::uint64_t>(&code[1])};
  EXPECT_EQ(flavour_of_init(init), CfiFlavour::none);
  code[0] = 0xc382'd712;
  EXPECT_EQ(flavour_of_init(init), CfiFlavour::plain);
  code[0] = 0xf175'f853;
  EXPECT_EQ(flavour_of_init(init), CfiFlavour::normalized);
}

// The slots of one type carry one word, of different types different ones, in each flavour.
TEST(CfiTest, EverySlotHasAWordOfItsFlavour) {
  const OpsTable plain = ops_table(Generation::android15_6_6, CfiFlavour::plain);
  const OpsTable other = ops_table(Generation::android15_6_6, CfiFlavour::normalized);
  EXPECT_EQ(word_before_slot(plain, 26), word_before_slot(plain, 27)) << "int (u64)";
  EXPECT_NE(word_before_slot(plain, 26), word_before_slot(plain, 25)) << "int (u64, u64)";
  EXPECT_NE(word_before_slot(plain, 26), word_before_slot(other, 26)) << "of another flavour";
  for (std::size_t slot = 0; slot < 57; ++slot)
    EXPECT_NE(word_before_slot(plain, slot), word_before_slot(other, slot)) << slot;
}

// A callback whose word is not its type's is caught, and one without hashes in its module is not.
TEST(CfiDeathTest, WrongCallbackTypeIsCaught) {
  const HypVa function{reinterpret_cast<std::uint64_t>(&a_handler)};
  check_callee(function, 0);
  check_callee(function, handler_cfi_type.hash(CfiFlavour::plain));
  EXPECT_DEATH(check_callee(function, putc_cfi_type.hash(CfiFlavour::plain)), "CFI");
}

// The stored value follows the rule whatever the CPU has; the register only where there is one.
TEST(OpsTableTest, HfgwtrIsStoredAndWrittenWhereItExists) {
  const World world;
  auto* update = op<void(unsigned long, unsigned long)>(Generation::android15_6_6, 13);
  update(0xF0, 0x10);
  EXPECT_EQ(this_cpu().params.hfgwtr_el2, 0xE0U);
  EXPECT_EQ(arch::fake::state().hfgwtr_el2, 0U);
  constexpr std::uint64_t has_fgt = std::uint64_t{1} << 56;
  arch::write<arch::Sysreg::id_aa64mmfr0_el1>(has_fgt);
  update(0x1, 0x80);
  EXPECT_EQ(this_cpu().params.hfgwtr_el2, 0x61U);
  EXPECT_EQ(arch::fake::state().hfgwtr_el2, 0x61U);
}

// The conversions are plain arithmetic; kern_hyp_va leaves other addresses alone from 6.6 on.
TEST(OpsTableTest, AddressConversions) {
  struct Row {
    Generation id;
    std::size_t slot;
    bool always;
  };
  for (const Row& row :
       {Row{Generation::android14_6_1, 31, true}, Row{Generation::android15_6_6, 34, false}}) {
    const World world(row.id);
    hyp_boot_info.kern_va_mask = 0x3F'FFFF'FFFF;
    hyp_boot_info.kern_va_tag = 0x40'0000'0000;
    auto* kern_hyp_va = op<unsigned long(unsigned long)>(row.id, row.slot);
    EXPECT_EQ(kern_hyp_va(0xFFFF'FF81'1234'5678), 0x41'1234'5678U);
    EXPECT_EQ(kern_hyp_va(0x1234) == 0x1234, !row.always);
  }
}

std::string printed;
void collect(char c) {
  printed += c;
}

// Nothing is printed without a serial driver; with one, the forms of puts and putx64 are fixed; a
// second driver is refused.
TEST(OpsTableTest, SerialOutput) {
  const World world;
  constexpr Generation id = Generation::android15_6_6;
  printed.clear();
  op<void(const char*)>(id, 5)("dropped");
  EXPECT_EQ(op<int(void (*)(char))>(id, 3)(collect), 0);
  op<void(const char*)>(id, 5)("hi");
  op<void(char)>(id, 4)('!');
  op<void(u64)>(id, 6)(0xbeef);
  EXPECT_EQ(printed, "hi\n\r!0x000000000000beef\n\r");
  EXPECT_EQ(op<int(void (*)(char))>(id, 3)(collect), -16);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
