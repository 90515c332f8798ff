// SPDX-License-Identifier: GPL-2.0-only
// What drivers do with a device that is bound to them: printing in its name, and memory and actions
// that go when the driver leaves it.
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include "host/console.h"
#include "host/device.h"
#include "host/records.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "pkvm/errno.h"

namespace fw = pkvmemu::fw;
namespace host = pkvmemu::host;
using host::Device;
using pkvm::Errno;
using pkvm::negated;

extern "C" {
void* export_kmalloc(std::size_t size, unsigned flags);
void export_kfree(const void* object);
void* export_kmemdup(const void* from, std::size_t size, unsigned flags);
char* export_kstrdup(const char* from, unsigned flags);
char* export_kvasprintf(unsigned flags, const char* format, va_list arguments);
}

namespace {

struct Action {
  Action* next;
  const Device* device;
  host::DeviceAction action;
  void* data;
};
constinit Action* actions = nullptr;  ///< the last one first

const char* name_of(const Device* device) {
  const char* name = device->init_name != nullptr ? device->init_name : device->name;
  return name == nullptr ? "(unnamed)" : name;
}

/// "driver device: text", as the kernel starts such lines.
void print(const Device* device, const char* format, va_list arguments) {
  char text[512];
  fw::format_text(text, format, arguments);
  if (device == nullptr) {
    host::printk("(NULL device *): %s", text);
    return;
  }
  const bool bound = device->driver != nullptr && device->driver->name != nullptr;
  host::printk("%s%s%s: %s", bound ? device->driver->name : "", bound ? " " : "", name_of(device),
               text);
}

void free_object(void* object) {
  export_kfree(object);
}

void keep(Action& record, const Action& action) {
  record = action;
  record.next = actions;
  actions = &record;
}

/// Takes it from the list; null when there is none.
template <typename Wanted>
Action* unlink_first(Wanted wanted) {
  for (Action** at = &actions; *at != nullptr; at = &(*at)->next) {
    Action* const action = *at;
    if (!wanted(*action)) continue;
    *at = action->next;
    return action;
  }
  return nullptr;
}

Action* unlink_first_of(const Device* device) {
  return unlink_first([&](const Action& one) { return one.device == device; });
}

/// Keeps `object` until the driver leaves; null when it is null or cannot be kept. A kernel's
/// record of it lies in front of the object: one allocation, which fails as one.
void* managed(const Device* device, void* object) {
  if (object == nullptr) return nullptr;
  auto* record = static_cast<Action*>(host::take_record(sizeof(Action)));
  if (record == nullptr) {
    export_kfree(object);
    return nullptr;
  }
  keep(*record, {.next = nullptr, .device = device, .action = free_object, .data = object});
  return object;
}

}  // namespace

namespace pkvmemu::host {

bool when_driver_leaves(const Device* device, DeviceAction action, void* data) {
  auto* added = static_cast<Action*>(export_kmalloc(sizeof(Action), 0));
  if (added == nullptr) return false;
  keep(*added, {.next = nullptr, .device = device, .action = action, .data = data});
  return true;
}

bool forget_action(const Device* device, const void* data) {
  Action* const action =
      unlink_first([&](const Action& one) { return one.device == device && one.data == data; });
  export_kfree(action);
  return action != nullptr;
}

/// An action may change the list: each time the first that is there now.
void run_device_actions(const Device* device) {
  while (Action* const action = unlink_first_of(device)) {
    const Action done = *action;
    export_kfree(action);
    done.action(done.data);
  }
}

void drop_device_actions(const Device* device) {
  while (Action* const action = unlink_first_of(device))
    export_kfree(action);
}

}  // namespace pkvmemu::host

extern "C" {

void export_dev_print(const Device* device, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(device, format, arguments);
  va_end(arguments);
}
/// The level comes first.
void export_dev_printk(const char* /*level*/, const Device* device, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(device, format, arguments);
  va_end(arguments);
}

/// Returns the error, so that a probe function ends with it; one that comes again later is not
/// told.
int export_dev_err_probe(const Device* device, int error, const char* format, ...) {
  if (error == negated(Errno::eprobe_defer)) return error;
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  fw::format_text(text, format, arguments);
  va_end(arguments);
  export_dev_print(device, "error %d: %s", error, text);
  return error;
}

int export_dev_set_name(Device* device, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  device->name = export_kvasprintf(0, format, arguments);
  va_end(arguments);
  return device->name == nullptr ? negated(Errno::enomem) : 0;
}

const char* export_dev_driver_string(const Device* device) {
  return device->driver != nullptr && device->driver->name != nullptr ? device->driver->name : "";
}

void* export_devm_kmalloc(const Device* device, std::size_t size, unsigned flags) {
  if (size == 0) return export_kmalloc(0, flags);
  return managed(device, export_kmalloc(size, flags));
}
void* export_devm_kmemdup(const Device* device, const void* from, std::size_t size,
                          unsigned flags) {
  return managed(device, export_kmemdup(from, size, flags));
}
char* export_devm_kstrdup(const Device* device, const char* text, unsigned flags) {
  return static_cast<char*>(managed(device, export_kstrdup(text, flags)));
}
char* export_devm_kasprintf(const Device* device, unsigned flags, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char* text = export_kvasprintf(flags, format, arguments);
  va_end(arguments);
  return static_cast<char*>(managed(device, text));
}
void export_devm_kfree(const Device* device, const void* object) {
  if (host::forget_action(device, object)) export_kfree(object);
}

int export_devm_add_action(const Device* device, host::DeviceAction action, void* data,
                           const char* /*name*/) {
  return host::when_driver_leaves(device, action, data) ? 0 : negated(Errno::enomem);
}
void export_devm_remove_action(const Device* device, host::DeviceAction /*action*/, void* data) {
  host::forget_action(device, data);
}
}
