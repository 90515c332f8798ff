// SPDX-License-Identifier: GPL-2.0-only
// What an attack is played in: a block of the host's pages, two virtual machines made of them by
// raw hypercalls, and a note for each page whether the host may reach it. After each attack every
// page is touched; when all is torn down each is the host's again, and zero if a guest had it.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "host/vm/attack.h"
#include "host/vm/attack_lab.h"
#include "pkvm/vm.h"

namespace pkvmemu::host {

class AttackScene {
 public:
  static constexpr std::size_t block_pages = 32;
  /// Guest frames: where a guest has page n of the block.
  static constexpr std::uint64_t first_gfn = 0x80000;

  /// `block` is block_pages pages of the host's, aligned to two pages.
  AttackScene(AttackLab& lab, Pa block) : lab_(&lab), block_(block) {}

  /// Brings the victim there; the call that failed, or nothing.
  std::optional<pkvm::Hypercall> set_up(Stage stage);

  /// Carries out one step, and notes what changed hands.
  CallAnswer call(const AttackStep& step);
  Touched touch(const AttackStep& step);

  /// Touches every page: the first that the host reaches and should not, or the other way round.
  std::optional<std::size_t> wrong_page();
  /// Gives everything back; a call that was refused, or nothing.
  std::optional<pkvm::Hypercall> tear_down();
  /// After that: a page that a protected guest had and that is not zero.
  std::optional<std::size_t> dirty_page() const;

  std::uint64_t resolve(const Argument& argument) const;

 private:
  static constexpr std::size_t table_pages = 4;  ///< in each memcache

  struct Machine {
    Place area;
    Place root;
    Place tables;
    std::uint64_t handle = 0;
    bool is_protected = false;
    bool dying = false;
  };
  struct Given {
    Machine* owner = nullptr;
    std::size_t page = 0;
    std::uint64_t gfn = 0;
  };
  using Arguments = CallArguments;

  Pa pa_of_place(Place place) const;
  pkvm::HostVm& host_vm(Place area) const;
  pkvm::HostVcpu& host_vcpu(Place area, unsigned index) const;
  std::optional<std::size_t> page_of(Pa pa) const;
  std::optional<std::size_t> page_of_kern(std::uint64_t address) const;
  Machine* machine_of(std::uint64_t handle);
  Machine& loaded_machine() { return victim_loaded_ ? victim_ : accomplice_; }

  CallAnswer make(pkvm::Hypercall call, const Arguments& arguments);
  CallAnswer make_with_refills(pkvm::Hypercall call, const Arguments& arguments);
  CallAnswer init_vm(const Arguments& x);
  CallAnswer init_vcpu(const Arguments& x);
  CallAnswer map(const Arguments& x);
  CallAnswer map_tables(const Arguments& x);
  CallAnswer unmap(const Arguments& x);
  CallAnswer reclaim(const Arguments& x);
  CallAnswer run(Place area, unsigned index);

  void share_areas();
  void describe(Machine& machine, bool is_protected, std::uint64_t vcpus);
  void fill_memcache(Place tables, std::size_t pages, pkvm::Memcache& cache);
  bool populate(Stage stage);
  bool give(Place where);
  bool start_victim();
  void note(pkvm::Hypercall call, const Arguments& x, const CallAnswer& answer);
  void note_storage(std::uint64_t kern, std::size_t pages);
  void note_teardown(Machine& machine);
  bool end(Machine& machine);
  bool set(const AttackStep& step);

  AttackLab* lab_;
  Pa block_;
  Machine victim_{.area = Place::area, .root = Place::root, .tables = Place::tables};
  Machine accomplice_{
      .area = Place::other_area, .root = Place::other_root, .tables = Place::other_tables};
  std::uint64_t last_victim_ = 0;  ///< its handle, when it is gone, too
  std::array<Given, 8> given_{};
  std::size_t given_count_ = 0;
  std::bitset<block_pages> taken_;   ///< the host cannot reach it
  std::bitset<block_pages> secret_;  ///< a protected guest has or had it
  bool victim_loaded_ = true;
  bool anything_loaded_ = false;
  pkvm::Hypercall failed_ = pkvm::Hypercall::kvm_hyp_init;
};

}  // namespace pkvmemu::host
