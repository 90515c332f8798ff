// SPDX-License-Identifier: GPL-2.0-only
// Records as a sweep could write them, made from a seed: for reports and merges.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "campaign/record.h"

namespace pkvmemu::test {

/// About `cases` cases of some twenty sites, of all outcomes, most of them good.
campaign::SweepResult sample_sweep(unsigned seed, std::size_t cases);

/// Its lines dealt out to `shards` files at random, each as a worker would have written it.
std::vector<std::string> dealt_out(const campaign::SweepResult& sweep, std::size_t shards,
                                   unsigned seed);

/// As one file.
std::string as_lines(const campaign::SweepResult& sweep);

}  // namespace pkvmemu::test
