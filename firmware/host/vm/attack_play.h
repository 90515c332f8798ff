// SPDX-License-Identifier: GPL-2.0-only
// Plays one attack from an empty scene to an empty scene, and judges it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/vm/attack.h"
#include "host/vm/attack_lab.h"

namespace pkvmemu::host {

/// The first thing that was not as specified.
enum class Fault : std::uint8_t {
  none,
  not_set_up,  ///< `call` did not bring the victim there
  answer,      ///< step `step` answered otherwise: x0 and x1
  access,      ///< step `step`, an access: x0 ESR, or 0 when it was done
  wrong_page,  ///< page `step` of the block is the host's and should not be, or the other way round
  not_undone,  ///< `call` did not give everything back
  lost_page,   ///< page `step` did not come back
  dirty_page,  ///< page `step` came back with something in it
};

struct Played {
  Fault fault = Fault::none;
  std::size_t step = 0;
  std::uint64_t x0 = 0;
  std::uint64_t x1 = 0;
  pkvm::Hypercall call = pkvm::Hypercall::kvm_hyp_init;
};

/// `block`: AttackScene::block_pages pages.
Played play(const Attack& attack, AttackLab& lab, Pa block);

}  // namespace pkvmemu::host
