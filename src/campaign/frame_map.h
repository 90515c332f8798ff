// SPDX-License-Identifier: GPL-2.0-only
// Who can reach which frame of RAM, read off the page tables as the CPU would walk them: the host
// by its stage 2 (directly, or by touching what is not mapped yet, pkvm-abi.md 7.7), the hypervisor
// by its stage 1, at whatever address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "machine/machine.h"
#include "support/address.h"

namespace pkvmemu::campaign {

/// Frames by the number of the page in RAM, in order.
using Frames = std::vector<std::uint32_t>;

class FrameMap {
 public:
  /// Of a machine that does not run. `ram_size` as it was configured.
  FrameMap(const machine::Machine& machine, std::uint64_t ram_size);
  /// Of this many frames, those that the host and the hypervisor reach: for what is known
  /// otherwise.
  FrameMap(std::size_t frames, const Frames& hosts, const Frames& hyps, std::size_t writable_code);

  /// Stage 2 of the host is on: what it reaches is known.
  [[nodiscard]] bool has_host() const { return has_host_; }

  [[nodiscard]] std::size_t hyp_count() const;  ///< that the hypervisor reaches, alone or not
  [[nodiscard]] Frames both() const;
  [[nodiscard]] Frames neither() const;
  /// Pages that the hypervisor may write and execute by one and the same mapping.
  [[nodiscard]] std::size_t writable_code() const { return writable_code_; }

 private:
  enum Reach : std::uint8_t { host = 1, hyp = 2 };

  [[nodiscard]] Frames with(std::uint8_t reach) const;

  std::vector<std::uint8_t> reach_;
  std::size_t writable_code_ = 0;
  bool has_host_ = false;
};

/// "0x40008, 0x4000a to 0x4000f and 12 more": frames as page numbers of physical addresses.
std::string to_text(const Frames& frames);

}  // namespace pkvmemu::campaign
