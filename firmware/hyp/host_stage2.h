// SPDX-License-Identifier: GPL-2.0-only
// The host's stage 2: an identity map in which RAM is mapped eagerly, MMIO on demand, and what the
// host gave away is annotated with its owner (pkvm-abi.md 7.3, 7.4, 7.7). It exists from
// __pkvm_init on and is switched on by prot_finalize.
#pragma once

#include <array>
#include <cstdint>

#include "hyp/memory_map.h"
#include "hyp/pgtable.h"
#include "lib/spinlock.h"

namespace pkvmemu::hyp {

/// Number of root-table pages and level that a host IPA size needs (Arm ARM D8.2.10: up to 16
/// tables in a row spare a level).
struct Stage2Shape {
  unsigned ipa_bits = 0;
  unsigned start_level = 0;
  unsigned root_pages = 0;

  /// `physical_bits` as ID_AA64MMFR0_EL1.PARange encodes it; 52 bits need LPA2 and count as 48.
  static constexpr Stage2Shape of_parange(unsigned parange) {
    constexpr std::array<std::uint8_t, 7> bits_of = {32, 36, 40, 42, 44, 48, 48};
    const unsigned ipa_bits = parange < bits_of.size() ? bits_of[parange] : 48;
    // The shallowest walk whose root is at most 16 tables: 9 bits a level, 4 by concatenation.
    unsigned start_level = last_level;
    while (page_shift + (9 * (last_level - start_level + 1)) + 4 < ipa_bits)
      --start_level;
    const unsigned one_root = page_shift + (9 * (last_level - start_level + 1));
    const unsigned root_pages = ipa_bits > one_root ? 1U << (ipa_bits - one_root) : 1;
    return {ipa_bits, start_level, root_pages};
  }

  /// VTCR_EL2 (Arm ARM D17.2.157) for tables of this shape on a CPU with this PARange: inner
  /// shareable, write-back walks, 4 KiB granule.
  constexpr std::uint64_t vtcr(unsigned parange) const {
    constexpr std::uint64_t res1 = bit(31);
    constexpr std::uint64_t walks =
        std::uint64_t{3} << 12 | std::uint64_t{1} << 10 | std::uint64_t{1} << 8;
    constexpr unsigned largest_ps = 5;  // 48 bits
    const std::uint64_t ps = parange < largest_ps ? parange : largest_ps;
    const std::uint64_t sl0 = 2 - start_level;  // 4 KiB: level 2, 1, 0 are 0, 1, 2
    return res1 | ps << 16 | walks | sl0 << 6 | (64 - ipa_bits);
  }
};
static_assert(Stage2Shape::of_parange(5).start_level == 0 &&
              Stage2Shape::of_parange(5).root_pages == 1);
static_assert(Stage2Shape::of_parange(2).start_level == 1 &&
              Stage2Shape::of_parange(2).root_pages == 2);

/// Who has to hear what the host may reach: an IOMMU driver's identity domain (pkvm-abi.md 7.6,
/// 7.7). Called with the host's lock held.
class HostMirror {
 public:
  HostMirror() = default;
  HostMirror(const HostMirror&) = delete;
  HostMirror& operator=(const HostMirror&) = delete;
  /// `prot` is without any right for what is the host's no longer.
  virtual void host_may(PaRange range, Prot prot) = 0;

 protected:
  ~HostMirror() = default;
};

class HostStage2 {
 public:
  HostStage2(MemoryMap memory, Stage2Shape shape, Pa root, PageSource& pages,
             pkvm::Generation generation);

  const MemoryMap& memory() const { return memory_; }
  PageTable& table() { return table_; }
  fw::Spinlock& lock() { return lock_; }

  std::uint64_t vtcr(unsigned parange) const { return shape_.vtcr(parange); }
  std::uint64_t vttbr() const { return table_.shape().root.value; }

  /// Every region of RAM, RWX, by the largest blocks.
  Status map_all_memory();

  /// What the descriptor says of the host's side: of MMIO everywhere, of RAM in 6.1.
  PageState state(Pa pa) const;
  Leaf leaf(Pa pa) const { return table_.leaf(pa.value); }
  /// -ERANGE outside the IPA size.
  Expected<Leaf> checked_leaf(Pa pa) const;

  // What changes the tables needs the lock. When table pages run out, what can be mapped again on
  // demand outside RAM is let go, and the change is tried once more (pkvm-abi.md 7.7).

  /// Takes the range away from the host.
  Status annotate(PaRange range, Owner owner);
  /// After a failed annotate of a range that was the host's: what was annotated is the host's
  /// again.
  void undo_annotation(PaRange range, Owner owner);
  /// Gives it to the host with the default protection of its kind.
  Status map_identity(PaRange range) { return set(range, default_prot(range.begin)); }
  /// Maps it with exactly this protection; blocks only where it is the default, since others do not
  /// come back by faults.
  Status set(PaRange range, Prot prot, PageState state = PageState::owned);
  /// What the host owns and has not touched: nothing is mapped, the next access maps it.
  Status forget(PaRange range);
  /// The same for each page alone, until let_go (pkvm-abi.md 1.6, host_stage2_enable_lazy_pte).
  Status forget_pages(PaRange range);
  void let_go(PaRange range);

  /// Tells the mirror, where there is one.
  void mirror_to(HostMirror& mirror) { mirror_ = &mirror; }
  void tell(PaRange range, Prot prot) const {
    if (mirror_ != nullptr) mirror_->host_may(range, prot);
  }
  void tell_default(PaRange range) const { tell(range, default_prot(range.begin)); }
  /// All that the host may reach, told to `mirror` leaf by leaf; with it, RAM that is the host's
  /// but not mapped yet, since mapping that on demand is not told.
  void replay(HostMirror& mirror) const;
  /// All that is somebody else's, as if it were taken now.
  void replay_taken(HostMirror& mirror) const;

  /// An access of the host faulted at `pa`: 0 when it may retry, -EPERM when the page is not its
  /// own. Takes the lock.
  Status handle_fault(Pa pa);

 private:
  Status map_fault(Pa pa);
  template <typename Change>
  Status with_recycling(Change change);
  Expected<PaRange> block_around(Pa pa) const;
  Status recycle_mmio_tables();
  Prot default_prot(Pa pa) const { return memory_.is_ram(pa) ? prot_rwx : prot_device; }

  MemoryMap memory_;
  Stage2Shape shape_;
  pkvm::Generation generation_;
  PageTable table_;
  HostMirror* mirror_ = nullptr;
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
