// SPDX-License-Identifier: GPL-2.0-only
// Defects of released kernels (pkvm/quirk.h) that this kernel meets, avoided or reproduced.
#pragma once

#include "host/command_line.h"
#include "pkvm/generation.h"
#include "pkvm/quirk.h"

namespace pkvmemu::host {

/// What the run said about them: which kernel it is, and what becomes of its defects.
struct QuirkRules {
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  pkvm::Defects defects = pkvm::Defects::avoided;

  static QuirkRules of(const CommandLine& line) { return {line.generation, line.defects}; }
};

/// Asked where the defect would show: whether to do as the released kernel. Reports it, when the
/// generation has it.
bool reproduces(const QuirkRules& rules, pkvm::Quirk quirk);

}  // namespace pkvmemu::host
