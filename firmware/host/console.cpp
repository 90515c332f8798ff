// SPDX-License-Identifier: GPL-2.0-only
#include "host/console.h"

#include <array>

#include "lib/format.h"

namespace pkvmemu::host {

namespace {

// Arm PrimeCell UART (PL011) TRM: data at 0x000, flags at 0x018, bit 5 of which is "transmit FIFO
// full".
struct Pl011 {
  volatile std::uint32_t data;
  std::uint32_t unused[5];
  volatile std::uint32_t flags;
  static constexpr std::uint32_t transmit_full = 1U << 5;
};

constinit Pl011* uart = nullptr;
constinit bool line_open = false;

/// What a KERN_ prefix (SOH, then a letter) at the front of `text` asks for.
enum class Prefix : std::uint8_t { none, level, cont };

Prefix take_prefix(std::string_view& text) {
  constexpr char start_of_header = 1;
  Prefix found = Prefix::none;
  while (text.size() >= 2 && text[0] == start_of_header) {
    found = text[1] == 'c' ? Prefix::cont : Prefix::level;
    text.remove_prefix(2);
  }
  return found;
}

}  // namespace

void console_attach(std::uint64_t pl011) {
  uart = reinterpret_cast<Pl011*>(pl011);
}

void console_write(std::string_view text) {
  if (uart == nullptr) return;
  for (const char c : text) {
    while ((uart->flags & Pl011::transmit_full) != 0) {
    }
    uart->data = static_cast<unsigned char>(c);
  }
}

void console_flush() {
  if (line_open) console_write("\n");
  line_open = false;
}

int vprintk(const char* format, va_list arguments) {
  std::array<char, 1024> buffer{};
  const std::size_t size = fw::format_text(buffer, format, arguments);
  std::string_view text(buffer.data(), size < buffer.size() ? size : buffer.size() - 1);
  if (take_prefix(text) != Prefix::cont) console_flush();
  if (!text.empty()) {
    console_write(text);
    line_open = !text.ends_with('\n');
  }
  return static_cast<int>(size);
}

int printk(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int size = vprintk(format, arguments);
  va_end(arguments);
  return size;
}

}  // namespace pkvmemu::host
