// SPDX-License-Identifier: GPL-2.0-only
#include "device_option.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <limits>

#include "pkvm/platform.h"
#include "rc.h"

namespace pkvmemu::tool {
namespace {

using machine::DeclaredDevice;
using machine::DeviceProperty;
using machine::Range;

constexpr std::uint64_t default_size = 0x1000;
/// Devicetree Specification 0.4, 2.2.1 and 2.2.4.1.
constexpr std::size_t longest_name = 31;
/// What the bus and the firmware make of a node themselves.
constexpr auto own_properties =
    std::to_array<std::string_view>({"reg", "compatible", "phandle", "linux,phandle"});

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("._-+?#").contains(c);
  });
}

void put_cell(std::vector<std::byte>& value, std::uint64_t cell) {
  constexpr unsigned bits = 32;
  constexpr unsigned byte_bits = 8;
  for (unsigned shift = bits; shift != 0; shift -= byte_bits)
    value.push_back(static_cast<std::byte>(cell >> (shift - byte_bits)));
}

void put_number(std::vector<std::byte>& value, std::uint64_t number) {
  constexpr unsigned cell_bits = 32;
  if (number > std::numeric_limits<std::uint32_t>::max()) put_cell(value, number >> cell_bits);
  put_cell(value, number);
}

/// Takes the text before `separator`, or all of it, off the front.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return item;
}

/// Numbers when all parts are some, else a text.
std::vector<std::byte> encode(std::string_view text) {
  std::vector<std::byte> value;
  for (std::string_view rest = text; !rest.empty();) {
    const auto number = parse_number(std::string(take_until(rest, '+')));
    if (!number) {
      value.clear();
      break;
    }
    put_number(value, *number);
  }
  if (!value.empty()) return value;
  std::ranges::transform(text, std::back_inserter(value),
                         [](char c) { return static_cast<std::byte>(c); });
  value.push_back(std::byte{0});
  return value;
}

Result<DeviceProperty> parse_interrupt(std::string_view text) {
  constexpr std::uint64_t shared = 0;
  constexpr std::uint64_t level_high = 4;
  constexpr std::uint64_t last_shared = 987;
  const auto number = parse_number(std::string(text));
  if (!number || *number > last_shared)
    return fail("irq={}: expected the number of a shared interrupt, 0 to {}", text, last_shared);
  DeviceProperty property{.name = "interrupts", .value = {}};
  for (const std::uint64_t cell : {shared, *number, level_high})
    put_cell(property.value, cell);
  return property;
}

Result<DeviceProperty> parse_property(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const bool has_value = equals != std::string_view::npos;
  const std::string_view value = has_value ? text.substr(equals + 1) : std::string_view{};
  if (name == "irq") return parse_interrupt(value);
  if (!is_name(name))
    return fail("\"{}\" cannot be a property's name: use 1 to {} letters, digits and ._-+?#", name,
                longest_name);
  if (std::ranges::find(own_properties, name) != own_properties.end())
    return fail("the property {} is made from COMPATIBLE[@ADDRESS[+SIZE]]", name);
  if (has_value && value.empty()) return fail("{}=: there is no value", name);
  return DeviceProperty{.name = std::string(name),
                        .value = has_value ? encode(value) : std::vector<std::byte>{}};
}

Result<Range> parse_registers(std::string_view text) {
  std::string_view rest = text;
  const auto base = parse_number(std::string(take_until(rest, '+')));
  const auto size = rest.empty() ? std::optional(default_size) : parse_number(std::string(rest));
  if (!base || !size || *size == 0 || *base + (*size - 1) < *base)
    return fail("@{}: expected an address, or ADDRESS+SIZE", text);
  const Range range{.base = Pa{*base}, .size = *size};
  const std::uint64_t ram = pkvm::platform::ram_base;
  if (range.end().value > ram && *base < ram + pkvm::platform::default_ram_size)
    return fail("@{}: there is memory at this address, and drivers cannot map it as registers",
                text);
  return range;
}

}  // namespace

Result<DeclaredDevice> parse_device(std::string_view text) {
  std::string_view properties = text;
  const std::string_view head = take_until(properties, ':');
  const std::size_t at = head.find('@');
  DeclaredDevice device{.node = {},
                        .compatible = std::string(head.substr(0, at)),
                        .registers = std::nullopt,
                        .properties = {}};
  const std::size_t comma = device.compatible.find(',');
  const std::string model =
      comma == std::string::npos ? device.compatible : device.compatible.substr(comma + 1);
  const bool vendor_is_good =
      comma == std::string::npos || is_name(device.compatible.substr(0, comma));
  if (!vendor_is_good || !is_name(model))
    return fail("\"{}\" is no compatible string: expected something like vendor,model",
                device.compatible);
  device.node = model;
  if (at != std::string_view::npos) {
    const auto range = parse_registers(head.substr(at + 1));
    if (!range) return std::unexpected(range.error());
    device.registers = *range;
    device.node += fmt::format("@{:x}", range->base.value);
  }
  while (!properties.empty()) {
    auto property = parse_property(take_until(properties, ','));
    if (!property) return std::unexpected(property.error());
    if (std::ranges::find(device.properties, property->name, &DeviceProperty::name) !=
        device.properties.end())
      return fail("the property {} is given twice", property->name);
    device.properties.push_back(std::move(*property));
  }
  return device;
}

Result<std::vector<DeclaredDevice>> parse_devices(const std::vector<std::string>& texts) {
  std::vector<DeclaredDevice> devices;
  for (const std::string& text : texts) {
    auto device = parse_device(text);
    if (!device) return fail("--device {}: {}", text, device.error().message);
    const auto has_name = [&](const std::string& name) {
      return std::ranges::find(devices, name, &DeclaredDevice::node) != devices.end();
    };
    if (device->registers && has_name(device->node))
      return fail("--device {}: there is such a device at this address already", text);
    const std::string first = device->node;
    for (unsigned i = 1; has_name(device->node); ++i)
      device->node = fmt::format("{}-{}", first, i);
    devices.push_back(std::move(*device));
  }
  return devices;
}

}  // namespace pkvmemu::tool
