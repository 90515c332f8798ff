// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ffa.h"

#include <algorithm>

#include "hyp/hypervisor.h"
#include "hyp/smc.h"
#include "lib/fault.h"
#include "pkvm/smccc.h"

namespace pkvmemu::hyp {

namespace {

namespace ffa = pkvm::ffa;
using pkvm::Generation;

/// Calls that no host may make: the 32-bit forms of what has a 64-bit form, messages through
/// buffers, and what only receivers of memory need.
struct Refused {
  std::uint32_t id;
  Generation until = Generation::android16_6_12;
};
constexpr auto refused_calls = std::to_array<Refused>({
    {.id = ffa::mem_retrieve_req},
    {.id = ffa::mem_retrieve_req32},
    {.id = ffa::mem_retrieve_resp},
    {.id = ffa::mem_relinquish},
    {.id = ffa::mem_op_pause},
    {.id = ffa::mem_op_resume},
    {.id = ffa::mem_frag_rx},
    {.id = ffa::mem_donate},
    {.id = ffa::mem_donate32},
    {.id = ffa::msg_send},
    {.id = ffa::msg_poll},
    {.id = ffa::msg_wait},
    {.id = ffa::direct_request32, .until = Generation::android14_6_1},
    {.id = ffa::direct_response32},
    {.id = ffa::rxtx_map32},
});

bool is_refused(std::uint32_t id) {
  return std::ranges::any_of(refused_calls, [&](const Refused& row) {
    return row.id == id && hypervisor().generation <= row.until;
  });
}

constexpr std::uint64_t minus_one = ~std::uint64_t{0};
bool is_unknown_call(std::uint64_t x0) {
  return static_cast<std::int32_t>(x0) == pkvm::smccc::not_supported;
}

}  // namespace

const FfaRules& FfaProxy::rules() {
  constexpr static std::array<FfaRules, pkvm::generation_count> rows = {{
      {.version = ffa::version_1_0,
       .negotiates = false,
       .refuses_older_version = false,
       .least_fragment = 48,
       .has_guests = false},
      {.version = ffa::version_1_1,
       .negotiates = true,
       .refuses_older_version = false,
       .least_fragment = 64,
       .has_guests = false},
      {.version = ffa::version_1_1,
       .negotiates = true,
       .refuses_older_version = true,
       .least_fragment = 64,
       .has_guests = true},
  }};
  return rows[static_cast<std::size_t>(hypervisor().generation)];
}

struct FfaProxy::Row {
  std::uint32_t id;
  Handler handler;
  Generation since = Generation::android14_6_1;
};

FfaProxy::Handler FfaProxy::handler_of(std::uint32_t id) {
  constexpr static auto rows = std::to_array<Row>({
      {.id = ffa::features, .handler = &FfaProxy::features},
      {.id = ffa::rxtx_map, .handler = &FfaProxy::map_buffers},
      {.id = ffa::rxtx_unmap, .handler = &FfaProxy::unmap_buffers},
      {.id = ffa::mem_share, .handler = &FfaProxy::share},
      {.id = ffa::mem_share32, .handler = &FfaProxy::share},
      {.id = ffa::mem_lend, .handler = &FfaProxy::lend},
      {.id = ffa::mem_lend32, .handler = &FfaProxy::lend},
      {.id = ffa::mem_reclaim, .handler = &FfaProxy::reclaim},
      {.id = ffa::mem_frag_tx, .handler = &FfaProxy::send_fragment},
      {.id = ffa::version, .handler = &FfaProxy::negotiate, .since = Generation::android15_6_6},
      {.id = ffa::partition_info_get,
       .handler = &FfaProxy::partition_info,
       .since = Generation::android15_6_6},
      {.id = ffa::rx_release,
       .handler = &FfaProxy::release_rx,
       .since = Generation::android16_6_12},
      {.id = ffa::id_get, .handler = &FfaProxy::own_id, .since = Generation::android16_6_12},
      {.id = ffa::direct_request,
       .handler = &FfaProxy::direct_message,
       .since = Generation::android16_6_12},
      {.id = ffa::direct_request32,
       .handler = &FfaProxy::direct_message,
       .since = Generation::android16_6_12},
  });
  for (const Row& row : rows)
    if (row.id == id && hypervisor().generation >= row.since) return row.handler;
  return nullptr;
}

FfaProxy::Answer FfaProxy::failed(Error error) {
  return {ffa::error, 0, static_cast<std::uint64_t>(std::int64_t{static_cast<int>(error)}), 0};
}
FfaProxy::Answer FfaProxy::answer_of(Error error) {
  return error == Error::none ? Answer{ffa::success} : failed(error);
}

FfaProxy::Answer FfaProxy::ask(const std::array<std::uint64_t, 8>& x) {
  arch::SmcRegisters registers{};
  std::ranges::copy(x, registers.begin());
  arch::smc(registers);
  return {registers[0], registers[1], registers[2], registers[3]};
}

FfaProxy::Answer FfaProxy::send(const std::array<std::uint64_t, 8>& x) {
  if (PKVM_FAULT_NOTHING("hyp.ffa.send", "EL3's consent to a call of FF-A about memory"))
    return failed(Error::denied);
  return ask(x);
}

bool FfaProxy::take(user_pt_regs& regs, std::uint32_t id) {
  // A hypervisor that did not start has no memory for it, and nobody to protect from the call.
  if (!ffa::in_range(id) || !hypervisor().pool) return false;
  std::optional<Answer> answer;
  if (rules().negotiates && !is_negotiated_ && id != ffa::version) {
    answer = failed(Error::invalid_parameters);
  } else if (const Handler handler = handler_of(id); handler != nullptr) {
    answer = (this->*handler)(Call{&regs});
  } else if (is_refused(id)) {
    answer = failed(Error::not_supported);
  }
  if (!answer) return false;
  std::ranges::copy(*answer, regs.regs);
  return true;
}

/// 6.1 takes no version but its own; later ones what both speak.
bool FfaProxy::find_version() {
  const std::uint64_t answer = ask({ffa::version, rules().version})[0];
  if (is_unknown_call(answer)) return false;
  const auto theirs = static_cast<std::uint32_t>(answer);
  if (!rules().negotiates && theirs != rules().version) return false;
  if (ffa::major(theirs) != ffa::major(rules().version)) return false;
  version_ = std::min(theirs, rules().version);
  return true;
}

bool FfaProxy::has_our_id_and_buffers() {
  const Answer id = ask({ffa::id_get});
  if (id[0] != ffa::success || id[2] != ffa::host_id) return false;
  const Answer buffers = ask({ffa::features, ffa::rxtx_map});
  return buffers[0] == ffa::success && buffers[2] == ffa::buffers_of_4k;
}

bool FfaProxy::is_there() {
  if (firmware_ == Firmware::unknown) {
    const bool usable = find_version() && (rules().negotiates || has_our_id_and_buffers());
    firmware_ = usable && take_pages() ? Firmware::present : Firmware::absent;
  }
  return firmware_ == Firmware::present;
}

/// The answer is a version, or -1, in x0: no status.
std::optional<FfaProxy::Answer> FfaProxy::negotiate(const Call& call) {
  const std::uint32_t wanted = call.w(1);
  if (ffa::major(wanted) != ffa::major(rules().version) || !is_there()) return Answer{minus_one};
  const bool is_older = wanted < version_;
  if (is_negotiated_)
    return is_older && rules().refuses_older_version ? Answer{minus_one} : Answer{version_};
  if (is_older) {
    if (is_unknown_call(ask({ffa::version, wanted})[0])) return Answer{minus_one};
    version_ = wanted;
  }
  is_negotiated_ = has_our_id_and_buffers();
  return Answer{is_negotiated_ ? std::uint64_t{version_} : minus_one};
}

FfaProxy::Partitions FfaProxy::partitions(const user_pt_regs& regs) const {
  const auto& x = regs.regs;
  const auto word = [&x](std::size_t i) { return std::uint64_t{static_cast<std::uint32_t>(x[i])}; };
  const Answer answer = ask({ffa::partition_info_get, word(1), word(2), word(3), word(4), word(5)});
  const auto count = static_cast<std::uint32_t>(answer[2]);
  if (answer[0] != ffa::success || count == 0) return {.answer = answer, .size = 0};
  const bool says_size = version_ > ffa::version_1_0;
  if (says_size && (x[5] & ffa::only_count) != 0) return {.answer = answer, .size = 0};
  const std::uint64_t each =
      says_size ? static_cast<std::uint32_t>(answer[3]) : ffa::partition_size_1_0;
  if (each * count > ffa::page_size) return {.answer = failed(Error::aborted), .size = 0};
  return {.answer = answer, .size = each * count};
}

std::optional<FfaProxy::Answer> FfaProxy::partition_info(const Call& call) {
  if (host_rx_ == Pa{0}) return failed(Error::busy);
  const Partitions told = partitions(*call.host);
  std::ranges::copy(own_rx().first(told.size), page(host_rx_).begin());
  return told.answer;
}

// NOLINTBEGIN(readability-convert-member-functions-to-static): the rows of handler_of hold members.
std::optional<FfaProxy::Answer> FfaProxy::features(const Call& call) {
  constexpr std::array ours{ffa::mem_share, ffa::mem_share32, ffa::mem_lend, ffa::mem_lend32};
  if (is_refused(call.w(1))) return failed(Error::not_supported);
  // Buffers of the transaction's own are not to be had: property 0.
  if (std::ranges::find(ours, call.w(1)) != ours.end()) return answer_of(Error::none);
  return std::nullopt;
}

std::optional<FfaProxy::Answer> FfaProxy::release_rx(const Call& /*call*/) {
  return ask({ffa::rx_release});
}

std::optional<FfaProxy::Answer> FfaProxy::own_id(const Call& /*call*/) {
  return Answer{ffa::success, 0, ffa::host_id, 0};
}

/// The host speaks for nobody else. All of x0 to x17 go there and back.
std::optional<FfaProxy::Answer> FfaProxy::direct_message(const Call& call) {
  constexpr unsigned sender_shift = 16;
  if (call.w(1) >> sender_shift != ffa::host_id) return failed(Error::invalid_parameters);
  forward_to_el3(call.host);
  return Answer{call.x(0), call.x(1), call.x(2), call.x(3)};
}
// NOLINTEND(readability-convert-member-functions-to-static)

}  // namespace pkvmemu::hyp
