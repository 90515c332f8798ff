// SPDX-License-Identifier: GPL-2.0-only
// A kernel and a hypervisor for the module subsystem's tests: memory in windows of our choice,
// exports from a map, and a hypervisor that follows pkvm-abi.md 3.3 and records every call.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "host/module/services.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"

namespace pkvmemu::kmod::test {

/// A hypercall as the hypervisor saw it.
struct Call {
  pkvm::Hypercall call;
  std::array<std::uint64_t, 3> arguments;  ///< x1 to x3
  bool operator==(const Call&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Call& call);

class FakeHyp {
 public:
  using Answer = std::array<std::uint64_t, 4>;

  Answer answer(const std::array<std::uint64_t, 8>& x);

  static constexpr std::uint64_t first_va = 0x4000'0840'0000;

  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  std::vector<Call> calls;
  std::set<std::uint64_t> shared_frames;
  /// EL2 mappings of module pages: VA to {frame, prot}.
  struct Mapping {
    std::uint64_t frame;
    std::uint64_t prot;
    bool operator==(const Mapping&) const = default;
  };
  std::map<std::uint64_t, Mapping> mapped;
  std::set<std::uint64_t> owned_frames;
  std::vector<std::uint64_t> handlers;
  std::uint64_t next_va = first_va;

  int init_result = 0;
  /// Makes the n-th call (from 1) of a kind give this answer and do nothing.
  std::map<std::pair<pkvm::Hypercall, unsigned>, Answer> scripted;
  std::vector<std::string> complaints;  ///< what a real one would die of

 private:
  Answer map_page(const Call& call);
  Answer unmap_page(const Call& call);
  Answer unshare_page(const Call& call);

  std::map<pkvm::Hypercall, unsigned> count_;
};

class FakeKernel final : public KernelServices {
 public:
  static constexpr std::uint64_t module_window = 0xffff'ffc0'0800'0000;
  static constexpr std::uint64_t physical_base = 0x4800'0000;

  std::optional<Memory> allocate(MemoryKind kind, std::uint64_t size) override;
  void free(MemoryKind kind, const Memory& memory) override;
  void protect(MemoryKind kind, const Memory& memory) override;
  void sync_icache(const Memory& memory) override;
  std::optional<KernVa> resolve(std::string_view symbol) override;
  std::optional<KernVa> stub_for(std::string_view symbol) override;
  std::optional<Pfn> frame_of(KernVa address) override;
  std::array<std::uint64_t, 4> hypercall(const std::array<std::uint64_t, 8>& x) override;
  HypPhase hyp_phase() override { return phase; }
  int run_init(KernVa init) override;
  int set_parameter(KernVa record, const char* value) override;
  void store_word(KernVa where, std::uint64_t value) override;
  std::optional<Memory> allocate_per_cpu(std::uint64_t size, std::uint64_t alignment) override;
  void free_per_cpu(const Memory& memory) override;
  bool has_capability(pkvm::cpucaps::Presence kind) override { return capabilities.contains(kind); }
  void patch_code(KernVa where, std::uint32_t instruction) override;
  std::optional<bool> key_enabled(KernVa key) override;
  void message(std::string_view line) override { console.emplace_back(line); }
  void event(const pkvm::event::Record& record) override {
    const bool is_place = record.kind == pkvm::event::Kind::module_el1_placed;
    (is_place ? places : events).push_back(record);
  }

  /// Names of the records, "module_begin hello" and so on, for whole-sequence checks.
  [[nodiscard]] std::vector<std::string> event_lines() const;
  [[nodiscard]] std::size_t live_areas() const;

  FakeHyp hyp;
  HypPhase phase = HypPhase::open;
  std::map<std::string, std::uint64_t, std::less<>> exports;
  std::function<int(KernVa)> init = [](KernVa) { return 0; };
  /// Resolve every name, each to an address of its own from here.
  std::optional<std::uint64_t> resolve_all_from;
  /// Stubs for what nobody exports, from this address on.
  std::optional<std::uint64_t> stubs_from;
  std::vector<std::string> stubs;
  /// What set_parameter answers, and what it was asked: the offset of kernel_param's last word and
  /// the value ("0x10=5", "0x10" without one).
  int parameter_answer = 0;
  std::vector<std::string> parameters;
  std::set<pkvm::cpucaps::Presence> capabilities{pkvm::cpucaps::Presence::always};
  /// Static keys of the kernel's, by address; others cannot be read.
  std::map<std::uint64_t, bool> keys;
  /// Per-CPU memory: how much there is, and what was given.
  static constexpr std::uint64_t per_cpu_window = 0xffff'ffc0'1000'0000;
  std::size_t per_cpu_room = 0x2000;
  std::vector<std::byte> per_cpu;
  unsigned per_cpu_pieces = 0;
  /// The n-th allocation (from 1) fails.
  std::optional<unsigned> failing_allocation;

  struct Area {
    MemoryKind kind;
    KernVa address;
    std::vector<std::byte> bytes;
    std::optional<MemoryKind> protection;
    bool freed = false;
    bool synced = false;
  };
  std::deque<Area> areas;
  std::map<std::uint64_t, std::uint64_t> stored_words;  ///< outside module memory
  std::vector<std::string> console;
  std::vector<pkvm::event::Record> events;
  std::vector<pkvm::event::Record> places;  ///< where sections lie, apart from the story
  std::vector<KernVa> inits;
  /// What 6.12's init_module was shown: the shared page at the address in x1; empty when it was not
  /// shared, or none.
  std::vector<std::byte> descriptor;

 private:
  Area* area_at(std::uint64_t address);

  std::uint64_t next_address_ = module_window;
  unsigned allocations_ = 0;
};

}  // namespace pkvmemu::kmod::test
