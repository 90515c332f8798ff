// SPDX-License-Identifier: GPL-2.0-only
// Descriptions of devices and of the secure world: any text is read or refused with words.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "device/scripted_device.h"
#include "script/world.h"

using namespace pkvmemu;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const script::Region region{.base = Pa{0x1000'0000}, .size = 0x1000, .what = "fuzz.yaml"};
  if (const auto calls = script::parse_el3("fuzz.yaml", text); !calls)
    if (calls.error().message.empty()) std::abort();
  auto device = script::parse_device(region, "fuzz.yaml", text);
  if (!device) return 0;
  // Whatever it says, every access has an answer.
  device::ScriptedDevice scripted(std::move(*device), {});
  for (std::uint64_t offset = 0; offset < 0x40; ++offset) {
    scripted.write(offset, 4, ~offset);
    (void)scripted.read(offset, 4);
  }
  return 0;
}
