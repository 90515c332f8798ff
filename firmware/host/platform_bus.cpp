// SPDX-License-Identifier: GPL-2.0-only
#include "host/platform_bus.h"

#include <array>
#include <cstdarg>
#include <optional>
#include <string_view>

#include "host/console.h"
#include "host/events.h"
#include "host/records.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "pkvm/errno.h"
#include "support/address.h"

namespace pkvmemu::host {

namespace {

using image::Fdt;
using pkvm::Errno;
using pkvm::negated;

constexpr std::size_t most_resources = 8;
constexpr std::uint32_t first_shared_interrupt = 32;  ///< of a GIC (GICv3 architecture, 2.2.1)

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

/// What the bus keeps about a device. The module's structure is a page of its own, so that what a
/// driver writes behind our fields harms nobody.
struct Seat {
  Seat* next;
  PlatformDevice* device;
  std::uint64_t driver;    ///< that has it; 0: none
  std::uint64_t deferred;  ///< that wants to be asked again; 0: none
  unsigned rank;           ///< of shutting down, which begins with the highest
  std::array<Resource, most_resources> resources;
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

/// Memory first, then interrupts: an entry of three cells is type, number and how it is signalled.
std::uint32_t find_resources(Fdt::Node node, const char* name, Seat& seat) {
  const Fdt& tree = device_tree();
  std::uint32_t count = 0;
  for (unsigned i = 0; count < most_resources; ++i) {
    const auto region = tree.reg(node, i);
    if (!region) break;
    if (region->size != 0)
      seat.resources[count++] = memory_resource(region->base, region->size, name);
  }
  constexpr unsigned cells_of_one = 3;
  for (unsigned i = 0; count < most_resources; ++i) {
    const auto number = tree.cell(node, "interrupts", i * cells_of_one + 1);
    if (!number) break;
    Resource interrupt = memory_resource(first_shared_interrupt + *number, 1, name);
    interrupt.flags = resource_interrupt;
    seat.resources[count++] = interrupt;
  }
  return count;
}

/// A text of the bus's own; null when there is no memory.
[[gnu::format(printf, 1, 2)]] const char* text_record(const char* format, ...) {
  std::array<char, 128> text{};
  va_list arguments;
  va_start(arguments, format);
  fw::format_text(text, format, arguments);
  va_end(arguments);
  const std::size_t size = fw::string_length(text.data()) + 1;
  auto* record = static_cast<char*>(take_record(size));
  if (record != nullptr) fw::copy_bytes(record, text.data(), size);
  return record;
}

/// "10000000.foo", or the node's name when it has no address.
const char* bus_name(const DeviceNode& node) {
  const auto region = device_tree().reg(node.node);
  if (!region) return node.full_name;
  return text_record("%llx.%s", static_cast<unsigned long long>(region->base), node.name);
}

void make_device(Fdt::Node node) {
  auto* seat = static_cast<Seat*>(take_record(sizeof(Seat)));
  auto* device = static_cast<PlatformDevice*>(take_record(page_size));
  DeviceNode* object = device_node(node);
  const char* name = object == nullptr ? nullptr : bus_name(*object);
  if (seat == nullptr || device == nullptr || name == nullptr) {
    printk("platform: no memory for a device\n");
    return;
  }
  device->name = name;
  device->id = -1;
  device->device.name = name;
  device->device.of_node = object;
  device->resource_count = find_resources(node, name, *seat);
  device->resources = seat->resources.data();
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

namespace host = pkvmemu::host;
using host::PlatformDevice;
using host::Resource;
using pkvm::Errno;
using pkvm::negated;

extern "C" {

std::uint64_t export_devm_ioremap_resource(const host::Device* device, const Resource* resource);

int export_platform_driver_register(std::uint64_t driver, std::uint64_t owner) {
  return host::register_platform_driver(driver, owner);
}
void export_platform_driver_unregister(std::uint64_t driver) {
  host::unregister_platform_driver(driver);
}
/// For devices that are there now: -ENODEV when it took none.
int export_platform_driver_probe(std::uint64_t driver, std::uint64_t probe, std::uint64_t owner) {
  *reinterpret_cast<std::uint64_t*>(driver) = probe;
  const int status = host::register_platform_driver(driver, owner);
  if (status != 0 || host::has_device(driver)) return status;
  host::unregister_platform_driver(driver);
  return negated(Errno::enodev);
}

Resource* export_platform_get_resource(PlatformDevice* device, unsigned type, unsigned index) {
  for (std::uint32_t i = 0; i < device->resource_count; ++i) {
    Resource& resource = device->resources[i];
    if ((resource.flags & (host::resource_memory | host::resource_interrupt)) != type) continue;
    if (index-- == 0) return &resource;
  }
  return nullptr;
}
/// As in the devicetree's reg-names.
Resource* export_platform_get_resource_byname(PlatformDevice* device, unsigned type,
                                              const char* name) {
  const auto names = host::device_tree().property(device->device.of_node->node, "reg-names");
  if (!names || type != host::resource_memory) return nullptr;
  std::string_view rest(reinterpret_cast<const char*>(names->data()), names->size());
  const std::string_view wanted(name, pkvmemu::fw::string_length(name));
  for (unsigned i = 0; !rest.empty(); ++i)
    if (pkvmemu::fw::take_until(rest, '\0') == wanted)
      return export_platform_get_resource(device, type, i);
  return nullptr;
}
/// -ENXIO without one.
int export_platform_get_irq(PlatformDevice* device, unsigned index) {
  const Resource* resource = export_platform_get_resource(device, host::resource_interrupt, index);
  return resource == nullptr ? negated(Errno::enxio) : static_cast<int>(resource->start);
}
int export_platform_irq_count(PlatformDevice* device) {
  int count = 0;
  while (export_platform_get_resource(device, host::resource_interrupt,
                                      static_cast<unsigned>(count)) != nullptr)
    ++count;
  return count;
}
std::uint64_t export_platform_get_and_ioremap(PlatformDevice* device, unsigned index,
                                              Resource** out) {
  Resource* resource = export_platform_get_resource(device, host::resource_memory, index);
  if (out != nullptr) *out = resource;
  return export_devm_ioremap_resource(&device->device, resource);
}
std::uint64_t export_platform_ioremap(PlatformDevice* device, unsigned index) {
  return export_platform_get_and_ioremap(device, index, nullptr);
}
}
