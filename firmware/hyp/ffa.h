// SPDX-License-Identifier: GPL-2.0-only
// The host's way to the secure world by FF-A (pkvm-abi.md 8.3; Arm DEN 0077A). Each call of its
// range is forwarded as it is, refused, or made by the hypervisor in the host's place, which then
// moves the memory that it is about: what is shared with the secure world is SHARED_OWNED for the
// host, and nobody can be given it. ffa.cpp has versions and messages, ffa_memory.cpp buffers and
// memory. Nothing is asked of EL3, and no page taken, before the host's first call.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "hyp/abi_types.h"
#include "hyp/status.h"
#include "pkvm/ffa.h"
#include "pkvm/generation.h"
#include "support/address.h"

namespace pkvmemu::hyp {

/// What the generations do differently.
struct FfaRules {
  std::uint32_t version;       ///< the highest that the hypervisor speaks
  bool negotiates;             ///< the host has to call VERSION first, which EL2 answers
  bool refuses_older_version;  ///< when the host asks for less than was negotiated
  std::uint32_t least_fragment;
  bool has_guests;  ///< protected guests may speak FF-A, too (vm/guest_ffa.h)
};

class FfaProxy {
 public:
  constexpr FfaProxy() = default;

  /// Whether the call ends here. What does not is the modules' and EL3's.
  bool take(user_pt_regs& regs, std::uint32_t id);

  /// x0 to x3.
  using Answer = std::array<std::uint64_t, 4>;
  static Answer failed(pkvm::ffa::Error error);
  static Answer answer_of(pkvm::ffa::Error error);

  // What the guests' part needs.
  static bool has_guests() { return rules().has_guests; }
  static std::uint32_t least_descriptor() { return rules().least_fragment; }
  /// 0 until host and EL3 have agreed.
  std::uint32_t agreed_version() const { return is_negotiated_ ? version_ : 0; }
  static Answer ask(const std::array<std::uint64_t, 8>& x);
  /// About memory.
  static Answer send(const std::array<std::uint64_t, 8>& x);
  // Between the hypervisor and EL3; there once a version is agreed on.
  std::span<std::uint8_t> own_tx() const { return page(tx_); }
  std::span<std::uint8_t> own_rx() const { return page(rx_); }
  std::span<std::uint8_t> scratch() const { return page(descriptor_); }
  /// The ranges of a descriptor; none where it makes no sense, or is in another's name.
  std::optional<std::span<const std::uint8_t>> ranges_of(std::span<const std::uint8_t> bytes,
                                                         std::uint32_t sender) const;
  /// EL3's answer to PARTITION_INFO_GET, and how much of our buffer is the caller's.
  struct Partitions {
    Answer answer;
    std::size_t size;
  };
  Partitions partitions(const user_pt_regs& regs) const;

 private:
  using Error = pkvm::ffa::Error;
  /// The host's registers, and FF-A's 32-bit view of them.
  struct Call {
    user_pt_regs* host;
    std::uint64_t x(std::size_t i) const { return host->regs[i]; }
    std::uint32_t w(std::size_t i) const { return static_cast<std::uint32_t>(x(i)); }
  };
  struct Row;
  /// None: passed on.
  using Handler = std::optional<Answer> (FfaProxy::*)(const Call&);

  static const FfaRules& rules();
  static Handler handler_of(std::uint32_t id);

  std::optional<Answer> negotiate(const Call& call);
  std::optional<Answer> features(const Call& call);
  std::optional<Answer> partition_info(const Call& call);
  std::optional<Answer> release_rx(const Call& call);
  std::optional<Answer> own_id(const Call& call);
  std::optional<Answer> direct_message(const Call& call);

  std::optional<Answer> map_buffers(const Call& call);
  std::optional<Answer> unmap_buffers(const Call& call);
  std::optional<Answer> share(const Call& call);
  std::optional<Answer> lend(const Call& call);
  std::optional<Answer> send_fragment(const Call& call);
  std::optional<Answer> reclaim(const Call& call);

  /// EL3 speaks FF-A, in a version that the hypervisor knows. Asked once.
  bool is_there();
  bool find_version();
  static bool has_our_id_and_buffers();
  bool take_pages();

  Error map_own_buffers();
  void unmap_own_buffers();
  static void release_own_rx();
  static Error share_buffer(Pa page);
  static void unshare_buffer(Pa page);
  Answer transfer(const Call& call, std::uint32_t id);
  Error check_transfer(const Call& call) const;
  /// The whole descriptor behind `first`, the answer of MEM_RETRIEVE_REQ.
  Error retrieve(const Call& call, const Answer& first);
  static std::span<std::uint8_t> page(Pa pa);

  enum class Firmware : std::uint8_t { unknown, absent, present };
  Firmware firmware_ = Firmware::unknown;
  bool is_negotiated_ = false;
  bool is_mapped_ = false;  ///< our buffers, at EL3
  std::uint32_t version_ = 0;
  Pa tx_{0};  ///< the hypervisor's
  Pa rx_{0};
  Pa descriptor_{0};  ///< where fragments are put together
  Pa host_tx_{0};     ///< 0: the host has mapped none
  Pa host_rx_{0};
};

}  // namespace pkvmemu::hyp
