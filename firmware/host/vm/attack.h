// SPDX-License-Identifier: GPL-2.0-only
// Attacks of the host on guests and on the hypervisor that keeps them, as data: how far the victim
// is in its life, what the host does, and what each generation has to answer (pkvm-abi.md 5.1, 7.6,
// 7.7, 9.3). attack_rows.cpp has the table, attack_scene.h what it is played in.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "pkvm/errno.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"

namespace pkvmemu::host {

/// Where things stand when an attack begins. The victim is protected.
enum class Stage : std::uint8_t {
  nothing,    ///< no VM; what the host has to share for two is shared
  made,       ///< the victim is made, without a vCPU
  populated,  ///< victim and accomplice have vCPUs and pages; the victim has run and shares a page
  rivals,     ///< the same with a protected accomplice; it is an ordinary one otherwise
  loaded,     ///< and vCPU 0 of the victim is loaded
  dying,      ///< the victim's tear-down has begun
  gone,       ///< and is over; the accomplice is still there
};

/// Before or after the host gave up its privileges.
enum class AttackPhase : std::uint8_t { early, after };

/// What has to be there besides.
enum class Needs : std::uint8_t { nothing, firmware };

/// Pages by what they are for.
enum class Place : std::uint8_t {
  area,           ///< what the host shares about the victim and its vCPUs
  other_area,     ///< about the accomplice
  root,           ///< of the victim's stage 2: two pages
  other_root,     ///< the accomplice's
  storage,        ///< 6.1: the hypervisor's view of the victim
  last_ran,       ///< 6.1
  vcpu_storage,   ///< 6.1: for two vCPUs, two pages
  other_storage,  ///< 6.1: all of the accomplice's: VM, last_ran, vCPU
  tables,         ///< in the victim's memcache: four pages
  other_tables,   ///< the accomplice's
  code,           ///< the victim's program
  secret,         ///< the victim's own
  lent,           ///< the victim's, shared with the host
  other_page,     ///< the accomplice's
  spare,          ///< four pages of the host's that nobody uses
  hypervisor,     ///< not in the block: see Landmarks
  device,
  beyond,
};

enum class Form : std::uint8_t {
  number,
  pfn,
  gfn,  ///< where the guest has the place
  pa,
  kern,  ///< the kernel's address
  handle_of_victim,
  handle_of_accomplice,
};

/// An argument of a call. `offset` is added to what the place stands for.
struct Argument {
  Form form = Form::number;
  Place place = Place::area;
  std::uint64_t offset = 0;
};

/// What the host does.
enum class Verb : std::uint8_t {
  none,
  call,           ///< a hypercall as it is
  init_vm,        ///< with refills: area, root, storage, last_ran
  init_vcpu,      ///< with refills: handle, vCPU, storage
  map,            ///< pfn, gfn, pages: what gives a page to the loaded vCPU's guest
  map_tables,     ///< the same with a memcache of one page: pfn, gfn, PA of that page
  unmap,          ///< handle, pfn, gfn, order: the way back of an ordinary guest's page
  reclaim,        ///< handle, pfn, gfn, order
  read,           ///< PA
  write,          ///< PA
  execute,        ///< PA
  set_vcpus,      ///< number of vCPUs of the victim that the host's structure says
  set_protected,  ///< whether that structure says that the victim is protected
  set_firmware,   ///< IPA of its firmware
  set_index,      ///< index in vCPU 1's structure
  set_power,      ///< power state there
};

enum class Outcome : std::uint8_t {
  absent,   ///< the generation has no such call, or not in this form
  value,    ///< x0 = 0, x1 = value
  handle,   ///< x0 = 0, x1 > 0
  nothing,  ///< x0 = 0; the call has no result
  closed,   ///< x0 = -1, and the other registers as they were
  aborted,  ///< an access: a translation fault of stage 2, injected
  reached,  ///< an access: done
  fatal,    ///< the hypervisor panics
};

struct Answer {
  Outcome outcome = Outcome::nothing;
  std::int64_t value = 0;
};
using Answers = std::array<Answer, pkvm::generation_count>;

struct AttackStep {
  Verb verb = Verb::none;
  pkvm::Hypercall call = pkvm::Hypercall::kvm_hyp_init;
  std::array<Argument, 4> arguments{};
  Answers answers{};
};

struct Attack {
  static constexpr std::size_t most_steps = 6;

  std::string_view name;
  std::string_view says;
  AttackPhase phase;
  Stage stage;
  std::array<AttackStep, most_steps> steps;
  Needs needs = Needs::nothing;
};

std::span<const Attack> attacks();

/// `*` stands for any characters.
bool matches(std::string_view pattern, std::string_view name);
/// Every step has an answer in that generation.
bool exists_in(const Attack& attack, pkvm::Generation generation);
/// It ends the run.
bool is_fatal(const Attack& attack, pkvm::Generation generation);

}  // namespace pkvmemu::host
