// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <array>

#include "hyp/ffa.h"
#include "hyp/hypervisor.h"
#include "hyp/vm/guest_ffa.h"
#include "lib/fault.h"

namespace pkvmemu::hyp {

namespace {

namespace ffa = pkvm::ffa;
namespace layout = pkvm::ffa::descriptor;
using Error = ffa::Error;
using Bytes = std::span<const std::uint8_t>;

using ffa::field;

Ownership& owners() {
  return *hypervisor().ownership;
}

Status share_range(std::uint64_t pfn, std::uint64_t pages) {
  return owners().host_share_ffa(pfn, pages);
}
Status unshare_range(std::uint64_t pfn, std::uint64_t pages) {
  return owners().host_unshare_ffa(pfn, pages);
}

/// How many ranges of the list went well, from the first on.
std::size_t each_range(Bytes ranges, Status (*change)(std::uint64_t, std::uint64_t)) {
  std::size_t done = 0;
  for (; (done + 1) * layout::range_size <= ranges.size(); ++done) {
    const Bytes range = ranges.subspan(done * layout::range_size, layout::range_size);
    const Pa address{field<std::uint64_t>(range, 0)};
    if (!change(pfn_of(address).value, field<std::uint32_t>(range, layout::range_pages))) break;
  }
  return done;
}

/// All of them or none.
Error share_ranges(Bytes ranges) {
  const std::size_t shared = each_range(ranges, share_range);
  if (shared == ranges.size() / layout::range_size) return Error::none;
  check(each_range(ranges.first(shared * layout::range_size), unshare_range) == shared);
  return Error::denied;
}
void unshare_ranges(Bytes ranges) {
  check(each_range(ranges, unshare_range) == ranges.size() / layout::range_size);
}

/// EL3's own error, where it has one.
Error error_of(const std::array<std::uint64_t, 4>& answer) {
  if (answer[0] == ffa::success) return Error::none;
  return answer[0] == ffa::error ? static_cast<Error>(static_cast<std::int32_t>(answer[2]))
                                 : Error::not_supported;
}

}  // namespace

std::span<std::uint8_t> FfaProxy::page(Pa pa) {
  return {hypervisor().linear.pointer<std::uint8_t>(pa), page_size};
}

bool FfaProxy::take_pages() {
  const std::array<Pa*, 3> pages = {&tx_, &rx_, &descriptor_};
  return std::ranges::all_of(pages, [](Pa* page) {
    const Expected<Pa> taken = hypervisor().pool->take_page();
    if (taken) *page = *taken;
    return taken.has_value();
  });
}

FfaProxy::Error FfaProxy::map_own_buffers() {
  if (is_mapped_) return Error::none;
  const Error error = error_of(ask({ffa::rxtx_map, tx_.value, rx_.value, 1}));
  is_mapped_ = error == Error::none;
  return error;
}

void FfaProxy::unmap_own_buffers() {
  if (is_mapped_) ask({ffa::rxtx_unmap, ffa::host_id});
  is_mapped_ = false;
}

/// EL3 fills it once and then waits: Arm DEN 0077A 1.1, 7.2.2.4.
void FfaProxy::release_own_rx() {
  ask({ffa::rx_release});
}

FfaProxy::Error FfaProxy::share_buffer(Pa page) {
  if (PKVM_FAULT_NOTHING("hyp.ffa.buffer", "the host's FF-A buffer, shared and pinned"))
    return Error::invalid_parameters;
  if (!owners().host_share_hyp(pfn_of(page).value)) return Error::invalid_parameters;
  const HypVa va = hypervisor().linear.hyp_va(page);
  if (owners().pin_shared(va, va + 1)) return Error::none;
  check(owners().host_unshare_hyp(pfn_of(page).value).has_value());
  return Error::invalid_parameters;
}

void FfaProxy::unshare_buffer(Pa page) {
  const HypVa va = hypervisor().linear.hyp_va(page);
  owners().unpin_shared(va, va + 1);
  check(owners().host_unshare_hyp(pfn_of(page).value).has_value());
}

std::optional<FfaProxy::Answer> FfaProxy::map_buffers(const Call& call) {
  const Pa tx{call.x(1)};
  const Pa rx{call.x(2)};
  const bool good = call.w(3) == 1 && tx.value % page_size == 0 && rx.value % page_size == 0;
  if (!good) return failed(Error::invalid_parameters);
  if (host_tx_ != Pa{0}) return failed(Error::denied);
  if (!is_there()) return failed(Error::not_supported);
  if (const Error error = map_own_buffers(); error != Error::none) return failed(error);
  const Error tx_error = share_buffer(tx);
  const Error rx_error = tx_error == Error::none ? share_buffer(rx) : tx_error;
  if (rx_error != Error::none) {
    if (tx_error == Error::none) unshare_buffer(tx);
    unmap_own_buffers();
    return failed(rx_error);
  }
  host_tx_ = tx;
  host_rx_ = rx;
  return answer_of(Error::none);
}

std::optional<FfaProxy::Answer> FfaProxy::unmap_buffers(const Call& call) {
  if (call.w(1) != ffa::host_id || host_tx_ == Pa{0}) return failed(Error::invalid_parameters);
  unshare_buffer(host_tx_);
  unshare_buffer(host_rx_);
  host_tx_ = host_rx_ = Pa{0};
  unmap_own_buffers();
  return answer_of(Error::none);
}

FfaProxy::Error FfaProxy::check_transfer(const Call& call) const {
  const std::uint32_t length = call.w(1);
  const std::uint32_t fragment = call.w(2);
  const bool has_own_buffer = call.x(3) != 0 || call.w(4) != 0;
  if (has_own_buffer || fragment > length || fragment > page_size ||
      fragment < rules().least_fragment || host_tx_ == Pa{0})
    return Error::invalid_parameters;
  return length > page_size ? Error::no_memory : Error::none;
}

std::optional<Bytes> FfaProxy::ranges_of(Bytes bytes, std::uint32_t sender) const {
  const std::size_t receiver = layout::header_size(version_);
  const auto composite = field<std::uint32_t>(bytes, receiver + layout::ranges_of_receiver);
  const bool one_receiver = field<std::uint32_t>(bytes, layout::receiver_count) == 1;
  const bool from_sender = field<std::uint16_t>(bytes, layout::sender) == sender;
  if (composite == 0 || !one_receiver || !from_sender) return std::nullopt;
  const std::uint64_t begin = std::uint64_t{composite} + layout::composite_size;
  if (begin > bytes.size() || (bytes.size() - begin) % layout::range_size != 0) return std::nullopt;
  return bytes.subspan(begin);
}

/// The host's descriptor is looked at in our buffer, where it cannot change any more.
FfaProxy::Answer FfaProxy::transfer(const Call& call, std::uint32_t id) {
  if (const Error error = check_transfer(call); error != Error::none) return failed(error);
  const std::uint32_t length = call.w(1);
  const std::uint32_t fragment = call.w(2);
  std::ranges::copy(page(host_tx_).first(fragment), page(tx_).begin());
  const std::optional<Bytes> ranges = ranges_of(page(tx_).first(fragment), ffa::host_id);
  if (!ranges) return failed(Error::invalid_parameters);
  if (const Error error = share_ranges(*ranges); error != Error::none) return failed(error);
  const Answer answer = send({id, length, fragment});
  const bool asks_for_more =
      answer[0] == ffa::mem_frag_rx && static_cast<std::uint32_t>(answer[3]) == fragment;
  const bool good = fragment == length ? answer[0] == ffa::success : asks_for_more;
  if (!good) unshare_ranges(*ranges);
  return answer;
}

std::optional<FfaProxy::Answer> FfaProxy::share(const Call& call) {
  return transfer(call, ffa::mem_share);
}
std::optional<FfaProxy::Answer> FfaProxy::lend(const Call& call) {
  return transfer(call, ffa::mem_lend);
}

/// Ranges that follow. One that cannot be shared ends the transaction; what the fragments before it
/// shared stays so, since nobody knows any more what that was.
std::optional<FfaProxy::Answer> FfaProxy::send_fragment(const Call& call) {
  const std::uint32_t size = call.w(3);
  const bool good = size <= page_size && size % layout::range_size == 0 && host_tx_ != Pa{0};
  if (!good) return failed(Error::invalid_parameters);
  std::ranges::copy(page(host_tx_).first(size), page(tx_).begin());
  const Bytes ranges = page(tx_).first(size);
  if (const Error error = share_ranges(ranges); error != Error::none) {
    ask({ffa::mem_reclaim, call.w(1), call.w(2), 0});
    return failed(error);
  }
  const Answer answer = send({ffa::mem_frag_tx, call.w(1), call.w(2), size, call.w(4)});
  if (answer[0] != ffa::success && answer[0] != ffa::mem_frag_rx) unshare_ranges(ranges);
  return answer;
}

FfaProxy::Error FfaProxy::retrieve(const Call& call, const Answer& first) {
  const auto length = static_cast<std::uint32_t>(first[1]);
  auto fragment = static_cast<std::uint32_t>(first[2]);
  if (fragment > page_size || length > page_size) {
    release_own_rx();
    return fragment > page_size ? Error::aborted : Error::no_memory;
  }
  const std::span<std::uint8_t> whole = page(descriptor_);
  std::ranges::copy(page(rx_).first(fragment), whole.begin());
  release_own_rx();
  for (std::uint32_t at = fragment; at < length; at += fragment) {
    const Answer next = send({ffa::mem_frag_rx, call.w(1), call.w(2), at, ffa::host_id});
    if (next[0] != ffa::mem_frag_tx) return Error::invalid_parameters;
    fragment = static_cast<std::uint32_t>(next[3]);
    // EL3 is trusted, but for what would never end or lie outside.
    if (fragment == 0 || fragment > page_size - at) return Error::aborted;
    std::ranges::copy(page(rx_).first(fragment), whole.begin() + at);
    release_own_rx();
  }
  return Error::none;
}

/// EL3 says which memory a handle stands for.
std::optional<FfaProxy::Answer> FfaProxy::reclaim(const Call& call) {
  if (!is_there()) return failed(Error::not_supported);
  // What a guest gave is not the host's to take back.
  if (is_transfer_of_a_guest(ffa::handle_of(call.w(1), call.w(2))))
    return failed(Error::invalid_parameters);
  const std::size_t header = layout::header_size(version_);
  const std::span<std::uint8_t> request = page(tx_).first(header);
  std::ranges::fill(request, std::uint8_t{0});
  const std::array<std::uint32_t, 2> handle{call.w(1), call.w(2)};
  __builtin_memcpy(&request[layout::handle], handle.data(), sizeof handle);
  const Answer first = send({ffa::mem_retrieve_req, header, header});
  if (first[0] != ffa::mem_retrieve_resp) return first;
  if (const Error error = retrieve(call, first); error != Error::none) return failed(error);
  const Bytes whole = page(descriptor_);
  const auto composite = field<std::uint32_t>(whole, header + layout::ranges_of_receiver);
  const std::uint64_t begin = std::uint64_t{composite} + layout::composite_size;
  if (begin > static_cast<std::uint32_t>(first[1])) return failed(Error::aborted);
  const std::uint64_t count = field<std::uint32_t>(whole, composite + layout::composite_count);
  if (count > (whole.size() - begin) / layout::range_size) return failed(Error::aborted);
  const Answer answer = send({ffa::mem_reclaim, call.w(1), call.w(2), call.w(3)});
  if (answer[0] == ffa::success) unshare_ranges(whole.subspan(begin, count * layout::range_size));
  return answer;
}

}  // namespace pkvmemu::hyp
