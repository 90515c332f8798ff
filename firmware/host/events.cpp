// SPDX-License-Identifier: GPL-2.0-only
#include "host/events.h"

namespace pkvmemu::host {

fw::EventRing& events() {
  static constinit fw::EventRing ring;
  return ring;
}

}  // namespace pkvmemu::host
