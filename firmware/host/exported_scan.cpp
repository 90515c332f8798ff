// SPDX-License-Identifier: GPL-2.0-only
// Values out of text, for modules.
#include <cstdarg>

#include "host/scan.h"

namespace host = pkvmemu::host;

extern "C" {

int export_vsscanf(const char* text, const char* format, va_list arguments) {
  return host::scan_text(text, format, arguments);
}
int export_sscanf(const char* text, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int stored = host::scan_text(text, format, arguments);
  va_end(arguments);
  return stored;
}
}
