// SPDX-License-Identifier: GPL-2.0-only
// Protected-VM firmware: reports in, checks itself and the payload, and enters the payload. It is
// all that runs before the payload, so nobody else can have changed what is checked.
#include "guest/guest.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program
namespace layout = pkvm::guest;

extern "C" const layout::ImageHeader guest_image_begin;

namespace {

[[noreturn]] void refuse(std::string_view why) {
  print("pvmfw: refused: ");
  print(why);
  print("\n");
  guest_power_off();
}

const layout::ImageHeader& payload_of(const layout::BootPage& boot) {
  const bool inside = boot.payload_ipa >= layout::ram_ipa &&
                      boot.payload_size <= layout::ram_size &&
                      boot.payload_ipa - layout::ram_ipa <= layout::ram_size - boot.payload_size;
  if (!inside || boot.payload_ipa % 4096 != 0) refuse("the payload is not in RAM");
  const auto& image = *reinterpret_cast<const layout::ImageHeader*>(boot.payload_ipa);
  if (image.magic != layout::payload_magic || image.version != layout::image_version)
    refuse("the payload is not one");
  if (image.size > boot.payload_size || image.size < sizeof(image))
    refuse("the payload's size is wrong");
  if (checksum_of(image) != image.checksum) refuse("the payload's checksum is wrong");
  return image;
}

}  // namespace

extern "C" void guest_main(std::uint64_t argument) {
  open_console();
  if (checksum_of(guest_image_begin) != guest_image_begin.checksum)
    refuse("its own checksum is wrong");
  print(layout::firmware_greeting);
  print("\n");
  const auto& boot = *reinterpret_cast<const layout::BootPage*>(argument);
  if (boot.magic != layout::boot_magic) refuse("no boot page");
  if (boot.payload_size == 0) guest_power_off();
  const layout::ImageHeader& payload = payload_of(boot);
  print("pvmfw: payload verified\n");
  reinterpret_cast<void (*)(std::uint64_t)>(reinterpret_cast<std::uint64_t>(&payload))(argument);
}
