// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/guest_ffa.h"

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <utility>

#include "hyp/hypervisor.h"
#include "hyp/smc.h"
#include "hyp/vm/guest_memory.h"
#include "lib/address_cast.h"
#include "lib/fault.h"
#include "pkvm/ffa.h"

namespace pkvmemu::hyp {

namespace {

namespace ffa = pkvm::ffa;
namespace layout = pkvm::ffa::descriptor;
using Answer = FfaProxy::Answer;
using Error = ffa::Error;
using Handler = Answer (*)(Vcpu&);

constexpr unsigned half = 32;

std::uint64_t x(const Vcpu& vcpu, std::size_t i) {
  return vcpu.context.general.regs[i];
}
std::uint32_t w(const Vcpu& vcpu, std::size_t i) {
  return static_cast<std::uint32_t>(x(vcpu, i));
}

FfaProxy& proxy() {
  return hypervisor().ffa;
}
std::uint32_t own_id(const Vcpu& vcpu) {
  return vcpu.vm->handle;
}

Error error_of(Errno why) {
  switch (why) {
    case Errno::enomem:
      return Error::no_memory;
    case Errno::ebusy:
      return Error::busy;
    case Errno::eperm:
    case Errno::eacces:
      return Error::denied;
    default:
      return Error::invalid_parameters;
  }
}
Answer answered(const Status& done) {
  return done ? FfaProxy::answer_of(Error::none) : FfaProxy::failed(error_of(done.error()));
}

Answer version(Vcpu& vcpu) {
  constexpr auto none = ~std::uint64_t{0};
  const bool same_major = ffa::major(w(vcpu, 1)) == ffa::major(ffa::version_1_0);
  return {same_major ? std::uint64_t{proxy().agreed_version()} : none};
}

Answer features(Vcpu& vcpu) {
  constexpr std::array ours{ffa::mem_share,  ffa::mem_share32, ffa::mem_lend,
                            ffa::mem_lend32, ffa::rxtx_map,    ffa::rxtx_map32};
  // Property 0: buffers of 4 KiB, and none of a transaction's own.
  const bool known = std::ranges::find(ours, w(vcpu, 1)) != ours.end();
  return FfaProxy::answer_of(known ? Error::none : Error::not_supported);
}

Answer id_get(Vcpu& vcpu) {
  return {ffa::success, 0, own_id(vcpu)};
}

/// Both or none.
Status share_buffers(Vm& vm, Ipa tx, Ipa rx) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.ffa.guest_buffers", Errno::enomem,
                                               "a guest's buffers of FF-A are shared with EL2"))
    return injected(fault);
  if (const Expected<Pa> shared = guest_share_secure(vm, tx); !shared) return error(shared.error());
  const Expected<Pa> shared = guest_share_secure(vm, rx);
  if (!shared) check(guest_unshare_secure(vm, tx).has_value());
  return shared ? Status{} : error(shared.error());
}

Answer map_buffers(Vcpu& vcpu) {
  GuestFfa& guest = vcpu.vm->ffa;
  if (w(vcpu, 3) != 1) return FfaProxy::failed(Error::invalid_parameters);
  if (guest.has_buffers) return FfaProxy::failed(Error::denied);
  const Ipa tx{x(vcpu, 1)};
  const Ipa rx{x(vcpu, 2)};
  const Status shared = share_buffers(*vcpu.vm, tx, rx);
  if (!shared) return answered(shared);
  guest.has_buffers = true;
  guest.tx = tx;
  guest.rx = rx;
  return FfaProxy::answer_of(Error::none);
}

void unshare_buffers(Vm& vm) {
  check(guest_unshare_secure(vm, vm.ffa.tx).has_value());
  check(guest_unshare_secure(vm, vm.ffa.rx).has_value());
  vm.ffa.has_buffers = false;
}

Answer unmap_buffers(Vcpu& vcpu) {
  if (w(vcpu, 1) != own_id(vcpu) || !vcpu.vm->ffa.has_buffers)
    return FfaProxy::failed(Error::invalid_parameters);
  unshare_buffers(*vcpu.vm);
  return FfaProxy::answer_of(Error::none);
}

Answer release_rx(Vcpu& /*vcpu*/) {
  return FfaProxy::ask({ffa::rx_release});
}

Answer partition_info(Vcpu& vcpu) {
  const GuestFfa& guest = vcpu.vm->ffa;
  if (!guest.has_buffers) return FfaProxy::failed(Error::busy);
  const FfaProxy::Partitions told = proxy().partitions(vcpu.context.general);
  if (told.size != 0) write_secure(*vcpu.vm, guest.rx, proxy().own_rx().first(told.size));
  return told.answer;
}

/// It speaks for nobody else; x0 to x17 go there and back.
Answer direct_message(Vcpu& vcpu) {
  constexpr unsigned sender_shift = 16;
  if (w(vcpu, 1) >> sender_shift != own_id(vcpu))
    return FfaProxy::failed(Error::invalid_parameters);
  forward_to_el3(&vcpu.context.general);
  return {x(vcpu, 0), x(vcpu, 1), x(vcpu, 2), x(vcpu, 3)};
}

void give_back(Vm& vm, std::span<const Ipa> pages) {
  for (const Ipa page : pages)
    check(guest_unshare_secure(vm, page).has_value());
}

void free_transfer(FfaTransfer* transfer) {
  hypervisor().heap->free(HypVa{reinterpret_cast<std::uint64_t>(transfer)});
}

Expected<FfaTransfer*> new_transfer(std::uint64_t pages) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.ffa.transfer", Errno::enomem,
                                               "the list of pages that a guest gives by FF-A"))
    return injected(fault);
  const Expected<HypVa> memory =
      hypervisor().heap->allocate(sizeof(FfaTransfer) + (pages * sizeof(Ipa)));
  if (!memory) return error(memory.error());
  auto* const transfer = new (fw::object_at<void>(*memory)) FfaTransfer;
  transfer->pages = pages;
  std::ranges::uninitialized_fill(transfer->list(), Ipa{0});
  return transfer;
}

/// How many pages a descriptor's ranges have; none unless it says so itself, and each of them still
/// fits with an entry of its own.
std::optional<std::uint64_t> pages_of(std::span<const std::uint8_t> bytes,
                                      std::span<const std::uint8_t> ranges) {
  std::uint64_t pages = 0;
  for (std::size_t at = 0; at < ranges.size(); at += layout::range_size)
    pages += ffa::field<std::uint32_t>(ranges, at + layout::range_pages);
  const std::size_t composite = bytes.size() - ranges.size() - layout::composite_size;
  const bool fits = pages <= (page_size - (bytes.size() - ranges.size())) / layout::range_size;
  const bool says_so =
      pages == ffa::field<std::uint32_t>(bytes, composite + layout::composite_pages);
  return fits && says_so ? std::optional(pages) : std::nullopt;
}

/// Shares each page, notes it, and puts where it really lies into `out`, an entry each.
Status share_pages(Vm& vm, std::span<const std::uint8_t> ranges, FfaTransfer& transfer,
                   std::span<std::uint8_t> out) {
  std::size_t done = 0;
  const auto list = transfer.list();
  for (std::size_t at = 0; at < ranges.size(); at += layout::range_size) {
    const Ipa first{ffa::field<std::uint64_t>(ranges, at)};
    const std::uint64_t count = ffa::field<std::uint32_t>(ranges, at + layout::range_pages);
    for (std::uint64_t i = 0; i < count; ++i, ++done) {
      const Ipa page = first + (i * page_size);
      const Expected<Pa> pa = guest_share_secure(vm, page);
      if (!pa) {
        give_back(vm, list.first(done));
        return error(pa.error());
      }
      list[done] = page;
      const std::size_t entry = done * layout::range_size;
      ffa::put(out, entry, pa->value);
      ffa::put(out, entry + layout::range_pages, std::uint64_t{1});
    }
  }
  return {};
}

bool is_good_transfer(const Vcpu& vcpu) {
  const std::uint32_t length = w(vcpu, 1);
  const bool has_own_buffer = x(vcpu, 3) != 0 || w(vcpu, 4) != 0;
  // A guest's list comes whole.
  return !has_own_buffer && length == w(vcpu, 2) && length <= page_size &&
         length >= FfaProxy::least_descriptor() && vcpu.vm->ffa.has_buffers;
}

Answer transfer(Vcpu& vcpu, std::uint32_t id) {
  Vm& vm = *vcpu.vm;
  if (!is_good_transfer(vcpu)) return FfaProxy::failed(Error::invalid_parameters);
  const auto bytes = proxy().own_tx().first(w(vcpu, 1));
  read_secure(vm, vm.ffa.tx, bytes);
  const auto ranges = proxy().ranges_of(bytes, own_id(vcpu));
  const auto pages = ranges ? pages_of(bytes, *ranges) : std::nullopt;
  if (!pages) return FfaProxy::failed(Error::invalid_parameters);
  const Expected<FfaTransfer*> made = new_transfer(*pages);
  if (!made) return FfaProxy::failed(error_of(made.error()));

  const auto entries = proxy().scratch().first(*pages * layout::range_size);
  if (const Status shared = share_pages(vm, *ranges, **made, entries); !shared) {
    free_transfer(*made);
    return answered(shared);
  }
  const std::size_t begin = bytes.size() - ranges->size();
  const auto whole = proxy().own_tx().first(begin + entries.size());
  ffa::put(whole, begin - layout::composite_size + layout::composite_count,
           static_cast<std::uint32_t>(*pages));
  std::ranges::copy(entries, whole.subspan(begin).begin());
  const Answer answer = FfaProxy::send({id, whole.size(), whole.size()});
  if (answer[0] != ffa::success) {
    give_back(vm, (*made)->list());
    free_transfer(*made);
    return answer;
  }
  (*made)->handle = ffa::handle_of(answer[2], answer[3]);
  (*made)->next = std::exchange(vm.ffa.transfers, *made);
  return answer;
}

Answer share(Vcpu& vcpu) {
  return transfer(vcpu, ffa::mem_share);
}
Answer lend(Vcpu& vcpu) {
  return transfer(vcpu, ffa::mem_lend);
}

/// The transfer is in the VM's list.
Answer take_back(Vm& vm, FfaTransfer* transfer, std::uint64_t flags) {
  constexpr std::uint64_t low = 0xFFFF'FFFF;
  const Answer answer =
      FfaProxy::send({ffa::mem_reclaim, transfer->handle & low, transfer->handle >> half, flags});
  if (answer[0] != ffa::success) return answer;
  FfaTransfer** link = &vm.ffa.transfers;
  while (*link != transfer)
    link = &(*link)->next;
  *link = transfer->next;
  give_back(vm, transfer->list());
  free_transfer(transfer);
  return answer;
}

Answer reclaim(Vcpu& vcpu) {
  FfaTransfer* const found = vcpu.vm->ffa.find(ffa::handle_of(x(vcpu, 1), x(vcpu, 2)));
  if (found == nullptr) return FfaProxy::failed(Error::invalid_parameters);
  return take_back(*vcpu.vm, found, w(vcpu, 3));
}

struct Row {
  std::uint32_t id;
  Handler handler;
};
constexpr auto rows = std::to_array<Row>({
    {ffa::version, version},
    {ffa::features, features},
    {ffa::id_get, id_get},
    {ffa::rxtx_map, map_buffers},
    {ffa::rxtx_unmap, unmap_buffers},
    {ffa::rx_release, release_rx},
    {ffa::partition_info_get, partition_info},
    {ffa::direct_request, direct_message},
    {ffa::direct_request32, direct_message},
    {ffa::mem_share, share},
    {ffa::mem_share32, share},
    {ffa::mem_lend, lend},
    {ffa::mem_lend32, lend},
    {ffa::mem_reclaim, reclaim},
});

/// None unless the host allows it and has agreed with EL3 on a version.
Handler handler_of(const Vm& vm, std::uint64_t id) {
  if (!vm.ffa.is_allowed || proxy().agreed_version() == 0) return nullptr;
  const auto* const found = std::ranges::find(rows, id, &Row::id);
  return found == rows.end() ? nullptr : found->handler;
}

}  // namespace

bool GuestFfa::holds(Ipa page) const {
  if (has_buffers && (page == tx || page == rx)) return true;
  for (const FfaTransfer* each = transfers; each != nullptr; each = each->next)
    if (std::ranges::find(each->list(), page) != each->list().end()) return true;
  return false;
}

FfaTransfer* GuestFfa::find(std::uint64_t handle) const {
  FfaTransfer* each = transfers;
  while (each != nullptr && each->handle != handle)
    each = each->next;
  return each;
}

bool is_guest_ffa_call(std::uint64_t id) {
  return FfaProxy::has_guests() && ffa::in_range(static_cast<std::uint32_t>(id));
}

Handled handle_guest_ffa(Vcpu& vcpu) {
  const Handler handler = handler_of(*vcpu.vm, w(vcpu, 0));
  const Answer answer = handler == nullptr ? FfaProxy::failed(Error::not_supported) : handler(vcpu);
  std::ranges::copy(answer, vcpu.context.general.regs);
  return Handled::resume;
}

bool is_transfer_of_a_guest(std::uint64_t handle) {
  return std::ranges::any_of(hypervisor().vms.all(), [handle](const Vm* vm) {
    return vm != nullptr && vm->ffa.find(handle) != nullptr;
  });
}

Status reclaim_guest_ffa(std::uint64_t handle) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.ffa.guest_reclaim", Errno::eagain,
                                               "__pkvm_reclaim_dying_guest_ffa_resources"))
    return injected(fault);
  Vm* const vm = hypervisor().vms.find(handle);
  if (vm == nullptr || !vm->is_dying) return error(Errno::einval);
  if (vm->ffa.transfers != nullptr) {
    take_back(*vm, vm->ffa.transfers, 0);
    return error(Errno::eagain);
  }
  if (vm->ffa.has_buffers) unshare_buffers(*vm);
  return {};
}

void forget_guest_ffa(GuestFfa& guest) {
  while (guest.transfers != nullptr) {
    check(guest.transfers->pages == 0);
    free_transfer(std::exchange(guest.transfers, guest.transfers->next));
  }
}

}  // namespace pkvmemu::hyp
