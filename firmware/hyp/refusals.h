// SPDX-License-Identifier: GPL-2.0-only
// Ops that refused something, or took NULL for a function, are reported: a module that does not
// look at the answer goes on as if all were well (docs/wrong-uses.md).
#pragma once

#include <cstdint>
#include <string_view>

#include "hyp/status.h"
#include "support/address.h"

namespace pkvmemu::hyp {

/// The answer of an op that registers `function`.
int registration(std::string_view op, HypVa function, Status status);

/// The answer of an op that takes pages, from `first` on.
int page_answer(std::string_view op, Pa first, Status status);

/// An op without an answer was given a page that it must not be given.
void wrong_page(std::string_view op, Pa page);

}  // namespace pkvmemu::hyp
