// SPDX-License-Identifier: GPL-2.0-only
// Which code of a module led to where EL2 is, for reports.
#pragma once

#include <cstdint>

namespace pkvmemu::hyp {

/// The physical address behind a hyp VA, 0 when nothing is mapped there.
std::uint64_t physical_of(std::uint64_t va);

/// The innermost return address that lies in a module: `link`, or one of the frame records from
/// `frame` on (AAPCS64 6.4.6); 0 when there is none. Nothing that stands there is trusted.
std::uint64_t module_caller(std::uint64_t link, std::uint64_t frame);

}  // namespace pkvmemu::hyp
