// SPDX-License-Identifier: GPL-2.0-only
// Long random sequences of everything that moves pages or changes their permission, and of accesses
// of the host, against the model: after each step the answer, after every few the whole of both
// page tables. No page is lost, none is owned twice, none can be reached that should not.
//
// PKVMEMU_PROPERTY_STEPS sets the number of steps for each generation, PKVMEMU_SEED the seed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>
#include <string>

#include "harness/generation_printer.h"
#include "harness/random_seed.h"
#include "hyp/host_abort.h"
#include "hyp/ops_memory.h"
#include "hyp/trap.h"
#include "memory_model.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using arch::Sysreg;
using pkvmemu::test::from_environment;
using pkvmemu::test::Holder;
using pkvmemu::test::MemoryModel;
using pkvmemu::test::ModelPage;

constexpr std::size_t page_count = 512;
/// The model's pages lie across a 2 MiB block's end, with neighbours on both sides.
constexpr std::size_t first_page = 256;
constexpr std::size_t world_pages = 1024;
constexpr std::size_t longest_range = 8;
constexpr std::size_t most_restricted = 8;

constexpr Pa page_pa(std::size_t n) {
  return host_page(first_page + n);
}
constexpr std::uint64_t page_frame(std::size_t n) {
  return frame(page_pa(n));
}

class MemoryProperty : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static constexpr std::array<std::uint8_t, 6> prots = {
      0,
      ModelPage::r,
      ModelPage::r | ModelPage::w,
      ModelPage::r | ModelPage::x,
      ModelPage::rwx,
      ModelPage::rwx,
  };

  World world{GetParam().id};
  Vmemmap pages = world.vmemmap();
  MemoryModel<page_count> model{GetParam().id};
  std::mt19937_64 random;
  std::string step_text;
  std::uint64_t accepted = 0;
  std::size_t restricted = 0;

  std::uint64_t draw(std::uint64_t below) { return random() % below; }
  HypVa hyp_va(std::size_t n) const { return world.space().linear().hyp_va(page_pa(n)); }

  /// One step: what it was stands in step_text, and whether both agree is the result.
  bool step();
  bool likely_step(std::size_t n);
  bool agree(std::string text, int expected, int actual);
  bool touch(std::size_t n, std::uint8_t access);
  bool donate_list(std::size_t first, std::size_t count);
  bool donate_read_only(std::size_t n);
  bool lazy(std::size_t first, std::size_t count);
  bool pins(std::size_t first, std::size_t count);

  /// Both tables against the model; the first difference in words.
  std::string difference() const;
  std::string difference(std::size_t n) const;
  std::string neighbour_difference(std::size_t n) const;
};

bool MemoryProperty::agree(std::string text, int expected, int actual) {
  accepted += expected == 0 ? 1 : 0;
  step_text = fmt::format("{}: the model says {}, the hypervisor {}", text, expected, actual);
  return expected == actual;
}

/// The host's access as the CPU makes it: it faults as often as its stage 2 says so.
bool MemoryProperty::touch(std::size_t n, std::uint8_t access) {
  constexpr std::uint64_t data_abort = std::uint64_t{0x24} << 26;
  constexpr std::uint64_t host_pc = 0xFFFF'FFC0'8001'0000;
  const Pa pa = page_pa(n);
  bool reached = false;
  bool injected = false;
  for (int round = 0; round < 3 && !reached && !injected; ++round) {
    const Leaf leaf = world.host().leaf(pa);
    const bool valid = is_valid(leaf.descriptor);
    reached = valid && stage2_permission(leaf.descriptor).has(access);
    if (reached) break;
    const std::uint64_t status = (valid ? 0x0C : 0x04) | leaf.level;
    arch::fake::state().par = pa.value;
    arch::write<Sysreg::esr_el2>(data_abort | status);
    arch::write<Sysreg::far_el2>(0);
    arch::write<Sysreg::hpfar_el2>((pa.value >> page_shift) << 4);
    arch::write<Sysreg::elr_el2>(host_pc);
    user_pt_regs regs{};
    hyp_handle_trap(&regs);
    injected = arch::read<Sysreg::elr_el2>() != host_pc;
  }
  return agree(fmt::format("touch page {} for {}", n, access), model.host_may(n, access) ? 1 : 0,
               reached ? 1 : 0);
}

/// Two blocks of one page each (6.12).
bool MemoryProperty::donate_list(std::size_t first, std::size_t count) {
  const std::size_t second = first + count;
  std::array<std::uint8_t, 2 * PageBlockList::entry_size> list{};
  for (std::size_t i = 0; i < 5; ++i) {
    list[i] = static_cast<std::uint8_t>(page_frame(first) >> (8 * i));
    list[6 + i] = static_cast<std::uint8_t>(page_frame(second) >> (8 * i));
  }
  const bool good = model[first].holder == Holder::host && model[second].holder == Holder::host;
  if (good) {
    model.donate(first, 1);
    model.donate(second, 1);
  }
  return agree(fmt::format("donate list {} {}", first, second), good ? 0 : -1,
               ops::host_donate_sglist_hyp(list.data(), 2));
}

bool MemoryProperty::lazy(std::size_t first, std::size_t count) {
  Ownership& owners = world.ownership();
  const bool on = draw(2) == 0;
  // References are counted, so each range is switched on once and off once.
  if (!model.all_lazy(first, count, !on)) return true;
  return agree(fmt::format("lazy {} {} {}", on, first, count), model.set_lazy(first, count, on),
               to_int(on ? owners.host_enable_lazy(page_frame(first), count)
                         : owners.host_disable_lazy(page_frame(first), count)));
}

/// Such a page never comes back, so there are few of them.
bool MemoryProperty::donate_read_only(std::size_t n) {
  if (restricted == most_restricted) return true;
  const int expected = model.donate_read_only(n, 1);
  restricted += expected == 0 ? 1 : 0;
  return agree(
      fmt::format("donate read-only {}", n), expected,
      to_int(world.ownership().host_donate_hyp(page_frame(n), 1, Accept::memory_only, prot_ro)));
}

bool MemoryProperty::pins(std::size_t first, std::size_t count) {
  Ownership& owners = world.ownership();
  const HypVa from = hyp_va(first) + 8;
  const HypVa to = hyp_va(first + count - 1) + 16;
  if (draw(2) == 0)
    return agree(fmt::format("pin {} {}", first, count), model.pin(first, count),
                 to_int(owners.pin_shared(from, to)));
  if (!model.can_unpin(first, count)) return true;
  model.unpin(first, count);
  owners.unpin_shared(from, to);
  return true;
}

/// Something that the page's holder allows, so that pages keep moving.
bool MemoryProperty::likely_step(std::size_t n) {
  Ownership& owners = world.ownership();
  const std::uint64_t pfn = page_frame(n);
  const ModelPage& page = model[n];
  switch (page.holder) {
    case Holder::host:
      if (draw(2) == 0)
        return agree(fmt::format("donate {}", n), model.donate(n, 1),
                     to_int(owners.host_donate_hyp(pfn, 1, Accept::memory_only, prot_rw)));
      return agree(fmt::format("share {}", n), model.share(n), to_int(owners.host_share_hyp(pfn)));
    case Holder::shared:
      if (page.pins != 0) {
        model.unpin(n, 1);
        owners.unpin_shared(hyp_va(n), hyp_va(n) + 1);
        return true;
      }
      return agree(fmt::format("unshare {}", n), model.unshare(n),
                   to_int(owners.host_unshare_hyp(pfn)));
    case Holder::hyp:
    case Holder::restricted:
      return agree(fmt::format("return {}", n), model.give_back(n, 1),
                   to_int(owners.hyp_donate_host(pfn, 1)));
    case Holder::marked:
    case Holder::taken:
      return agree(fmt::format("restore {}", n), model.mod_prot(n, 1, ModelPage::rwx),
                   to_int(owners.host_mod_prot(pfn, prot_rwx, 1)));
  }
  return true;
}

bool MemoryProperty::step() {
  Ownership& owners = world.ownership();
  const std::size_t first = draw(page_count - (2 * longest_range));
  if (draw(2) == 0) return likely_step(first);
  // Long ranges are mostly refused, as they seldom are in one state.
  const std::size_t count = draw(4) == 0 ? 1 + draw(longest_range) : 1;
  const std::uint64_t pfn = page_frame(first);
  const std::string range = fmt::format("{} {}", first, count);
  switch (draw(12)) {
    case 0:
      return agree("donate " + range, model.donate(first, count),
                   to_int(owners.host_donate_hyp(pfn, count, Accept::memory_only, prot_rw)));
    case 1:
    case 2:
      return agree("return " + range, model.give_back(first, count),
                   to_int(owners.hyp_donate_host(pfn, count)));
    case 3:
      return agree("share " + range, model.share(first), to_int(owners.host_share_hyp(pfn)));
    case 4:
      return agree("unshare " + range, model.unshare(first), to_int(owners.host_unshare_hyp(pfn)));
    case 5:
    case 6: {
      const std::uint8_t prot = prots.at(draw(prots.size()));
      return agree(fmt::format("mod_prot {} {}", range, prot), model.mod_prot(first, count, prot),
                   to_int(owners.host_mod_prot(pfn, Prot{prot}, count)));
    }
    case 7:
      return pins(first, count);
    case 8:
      return GetParam().id == pkvm::Generation::android14_6_1 || lazy(first, count);
    case 9:
      if (GetParam().id != pkvm::Generation::android16_6_12) return true;
      return donate_list(first, count);
    case 10:
      return donate_read_only(first);
    default:
      return touch(first, static_cast<std::uint8_t>(1U << draw(3)));
  }
}

std::string MemoryProperty::difference(std::size_t n) const {
  const Pa pa = page_pa(n);
  const ModelPage& page = model[n];
  const Descriptor host = world.host().leaf(pa).descriptor;
  const unsigned level = world.host().leaf(pa).level;
  const PageState alias = world.space().linear_state(pa);
  const Prot rights = is_valid(host) ? stage2_permission(host) : Prot{0};
  const auto owner = [&](Owner who) { return owner_annotation(owner_id(GetParam().id, who)); };
  bool good = false;
  switch (page.holder) {
    case Holder::host:
      good = (host.value == 0 || rights == prot_rwx) && alias == PageState::no_page;
      break;
    case Holder::shared:
      good = (host.value == 0 || rights == prot_rwx) && alias == PageState::shared_borrowed;
      break;
    case Holder::hyp:
    case Holder::restricted: {
      const Prot wanted = page.holder == Holder::hyp ? prot_rw : prot_ro;
      good = host == owner(Owner::hyp) && alias == PageState::owned &&
             hyp_permission(world.space().linear_leaf(pa).descriptor) == wanted;
      break;
    }
    case Holder::marked:
      good = rights == Prot{page.prot} && alias == PageState::no_page;
      break;
    case Holder::taken:
      good = host == owner(Owner::is_protected) && alias == PageState::no_page;
      break;
  }
  const bool same_place =
      !is_valid(host) || address_of(host) + (pa.value % level_size(level)) == pa;
  const std::uint16_t references = pages.page(pa).refcount;
  const bool counted = references == page.pins;
  if (good && same_place && counted) return {};
  return fmt::format(
      "page {}: model holder {} prot {} pins {}; host leaf {:#x} level {}, alias {}, "
      "refcount {}",
      n, static_cast<int>(page.holder), page.prot, page.pins, host.value, level,
      static_cast<int>(alias), references);
}

/// Pages around those of the model are the host's all the time.
std::string MemoryProperty::neighbour_difference(std::size_t n) const {
  const Pa pa = host_page(n);
  const Descriptor host = world.host().leaf(pa).descriptor;
  const bool reachable = host.value == 0 || stage2_permission(host) == prot_rwx;
  if (reachable && world.space().linear_state(pa) == PageState::no_page) return {};
  return fmt::format("neighbour {}: host leaf {:#x}", n, host.value);
}

std::string MemoryProperty::difference() const {
  for (std::size_t n = 0; n < world_pages; ++n) {
    const bool modelled = n >= first_page && n < first_page + page_count;
    std::string text = modelled ? difference(n - first_page) : neighbour_difference(n);
    if (!text.empty()) return text;
  }
  return {};
}

INSTANTIATE_TEST_SUITE_P(Generations, MemoryProperty, testing::ValuesIn(pkvm::generations));

// No sequence loses a page, leaves one with two owners, or one reachable that should not be.
TEST_P(MemoryProperty, TablesAgreeWithTheModel) {
  const std::uint64_t seed = pkvmemu::test::random_seed();
  const std::uint64_t steps = from_environment("PKVMEMU_PROPERTY_STEPS", 100'000);
  const std::uint64_t scan_every = steps > 1'000'000 ? 1000 : 50;
  random.seed(seed);
  for (std::uint64_t i = 1; i <= steps; ++i) {
    ASSERT_TRUE(step()) << "seed " << seed << " step " << i << ": " << step_text;
    if (i % scan_every != 0 && i != steps) continue;
    const std::string different = difference();
    ASSERT_TRUE(different.empty())
        << "seed " << seed << " step " << i << " (" << step_text << "): " << different;
  }
  // A sequence in which hardly anything moves would show nothing.
  EXPECT_GT(accepted, steps / 10) << "seed " << seed;
}

}  // namespace
}  // namespace pkvmemu::hyp::test
