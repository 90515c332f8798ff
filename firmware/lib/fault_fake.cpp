// SPDX-License-Identifier: GPL-2.0-only
#include "lib/fault_fake.h"

namespace pkvmemu::fw {

FakeFaults& fake_faults() {
  static FakeFaults faults = nullptr;
  return faults;
}

}  // namespace pkvmemu::fw
