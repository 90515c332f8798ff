// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/serial.h"

#include "hyp/cfi.h"
#include "lib/address_cast.h"
#include "lib/fault.h"

namespace pkvmemu::hyp {

Status Serial::install(HypVa callback, std::uint32_t hash) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.handler.serial", Errno::ebusy, "a module's serial driver"))
    return injected(fault);
  if (callback_.value != 0) return error(Errno::ebusy);
  hash_ = hash;
  callback_ = callback;
  return {};
}

void Serial::put(char c) const {
  if (callback_.value == 0) return;
  check_callee(callback_, hash_);
  fw::function_at<void(char)>(callback_)(c);
}

void Serial::put_line(const char* text) const {
  for (; *text != '\0'; ++text)
    put(*text);
  put('\n');
  put('\r');
}

void Serial::put_hex(std::uint64_t value) const {
  put('0');
  put('x');
  for (int shift = 60; shift >= 0; shift -= 4)
    put("0123456789abcdef"[(value >> shift) & 0xF]);
  put('\n');
  put('\r');
}

}  // namespace pkvmemu::hyp
