// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/ffa_transport.h"

#include <cstdint>

#include "host/arch.h"
#include "host/memory.h"
#include "pkvm/ffa.h"

namespace pkvmemu::host {

namespace {

namespace ffa = pkvm::ffa;

std::uint64_t smc(std::uint64_t id, std::uint64_t x1, std::uint64_t x2 = 0, std::uint64_t x3 = 0) {
  arch::CallRegisters registers{};
  registers[0] = id;
  registers[1] = x1;
  registers[2] = x2;
  registers[3] = x3;
  arch::smc(registers);
  return registers[0];
}

}  // namespace

void connect_to_secure_world() {
  static constinit bool tried = false;
  if (tried) return;
  tried = true;
  const auto version = static_cast<std::uint32_t>(smc(ffa::version, ffa::version_1_1));
  if (ffa::major(version) != ffa::major(ffa::version_1_1)) return;
  const auto buffers = take_zeroed_pages(2);
  if (!buffers) return;
  // Refused when there are some already.
  const std::uint64_t mapped = smc(ffa::rxtx_map, buffers->value, (*buffers + page_size).value, 1);
  if (mapped != ffa::success) free_pages(*buffers, 2);
}

}  // namespace pkvmemu::host
