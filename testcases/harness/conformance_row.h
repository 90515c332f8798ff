// SPDX-License-Identifier: GPL-2.0-only
// Ties a test to the rows of the specification that it holds us to. The rows themselves are data
// (testcases/data/conformance/*.yaml); docs/conformance.md is generated from both.
#pragma once

#include <string_view>

#include "pkvm/generation.h"

namespace pkvmemu::test {

/// States that the running test shows `row` to hold on this generation, on our machine and, when
/// the test says so by `on_qemu`, with the same console under QEMU. A test may hold several rows.
///
/// `row` is "SECTION/NAME" with the section of pkvm-abi.md, as "3.2/7" or
/// "1.6/fixmap_map.overwrites". Recorded as the test's property "conformance"
/// (--gtest_output=json), and left with its result in build/<preset>/conformance for the generator
/// (docs/testing.md).
enum class HeldOn : unsigned char { machine, machine_and_qemu };
void holds(std::string_view row, pkvm::Generation generation, HeldOn on = HeldOn::machine_and_qemu);

}  // namespace pkvmemu::test
