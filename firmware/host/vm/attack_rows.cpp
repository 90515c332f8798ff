// SPDX-License-Identifier: GPL-2.0-only
// The table of attacks. What is not cited otherwise is pkvm-abi.md 9.3 for the life of a VM, 7.6
// for pages, 7.7 for accesses. Where it names no error, the row has ours.
#include <algorithm>

#include "host/vm/attack.h"
#include "pkvm/errno.h"
#include "pkvm/vm.h"
#include "support/address.h"

namespace pkvmemu::host {

namespace {

using pkvm::Errno;
using pkvm::Hypercall;
using pkvm::VcpuPower;

constexpr Answers same(Answer answer) {
  return {answer, answer, answer};
}
constexpr Answer is(std::int64_t value) {
  return {Outcome::value, value};
}
constexpr Answer is(Errno error) {
  return {Outcome::value, pkvm::negated(error)};
}
constexpr Answer absent{Outcome::absent};

constexpr Answers ok = same(is(0));
constexpr Answers done = same({Outcome::nothing});
constexpr Answers closed = same({Outcome::closed});
constexpr Answers made = same({Outcome::handle});
constexpr Answers aborted = same({Outcome::aborted});
constexpr Answers reached = same({Outcome::reached});
constexpr Answers eperm = same(is(Errno::eperm));
constexpr Answers enoent = same(is(Errno::enoent));
constexpr Answers einval = same(is(Errno::einval));
constexpr Answers erange = same(is(Errno::erange));
constexpr Answers ebusy = same(is(Errno::ebusy));

constexpr Answers root_refused = {is(Errno::enomem), is(Errno::einval), is(Errno::einval)};
constexpr Answers not_memory = {is(Errno::eperm), is(Errno::eperm), is(Errno::einval)};
constexpr Answers pinned = {is(Errno::ebusy), is(Errno::einval), is(Errno::ebusy)};
// ARM_EXCEPTION_IL from 6.6 on.
constexpr Answers not_loaded = {is(Errno::einval), is(3), is(3)};
constexpr Answers from_6_6(Answer answer) {
  return {absent, answer, answer};
}
constexpr Answers only_6_1(Answer answer) {
  return {answer, absent, absent};
}

constexpr Argument number(std::uint64_t value) {
  return {.offset = value};
}
constexpr Argument minus_one = number(~std::uint64_t{0});
constexpr Argument nothing = number(0);
constexpr Argument pfn(Place place, std::uint64_t pages = 0) {
  return {.form = Form::pfn, .place = place, .offset = pages};
}
constexpr Argument gfn(Place place, std::uint64_t pages = 0) {
  return {.form = Form::gfn, .place = place, .offset = pages};
}
constexpr Argument pa(Place place) {
  return {.form = Form::pa, .place = place};
}
constexpr Argument kern(Place place, std::uint64_t bytes = 0) {
  return {.form = Form::kern, .place = place, .offset = bytes};
}
/// A vCPU's structure behind its VM's.
constexpr Argument vcpu(Place area, unsigned index) {
  return kern(area, sizeof(pkvm::HostVm) + (index * sizeof(pkvm::HostVcpu)));
}
constexpr Argument victim{.form = Form::handle_of_victim};
constexpr Argument accomplice{.form = Form::handle_of_accomplice};
constexpr std::uint64_t page = page_size;

using X = std::array<Argument, 4>;

constexpr AttackStep call(Hypercall which, X x, Answers answers) {
  return {.verb = Verb::call, .call = which, .arguments = x, .answers = answers};
}
constexpr AttackStep act(Verb verb, X x, Answers answers) {
  return {.verb = verb, .arguments = x, .answers = answers};
}
constexpr AttackStep set(Verb verb, std::uint64_t value) {
  return {.verb = verb, .arguments = {number(value)}, .answers = done};
}
constexpr AttackStep load(Argument handle, Argument index) {
  return call(Hypercall::pkvm_vcpu_load, {handle, index}, done);
}
constexpr AttackStep put = call(Hypercall::pkvm_vcpu_put, {}, done);
constexpr AttackStep run(Argument which, Answers answers) {
  return call(Hypercall::kvm_vcpu_run, {which}, answers);
}
constexpr AttackStep share(Argument frame, Answers answers) {
  return call(Hypercall::pkvm_host_share_hyp, {frame}, answers);
}
constexpr AttackStep unshare(Argument frame, Answers answers) {
  return call(Hypercall::pkvm_host_unshare_hyp, {frame}, answers);
}
constexpr AttackStep begin_teardown(Argument handle, Answers answers) {
  return call(Hypercall::pkvm_start_teardown_vm, {handle}, answers);
}
constexpr AttackStep end_teardown(Argument handle, Answers answers) {
  return call(Hypercall::pkvm_finalize_teardown_vm, {handle}, answers);
}
constexpr AttackStep reclaim(Argument handle, Argument frame, Argument at, Answers answers) {
  return act(Verb::reclaim, {handle, frame, at}, answers);
}
constexpr AttackStep map(Argument frame, Argument at, Answers answers, std::uint64_t pages = 1) {
  return act(Verb::map, {frame, at, number(pages)}, answers);
}
/// Where the accomplice has nothing.
constexpr AttackStep map_anew(Argument frame, Answers answers) {
  return map(frame, gfn(Place::spare), answers);
}
constexpr AttackStep tables_from(Argument where, Answers answers) {
  return act(Verb::map_tables, {pfn(Place::spare), gfn(Place::spare), where}, answers);
}
constexpr AttackStep refill(Argument where, Answers answers) {
  return call(Hypercall::pkvm_hyp_alloc_mgt_refill, {nothing, where, number(1)}, answers);
}
constexpr AttackStep new_vm(Argument area, Argument root, Answers answers) {
  return act(Verb::init_vm, {area, root, kern(Place::spare), kern(Place::spare, page)}, answers);
}
constexpr AttackStep new_vcpu(Argument handle, Argument which, Answers answers) {
  return act(Verb::init_vcpu, {handle, which, kern(Place::spare, 2 * page)}, answers);
}
constexpr AttackStep victim_vcpu(unsigned index, Answers answers) {
  return act(Verb::init_vcpu,
             {victim, vcpu(Place::area, index), kern(Place::vcpu_storage, index * page)}, answers);
}
constexpr AttackStep victim_vm(Answers answers) {
  return act(Verb::init_vm,
             {kern(Place::area), kern(Place::root), kern(Place::storage), kern(Place::last_ran)},
             answers);
}
constexpr AttackStep unmap(Argument handle, Argument frame, Argument at, Answers answers,
                           std::uint64_t order = 0) {
  return act(Verb::unmap, {handle, frame, at, number(order)}, answers);
}
constexpr AttackStep touch(Verb verb, Place place, Answers answers) {
  return act(verb, {pa(place)}, answers);
}

constexpr auto early = AttackPhase::early;
constexpr auto after = AttackPhase::after;
constexpr std::uint64_t firmware_ipa = 0x7fc0'0000;
constexpr std::uint64_t more_than_ram = std::uint64_t{1} << 19;  // pages: 2 GiB
constexpr std::uint64_t frames_of_64_bits = std::uint64_t{1} << 52;
constexpr std::uint64_t huge = std::uint64_t{1} << 40;

// clang-format off
constexpr auto rows = std::to_array<Attack>({
  // Accesses to what is not the host's.
  {"read-secret", "read a page of a protected guest", after, Stage::populated,
   {touch(Verb::read, Place::secret, aborted)}},
  {"write-secret", "write a page of a protected guest", after, Stage::populated,
   {touch(Verb::write, Place::secret, aborted)}},
  {"execute-secret", "execute a page of a protected guest", after, Stage::populated,
   {touch(Verb::execute, Place::secret, aborted)}},
  {"execute-guest-code", "execute a protected guest's program", after, Stage::populated,
   {touch(Verb::execute, Place::code, aborted)}},
  {"write-guest-code", "write a protected guest's program while its vCPU is loaded", after, Stage::loaded,
   {touch(Verb::write, Place::code, aborted)}},
  {"read-dying-secret", "read a page of a dying guest before it is reclaimed", after, Stage::dying,
   {touch(Verb::read, Place::secret, aborted)}},
  {"read-reclaimed", "read a page of a dying guest after it is reclaimed", after, Stage::dying,
   {reclaim(victim, pfn(Place::secret), gfn(Place::secret), ok), touch(Verb::read, Place::secret, reached)}},
  {"read-lent", "read and write what the guest shares", after, Stage::populated,
   {touch(Verb::read, Place::lent, reached), touch(Verb::write, Place::lent, reached)}},
  {"write-root", "write the root of a guest's stage 2", after, Stage::populated,
   {touch(Verb::read, Place::root, aborted), touch(Verb::write, Place::root, aborted)}},
  {"write-tables", "write a table of a guest's stage 2", after, Stage::populated,
   {touch(Verb::read, Place::tables, aborted), touch(Verb::write, Place::tables, aborted)}},
  {"write-hypervisor", "read, write and execute the hypervisor's own memory", after, Stage::nothing,
   {touch(Verb::read, Place::hypervisor, aborted), touch(Verb::write, Place::hypervisor, aborted),
    touch(Verb::execute, Place::hypervisor, aborted)}},

  // One page for two.
  {"map-into-two", "map a protected guest's page into an ordinary one", after, Stage::populated,
   {load(accomplice, nothing), map_anew(pfn(Place::secret), eperm), map_anew(pfn(Place::lent), eperm)}},
  {"map-into-two-protected", "map a protected guest's page into another protected one", after, Stage::rivals,
   {load(accomplice, nothing), map_anew(pfn(Place::secret), eperm), map_anew(pfn(Place::lent), eperm)}},
  {"map-ordinary-into-protected", "give a page that an ordinary guest uses to a protected one", after, Stage::loaded,
   {map_anew(pfn(Place::other_page), eperm)}},
  {"map-protected-into-protected", "give a protected guest's page to another one", after, Stage::rivals,
   {load(victim, nothing), map_anew(pfn(Place::other_page), eperm)}},
  {"map-twice", "map a guest's page into it once more", after, Stage::loaded,
   {map_anew(pfn(Place::secret), eperm), map(pfn(Place::secret), gfn(Place::secret), eperm)}},
  {"map-over", "map a page where the guest has one", after, Stage::loaded,
   {map(pfn(Place::spare), gfn(Place::secret), eperm), map(pfn(Place::spare), gfn(Place::lent), eperm)}},
  {"map-hypervisor", "give memory of the hypervisor to a guest", after, Stage::loaded,
   {map_anew(pfn(Place::hypervisor), eperm), map_anew(pfn(Place::root), eperm)}},
  {"map-shared", "give a page to a guest that is shared with the hypervisor", after, Stage::loaded,
   {map_anew(pfn(Place::area), eperm)}},
  {"map-device", "give a device, and what is no memory, to a guest as memory", after, Stage::loaded,
   {map_anew(pfn(Place::device), eperm), map_anew(pfn(Place::beyond), eperm)}},

  // Pages of guests for the hypervisor.
  {"share-secret", "share a protected guest's page with the hypervisor, and back", after, Stage::populated,
   {share(pfn(Place::secret), eperm), unshare(pfn(Place::secret), eperm)}},
  {"share-lent", "share with the hypervisor what the guest shares", after, Stage::populated,
   {share(pfn(Place::lent), eperm), unshare(pfn(Place::lent), eperm)}},
  {"share-ordinary", "share an ordinary guest's page with the hypervisor", after, Stage::populated,
   {share(pfn(Place::other_page), eperm), unshare(pfn(Place::other_page), eperm)}},
  {"share-hypervisor", "share the hypervisor's memory with it", after, Stage::populated,
   {share(pfn(Place::hypervisor), eperm), unshare(pfn(Place::hypervisor), eperm), share(pfn(Place::root), eperm)}},
  {"share-twice", "share a page twice, and take it back twice", after, Stage::nothing,
   {share(pfn(Place::spare), ok), share(pfn(Place::spare), eperm), unshare(pfn(Place::spare), ok),
    unshare(pfn(Place::spare), eperm)}},
  {"unshare-pinned", "take back the structure of a VM that is in use", after, Stage::populated,
   {unshare(pfn(Place::area), pinned)}},
  {"share-no-memory", "share a device, what is behind RAM, and frame -1", after, Stage::nothing,
   {share(pfn(Place::device), not_memory), share(pfn(Place::beyond), not_memory), share(minus_one, not_memory)}},
  {"heap-from-secret", "donate a guest's pages to the hypervisor's heap", after, Stage::populated,
   {refill(pa(Place::secret), from_6_6(is(Errno::eperm))), refill(pa(Place::lent), from_6_6(is(Errno::eperm))),
    refill(pa(Place::other_page), from_6_6(is(Errno::eperm)))}},
  {"heap-from-hypervisor", "donate the hypervisor's memory to its heap", after, Stage::populated,
   {refill(pa(Place::hypervisor), from_6_6(is(Errno::eperm))), refill(pa(Place::root), from_6_6(is(Errno::eperm)))}},
  {"tables-from-secret", "a memcache for tables that names a protected guest's page", after, Stage::populated,
   {load(accomplice, nothing), tables_from(pa(Place::secret), eperm), tables_from(pa(Place::lent), eperm)}},
  {"tables-from-hypervisor", "a memcache that names the hypervisor's memory, or none", after, Stage::populated,
   {load(accomplice, nothing), tables_from(pa(Place::hypervisor), eperm), tables_from(pa(Place::root), eperm),
    tables_from(pa(Place::beyond), eperm)}},
  {"tables-from-device", "a memcache that names a device", after, Stage::rivals,
   {load(accomplice, nothing), tables_from(pa(Place::device), eperm)}},

  // Virtual machines out of the wrong memory.
  {"vm-not-shared", "a VM whose structure is not shared", after, Stage::nothing,
   {new_vm(kern(Place::spare, 3 * page), kern(Place::root), eperm)}},
  {"vm-from-secret", "a VM whose structure is a guest's page", after, Stage::populated,
   {new_vm(kern(Place::secret), kern(Place::root), eperm)}},
  {"vm-without-vcpus", "a VM of no vCPU, and of -1", after, Stage::nothing,
   {set(Verb::set_vcpus, 0), victim_vm(einval), set(Verb::set_vcpus, ~std::uint64_t{0}), victim_vm(einval)}},
  {"vm-root-again", "a VM on the root of a living one", after, Stage::populated,
   {new_vm(kern(Place::area), kern(Place::root), root_refused),
    new_vm(kern(Place::other_area), kern(Place::other_root), root_refused)}},
  {"vm-root-secret", "a VM on a guest's pages", after, Stage::populated,
   {new_vm(kern(Place::area), kern(Place::secret), root_refused),
    new_vm(kern(Place::area), kern(Place::other_page), root_refused)}},
  {"vm-root-unaligned", "a VM on a root that is not aligned", after, Stage::nothing,
   {new_vm(kern(Place::area), kern(Place::root, 8), root_refused)}},
  {"vm-root-shared", "a VM on shared pages", after, Stage::nothing,
   {new_vm(kern(Place::area), kern(Place::area), root_refused)}},
  {"vm-root-hypervisor", "a VM on the hypervisor's memory", after, Stage::nothing,
   {new_vm(kern(Place::area), kern(Place::hypervisor), root_refused)}},
  {"vm-storage-overlaps", "a VM whose parts lie on each other", after, Stage::nothing,
   {act(Verb::init_vm, {kern(Place::area), kern(Place::root), kern(Place::spare), kern(Place::spare)}, only_6_1(is(Errno::enomem))),
    act(Verb::init_vm, {kern(Place::area), kern(Place::spare), kern(Place::spare), kern(Place::last_ran)}, only_6_1(is(Errno::enomem)))}},
  {"vm-storage-secret", "a VM, and a vCPU, kept in a guest's page", after, Stage::populated,
   {act(Verb::init_vm, {kern(Place::area), kern(Place::spare), kern(Place::secret), kern(Place::spare, 2 * page)}, only_6_1(is(Errno::enomem))),
    act(Verb::init_vcpu, {victim, vcpu(Place::area, 0), kern(Place::secret)}, only_6_1(is(Errno::enomem)))}},

  // vCPUs that cannot be.
  {"vcpu-of-nobody", "a vCPU of handle 0, of -1, of one that was never given", after, Stage::made,
   {new_vcpu(nothing, vcpu(Place::area, 0), enoent), new_vcpu(minus_one, vcpu(Place::area, 0), enoent),
    new_vcpu(number(0x1010), vcpu(Place::area, 0), enoent)}},
  {"vcpu-not-shared", "a vCPU whose structure is not shared", after, Stage::made,
   {new_vcpu(victim, kern(Place::spare), ebusy), new_vcpu(victim, kern(Place::hypervisor), ebusy)}},
  {"vcpu-one-too-many", "a vCPU more than the VM was made for", after, Stage::populated,
   {new_vcpu(victim, vcpu(Place::area, 0), einval)}},
  {"vcpu-index-beyond", "a vCPU with an index that there is not, and with -1", after, Stage::made,
   {set(Verb::set_index, 2), new_vcpu(victim, vcpu(Place::area, 1), einval), set(Verb::set_index, ~std::uint64_t{0}),
    new_vcpu(victim, vcpu(Place::area, 1), einval)}},
  {"vcpu-out-of-order", "the second vCPU before the first", after, Stage::made,
   {new_vcpu(victim, vcpu(Place::area, 1), {is(Errno::einval), is(Errno::einval), absent})}},
  {"vcpu-index-again", "two vCPUs with one index", after, Stage::made,
   {victim_vcpu(0, ok), set(Verb::set_index, 0), new_vcpu(victim, vcpu(Place::area, 1), einval)}},
  {"vcpu-power-unknown", "a vCPU in a power state that there is not", after, Stage::made,
   {victim_vcpu(0, ok), set(Verb::set_power, 7), new_vcpu(victim, vcpu(Place::area, 1), from_6_6(is(Errno::einval)))}},
  {"vcpu-second-entry", "two vCPUs that enter the firmware", after, Stage::nothing,
   {set(Verb::set_firmware, firmware_ipa), set(Verb::set_power, static_cast<std::uint64_t>(VcpuPower::runnable)),
    victim_vm(made), victim_vcpu(0, ok), new_vcpu(victim, vcpu(Place::area, 1), einval)}},
  {"firmware-unaligned", "firmware at an address that is no page's", after, Stage::nothing,
   {set(Verb::set_firmware, firmware_ipa + 8), victim_vm(made), victim_vcpu(0, ok), load(victim, nothing),
    map(pfn(Place::spare), number((firmware_ipa >> page_shift) + 1), einval)}, Needs::firmware},

  // What the host writes into the shared structures when the hypervisor has read them.
  {"vm-unprotect", "say of a protected VM that it is an ordinary one", after, Stage::loaded,
   {set(Verb::set_protected, 0), map(pfn(Place::spare), gfn(Place::spare), ok), touch(Verb::read, Place::spare, aborted)}},
  {"vm-unprotect-lend", "lend a protected guest a page behind the same lie", after, Stage::loaded,
   {set(Verb::set_protected, 0),
    call(Hypercall::pkvm_host_share_guest, {pfn(Place::spare), gfn(Place::spare), number(7), number(1)}, {absent, absent, is(Errno::einval)})}},
  {"vm-unprotect-unmap", "take a protected guest's page behind the same lie", after, Stage::populated,
   {set(Verb::set_protected, 0), unmap(victim, pfn(Place::secret), gfn(Place::secret), from_6_6(is(Errno::eperm)))}},
  {"firmware-moved", "move a VM's firmware when the VM is made", after, Stage::made,
   {set(Verb::set_firmware, firmware_ipa + 8), victim_vcpu(0, ok), load(victim, nothing),
    map(pfn(Place::spare), number((firmware_ipa >> page_shift) + 1), ok)}, Needs::firmware},

  // Calls in the wrong phase of a VM.
  {"run-without-load", "run a vCPU that is not loaded", after, Stage::populated,
   {run(vcpu(Place::area, 0), not_loaded)}},
  {"run-another", "run another vCPU than the loaded one, and what is none", after, Stage::loaded,
   {run(vcpu(Place::area, 1), not_loaded), run(vcpu(Place::other_area, 0), not_loaded), run(kern(Place::spare), not_loaded),
    run(nothing, not_loaded), run(minus_one, not_loaded)}},
  {"load-twice", "load a second vCPU", after, Stage::loaded,
   {load(victim, number(1)), run(vcpu(Place::area, 1), not_loaded), load(accomplice, nothing),
    run(vcpu(Place::other_area, 0), not_loaded)}},
  {"load-nobody", "load a vCPU of handle 0, of -1, with an index that there is not", after, Stage::populated,
   {load(nothing, nothing), load(minus_one, nothing), load(victim, number(2)), load(victim, minus_one),
    run(vcpu(Place::area, 0), not_loaded)}},
  {"put-without-load", "put though nothing is loaded", after, Stage::populated,
   {put, put, run(vcpu(Place::area, 0), not_loaded)}},
  {"map-without-load", "map a page though nothing is loaded", after, Stage::populated,
   {map_anew(pfn(Place::spare), einval)}},
  {"run-stopped", "run a vCPU that the guest has not switched on", after, Stage::populated,
   {load(victim, number(1)), run(vcpu(Place::area, 1), same(is(3)))}},
  {"load-dying", "load and run a vCPU of a dying VM", after, Stage::dying,
   {load(victim, nothing), run(vcpu(Place::area, 0), not_loaded), map_anew(pfn(Place::spare), einval)}},
  {"teardown-loaded", "tear a VM down whose vCPU is loaded", after, Stage::loaded,
   {begin_teardown(victim, same({Outcome::fatal}))}},
  {"teardown-twice", "begin the tear-down twice", after, Stage::dying,
   {begin_teardown(victim, einval)}},
  {"teardown-unbegun", "end a tear-down that was not begun", after, Stage::populated,
   {end_teardown(victim, ebusy), end_teardown(accomplice, ebusy)}},
  {"teardown-early-end", "end a tear-down while the guest has pages", after, Stage::dying,
   {end_teardown(victim, ebusy)}},
  {"teardown-nobody", "tear down handle 0, -1, and one that was never given", after, Stage::nothing,
   {begin_teardown(nothing, enoent), begin_teardown(minus_one, enoent), begin_teardown(number(0x1010), enoent),
    end_teardown(nothing, enoent), end_teardown(minus_one, enoent)}},
  {"teardown-again", "use a handle after the tear-down", after, Stage::gone,
   {begin_teardown(victim, enoent), end_teardown(victim, enoent), load(victim, nothing), run(vcpu(Place::area, 0), not_loaded),
    new_vcpu(victim, vcpu(Place::area, 0), enoent), reclaim(victim, pfn(Place::secret), gfn(Place::secret), einval)}},

  // Pages of the living, of others, of nobody.
  {"reclaim-living", "reclaim a page of a living guest", after, Stage::populated,
   {reclaim(victim, pfn(Place::secret), gfn(Place::secret), einval), reclaim(accomplice, pfn(Place::other_page), gfn(Place::other_page), einval)}},
  {"reclaim-nobody", "reclaim from handle 0 and -1", after, Stage::populated,
   {reclaim(nothing, pfn(Place::secret), gfn(Place::secret), einval), reclaim(minus_one, pfn(Place::secret), gfn(Place::secret), einval)}},
  {"reclaim-of-another", "reclaim from a dying guest what is another's, and where it has nothing", after, Stage::dying,
   {reclaim(victim, pfn(Place::other_page), gfn(Place::other_page), enoent), reclaim(victim, pfn(Place::other_page), gfn(Place::secret), einval),
    reclaim(victim, pfn(Place::spare), gfn(Place::secret), einval), reclaim(victim, pfn(Place::hypervisor), gfn(Place::secret), einval)}},
  {"reclaim-twice", "reclaim a page twice", after, Stage::dying,
   {reclaim(victim, pfn(Place::secret), gfn(Place::secret), ok), reclaim(victim, pfn(Place::secret), gfn(Place::secret), enoent)}},
  {"reclaim-order", "reclaim more than a page at once", after, Stage::dying,
   {act(Verb::reclaim, {victim, pfn(Place::code), gfn(Place::code), number(1)}, from_6_6(is(Errno::e2big))),
    act(Verb::reclaim, {victim, pfn(Place::code), gfn(Place::code), number(~std::uint64_t{0})}, from_6_6(is(Errno::e2big)))}},
  {"reclaim-order-living", "the same from a living guest", after, Stage::populated,
   {act(Verb::reclaim, {victim, pfn(Place::code), gfn(Place::code), number(1)}, from_6_6(is(Errno::einval)))}},
  {"unmap-protected", "take a protected guest's page as if it were an ordinary one's", after, Stage::populated,
   {unmap(victim, pfn(Place::secret), gfn(Place::secret), from_6_6(is(Errno::eperm)))}},
  {"unmap-twice", "take an ordinary guest's page back twice, and from nobody", after, Stage::populated,
   {unmap(accomplice, pfn(Place::other_page), gfn(Place::other_page), from_6_6(is(0))),
    unmap(accomplice, pfn(Place::other_page), gfn(Place::other_page), from_6_6(is(Errno::efault))),
    unmap(nothing, pfn(Place::other_page), gfn(Place::other_page), from_6_6(is(Errno::enoent)))}},
  {"unmap-half", "take back pages of an ordinary guest of which it has the first", after, Stage::populated,
   {unmap(accomplice, pfn(Place::other_page), gfn(Place::other_page), from_6_6(is(Errno::efault)), 1),
    unmap(accomplice, pfn(Place::other_page), gfn(Place::other_page), from_6_6(is(Errno::efault)), 18),
    unmap(accomplice, pfn(Place::other_page), gfn(Place::other_page), from_6_6(is(0)))}},
  {"unmap-far", "take back an ordinary guest's page at a frame that a shift makes its own", after, Stage::populated,
   {unmap(accomplice, pfn(Place::other_page), gfn(Place::other_page, frames_of_64_bits), from_6_6(is(Errno::efault))),
    unmap(accomplice, minus_one, minus_one, from_6_6(is(Errno::efault)))}},
  {"unmap-wrong-frame", "take back an ordinary guest's page by another's frame", after, Stage::populated,
   {unmap(accomplice, pfn(Place::secret), gfn(Place::other_page), {absent, is(Errno::einval), absent}),
    unmap(accomplice, pfn(Place::other_page, frames_of_64_bits), gfn(Place::other_page), {absent, is(Errno::einval), absent})}},
  {"reclaim-far", "reclaim at a frame that a shift makes the guest's own", after, Stage::dying,
   {reclaim(victim, pfn(Place::secret), gfn(Place::secret, frames_of_64_bits), from_6_6(is(Errno::enoent)))}},
  {"reclaim-far-frame", "reclaim a frame that a shift makes the guest's own", after, Stage::dying,
   {reclaim(victim, pfn(Place::secret, frames_of_64_bits), gfn(Place::secret), einval)}},

  // Sizes.
  {"map-no-pages", "map no page at all", after, Stage::loaded,
   {map(pfn(Place::spare), gfn(Place::spare), {absent, is(Errno::einval), absent}, 0)}},
  {"map-huge", "map more pages than there are, and -1", after, Stage::loaded,
   {map(pfn(Place::spare), gfn(Place::spare), from_6_6(is(Errno::eperm)), more_than_ram),
    map(pfn(Place::spare), gfn(Place::spare), from_6_6(is(Errno::erange)), huge >> page_shift),
    map(pfn(Place::spare), gfn(Place::spare), from_6_6(is(Errno::eperm)), ~std::uint64_t{0})}},
  {"map-overlapping", "map a range that ends in another's pages", after, Stage::loaded,
   {map(pfn(Place::other_page), gfn(Place::spare), from_6_6(is(Errno::eperm)), 2),
    map(pfn(Place::code), gfn(Place::spare), from_6_6(is(Errno::eperm)), 8)}},
  {"map-far", "map a page beyond the guest's addresses, and at frame -1", after, Stage::loaded,
   {map(pfn(Place::spare), number(huge >> page_shift), erange), map(pfn(Place::spare), minus_one, erange)}},
  {"map-frame-far", "map frame -1", after, Stage::loaded,
   {map(minus_one, gfn(Place::spare), eperm)}},

  // Calls that are over (5.1).
  {"closed-init", "initialise the hypervisor again", after, Stage::nothing,
   {call(Hypercall::pkvm_init, {pa(Place::spare), number(page), number(1)}, closed)}},
  {"closed-module-memory", "map a guest's page as a module's", after, Stage::populated,
   {call(Hypercall::pkvm_map_module_page, {pfn(Place::secret), number(0x4000'0840'0000), number(6)}, closed),
    call(Hypercall::pkvm_unmap_module_page, {pfn(Place::secret), number(0x4000'0840'0000)}, closed)}},
  {"closed-mapping", "a private mapping of a guest's page", after, Stage::populated,
   {call(Hypercall::pkvm_create_private_mapping, {pa(Place::secret), number(page), number(6)}, closed)}},
  {"closed-module-load", "take module addresses, run an init function, register a handler", after, Stage::nothing,
   {call(Hypercall::pkvm_alloc_module_va, {number(1)}, closed), call(Hypercall::pkvm_init_module, {kern(Place::spare)}, closed),
    call(Hypercall::pkvm_register_hcall, {kern(Place::spare)}, closed)}},
  {"closed-vectors", "change the hypervisor's vectors", after, Stage::nothing,
   {call(Hypercall::pkvm_cpu_set_vector, {number(1)}, closed), call(Hypercall::kvm_enable_ssbs, {}, closed)}},
  {"finalise-twice", "finalise again", after, Stage::populated,
   {call(Hypercall::pkvm_prot_finalize, {}, eperm)}},

  // Before the host gives up its privileges every call is open.
  {"early-vm", "make a VM, give it all up again", early, Stage::made,
   {begin_teardown(victim, ok), end_teardown(victim, ok), begin_teardown(victim, enoent)}},
  {"early-guest", "guests run before the host is deprivileged; their pages are theirs in the books", early, Stage::populated,
   {share(pfn(Place::secret), eperm), load(accomplice, nothing), map_anew(pfn(Place::secret), eperm)}},
  {"early-run", "run what was never made", early, Stage::nothing,
   {run(vcpu(Place::area, 0), not_loaded), begin_teardown(nothing, enoent), reclaim(nothing, pfn(Place::spare), nothing, einval)}},
});
// clang-format on

}  // namespace

std::span<const Attack> attacks() {
  return rows;
}

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  std::size_t p = 0;
  std::size_t n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

namespace {

bool any_answer(const Attack& attack, pkvm::Generation generation, Outcome outcome) {
  return std::ranges::any_of(attack.steps, [&](const AttackStep& step) {
    return step.verb != Verb::none &&
           step.answers[static_cast<std::size_t>(generation)].outcome == outcome;
  });
}

}  // namespace

bool exists_in(const Attack& attack, pkvm::Generation generation) {
  return !any_answer(attack, generation, Outcome::absent);
}

bool is_fatal(const Attack& attack, pkvm::Generation generation) {
  return any_answer(attack, generation, Outcome::fatal);
}

}  // namespace pkvmemu::host
