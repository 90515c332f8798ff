// SPDX-License-Identifier: GPL-2.0-only
// The log of ops: decoding by the C types of ops.def, pairing, and where a call came from.
#include "observe/ops_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "observe/op_signature.h"

namespace pkvmemu::observe {
namespace {

using pkvm::OpId;
using pkvm::event::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

std::size_t row(OpId id) {
  return static_cast<std::size_t>(id);
}

machine::Event event(Kind kind, std::string_view name, std::initializer_list<std::uint64_t> values,
                     std::string_view text = {}) {
  machine::Event result;
  result.from_hyp = kind == Kind::op_begin || kind == Kind::op_end;
  result.record.kind = kind;
  std::ranges::copy(values, result.record.value);
  std::ranges::copy(name, result.record.name);
  std::ranges::copy(text, result.record.text);
  return result;
}
machine::Event begin(OpId id, std::uint64_t caller, std::uint64_t x0, std::uint64_t x1 = 0) {
  return event(Kind::op_begin, pkvm::op_rows[row(id)].name, {row(id), caller, x0, x1});
}
machine::Event end(OpId id, std::uint64_t x0) {
  return event(Kind::op_end, pkvm::op_rows[row(id)].name, {row(id), x0});
}

// A parameter is its type and its name; commas inside the type of a function pointer separate
// nothing.
TEST(OpSignature, Parameters) {
  EXPECT_THAT(parameters_of("()"), IsEmpty());
  EXPECT_THAT(parameters_of("(u64 pfn, void *va, enum kvm_pgtable_prot prot)"),
              ElementsAre(OpParameter{"u64", "pfn"}, OpParameter{"void *", "va"},
                          OpParameter{"enum kvm_pgtable_prot", "prot"}));
  EXPECT_THAT(parameters_of("(bool (*cb)(struct user_pt_regs *, u64 esr), u64 x)"),
              ElementsAre(OpParameter{"bool (*)(struct user_pt_regs *, u64 esr)", "cb"},
                          OpParameter{"u64", "x"}));
}

// Each argument by its name and type: flags, booleans, strings, characters, pointers, numbers.
TEST(OpSignature, Arguments) {
  EXPECT_THAT(
      argument_texts(row(OpId::map_module_page), std::array<std::uint64_t, 8>{1, 2, 5, 1}, {}),
      ElementsAre("pfn=0x1", "va=0x2", "prot=R|X", "is_protected=true"));
  EXPECT_THAT(argument_texts(row(OpId::create_private_mapping),
                             std::array<std::uint64_t, 8>{0x9000000, 0x1000, 0x8E, 0}, {}),
              ElementsAre("phys=0x9000000", "size=0x1000", "prot=R|W|DEVICE|0x80", "haddr=NULL"));
  EXPECT_THAT(argument_texts(row(OpId::puts), std::array<std::uint64_t, 8>{1}, "a \"b\"\n\x1b"),
              ElementsAre(R"(s="a \"b\"\n?")"));
  EXPECT_THAT(argument_texts(row(OpId::putc), std::array<std::uint64_t, 8>{'x'}, {}),
              ElementsAre(R"(c="x")"));
  EXPECT_THAT(argument_texts(row(OpId::memset), std::array<std::uint64_t, 8>{1, ~0ULL, 3}, {}),
              ElementsAre("dst=0x1", "c=-1", "count=0x3"));
}

// Errors are named, addresses are hexadecimal, and void has no answer.
TEST(OpSignature, Results) {
  EXPECT_EQ(result_text(row(OpId::host_share_hyp), 0), "0");
  EXPECT_EQ(result_text(row(OpId::host_share_hyp), 0xFFFF'FFFF), "-1 (EPERM)");
  EXPECT_EQ(result_text(row(OpId::hyp_alloc), 0), "NULL");
  EXPECT_EQ(result_text(row(OpId::hyp_alloc), 0x20), "0x20");
  EXPECT_EQ(result_text(row(OpId::list_del_entry_valid_or_report), 0x101), "true");
  EXPECT_EQ(result_text(row(OpId::puts), 7), "");
}

// Every op has a name for each of its parameters.
TEST(OpSignature, EveryParameterHasAName) {
  for (const OpSignature& op : op_signatures)
    for (const OpParameter& parameter : parameters_of(op.parameters)) {
      EXPECT_NE(parameter.name, "") << op.parameters;
      EXPECT_NE(parameter.type, "") << op.parameters;
    }
}

// A call shows when it returns, with the symbol that made it; one that never returns stays open.
TEST(OpsLog, PairsCallsAndPlacesThem) {
  OpsLog log([](std::string_view module, std::uint64_t offset) {
    return offset == 0x10 ? std::string(module) + "_init+0x10" : std::string();
  });
  log.add(event(Kind::module_el2_placed, "hello", {0x1000, 0x3000, 0x2000}));
  EXPECT_FALSE(log.add(begin(OpId::host_share_hyp, 0x2010, 0x50)));
  EXPECT_EQ(log.add(end(OpId::host_share_hyp, 0)),
            "op host_share_hyp(pfn=0x50) = 0  hello_init+0x10 [hello]");
  log.add(begin(OpId::putx64, 0x2020, 1));
  EXPECT_EQ(log.add(end(OpId::putx64, 0)), "op putx64(x=0x1)  hello+0x1020");
  log.add(begin(OpId::hyp_free, 0x9000, 1));
  ASSERT_EQ(log.calls().size(), 3U);
  EXPECT_EQ(line_of(log.calls()[2]), "op hyp_free(addr=0x1): never returned");
}

// Ops that call back into ops nest; records out of order or out of range break nothing.
TEST(OpsLog, SurvivesNestingAndNonsense) {
  OpsLog log;
  EXPECT_FALSE(log.add(end(OpId::puts, 0)));
  log.add(begin(OpId::puts, 0, 1));
  log.add(begin(OpId::putx64, 0, 2));
  EXPECT_EQ(log.add(end(OpId::putx64, 0)), "op putx64(x=0x2)");
  EXPECT_EQ(log.add(end(OpId::puts, 0)), "op puts(s=\"\")");
  log.add(event(Kind::op_begin, "bogus", {12345}));
  EXPECT_EQ(log.add(event(Kind::op_end, "bogus", {12345, 1})), "op bogus()");
}

}  // namespace
}  // namespace pkvmemu::observe
