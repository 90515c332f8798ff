// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ops_log.h"

#include "hyp/hypervisor.h"
#include "lib/address_cast.h"
#include "pkvm/event.h"
#include "pkvm/ops.h"

namespace {

using pkvmemu::hyp::hypervisor;
using pkvmemu::hyp::max_cpus;
using pkvmemu::hyp::this_cpu;

constinit std::array<std::uint64_t, max_cpus> callers{};

/// What a string argument says: the only op with one is puts.
std::string_view text_of(std::uint64_t row, const std::uint64_t* x) {
  if (row != static_cast<std::uint64_t>(pkvm::OpId::puts) || x[0] == 0) return {};
  return pkvmemu::fw::object_at<const char>(pkvmemu::HypVa{x[0]});
}

}  // namespace

namespace pkvmemu::hyp {

bool logs_ops() {
  return hyp_boot_info.log_ops != 0;
}

std::uint64_t logged_caller() {
  return callers[this_cpu().index];
}

}  // namespace pkvmemu::hyp

void hyp_op_begin(std::uint64_t row, const std::uint64_t* x, std::uint64_t caller) {
  callers[this_cpu().index] = caller;
  hypervisor().events.emit(pkvm::event::Kind::op_begin,
                           {row, caller, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]},
                           pkvm::op_rows[row].name, text_of(row, x));
}

void hyp_op_end(std::uint64_t row, std::uint64_t result) {
  hypervisor().events.emit(pkvm::event::Kind::op_end, {row, result}, pkvm::op_rows[row].name);
}
