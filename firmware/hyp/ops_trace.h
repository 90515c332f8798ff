// SPDX-License-Identifier: GPL-2.0-only
// Trace events as modules see them (pkvm-abi.md 1.6).
#pragma once

#include <array>
#include <cstdint>

#include "support/address.h"

namespace pkvmemu::hyp::ops {

/// [start, end) of hyp_event_id records; -ENOMEM after 128 ranges.
int register_hyp_event_ids(HypVa start, HypVa end);
/// Null while there is no buffer.
void* tracing_reserve_entry(std::uint64_t length);
void tracing_commit_entry();
/// One __hyp_printk record, if that event is enabled.
void tracing_mod_hyp_printk(std::uint8_t format, const std::array<std::uint64_t, 4>& values);

}  // namespace pkvmemu::hyp::ops
