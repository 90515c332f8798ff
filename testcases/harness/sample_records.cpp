// SPDX-License-Identifier: GPL-2.0-only
// sample-records SEED CASES: records of a sweep that never was, to try reports with.
#include <cstdio>
#include <cstdlib>

#include "harness/sample_sweep.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: sample-records SEED CASES > FILE.jsonl\n", stderr);
    return 2;
  }
  const auto seed = static_cast<unsigned>(std::strtoul(argv[1], nullptr, 0));
  const std::size_t cases = std::strtoul(argv[2], nullptr, 0);
  std::fputs(pkvmemu::test::as_lines(pkvmemu::test::sample_sweep(seed, cases)).c_str(), stdout);
  return 0;
}
