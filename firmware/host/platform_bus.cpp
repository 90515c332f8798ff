// SPDX-License-Identifier: GPL-2.0-only
#include "host/platform_bus.h"

#include <array>
#include <optional>
#include <string_view>

#include "host/console.h"
#include "host/device.h"
#include "host/events.h"
#include "host/open_firmware.h"
#include "host/platform_device.h"
#include "host/records.h"
#include "lib/string.h"
#include "pkvm/errno.h"
#include "support/address.h"

namespace pkvmemu::host {

namespace {

using image::Fdt;
using pkvm::Errno;
using pkvm::negated;

/// Where struct platform_driver has what. From 6.3 to 6.10 a second function to remove a device lay
/// behind the first one; since then they share a place.
struct DriverLayout {
  std::size_t remove;
  std::optional<std::size_t> remove_new;
  std::size_t shutdown;
  std::size_t driver;
};
constexpr std::array<DriverLayout, pkvm::generation_count> layouts = {{
    {.remove = 8, .remove_new = std::nullopt, .shutdown = 16, .driver = 40},
    {.remove = 8, .remove_new = 16, .shutdown = 24, .driver = 48},
    {.remove = 8, .remove_new = std::nullopt, .shutdown = 16, .driver = 40},
}};
constinit const DriverLayout* layout = layouts.data();

/// What the bus keeps about a device.
struct Seat {
  Seat* next;
  PlatformDevice* device;
  std::uint64_t driver;    ///< that has it; 0: none
  std::uint64_t deferred;  ///< that wants to be asked again; 0: none
  unsigned rank;           ///< of shutting down, which begins with the highest
};
struct Driver {
  Driver* next;
  std::uint64_t address;
  std::uint64_t owner;  ///< THIS_MODULE of who registered it
};
constinit Seat* seats = nullptr;
constinit Driver* drivers = nullptr;
constinit bool devices_are_made = false;
constinit unsigned next_rank = 1;

using Probe = int (*)(PlatformDevice*);
using Leave = void (*)(PlatformDevice*);

std::uint64_t word_at(std::uint64_t address, std::size_t offset) {
  return *reinterpret_cast<const std::uint64_t*>(address + offset);
}
const DeviceDriver& common_part(std::uint64_t driver) {
  return *reinterpret_cast<const DeviceDriver*>(driver + layout->driver);
}
const char* name_of(std::uint64_t driver) {
  const char* name = common_part(driver).name;
  return name == nullptr ? "(unnamed)" : name;
}

void make_device(Fdt::Node node) {
  auto* seat = static_cast<Seat*>(take_record(sizeof(Seat)));
  PlatformDevice* device = seat == nullptr ? nullptr : make_platform_device(node);
  if (device == nullptr) {
    release_record(seat);
    printk("platform: no memory for a device\n");
    return;
  }
  seat->device = device;
  seat->rank = next_rank++;
  // In the order of the tree.
  Seat** end = &seats;
  while (*end != nullptr)
    end = &(*end)->next;
  *end = seat;
}

void make_devices() {
  if (devices_are_made) return;
  devices_are_made = true;
  const Fdt& tree = device_tree();
  for (auto node = tree.first_child(Fdt::root()); node; node = tree.next_sibling(*node))
    if (tree.has(*node, "compatible") && tree.is_enabled(*node)) make_device(*node);
}

bool same_text(const char* a, const char* b) {
  return a != nullptr && b != nullptr && fw::compare_strings(a, b) == 0;
}

/// By the driver's table, else by name.
bool matches(std::uint64_t driver, const Seat& seat) {
  const DeviceDriver& own = common_part(driver);
  const Fdt::Node node = seat.device->device.of_node->node;
  return match_node(own.of_match_table, node) != nullptr || same_text(own.name, seat.device->name);
}

void tell(const Seat& seat, std::uint64_t driver, int answer) {
  const bool again = answer == negated(Errno::eprobe_defer);
  printk("platform %s: probe of driver %s answers %d%s\n", seat.device->name, name_of(driver),
         answer, again ? ", to be asked again" : "");
}

void unbind(Seat& seat) {
  seat.driver = 0;
  seat.device->device.driver = nullptr;
  seat.device->device.driver_data = nullptr;
}

/// What the probe function answered.
int probe(std::uint64_t driver, Seat& seat) {
  seat.deferred = 0;
  seat.device->device.driver = &common_part(driver);
  const auto function = reinterpret_cast<Probe>(word_at(driver, 0));
  events().emit(pkvm::event::Kind::device_probe_begin, {}, name_of(driver), seat.device->name);
  const int answer = function == nullptr ? 0 : function(seat.device);
  events().emit(pkvm::event::Kind::device_probe_end,
                {static_cast<std::uint64_t>(std::int64_t{answer})}, name_of(driver),
                seat.device->name);
  tell(seat, driver, answer);
  if (answer == 0) {
    seat.driver = driver;
    return answer;
  }
  run_device_actions(&seat.device->device);
  unbind(seat);
  if (answer == negated(Errno::eprobe_defer)) seat.deferred = driver;
  return answer;
}

/// A driver took a device: those that waited may find now what they missed.
void ask_deferred_again() {
  for (bool progress = true; progress;) {
    progress = false;
    for (Seat* seat = seats; seat != nullptr; seat = seat->next) {
      if (seat->deferred == 0) continue;
      seat->rank = next_rank++;  // shut down before what it waited for
      if (probe(seat->deferred, *seat) == 0) progress = true;
    }
  }
}

void take_from_driver(Seat& seat) {
  const std::uint64_t driver = seat.driver;
  std::uint64_t remove = layout->remove_new ? word_at(driver, *layout->remove_new) : 0;
  if (remove == 0) remove = word_at(driver, layout->remove);
  // Of those that return a number nobody looks at it.
  if (remove != 0) reinterpret_cast<Leave>(remove)(seat.device);
  run_device_actions(&seat.device->device);
  unbind(seat);
  printk("platform %s: removed from driver %s\n", seat.device->name, name_of(driver));
}

/// Nothing of the driver's runs: its module's code is about to go.
void forget(std::uint64_t driver, std::string_view module) {
  printk(
      "platform: driver %s was still registered when module %.*s failed: taken off the bus (a "
      "kernel would go on calling freed memory)\n",
      name_of(driver), static_cast<int>(module.size()), module.data());
  for (Seat* seat = seats; seat != nullptr; seat = seat->next) {
    if (seat->deferred == driver) seat->deferred = 0;
    if (seat->driver != driver) continue;
    drop_device_actions(&seat->device->device);
    unbind(*seat);
    printk("platform %s: left by driver %s, whose remove does not run\n", seat->device->name,
           name_of(driver));
  }
}

/// The one of the highest rank below this; null when there is none.
Seat* last_seat(unsigned below) {
  Seat* last = nullptr;
  for (Seat* seat = seats; seat != nullptr; seat = seat->next)
    if (seat->rank < below && (last == nullptr || seat->rank > last->rank)) last = seat;
  return last;
}

}  // namespace

void platform_bus_init(pkvm::Generation generation) {
  layout = &layouts[static_cast<std::size_t>(generation)];
}

int register_platform_driver(std::uint64_t driver, std::uint64_t owner) {
  for (const Driver* known = drivers; known != nullptr; known = known->next)
    if (known->address == driver || same_text(name_of(known->address), name_of(driver))) {
      printk("Error: Driver '%s' is already registered, aborting...\n", name_of(driver));
      return negated(Errno::ebusy);
    }
  auto* added = static_cast<Driver*>(take_record(sizeof(Driver)));
  if (added == nullptr) return negated(Errno::enomem);
  *added = {.next = drivers, .address = driver, .owner = owner};
  drivers = added;
  make_devices();
  bool found = false;
  bool taken = false;
  for (Seat* seat = seats; seat != nullptr; seat = seat->next) {
    if (seat->driver != 0 || !matches(driver, *seat)) continue;
    found = true;
    if (probe(driver, *seat) == 0) taken = true;
  }
  if (!found) printk("platform: driver %s: no device matches\n", name_of(driver));
  if (taken) ask_deferred_again();
  return 0;
}

void unregister_platform_driver(std::uint64_t driver) {
  for (Seat* seat = seats; seat != nullptr; seat = seat->next) {
    if (seat->deferred == driver) seat->deferred = 0;
    if (seat->driver == driver) take_from_driver(*seat);
  }
  for (Driver** at = &drivers; *at != nullptr; at = &(*at)->next) {
    if ((*at)->address != driver) continue;
    Driver* gone = *at;
    *at = gone->next;
    release_record(gone);
    return;
  }
}

void forget_platform_drivers(const kmod::Module& module) {
  for (Driver** at = &drivers; *at != nullptr;) {
    Driver* driver = *at;
    if (driver->owner != module.this_module().value && !module.contains(KernVa{driver->address})) {
      at = &driver->next;
      continue;
    }
    forget(driver->address, module.name());
    *at = driver->next;
    release_record(driver);
  }
}

void shut_down_platform_devices() {
  for (unsigned below = next_rank; Seat* seat = last_seat(below); below = seat->rank) {
    if (seat->driver == 0) continue;
    const std::uint64_t shutdown = word_at(seat->driver, layout->shutdown);
    if (shutdown == 0) continue;
    printk("platform %s: shut down by driver %s\n", seat->device->name, name_of(seat->driver));
    reinterpret_cast<Leave>(shutdown)(seat->device);
  }
}

bool has_device(std::uint64_t driver) {
  for (const Seat* seat = seats; seat != nullptr; seat = seat->next)
    if (seat->driver == driver) return true;
  return false;
}

void report_deferred_devices() {
  for (const Seat* seat = seats; seat != nullptr; seat = seat->next)
    if (seat->deferred != 0)
      printk("platform %s: deferred probe pending: driver %s\n", seat->device->name,
             name_of(seat->deferred));
}

}  // namespace pkvmemu::host
